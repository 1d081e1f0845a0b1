"""What Setup says: its first line, the line above the keys, and its question."""

from __future__ import annotations

from pathlib import Path

from textual.content import Content

from engine.plan.config import Settings, declarations
from engine.plan.inspection import Report
from engine.plan.machine import Machine
from engine.plan.recipes import RECIPES
from engine.plan.text import clean
from tui.screens.question import Question
from tui.widgets.strategy_list import Choice


def title(dataset: Path | None, report: Report | None, problem: str) -> Content:
    """The screen's name and the chosen dataset."""
    setup = Content.assemble(("setup", "bold $primary"), "   ")
    if dataset is None:
        return Content.assemble(setup, ("no dataset chosen", "$quiet"))
    about = Content("")
    if report is not None:
        images = f"{report.train_images:,} + {report.val_images:,} images"
        about = Content.styled(f"  {len(report.classes):,} classes · {images}", "$quiet")
    elif problem:
        about = Content.styled("  cannot be trained on", "$error")
    name = clean(dataset.name or str(dataset))
    return Content.assemble(
        setup, (name, "bold"), about, (f"   {clean(str(dataset.parent))}", "$faint")
    )


def summary(
    settings: Settings,
    ticked: tuple[str, ...],
    on_strategies: bool,
    impossible: tuple[str, ...] = (),
    memory: Content | None = None,
    space: Content | None = None,
) -> Content:
    """What Enter starts, or which of the ticked strategies keep it from that."""
    if not ticked:
        return Content("")
    if impossible:
        return Content.styled(f"cannot run here like this: {', '.join(impossible)}", "$warning")
    enter = "Enter" if on_strategies else "Enter on the strategies"
    epochs = f"{settings.epochs:,} epoch" + ("s" if settings.epochs != 1 else "")
    return Content.assemble(
        (f"{enter} starts ", "$quiet"),
        (", ".join(ticked), "bold"),
        (f" · {clean(settings.model)} · {epochs}{_runs(settings, len(ticked))}", "$quiet"),
        memory or "",
        space or "",
    )


def _runs(settings: Settings, strategies: int) -> str:
    """How many trainings that is, where a strategy has more than one; how long they take is not
    known before the first of them."""
    runs = strategies * settings.repeats
    if settings.find_batch:
        return f" · batch sizes searched, then up to {2 * runs:,} runs"
    return f" · {runs:,} runs" if settings.repeats > 1 else ""


def strategy(chosen: Choice, in_full: bool, memory: str = "") -> Content:
    """A strategy in a line: what it is, ``in_full`` also why not; how it shares out a batch, and
    the memory that it takes."""
    about = chosen.told if in_full and chosen.reason else chosen.explanation
    batch = f"batch {chosen.batch}" if chosen.batch else ""
    return Content.styled(" · ".join(filter(None, (about, batch, memory))), "$quiet")


_DRAWN = ("recipe", "epochs", "batch_size", "lr", "scale_lr", "warmup_epochs", "warmup_start",
          "lr_floor", "max_steps")  # fmt: skip
"""Settings that the learning rate depends on."""


def setting(name: str, recipe: str) -> str:
    """What a setting is, and which key shows what follows from it; nothing for no setting."""
    declared = declarations().get(name)
    if declared is None:
        return ""
    about = declared.about
    if name == "recipe":
        known = {each.name: f"{each.name}: {each.about}" for each in RECIPES}
        about = known.get(recipe, about)
    keys = [" · l draws the learning rate"] if name in _DRAWN else []
    keys += [" · i lists its layers"] if name == "model" else []
    return "".join([about, *keys])


def held_out(settings: Settings) -> str:
    """Where validation images come from where the folder has none."""
    return (
        f"{settings.val_fraction:.0%} of each class held out by seed {settings.seed}: "
        "the folder has no validation images"
    )


def machine(found: Machine) -> str:
    """A machine in a few words: what would do the work."""
    if found.problem:
        return "nothing can be trained on this machine"
    cores = f"{found.cores} core" + ("s" if found.cores != 1 else "")
    names = [clean(device.name) for device in found.devices]
    devices = " + ".join(f"{names.count(name)} x {name}" for name in dict.fromkeys(names))
    return f"{devices or 'no GPU'} · {cores} · torch {clean(found.torch.partition('+')[0])}"


def busy(running: tuple[str, ...]) -> Question:
    """Asked before a start while something else trains on this machine."""
    both = "they would share" if len(running) > 1 else "the two would share"
    return Question(
        "This machine is busy",
        f"{', '.join(running)} is training here. Started now, {both} the machine, and the times of "
        "each would tell nothing about its strategy.",
        [
            ("y", "start", "start anyway"),
            ("h", "home", "look at what is running"),
            ("c", "cancel", "not now"),
        ],
        default="cancel",
    )


def no_room(why: str) -> Question:
    """Asked before a start where the disk may fill up."""
    return Question(
        "The disk may become full",
        f"{why[:1].upper()}{why[1:]}. When it is full no more checkpoints are saved, and training "
        "goes on with the last good one kept.",
        [("y", "start", "start anyway"), ("c", "cancel", "not now")],
        default="cancel",
    )
