"""Everything that is known of a comparison as strict JSON, for programs.

Raw numbers in SI units; ``null`` is unknown, and stands for a loss that was not finite as well.
``schema`` is the version of these names.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict
from typing import Any

from engine.report.classes import ClassReport, of_run
from engine.report.columns import COLUMNS
from engine.report.comparison import Comparison, Row
from engine.report.exports.courses import Course, Courses

SCHEMA = 1

MOST_CONFUSED = 100
"""Pairs of classes of each run; all of them are in ``resnet-tui export --confusion``."""

_LONE = re.compile("[\ud800-\udfff]")
"""Halves of a pair, which UTF-8 cannot hold."""


def to_json(comparison: Comparison, courses: Courses | None = None) -> str:
    """Rows with all columns and every repeat, what was held equal, what was chosen, what was said.

    ``courses`` adds each run with its course by epoch, versions and command line.
    """
    whole = {
        "schema": SCHEMA,
        "program": "resnet-tui",
        "version": _version(),
        "choices": {
            "view": comparison.view,
            "baseline": comparison.baseline,
            "target_accuracy": comparison.target,
            "target_given": comparison.target_given,
            "price": comparison.price,
        },
        "views": comparison.views,
        "verdict": comparison.verdict,
        "remarks": comparison.remarks,
        "held": [asdict(each) for each in comparison.held],
        "columns": [
            {name: getattr(column, name) for name in ("name", "title", "unit", "better", "about")}
            for column in COLUMNS
        ],
        "rows": [_row(row, comparison.baseline) for row in comparison.rows],
        "runs": [_run(each) for each in (courses or {}).values()],
    }
    return json.dumps(_strict(whole), allow_nan=False, ensure_ascii=False, indent=1) + "\n"


def _row(row: Row, baseline: str) -> dict[str, Any]:
    return {
        "key": row.key,
        "is_baseline": row.key == baseline,
        "values": {column.name: column.value(row) for column in COLUMNS},
        "difference": asdict(row.difference),
        "scaling_efficiency": row.scaling_efficiency,
        "figures": asdict(row.figures),
        "repeats": [asdict(each) for each in row.repeats],
    }


def _run(course: Course) -> dict[str, Any]:
    run, plan = course.view, course.plan
    return {
        "experiment": course.experiment,
        "run": run.run,
        "strategy": run.strategy,
        "view": plan.view if plan else None,
        "repeat": plan.repeat if plan else run.repeat,
        "seed": run.seed,
        "dataset": plan.dataset if plan else None,
        "state": run.state,
        "reason": run.reason,
        "attempt": run.attempt,
        "started": run.started,
        "ended": run.ended,
        "command": run.argv,
        "versions": dict(run.versions),
        "hashes": run.ready.hashes if run.ready else {},
        "settings": asdict(plan.settings) if plan else None,
        "epochs": [asdict(point) for point in course.points],
        "by_class": _by_class(of_run(run)),
    }


def _by_class(report: ClassReport | None) -> dict[str, Any] | None:
    """What the best validation said of each class, and what was most often taken for what."""
    if report is None:
        return None
    names = [each.name for each in report.classes]
    return {
        "epoch": report.judged.epoch + 1,
        "step": report.judged.step,
        "images": report.images,
        "top1": report.top1,
        "top5": report.top5,
        "balanced_accuracy": report.balanced_accuracy,
        "macro_precision": report.macro_precision,
        "macro_f1": report.macro_f1,
        "classes": [
            {
                **asdict(each),
                "recall": each.recall,
                "precision": each.precision,
                "f1": each.f1,
                "recall_interval": each.interval,
            }
            for each in report.classes
        ],
        "most_confused": [
            {**asdict(each), "true": names[each.true], "said": names[each.said]}
            for each in report.confused[:MOST_CONFUSED]
        ],
    }


def _strict(value: Any) -> Any:
    """The same in words of JSON alone."""
    if isinstance(value, dict):
        return {_strict(str(key)): _strict(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value)
    return value


def _version() -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("resnet-tui")
    except PackageNotFoundError:
        return None
