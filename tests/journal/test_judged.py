"""What validations said of each class: believed where it can be, undone by a resume."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from engine.journal import events
from engine.journal.events import ClassesJudged, decode, encode
from engine.journal.fold import ExperimentFold
from engine.journal.judged import KEPT, JudgedView, judged_view
from engine.journal.views import RunView
from tests.journal.judging import column, judged

RUN = "01-single"
WRITER: dict[str, Any] = {"journal": "", "host": "", "pid": 1, "boot": ""}
SOUND = judged([[3, 1], [0, 2]], [4, 2])


@given(st.integers(1, 6).flatmap(
    lambda classes: st.lists(
        st.lists(st.integers(0, 9), min_size=classes, max_size=classes),
        min_size=classes, max_size=classes,
    )
))  # fmt: skip
def test_a_matrix_comes_back_from_its_line_as_it_was(matrix: list[list[int]]) -> None:
    dense = np.array(matrix)
    told = decode(encode(judged(matrix, dense.diagonal().tolist())))
    assert isinstance(told, ClassesJudged)
    view = judged_view(told)
    if not dense.any():
        assert view is None  # A validation without an image says nothing.
        return
    assert view is not None
    again = np.zeros_like(dense)
    again[view.true, view.said] = view.count
    assert (again == dense).all()
    assert (view.top5 == dense.diagonal()).all()
    assert (view.images, view.classes) == (dense.sum(), len(dense))


@pytest.mark.parametrize(
    "damage",
    [
        {"count": SOUND.count[:-1]},
        {"count": SOUND.count[:-4]},
        {"true": column([0, 0, 2])},
        {"said": column([0, 1, 2**32 - 1])},
        {"count": column([3, 0, 2])},
        {"count": column(np.array([3, -1, 2], "<i4").view("<u4"))},
        {"true": column([0, 0, 0])},
        {"said": column([1, 0, 1])},
        {"top5": b""},
        {"top5": column([5, 2])},
        {"top5": column([2, 2])},
        {"true": b"", "said": b"", "count": b""},
    ],
    ids=str,
)
def test_what_does_not_fit_together_is_refused_and_counted(damage: dict[str, bytes]) -> None:
    fold = ExperimentFold()
    fold.apply_rank(RUN, 1, 0, SOUND)
    fold.apply_rank(RUN, 1, 0, structs.replace(SOUND, step=20, **damage))
    view = fold.freeze()
    assert view.skipped_lines == 1
    assert _steps(view.runs[0]) == (10, 10)


bytes_ = st.binary(max_size=24) | st.lists(st.integers(0, 3), max_size=5).map(column)


@settings(max_examples=300)
@given(bytes_, bytes_, bytes_, bytes_)
def test_no_bytes_make_it_fail(true: bytes, said: bytes, count: bytes, top5: bytes) -> None:
    told = structs.replace(SOUND, true=true, said=said, count=count, top5=top5)
    view = judged_view(told)
    if view is not None:
        assert view.images == sum(view.count.tolist()) > 0
        assert view.true.max() < view.classes


def _told(*told: events.AnyEvent, fold: ExperimentFold | None = None, attempt: int = 1) -> RunView:
    fold = fold or ExperimentFold()
    for event in told:
        fold.apply_rank(RUN, attempt, 0, event)
    return fold.freeze().runs[0]


def _step(view: JudgedView | None) -> int | None:
    return view.step if view is not None else None


def _steps(run: RunView) -> tuple[int | None, int | None]:
    return _step(run.best_judged), _step(run.last_judged)


def test_the_newest_best_and_the_last_are_known() -> None:
    assert _steps(_told(events.Notice(level="info", text=""))) == (None, None)
    worse = structs.replace(SOUND, step=30, best=False)
    better = structs.replace(SOUND, step=20)
    assert _steps(_told(SOUND, better, worse)) == (20, 30)
    run = _told(SOUND, better)
    assert run.best_judged is run.last_judged


def test_what_a_resume_undoes_is_gone() -> None:
    fold = ExperimentFold()
    many = [structs.replace(SOUND, step=10 * k, epoch=k) for k in range(1, KEPT + 1)]
    assert _steps(_told(*many, fold=fold)) == (10 * KEPT, 10 * KEPT)
    again = events.AttemptStarted(rank=0, world_size=1, from_step=25, **WRITER)
    assert _steps(_told(again, fold=fold, attempt=2)) == (20, 20)
    worse = structs.replace(SOUND, step=30, best=False)
    assert _steps(_told(worse, fold=fold, attempt=2)) == (20, 30)
