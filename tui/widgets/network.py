"""A network in words: its layers as rows of a table, and its sums. Pure."""

from __future__ import annotations

from textual.content import Content

from engine.plan.room import size
from engine.plan.summary import Row, Summary
from tui.widgets.fitting import wrapped
from tui.widgets.line import heading

COLUMNS = ("layer", "output", "parameters", "forward", "activations")

_WIDTHS = (10, 15, 12, 11, 11)


def cells(row: Row) -> tuple[str, ...]:
    """Of one layer, in the order of ``COLUMNS``."""
    output = f"{row.channels:,} x {row.side} x {row.side}"
    flop = flops(row.operations) if row.operations else "0"
    kept = size(row.activations) if row.activations else "0"
    return (row.name, output, f"{row.parameters:,}", flop, kept)


def facts(found: Summary) -> list[tuple[str, str]]:
    """What there is to say of the whole, by name."""
    blocks = sum("." in row.name for row in found.rows)
    held = found.held
    images = f"{found.batch_size:,} image" + ("s" if found.batch_size != 1 else "")
    told = [
        (
            "layers",
            f"{len(found.rows)}, of which {blocks} residual blocks; {found.classes:,} classes",
        ),
        ("parameters", f"{found.parameters / 1e6:.1f} M ({found.parameters:,})"),
        (
            "arithmetic",
            f"{flops(found.operations)} forward, {flops(found.training_operations)} to train on, "
            f"per image of {found.image_size} px (a multiply-add is two)",
        ),
        (
            "activations",
            f"{size(found.activations)} for a batch of {images} in 32 bits; "
            f"{size(found.activations_half)} in 16, copies of the weights included",
        ),
    ]
    parts = {
        "weights": held.weights,
        "gradients": held.gradients,
        "optimiser": held.optimizer,
        "averaged weights": held.averaged or None,
    }
    sizes = [f"{name} {size(value)}" for name, value in parts.items() if value is not None]
    told.append(("memory", ", ".join(sizes)))
    return told


def flops(operations: int) -> str:
    """``8.18 GFLOP`` (a thousand million operations), ``4.10 MFLOP``."""
    unit, factor = ("GFLOP", 1e9) if operations >= 1e8 else ("MFLOP", 1e6)
    return f"{operations / factor:.2f} {unit}"


def network_lines(found: Summary, width: int) -> list[Content]:
    """The sums, then a row for each layer."""
    lines = []
    for name, value in facts(found):
        for number, part in enumerate(wrapped(value, max(24, width - 13))):
            label = f"{name if number == 0 else '':<13}"
            lines.append(Content.assemble((label, "$quiet"), (part, "$foreground")))
    lines += [Content(""), heading("Layers", width, "activations of the whole batch")]
    lines.append(Content.styled(_spread(COLUMNS), "$quiet"))
    lines += [Content(_spread(cells(row))) for row in found.rows]
    return lines


def _spread(texts: tuple[str, ...]) -> str:
    """Numbers to the right, a space between two columns."""
    first, *rest = zip(texts, _WIDTHS, strict=True)
    return first[0].ljust(first[1]) + "".join(f" {text:>{width}}" for text, width in rest)
