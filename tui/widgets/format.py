"""Numbers as people read them; an unknown one is ``–``, never 0."""

from __future__ import annotations

import math

from engine.report.spelling import UNKNOWN, brief, count, gib, percent, plain, rate, seconds

__all__ = [
    "UNKNOWN",
    "about",
    "brief",
    "count",
    "gib",
    "of_gib",
    "part",
    "per_second",
    "percent",
    "pieces",
    "plain",
    "rate",
    "seconds",
    "unknown",
]


def unknown(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def about(value: float | None) -> str:
    """An estimated duration, marked as one: ``~40 s``, ``~3 min``, ``~2 h 10 min``."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value < 90:
        return f"~{max(1, round(value)) if value < 20 else round(value / 5) * 5} s"
    minutes = round(value / 60)
    if minutes < 60:
        return f"~{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours >= 10:
        return f"~{hours} h" if hours < 48 else f"~{round(hours / 24)} d"
    return f"~{hours} h {minutes:02d} min"


def of_gib(size: float | None, whole: float | None) -> str:
    """``1.5 of 23.5 GiB``, ``310 of 512 MiB``: both in the unit of the whole."""
    if whole is None or not math.isfinite(whole):
        return gib(size)
    unit, factor = ("MiB", 1 << 20) if whole < 1 << 30 else ("GiB", 1 << 30)
    decimals = 0 if whole / factor >= 64 or unit == "MiB" else 1
    least = 0.5 / 10**decimals
    if size is None or not math.isfinite(size):
        used = UNKNOWN
    elif 0 < size / factor < least:
        used = f"<{2 * least:g}"
    else:
        used = f"{size / factor:.{decimals}f}"
    return f"{used} of {whole / factor:.{decimals}f} {unit}"


def per_second(size: float | None) -> str:
    """Bytes per second: ``12.3 GiB/s``, ``340 MiB/s``, ``0.4 MiB/s``."""
    if size is None or not math.isfinite(size):
        return UNKNOWN
    if size >= 1 << 30:
        return f"{size / (1 << 30):.1f} GiB/s"
    mib = size / (1 << 20)
    if 0 < mib < 0.05:
        return "<0.1 MiB/s"
    return f"{mib:.0f} MiB/s" if mib >= 9.95 or mib == 0 else f"{mib:.1f} MiB/s"


def part(value: int | None, whole: int | None) -> str:
    """A share of a batch: ``16 of 64``, and ``64`` where it is all of it."""
    if value is None or whole is None:
        return UNKNOWN
    return f"{value}" if value == whole else f"{value} of {whole}"


def pieces(whole: int, value: int) -> str:
    """How a batch is shared out: ``64 = 2 x 32``, ``64 in parts of 22``."""
    if value >= whole or value < 1:
        return f"{whole}"
    return (
        f"{whole} in parts of {value}" if whole % value else f"{whole} = {whole // value} x {value}"
    )
