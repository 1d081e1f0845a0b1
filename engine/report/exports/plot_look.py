"""What pictures of a comparison have in common."""

from __future__ import annotations

from typing import Any

from engine.report.comparison import Comparison, Row
from engine.report.exports.strokes import stroke
from engine.report.names import names


def look(place: int) -> dict[str, Any]:
    chosen = stroke(place)
    style: Any = (0, chosen.dashes) if chosen.dashes else "-"
    return {"color": chosen.colour, "linestyle": style}


def label(row: Row, comparison: Comparison) -> str:
    told = names(comparison.rows)[row.key]
    # matplotlib leaves what begins with an underscore out of a legend.
    return f" {told}" if told.startswith("_") else told
