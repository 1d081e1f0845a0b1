"""Text from outside, made harmless once, where it enters.

File names, class names and log lines can hold control characters that move a terminal's cursor,
change its title or reorder what is read (bidirectional controls). They are shown as ``\\ufffd``.
"""

from __future__ import annotations

import re

_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def clean(text: str) -> str:
    """``text`` on one line without anything a terminal would act on; tabs become spaces."""
    return _HARMFUL.sub("\ufffd", text.replace("\t", "    "))
