"""Plans that earlier versions of the program wrote, put into today's words."""

from __future__ import annotations

from typing import Any

_OLDER = 1
_TODAY = 2


def translate(plan: Any) -> Any:
    """An ``experiment.json`` as decoded, of schema 1, as schema 2 has it; others as they are.

    Schema 1 knew two strategies, and the precision of mixed precision alone: it stood in the
    settings of every run, and ``auto`` meant bf16, else fp16.
    """
    if not isinstance(plan, dict) or plan.get("schema") != _OLDER:
        return plan
    return {**plan, "schema": _TODAY, "runs": [_run(each) for each in plan.get("runs", [])]}


def _run(run: dict[str, Any]) -> dict[str, Any]:
    strategy, settings = run["strategy"], run["settings"]
    asked = settings.get("precision", "auto")
    mixed = strategy.get("mixed_precision", False)
    fixed = "mixed" if mixed else "fp32"
    trained = asked if mixed and asked != "auto" else fixed
    decided = {"precision": trained, "nproc": 1, "schedule": "gpipe", "recompute": "never"}
    return {
        **run,
        "schema": _TODAY,
        "strategy": {**strategy, "precision": fixed},
        "settings": {**settings, **decided},
    }
