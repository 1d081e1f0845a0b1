"""What other tools read: TensorBoard's event files and matplotlib's pictures."""

from __future__ import annotations

import math
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from engine.errors import ExperimentError, WrongInput
from engine.report.compare import compare
from engine.report.comparison import Comparison
from engine.report.difference import Difference
from engine.report.exports import plots, tensorboard
from engine.report.exports.courses import Courses, courses
from engine.report.exports.plot_bars import BARS, bars_figure
from engine.report.exports.strokes import stroke
from engine.report.metrics import collect
from engine.report.sources import read
from tests.journal.writing import RankWriter, Shape, columns, loss_at, write_experiment
from tests.report.comparisons import BASELINE, comparison, row, usual

SVG = "{http://www.w3.org/2000/svg}"


def test_tensorboard_reads_a_run(tmp_path: Path) -> None:
    shape = Shape(total_steps=100, steps_per_epoch=50)
    made = write_experiment(tmp_path, tmp_path / "d", shape=shape, started=1000.0)
    path = tensorboard.event_file(tmp_path / "board", made.name, "01-single")
    tensorboard.write_events(collect(made.directory, "01-single"), path)
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    read = EventAccumulator(str(path.parent), size_guidance={"scalars": 0})
    read.Reload()
    assert set(read.Tags()["scalars"]) == {
        "train/loss", "train/top1", "train/lr", "train/step_seconds",
        "epoch/loss", "epoch/top1", "epoch/images_per_second", "epoch/seconds",
        "val/loss", "val/top1", "val/top5", "val/seconds",
    }  # fmt: skip
    loss, top1, _, lr, *_ = columns(0, 100)
    for tag, expected in (("train/loss", loss), ("train/top1", top1), ("train/lr", lr)):
        events = read.Scalars(tag)
        assert [each.step for each in events] == list(range(1, 101))
        np.testing.assert_array_equal([each.value for each in events], expected)
    # Two seconds of starting up, then 0.05 s a step: told is when it ended.
    assert read.Scalars("train/loss")[0].wall_time == pytest.approx(1002.05, abs=1e-3)
    first, second = read.Scalars("val/loss")
    assert (first.step, second.step) == (50, 100)
    assert first.value == pytest.approx(1.1 * loss_at(50))
    assert first.wall_time == pytest.approx(1004.7, abs=1e-3)
    assert [each.value for each in read.Scalars("epoch/images_per_second")] == [640.0, 640.0]


def test_a_run_without_a_step_and_a_loss_that_is_no_number(tmp_path: Path) -> None:
    writer = RankWriter(tmp_path, "01-single", 1000.0)
    writer.begin()
    path = tensorboard.event_file(tmp_path / "board", "e", "01-single")
    tensorboard.write_events(collect(tmp_path, "01-single"), path)
    writer.steps(2, has_loss=False)
    writer.close()
    tensorboard.write_events(collect(tmp_path, "01-single"), path)
    read = EventAccumulator(str(path.parent))
    read.Reload()
    assert all(np.isnan(each.value) for each in read.Scalars("train/loss"))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Comparison, Courses]:
    place = tmp_path_factory.mktemp("drawn")
    made = write_experiment(place, place / "d", strategies=("single", "amp"))
    source = read(made)
    return compare([source]), courses([source])


def test_plots_are_svg_and_png(drawn: tuple[Comparison, Courses], tmp_path: Path) -> None:
    table, known = drawn
    table = replace(table, rows=(table.rows[0], replace(table.rows[1], repeats=())))
    hostile = replace(table.rows[0].figures, name="_$x^2$ <&>")
    table = replace(table, rows=(replace(table.rows[0], figures=hostile), table.rows[1]))
    written = plots.draw(table, known, tmp_path / "new" / "plots")
    assert [each.name for each in written] == list(plots.files(table, known))
    assert {each.name for each in written} >= {
        "loss-by-epoch.svg", "accuracy-by-time.png", "throughput.svg", "memory.png",
    }  # fmt: skip
    for path in written:
        if path.suffix == ".svg":
            assert ET.parse(path).getroot().tag == f"{SVG}svg"
        else:
            with Image.open(path) as image:
                assert image.size[0] > 800
    comments = (tmp_path / "new" / "plots" / "loss-by-epoch.svg").read_text("utf-8")
    for told in ("validation loss", "epoch", "_$x^2$ &lt;&amp;&gt;"):
        assert f"<!-- {told}" in comments or f"<!--  {told}" in comments


def test_bars_show_what_is_known(tmp_path: Path) -> None:
    table = comparison(*usual().rows, row("ddp", images_per_second=None, peak_memory=None))
    assert plots.files(table, {}) == (
        "throughput.svg", "throughput.png", "memory.svg", "memory.png",
    )  # fmt: skip
    written = plots.draw(table, {}, tmp_path)
    svg = written[0].read_text("utf-8")
    assert "1.50x" in svg
    assert "ddp" not in svg
    assert plots.draw(comparison(), {}, tmp_path) == ()


def test_an_interval_without_an_end_leaves_the_bars_to_be_seen() -> None:
    wild = Difference(call="undecided", ratio=1.0, low=0.001, high=math.inf, pairs=2)
    figure = bars_figure(comparison(row("single", BASELINE), row("amp", wild)), BARS[0])
    # Both had 128 images/s.
    assert figure.axes[0].get_xlim()[1] < 2 * 128


def test_no_plot_can_be_written_where_there_is_no_room(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExperimentError, match=r"cannot write .*file"):
        plots.draw(usual(), {}, tmp_path / "file")
    with pytest.raises(ExperimentError, match=r"cannot write .*file"):
        tensorboard.write_events(
            collect(write_experiment(tmp_path, tmp_path / "d").directory, "01-single"),
            tensorboard.event_file(tmp_path / "file", "e", "r"),
        )


@pytest.mark.parametrize("name", ["matplotlib", "tensorboard"])
def test_without_the_extra_a_sentence_says_what_to_install(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [each for each in sys.modules if each.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    extra = "plots" if name == "matplotlib" else "tensorboard"
    with pytest.raises(WrongInput, match=rf"pip install 'resnet-tui\[{extra}\]'"):
        if name == "matplotlib":
            plots.draw(usual(), {}, tmp_path)
        else:
            tensorboard.write_events({}, tmp_path / "a")


def test_strategies_look_different() -> None:
    assert len({stroke(place) for place in range(28)}) == 28
