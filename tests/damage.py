"""Files that were cut short, or in which bits turned over."""

from __future__ import annotations

from hypothesis import strategies as st


def damaged(data: st.DataObject, content: bytes) -> bytes:
    """``content`` cut anywhere, or with up to eight bits turned anywhere, as ``data`` draws it."""
    if data.draw(st.booleans()):
        return content[: data.draw(st.integers(0, len(content) - 1))]
    turned = bytearray(content)
    for _ in range(data.draw(st.integers(1, 8))):
        turned[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    return bytes(turned)
