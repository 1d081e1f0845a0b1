"""Results by class in files: known rows, and names that are nothing but names."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pandas as pd

from engine.journal.judged import judged_view
from engine.report.compare import compare
from engine.report.comparison import Source
from engine.report.exports.classes import classes_csv, confusion_csv, reported
from engine.report.exports.courses import Courses, courses
from engine.report.exports.csv import encoded
from engine.report.exports.html import to_html
from engine.report.exports.json import to_json
from engine.report.exports.markdown import to_markdown
from tests.journal.judging import judged
from tests.report.tables import plan_of, source_of

NAMES = ("ant", "=bee()", "<b>cat|")
MATRIX = [[8, 2, 0], [1, 3, 0], [0, 6, 0]]
TOP5 = [9, 4, 5]


def told(matrix: list[list[int]] | None = None, names: tuple[str, ...] = NAMES) -> Source:
    """Two runs, of which the first was validated with results by class."""
    plan = plan_of(["single", "amp"])
    source = source_of(
        plan, {"single": [100.0], "amp": [200.0]}, readies={"single": {"classes": names}}
    )
    event = judged(matrix or MATRIX, TOP5 if matrix is None else None, epoch=1, step=20)
    return _with(source, event)


def _with(source: Source, event: Any) -> Source:
    single, *others = source.view.runs
    single = replace(single, best_judged=judged_view(event), last_judged=judged_view(event))
    return replace(source, view=replace(source.view, runs=(single, *others)))


def frame(text: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(encoded(text)))


def known(source: Source) -> tuple[Any, Courses]:
    return compare([source]), courses([source])


def test_a_row_for_each_class_of_each_run_that_was_validated() -> None:
    read = frame(classes_csv(reported([told()])))
    assert read["run"].unique().tolist() == ["01-single"]
    assert read["class"].tolist() == ["ant", "'=bee()", "<b>cat|"]
    assert read["images"].tolist() == [10, 4, 6]
    assert read["said"].tolist() == [9, 11, 0]
    assert read["top1"].tolist() == read["recall"].tolist() == [0.8, 0.75, 0.0]
    assert read["top5"].tolist() == [0.9, 1.0, 5 / 6]
    assert read["precision"].isna().tolist() == [False, False, True]
    assert read["f1"].tolist() == [16 / 19, 0.4, 0.0]
    assert (read["epoch"][0], read["repeat"][0], read["strategy"][0]) == (2, 1, "single")


def test_a_row_for_each_cell_that_is_not_empty() -> None:
    read = frame(confusion_csv(reported([told()])))
    assert read[["true", "said", "count"]].values.tolist() == [
        ["ant", "ant", 8],
        ["ant", "'=bee()", 2],
        ["'=bee()", "ant", 1],
        ["'=bee()", "'=bee()", 3],
        ["<b>cat|", "'=bee()", 6],
    ]


def test_json_has_counts_and_shares() -> None:
    single, amp = json.loads(to_json(*known(told())))["runs"]
    assert amp["by_class"] is None
    by_class = single["by_class"]
    assert (by_class["epoch"], by_class["images"], by_class["top1"]) == (2, 20, 11 / 20)
    assert by_class["classes"][2]["precision"] is None
    assert by_class["classes"][1]["name"] == "=bee()"
    assert by_class["most_confused"][0]["true"] == "<b>cat|"
    assert by_class["most_confused"][0]["count"] == 6


def test_pages_tell_the_worst_classes_and_run_no_name() -> None:
    comparison, course = known(told())
    page = to_html(comparison, course)
    assert "Worst classes of single (the best validation, after epoch 2" in page
    assert "<b>cat" not in page
    assert "&lt;b&gt;cat|" in page
    assert 'class="matrix"' in page
    text = to_markdown(comparison, course)
    assert "- \\<b\\>cat\\|: 0.0 % of 6 images (0.0 to 39.0 %), taken for =bee() 6 times" in text
    assert "- =bee(): 75.0 % of 4 images (30.1 to 95.4 %), taken for ant once" in text
    assert "Worst classes of amp" not in text
    assert "Worst classes" not in to_markdown(comparison)


def test_two_classes_and_many_have_pages_of_their_own_size() -> None:
    two = known(told([[3, 1], [0, 2]], ("ant", "bee")))
    assert "Results by class" not in to_html(*two)
    many = [[int(true == said) + int(said == 0) for said in range(300)] for true in range(300)]
    page = to_html(*known(told(many, tuple(f"n{place:04d}" for place in range(300)))))
    assert 'class="matrix"' not in page.partition("<body>")[2]
    assert "100 more classes are told better" in page
    assert "n0001 → n0000: 1 (50.0 %)" in page
