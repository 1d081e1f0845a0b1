"""Drawn schedules, and the stages of a pipeline on the live view."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.experiment import Experiment
from engine.journal import events
from engine.journal.events import PipelinePlanned
from engine.journal.pipeline_view import PipelineView, StagesView
from engine.journal.reader import JournalReader
from engine.plan.schedule import Schedule, schedule
from tests.journal.writing import RankWriter, Shape, write_experiment
from tests.tui.driving import SIZES, drive
from tui.app import ResnetTuiApp
from tui.start import Start
from tui.widgets.pipeline import pipeline
from tui.widgets.timetable import timetable, width_of

WIDE, SMALL = SIZES
LAYERS = ("stem", "layer1_0", "layer2_0", "layer3_0", "layer4_0", "head")

schedules = st.builds(
    schedule, st.sampled_from(["gpipe", "1f1b"]), st.integers(1, 6), st.integers(1, 120)
)


def text(made: Schedule, width: int, *, styled: bool) -> list[str]:
    drawn = timetable(made, width, styled=styled)
    return ["".join(piece for piece, _ in row).rstrip() for row in drawn.rows]


@given(schedules, st.integers(20, 200), st.booleans())
def test_a_drawing_fits_and_says_what_it_leaves_out(
    made: Schedule, width: int, styled: bool
) -> None:
    drawn = timetable(made, width, styled=styled)
    rows = text(made, width, styled=styled)
    assert len(rows) == made.stages
    assert all(len(row) <= width for row in rows)
    assert all(("…" in row) == (drawn.left_out > 0) for row in rows)
    if width_of(made) <= width:
        assert drawn.left_out == 0
        assert drawn.letters
    assert drawn.letters or styled
    for pieces, ops in zip(drawn.rows, made.grid, strict=True):
        looks = [look for piece, look in pieces if piece.strip()]
        assert len(looks) + drawn.left_out == len(ops) + looks.count("cut")
        # The first and the last cycle are always there.
        assert looks[0] == (ops[0].direction if ops[0] else "idle")
        assert looks[-1] == (ops[-1].direction if ops[-1] else "idle")


def test_a_known_drawing() -> None:
    assert text(schedule("gpipe", 2, 3), 80, styled=False) == [
        "F0 F1 F2 ·  ·  B2 B1 B0",
        "·  F0 F1 F2 B2 B1 B0 ·",
    ]


def test_without_room_for_letters_a_style_tells_them_apart() -> None:
    drawn = timetable(schedule("gpipe", 2, 3), 10, styled=True)
    assert ["".join(piece for piece, _ in row) for row in drawn.rows] == ["012··210", "·012210·"]
    looks = [look for _, look in drawn.rows[0]]
    assert looks == ["F", "F", "F", "idle", "idle", "B", "B", "B"]


def view(stages: int = 2, **more: Any) -> PipelineView:
    known: dict[str, Any] = {
        "schedule": "gpipe",
        "micro_batches": 4,
        "balance": (1,) * stages,
        "layers": tuple(f"layer{number}" for number in range(stages)),
        "stage_seconds": (),
        "stage_bytes": (),
        "devices": (),
        "overlaps": True,
        "given": True,
        "t": 0.0,
    }
    return PipelineView(**{**known, **more})


def lines(shown: PipelineView, width: int = 78, height: int = 12) -> list[str]:
    made = schedule(shown.schedule, shown.stages, shown.micro_batches)
    return pipeline(shown, made, width, height).plain.splitlines()


def test_an_unknown_bubble_is_a_dash() -> None:
    assert any(line.startswith("bubble – measured, 20 % in theory") for line in lines(view()))
    busy = StagesView(epoch=0, end_step=1, busy=(2.0, 3.0), seconds=4.0, peak_bytes=(), t=0.0)
    drawn = lines(view(measured=(busy,)))
    assert any(line.startswith("bubble 38 % measured, 20 % in theory") for line in drawn)
    assert "50 %" in drawn[2]
    assert "75 %" in drawn[3]


def test_the_micro_batches_in_memory_are_those_of_the_first_stage_and_the_last() -> None:
    (told,) = (line for line in lines(view()) if line.startswith("bubble"))
    assert told.endswith("4 micro-batches in memory")
    drawn = lines(view(schedule="1f1b"))
    (told,) = (line for line in drawn if line.startswith("bubble"))
    assert told.endswith("2 micro-batches in memory, last stage 1")


def test_stages_that_never_overlap_are_said_to_be_for_show() -> None:
    assert lines(view(overlaps=False))[-1] == (
        "functional only: stages share one device and never overlap"
    )


@pytest.mark.parametrize("height", range(5, 30))
def test_stages_without_room_are_counted(height: int) -> None:
    drawn = lines(view(20), height=height)
    assert len(drawn) <= max(height, 6)
    shown = sum(line.split()[:2] == [str(n), "1"] for n, line in enumerate(drawn[2:]))
    hidden = [line for line in drawn if line.endswith("more stages")]
    assert hidden == ([] if shown >= 20 else [f"+{20 - shown} more stages"])


def written(tmp_path: Path, **more: Any) -> Experiment:
    planned = PipelinePlanned(
        schedule="1f1b",
        micro_batches=8,
        balance=(2, 4),
        layers=LAYERS,
        layer_seconds=(0.001,) * 6,
        layer_bytes=(5 << 20,) * 6,
        devices=("cpu", "cpu"),
    )
    shape = Shape(
        total_steps=100, ranks=2, pipeline=planned, busy=(0.5, 0.75), device_batch=4, norm_batch=4
    )
    return write_experiment(
        tmp_path, Path("/data/ants"), strategies=("pipeline",), shape=shape, **more
    )


def started(made: Experiment) -> Start:
    return Start(experiments_directory=made.directory.parent, experiment=made.directory)


async def test_a_wide_screen_shows_the_stages_beside_the_charts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive(monkeypatch, WIDE, started(written(tmp_path))) as driver:
        await driver.until_seen("bubble 38 % measured, 11 % in theory")
        for part in ("1f1b · 2 stages · 8 micro-batches", "stem … layer1_0", "75 %", "F0 B0 F1 B1"):
            await driver.until_seen(part)
        await driver.until_seen("Learning rate")
        # The first stage has no loss and no images, and spoils nothing.
        await driver.until_seen("loss  1.8")
        await driver.until_seen("640 images/s")
        await driver.until_seen("batch 32 = 8 x 4")
        await driver.until_seen("2 ranks")
        await driver.press("t")
        await driver.until(lambda: "bubble" not in driver.frame.split("Log ─")[0])
        await driver.press("t")
        await driver.until(lambda: "bubble" in driver.frame.split("Log ─")[0])


async def test_a_small_screen_shows_the_stages_for_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive(monkeypatch, SMALL, started(written(tmp_path))) as driver:
        await driver.until_seen("t stages")
        await driver.until(lambda: "batch 32 = 8 x 4" in driver.frame.partition("Log ─")[2])
        assert "clock cycles" not in driver.frame
        await driver.press("t")
        await driver.until_seen("18 clock cycles")
        await driver.until_seen("F0 B0 F1 B1 F2 B2 F3 B3")
        assert all(len(row) <= 80 for row in driver.frame.splitlines())
        await driver.press("question_mark")
        await driver.until_seen("the stages of a pipeline")


async def test_only_a_pipeline_has_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = write_experiment(tmp_path, Path("/data/ants"), shape=Shape(total_steps=50))
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("✓ done")
        await driver.press("t")
        await driver.until_seen("l log")
        assert "t stages" not in driver.frame
        assert "clock cycles" not in driver.frame


async def test_a_rank_that_is_ready_waits_for_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = write_experiment(
        tmp_path, Path("/data/ants"), strategies=("ddp",), shape=Shape(ranks=2), state=None
    )
    for path in (made.directory / "01-ddp").rglob("*.jsonl"):
        path.unlink()
    ranks = [RankWriter(made.directory, "01-ddp", events.now(), rank=rank) for rank in range(2)]
    for writer in ranks:
        writer.begin(world_size=2)
    ranks[0].ready(Shape().ready(ranks[0].t))
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("starting · waiting for the other ranks (1 of 2 ready)")
        ranks[1].ready(Shape().ready(ranks[1].t))
        await driver.until(lambda: "waiting for the other ranks" not in driver.frame)
        await driver.until_seen("2 ranks")
    for writer in ranks:
        writer.close()


async def test_the_command_is_on_the_log_screen_and_can_be_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[tuple[str, str]] = []
    monkeypatch.setattr(ResnetTuiApp, "copy", lambda _, *what: copied.append(what))
    made = written(tmp_path)
    async with drive(monkeypatch, SMALL, started(made)) as driver:
        await driver.until_seen("✓ done")
        await driver.press("l")
        await driver.until_seen("$ python -m engine.train fit --run-name 01-pipeline")
        await driver.until_seen("split 2+4 layers into 2 stages (measured), 8 micro")
        await driver.until_seen("epoch 2/2   bubble 38 %   stages busy 50 %, 75 %")
        await driver.press("y")
        await driver.until(lambda: copied)
    command, what = copied[0]
    (run,) = JournalReader(made.directory).read_all().runs
    assert tuple(shlex.split(command)) == run.argv
    assert what == "the command of pipeline"
