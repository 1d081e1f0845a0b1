"""Numbers as people read them; an unknown one is ``–``, never 0."""

from __future__ import annotations

import math

UNKNOWN = "–"


def unknown(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


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


def brief(value: float | None) -> str:
    """A short duration in at most six characters: ``3.1 ms``, ``43 ms``, ``1.3 s``, ``120 s``."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value < 0.00995:
        return f"{value * 1000:.1f} ms"
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 99.95 else f"{value:,.0f} s"


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


def gib(size: float | None) -> str:
    """Bytes as GiB, or MiB where that is less than one."""
    if size is None or not math.isfinite(size):
        return UNKNOWN
    if size < 1 << 30:
        return f"{size / (1 << 20):.0f} MiB"
    return f"{size / (1 << 30):.1f} GiB"


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
