"""A comparison as a file that people and other programs read."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from engine.errors import WrongInput
from engine.plan.text import clean
from engine.report.comparison import Comparison
from engine.report.exports.courses import Courses
from engine.report.exports.csv import encoded, to_csv
from engine.report.exports.html import to_html
from engine.report.exports.json import to_json
from engine.report.exports.markdown import to_markdown
from engine.report.whole import refused, whole

FORMATS: dict[str, Callable[[Comparison, Courses], str]] = {
    "csv": lambda comparison, _: to_csv(comparison),
    "md": to_markdown,
    "json": to_json,
    "html": to_html,
}
"""What each format makes of a comparison and the courses of its runs."""

_ENDINGS = {"markdown": "md", "htm": "html"}


def format_of(path: Path) -> str:
    """The format that a file's ending means; raises ``WrongInput`` where it means none."""
    ending = path.suffix.lower().removeprefix(".")
    ending = _ENDINGS.get(ending, ending)
    if ending not in FORMATS:
        raise WrongInput(
            f"what {clean(path.name)!r} is to hold cannot be told from its ending; "
            f"give --format {'|'.join(FORMATS)}"
        )
    return ending


def content(comparison: Comparison, format: str, courses: Courses | None = None) -> bytes:
    """As a file of that format holds it."""
    text = FORMATS[format](comparison, courses or {})
    return encoded(text) if format == "csv" else text.encode("utf-8", errors="replace")


def write(comparison: Comparison, path: Path, format: str, courses: Courses | None = None) -> Path:
    """Writes it over what is there, whole or not at all, and returns the full path.

    ``courses`` are for the formats that tell how each run went (md, json, html). Raises
    ``ExperimentError``.
    """
    return write_bytes(path, content(comparison, format, courses))


def write_bytes(path: Path, data: bytes) -> Path:
    """Replaces a file so that a reader sees the old or the new one; raises ``ExperimentError``.

    What is no file, but a device or a pipe, is written to; so is a file in a folder that is not
    ours.
    """
    path = path.absolute()
    try:
        target = path.resolve()
        if _replaceable(target):
            with whole(target) as place:
                place.write_bytes(data)
        else:
            target.write_bytes(data)
    except OSError as error:
        raise refused(path, error) from error
    return path


def _replaceable(target: Path) -> bool:
    try:
        ordinary = stat.S_ISREG(target.stat().st_mode)
    except FileNotFoundError:
        return True
    return ordinary and os.access(target.parent, os.W_OK)
