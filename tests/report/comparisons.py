"""Comparisons with known numbers, made by hand."""

from __future__ import annotations

from typing import Any

from engine.report.comparison import Comparison, Held, Row
from engine.report.difference import Difference
from engine.report.figures import Figures

KNOWN: dict[str, Any] = {
    "state": "done",
    "model": "resnet18",
    "image_size": 64,
    "batch_size": 64,
    "batch_size_per_device": 64,
    "norm_batch": 64,
    "num_workers": 2,
    "gradient_checkpointing": False,
    "parallelism": "none",
    "precision": "fp32",
    "device_kind": "cpu",
    "device_name": "a processor",
    "device_count": 1,
    "ranks": 1,
    "batch_seconds_median": 0.5,
    "batch_seconds_p95": 0.625,
    "images_per_second": 128.0,
    "epoch_seconds_estimated": 10.5,
    "epoch_seconds_actual": 10.0,
    "epoch_seconds_error": 0.05,
    "stall_share": 0.125,
    "peak_memory": 3 << 29,
    "epochs": 2,
    "optimizer_steps": 40,
    "train_loss": 0.75,
    "val_loss": 0.875,
    "top1": 0.5,
    "best_top1": 0.5625,
    "train_seconds": 20.0,
    "wall_seconds": 30.0,
}


def figures(name: str, **more: Any) -> Figures:
    which = {"experiment": "bees", "run": f"01-{name}", "view": "equal", "repeat": 0, "repeats": 1}
    return Figures(name=name, **{"reason": "", **which, **KNOWN, **more})


def row(name: str, difference: Difference | None = None, *, runs: int = 1, **more: Any) -> Row:
    """A strategy whose repeats all measured the same."""
    whole = figures(name, **{"repeats": runs, "run": f"01-{name}" if runs == 1 else "", **more})
    repeats = tuple(
        figures(name, **{**more, "run": f"{number + 1:02d}-{name}", "repeat": number})
        for number in range(runs)
    )
    return Row(
        key=f"{whole.experiment}/{name}",
        figures=whole,
        repeats=repeats,
        difference=difference or Difference(call="unknown"),
    )


def faster(ratio: float, **more: Any) -> Difference:
    known = {"call": "faster", "low": ratio * 0.95, "high": ratio * 1.05, "pairs": 3}
    return Difference(**{**known, "ratio": ratio, **more})


BASELINE = Difference(call="baseline", ratio=1.0)


def comparison(*rows: Row, **more: Any) -> Comparison:
    known: dict[str, Any] = {
        "baseline": rows[0].key if rows else "",
        "view": "equal",
        "views": ("equal",),
        "target": None,
        "target_given": False,
        "price": None,
        "held": (),
        "remarks": (),
        "verdict": "",
    }
    return Comparison(rows=rows, **{**known, **more})


def usual() -> Comparison:
    """Two strategies, one half as fast again as the other, and everything that is said of them."""
    return comparison(
        row("single", BASELINE, runs=3),
        row("amp", faster(1.5), runs=3, images_per_second=192.0, precision="bf16", top1=0.25),
        target=0.25,
        held=(
            Held("sample order", "equal", "0a1b"),
            Held("BN batch", "differs", "ddp: 32 of 64 images"),
        ),
        remarks=("All of it on a CPU: times say little about GPUs.",),
        verdict="amp is the fastest: 1.50x single (1.43-1.58).",
    )
