"""Events of all journals as JSON lines for other programs: plain numbers, nothing encoded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.journal import layout
from engine.journal.events import AnyEvent, ClassesJudged, Steps
from engine.journal.files import Tail, parse


class Stream:
    """Tails every journal of an experiment, those that appear later too."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._tails: dict[Path, tuple[Tail, dict[str, Any]]] = {}

    def lines(self) -> Iterator[bytes]:
        """What is new, one JSON object per line, newline included; in order for each writer."""
        self._discover()
        for tail, origin in self._tails.values():
            while data := tail.read():
                for event in parse(data)[0]:
                    yield msgspec.json.encode(plain(event) | origin) + b"\n"

    def _discover(self) -> None:
        self._add(self._directory / layout.SUPERVISOR_JOURNAL, {})
        for node, path in layout.node_journals(self._directory):
            self._add(path, {"node": node})
        for journal in layout.rank_journals(self._directory):
            origin = {"run": journal.run, "attempt": journal.attempt, "rank": journal.rank}
            self._add(journal.path, origin)

    def _add(self, path: Path, origin: dict[str, Any]) -> None:
        if path not in self._tails:
            self._tails[path] = (Tail(path), origin)


def plain(event: AnyEvent) -> dict[str, Any]:
    """An event as JSON values; a steps event gets ``metrics``: name to one number per step, and the
    columns of a confusion matrix are lists.

    A number that is not finite is ``null``: JSON has no other word for it.
    """
    values: dict[str, Any] = msgspec.to_builtins(event)
    if isinstance(event, Steps):
        del values["names"], values["columns"]
        values["metrics"] = {
            name: [_number(value) for value in np.frombuffer(column, "<f4").tolist()]
            for name, column in zip(event.names, event.columns, strict=False)
        }
    if isinstance(event, ClassesJudged):
        for name in ("true", "said", "count", "top5"):
            column: bytes = getattr(event, name)
            values[name] = np.frombuffer(column, "<u4", len(column) // 4).tolist()
    return {name: _number(value) for name, value in values.items()}


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
