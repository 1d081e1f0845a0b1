"""The colours: few, one per meaning, and told apart by lightness too.

Training is blue, validation amber: the pair that all common kinds of colour blindness keep apart.
Series never differ by colour alone (see ``tui.widgets.chart``).
"""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="resnet-tui",
    primary="#5aa9f0",
    secondary="#8b949e",
    accent="#f2a93b",
    foreground="#d7dade",
    background="#101214",
    surface="#16191c",
    panel="#1e2429",
    success="#4fd07f",
    warning="#e6c34a",
    error="#f2706b",
    dark=True,
    variables={
        "quiet": "#858d96",
        "faint": "#3d444b",
        "band": "#46515d",
        "series-train": "#5aa9f0",
        "series-validation": "#f2a93b",
        "series-speed": "#b48bf2",
        "series-rate": "#ec7fb8",
        "series-wait": "#f2836b",
        "series-time": "#5ec8bd",
        "footer-key-foreground": "#f2a93b",
    },
)
"""``quiet`` is for labels, ``faint`` for rules and axes, ``band`` for the spread of a curve."""
