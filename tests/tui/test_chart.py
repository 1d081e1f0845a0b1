"""Charts as rows of text: what a curve, a spread, a spike and a mark look like."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.journal.history import Buckets
from tui.widgets.axis import Limits
from tui.widgets.canvas import Canvas
from tui.widgets.curve import columns, smooth
from tui.widgets.plot import draw
from tui.widgets.series import Curve, Drawing, Marks, Plot

Floats = NDArray[np.float64]


def buckets(values: Floats, per: int = 1) -> Buckets:
    """Steps from 0 in buckets of ``per``."""
    rows = np.asarray(values, np.float64).reshape(-1, per)
    return Buckets(
        x=np.arange(0, rows.size, per, dtype=np.float64),
        low=rows.min(axis=1).astype(np.float32),
        high=rows.max(axis=1).astype(np.float32),
        mean=rows.mean(axis=1).astype(np.float32),
        std=rows.std(axis=1).astype(np.float32),
        count=np.full(len(rows), per, dtype=np.int64),
    )


def curve(values: Floats, per: int = 1, **more: object) -> Curve:
    return Curve(name="train", meaning="train", buckets=buckets(values, per), **more)  # type: ignore[arg-type]


def plot(*series: Curve | Marks, high: float, **more: object) -> Plot:
    return Plot(title="Loss", series=series, x=Limits(0, high), **more)  # type: ignore[arg-type]


def rows(drawing: Drawing) -> list[str]:
    return ["".join(text for text, _ in row).rstrip() for row in drawing.rows]


def styled(drawing: Drawing, style: str) -> str:
    """Everything that is drawn in one style."""
    return "".join(text for row in drawing.rows for text, name in row if name == style)


def test_a_line_is_drawn_from_corner_to_corner() -> None:
    falling = np.linspace(4, 0, 40)
    drawing = draw(plot(curve(falling, band=False), high=40, smoothing=0.0), 32, 8)
    assert rows(drawing) == [
        "Loss  ━━ train 0 ───────────────",
        "4┤⠑⠒⠤⢄",
        " │    ⠉⠉⠒⠤⠤⡀",
        " │         ⠈⠉⠒⠢⢄⡀",
        "2┤              ⠈⠉⠑⠤⢄⣀",
        " │                    ⠉⠒⠤⠤⣀",
        "0┤                         ⠉⠒⠢⠤⡀",
        " └0──────────────20──────40 step",
    ]


def test_rows_and_columns_are_exactly_as_asked() -> None:
    values = np.sin(np.arange(500) / 20)
    for width, height in ((20, 5), (39, 11), (100, 30)):
        drawing = draw(plot(curve(values), high=500), width, height)
        assert len(drawing.rows) == height
        assert {len("".join(text for text, _ in row)) for row in drawing.rows} == {width}


@pytest.mark.parametrize("per", [1, 16, 256])
@pytest.mark.parametrize("value", [50.0, 3.5])
def test_a_spike_one_step_wide_is_visible(per: int, value: float) -> None:
    rng = np.random.default_rng(0)
    values = 1 + 0.1 * rng.standard_normal(256 * 80)
    values = values if per > 1 else values[:400]
    values[len(values) // 2] = value
    drawing = draw(plot(curve(values, per), high=len(values)), 60, 16)
    column = 60 // 2
    upper = [row[column - 3 : column + 7] for row in rows(drawing)[1:8]]
    assert any(each.strip(" ⠀│┤") for each in upper), "\n".join(rows(drawing))


def test_the_band_holds_about_eighty_percent() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal(64 * 200)
    found = columns(buckets(values, 64), 0, len(values), 100, 0.02)
    assert np.median(found.band_high) == pytest.approx(1.2816, rel=0.1)
    assert np.median(found.band_low) == pytest.approx(-1.2816, rel=0.1)
    assert found.outlier_high.mean() < 0.05


def test_the_band_is_dim_and_the_line_lies_in_it() -> None:
    rng = np.random.default_rng(0)
    values = 3 * np.exp(-np.arange(2000) / 400) + 0.3 * rng.standard_normal(2000)
    found = columns(buckets(values, 4), 0, 2000, 120, 0.03)
    inside = (found.line > found.band_low) & (found.line < found.band_high)
    assert inside.mean() > 0.95
    drawing = draw(plot(curve(values, 4), high=2000), 60, 12)
    assert len(styled(drawing, "band").strip()) > 30


def test_a_single_spike_does_not_widen_its_neighbours_band() -> None:
    rng = np.random.default_rng(0)
    values = 1 + 0.1 * rng.standard_normal(300)
    values[150] = 20
    found = columns(buckets(values), 0, 300, 100, 0.02)
    assert found.band_high.max() < 2
    assert found.outlier_high[50]


def test_smoothing_keeps_a_constant_and_a_slope() -> None:
    ones = np.ones(50)
    assert smooth(np.full(50, 7.0), ones, 10) == pytest.approx(np.full(50, 7.0))
    slope = smooth(np.arange(400.0), np.ones(400), 10)
    assert slope[200] == pytest.approx(200, abs=0.01)


def test_smoothing_counts_steps_not_buckets() -> None:
    values = np.repeat([1.0, 5.0], 64)
    fine = smooth(values, np.ones(128), 20)
    coarse = smooth(np.array([1.0, 5.0]), np.array([64.0, 64.0]), 20)
    assert coarse[-1] == pytest.approx(fine[-1], rel=0.05)


def test_validation_points_are_marks_and_never_joined() -> None:
    marks = Marks(
        name="validation",
        meaning="validation",
        x=np.array([10.0, 50.0, 90.0]),
        y=np.array([3.0, 2.0, 1.0]),
    )
    drawing = draw(plot(curve(np.full(100, 2.5)), marks, high=100), 60, 10)
    assert styled(drawing, "validation").replace("◆", "") == ""
    assert styled(drawing, "validation").count("◆") == 4  # three points, and the legend
    assert "◆ validation 1" in rows(drawing)[0]


def test_two_runs_differ_without_colour() -> None:
    first = curve(np.full(400, 1.0), band=False)
    second = Curve(
        name="2 amp", meaning="run2", buckets=buckets(np.full(400, 2.0)), nth=1, band=False
    )
    drawing = draw(plot(first, second, high=400), 50, 12)
    assert "━━ train" in rows(drawing)[0]
    assert "╍╍ 2 amp" in rows(drawing)[0]
    lines = [row[row.index("┤" if "┤" in row else "│") + 1 :] for row in rows(drawing)[1:-1]]
    whole, dashed = [each.rstrip() for each in reversed(lines) if each.strip()]
    assert " " not in whole
    assert " " in dashed


def test_the_first_series_is_the_foremost() -> None:
    first = curve(np.full(100, 1.0), band=False)
    second = Curve(
        name="2 amp", meaning="run2", buckets=buckets(np.full(100, 1.0)), nth=1, band=False
    )
    drawing = draw(plot(first, second, high=100), 60, 8)
    assert styled(drawing, "run2") == "╍╍", "of the one behind only the legend is left"


def test_ascii_has_no_other_characters() -> None:
    rng = np.random.default_rng(0)
    marks = Marks(name="val", meaning="validation", x=np.array([50.0]), y=np.array([1.0]))
    values = rng.standard_normal(100)
    drawing = draw(plot(curve(values), marks, high=100, ascii=True, cursor=30.0), 60, 12)
    assert all(row.isascii() for row in rows(drawing))
    assert "*" in "".join(rows(drawing)[1:-1])


def test_before_the_first_step_it_says_so() -> None:
    empty = buckets(np.zeros(0))
    drawing = draw(
        plot(
            Curve(name="train", meaning="train", buckets=empty),
            high=1,
            waiting="waiting for the first step",
        ),
        40,
        9,
    )
    assert any("waiting for the first step" in row for row in rows(drawing))


def test_no_number_is_a_gap_and_not_a_zero() -> None:
    found = buckets(np.full(100, 2.0))
    count = found.count.copy()
    count[40:60] = 0
    mean = found.mean.copy()
    mean[40:60] = np.nan
    holed = Buckets(
        x=found.x, low=found.low, high=found.high, mean=mean, std=found.std, count=count
    )
    drawing = draw(plot(Curve(name="train", meaning="train", buckets=holed), high=100), 40, 8)
    assert drawing.limits is not None
    assert drawing.limits.low > 1


def test_the_cursor_reads_the_value_under_it() -> None:
    values = np.linspace(0, 100, 101)
    drawing = draw(plot(curve(values), high=100, cursor=25.0, smoothing=0.0), 60, 10)
    shown = float(rows(drawing)[0].split("train ")[1].split(" ")[0])
    assert shown == pytest.approx(25, abs=1.5)
    assert "│" in styled(drawing, "cursor")


def test_a_log_axis_leaves_out_what_is_not_positive() -> None:
    values = np.concatenate(([0.0, -1.0], np.geomspace(1e-3, 10, 98)))
    drawing = draw(plot(curve(values, band=False), high=100, y_log=True, smoothing=0.0), 40, 12)
    assert drawing.limits is not None
    assert drawing.limits.low > 0
    assert rows(drawing)[0].endswith("log")
    assert any(row.startswith("0.1") or " 0.1" in row[:6] for row in rows(drawing))


def test_the_last_tick_label_has_room() -> None:
    for width in range(24, 90):
        drawing = draw(plot(curve(np.ones(20_000), 20), high=20_000), width, 8)
        axis = rows(drawing)[-1]
        assert axis.endswith("step") or width < 40
        assert len(axis) <= width
        assert "20k" not in axis or "20k" in axis.replace("─", " ").split()


def test_a_later_layer_replaces_the_cells_it_touches() -> None:
    canvas = Canvas(2, 1)
    canvas.columns_between(np.arange(4), np.zeros(4, int), np.full(4, 3), 0)
    assert canvas.row(0) == [("⣿⣿", 0)]
    canvas.dots(np.array([0]), np.array([0]), 1)
    assert canvas.row(0) == [("⠁", 1), ("⣿", 0)]


def test_dots_outside_the_canvas_are_left_out() -> None:
    canvas = Canvas(2, 1)
    canvas.dots(np.array([-1, 9, 0]), np.array([0, 0, -7]), 0)
    canvas.mark(5, 5, "x", 0)
    assert canvas.row(0) == [("  ", -1)]


def _validation(*values: float) -> Marks:
    """Validation points at even distances over 100 steps."""
    x = np.linspace(0, 100, len(values) + 1)[1:] - 5
    return Marks(name="validation", meaning="validation", x=x, y=np.array(values))


@pytest.mark.parametrize("values", [(34.0, 1.2, 1.0), (616_884.0,), (2e7, 4e6, 1841.0)])
def test_validation_far_off_does_not_flatten_the_losses(values: tuple[float, ...]) -> None:
    train = curve(np.linspace(2.6, 0.4, 100))
    drawing = draw(plot(train, _validation(*values), high=100, robust=True, floor=0.0), 60, 12)
    assert drawing.limits is not None
    assert 2.6 <= drawing.limits.high < 4
    beyond = sum(each > 10 for each in values)
    assert rows(drawing)[1].count("▴") == beyond, "the edge tells of what lies beyond it"


def test_the_cursor_reads_a_mark_beyond_the_edge() -> None:
    train = curve(np.linspace(2.6, 0.4, 100))
    drawing = draw(plot(train, _validation(34, 1, 1), high=100, robust=True, cursor=40.0), 60, 12)
    assert "validation 34" in rows(drawing)[0]


def test_many_marks_far_off_do_not_flatten_the_curve() -> None:
    train = curve(np.linspace(2.6, 0.4, 100))
    marks = _validation(40, 800, 7000, 900, 1)
    drawing = draw(plot(train, marks, high=100, robust=True, floor=0.0), 60, 12)
    assert drawing.limits is not None
    assert 2.6 <= drawing.limits.high < 4
    assert rows(drawing)[1].count("▴") == 4


def test_what_grows_step_by_step_stays_on_a_robust_scale() -> None:
    train = curve(np.linspace(2.6, 0.1, 100))
    drawing = draw(plot(train, _validation(1.8, 1.5, 3, 6, 9), high=100, robust=True), 60, 12)
    assert drawing.limits is not None
    assert drawing.limits.high >= 9
    assert "▴" not in "".join(rows(drawing))


def test_a_curve_that_falls_from_its_start_is_whole() -> None:
    falling = 0.2 + 2.4 * np.exp(-np.arange(1000) / 60)
    drawing = draw(plot(curve(falling), high=1000, robust=True, smoothing=0.0), 60, 12)
    assert drawing.limits is not None
    assert drawing.limits.high >= 2.5


def test_a_training_that_jumps_up_shows_what_was_before() -> None:
    values = np.full(1000, 2.0) + 0.1 * np.sin(np.arange(1000))
    values[500:510] = 1e6
    drawing = draw(plot(curve(values), high=1000, robust=True), 60, 12)
    assert drawing.limits is not None
    assert drawing.limits.high < 10
    assert "▴" in rows(drawing)[1]


def test_a_loss_that_is_no_number_is_not_drawn() -> None:
    train = curve(np.linspace(2.6, 0.4, 100))
    marks = _validation(float("nan"), float("inf"), 1.0)
    drawing = draw(plot(train, marks, high=100, robust=True), 60, 12)
    body = "".join(rows(drawing)[1:])
    assert body.count("◆") == 1
    assert body.count("▴") == 1
