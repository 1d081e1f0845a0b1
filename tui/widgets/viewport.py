"""Which stretch of the x axis all charts show, and where their common cursor is. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui.widgets.axis import Limits, grown

_CLOSEST = 4.0
"""Steps (or their like on another axis) that the closest view still shows."""


@dataclass(frozen=True, slots=True)
class Viewport:
    """``window`` is ``None`` for the whole; ``following`` keeps it at the newest step."""

    window: Limits | None = None
    following: bool = True
    cursor: float | None = None

    def limits(self, extent: Limits, at_most: float | None = None) -> Limits:
        """What is shown of data that lies within ``extent``.

        The whole view ends at a round number, so that it moves only now and then; ``at_most`` is
        where the data is known to end.
        """
        if self.window is None:
            low = 0.0 if extent.low <= 0.5 * extent.high else extent.low
            high = grown(extent.high, at_most)
            return Limits(low, max(high, low + 1e-9))
        if self.following:
            high = max(extent.high, extent.low + self.window.span)
            return Limits(high - self.window.span, high)
        return self.window

    def zoomed(self, factor: float, extent: Limits, shown: Limits, closest: float) -> Viewport:
        """In (``factor`` below 1) or out, about the cursor, else about the newest step."""
        span = shown.span * factor
        if span >= extent.span * 1.2:
            return replace(self, window=None, following=True)
        span = max(span, closest)
        centre = self.cursor if self.cursor is not None else min(shown.high, extent.high)
        share = (centre - shown.low) / shown.span
        low = max(min(centre - share * span, extent.high - span), min(extent.low, 0.0))
        window = Limits(low, low + span)
        return replace(self, window=window, following=window.high >= extent.high * (1 - 1e-9))

    def panned(self, share: float, extent: Limits, shown: Limits) -> Viewport:
        """By a share of what is shown, to the right when positive, as far as there is data."""
        if self.window is None:
            return self
        low = shown.low + share * shown.span
        low = max(min(low, extent.high - shown.span), min(extent.low, 0.0))
        window = Limits(low, low + shown.span)
        return replace(self, window=window, following=window.high >= extent.high * (1 - 1e-9))

    def pointed(self, share: float, extent: Limits, shown: Limits) -> Viewport:
        """The cursor moved by a share of what is shown; at first it appears at the newest step."""
        end = min(shown.high, extent.high)
        start = max(shown.low, extent.low)
        if self.cursor is None:
            cursor = end
        else:
            cursor = min(max(self.cursor + share * shown.span, start), end)
        return replace(self, cursor=cursor)

    def at(self, cursor: float | None) -> Viewport:
        return replace(self, cursor=cursor)
