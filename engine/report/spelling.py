"""Numbers as people read them, on the screen and in reports; an unknown one is ``–``, never 0."""

from __future__ import annotations

import math

UNKNOWN = "–"


def plain(value: float | None, digits: int = 4) -> str:
    """About ``digits`` significant digits without an exponent where that is readable."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    if size == 0:
        return "0"
    if size < 1e-4 or size >= 1e7:
        return f"{value:.{max(digits - 2, 1)}g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    return f"{value:,.{min(decimals, 6)}f}"


def percent(share: float | None, decimals: int = 1) -> str:
    """A share in 0..1 as ``72.7 %``."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    return f"{share * 100:.{decimals}f} %"


def count(value: float | None) -> str:
    """``23,477``."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return f"{value:,.0f}"


def rate(value: float | None) -> str:
    """Images per second: whole above a hundred."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def seconds(value: float | None) -> str:
    """A duration: ``0.26 s``, ``12.3 s``, ``3 min 20 s``, ``2 h 05 min``, ``3 d 4 h``."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value < 0.0995:
        return f"{value * 1000:.3g} ms"
    if value < 9.95:
        return f"{value:.2g} s" if value < 0.995 else f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def gib(size: float | None) -> str:
    """Bytes as GiB, or MiB where that is less than one."""
    if size is None or not math.isfinite(size):
        return UNKNOWN
    if size < 1 << 30:
        return f"{size / (1 << 20):.0f} MiB"
    return f"{size / (1 << 30):.1f} GiB"


def brief(value: float | None) -> str:
    """A short duration in at most six characters: ``3.1 ms``, ``43 ms``, ``1.3 s``, ``120 s``."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value < 0.00995:
        return f"{value * 1000:.1f} ms"
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 99.95 else f"{value:,.0f} s"
