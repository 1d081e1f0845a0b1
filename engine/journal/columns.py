"""Append-only float32 columns in blocks: what a reader was handed once is never written again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class FrozenColumns(NamedTuple):
    """Some blocks of a ``Columns`` as they were: entries below the owner's count never change."""

    blocks: tuple[Floats, ...]
    first: int
    """How many blocks before these were evicted."""
    length: int
    """Entries per block."""

    @property
    def kept_from(self) -> int:
        """The first entry that is still in memory."""
        return self.first * self.length

    def read(self, start: int, stop: int, column: int) -> Floats:
        """Entries ``start`` to ``stop`` of one column, shape (..., stop - start).

        NaN where a block was evicted, or is older than the column.
        """
        pieces = []
        while start < stop:
            number, offset = divmod(start, self.length)
            end = min(self.length, offset + stop - start)
            pieces.append(self._piece(number - self.first, column, offset, end))
            start += end - offset
        if len(pieces) == 1:
            return pieces[0]
        return np.concatenate(pieces, axis=-1) if pieces else np.empty(0, np.float32)

    def _piece(self, number: int, column: int, start: int, stop: int) -> Floats:
        if 0 <= number < len(self.blocks) and column < self.blocks[number].shape[-2]:
            piece: Floats = self.blocks[number][..., column, start:stop]
            return piece
        shape = self.blocks[-1].shape[:-2] if self.blocks else ()
        return np.full((*shape, stop - start), np.nan, np.float32)


class Columns:
    """Growing columns of shape (*prefix, columns, entries); columns may be added at any time."""

    def __init__(self, prefix: tuple[int, ...], length: int) -> None:
        self.blocks: tuple[Floats, ...] = ()
        self.first = 0
        self.length = length
        self.size = 0
        self._prefix = prefix

    @property
    def bytes(self) -> int:
        """What the blocks take, as if all were as wide as the newest."""
        return len(self.blocks) * self.blocks[-1].nbytes if self.blocks else 0

    def append(self, values: Floats) -> None:
        """Adds entries, shape (*prefix, columns, count); columns never become fewer."""
        width, count = values.shape[-2:]
        done = 0
        while done < count:
            at = self.size % self.length
            block = self._block(at, width)
            take = min(self.length - at, count - done)
            block[..., :width, at : at + take] = values[..., done : done + take]
            self.size += take
            done += take

    def evict(self, blocks: int) -> None:
        """Lets go of the oldest blocks."""
        self.blocks = self.blocks[blocks:]
        self.first += blocks

    def drop_after(self, entries: int) -> None:
        """Lets go of the blocks past the first ``entries``; nothing may be added any more."""
        self.blocks = self.blocks[: max(0, -(-entries // self.length) - self.first)]

    def freeze(self) -> FrozenColumns:
        return FrozenColumns(self.blocks, self.first, self.length)

    def _block(self, at: int, width: int) -> Floats:
        """The block that takes the next entry; a wider one replaces one that is too narrow."""
        if at == 0:
            block = np.full((*self._prefix, width, self.length), np.nan, np.float32)
            self.blocks = (*self.blocks, block)
            return block
        block = self.blocks[-1]
        if block.shape[-2] < width:
            wider = np.full((*self._prefix, width, self.length), np.nan, np.float32)
            wider[..., : block.shape[-2], :] = block
            self.blocks = (*self.blocks[:-1], wider)
            return wider
        return block
