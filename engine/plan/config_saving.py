"""The settings of what is kept of a training, and of what happens when it goes wrong."""

from __future__ import annotations

from dataclasses import dataclass

from engine.plan.config_recipe import RecipeSettings
from engine.plan.declaration import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingSettings(RecipeSettings):
    """``last.pt`` is saved after every epoch and on a gentle stop, ``best.pt`` beside it."""

    backup_epochs: int = setting(
        10,
        "every so many epochs a checkpoint is kept for good; 0: none",
        label="backup every",
        group="saving",
        minimum=0,
        unit="epochs",
    )
    save_steps: int | None = setting(
        None,
        "save within an epoch too, every so many steps",
        label="save every",
        group="saving",
        minimum=1,
        unit="steps",
        none="off",
    )
    save_time: float | None = setting(
        None,
        "save within an epoch too, every so often, as 90s, 5m or 2h",
        label="save after",
        group="saving",
        above=0.0,
        unit="s",
        metavar="5m",
        none="off",
    )
    on_nan: str = setting(
        "stop",
        "where a loss is not finite: stop the run, or skip the step",
        label="on NaN",
        group="saving",
        choices=("stop", "skip"),
    )
