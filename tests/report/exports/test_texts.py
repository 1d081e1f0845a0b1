"""Markdown, JSON and HTML: known text, everything in it, and nothing that takes effect."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ExperimentError, WrongInput
from engine.report.columns import COLUMNS
from engine.report.compare import compare
from engine.report.comparison import Held
from engine.report.export import FORMATS, format_of, write
from engine.report.exports.courses import courses
from engine.report.exports.html import to_html
from engine.report.exports.json import to_json
from engine.report.exports.markdown import to_markdown
from engine.report.sources import read, read_all
from tests.journal.writing import Shape, loss_at, write_experiment
from tests.report.comparisons import comparison, row, usual

HOSTILE = "<script>a|b`c`\n[x](javascript:y) *z* &amp; \x1b[31m \ud800 @all $m$ \\"


def test_markdown_has_the_table_and_what_is_said_of_it() -> None:
    text = to_markdown(usual())
    lines = text.splitlines()
    assert lines[0].startswith("| strategy | state | ")
    assert re.fullmatch(r"(\| (---|---:) )+\|", lines[1])
    assert lines[0].count("|") == lines[1].count("|") == lines[3].count("|")
    assert "| 128 ▼ | 1.00x ▼ | baseline | 12.5 % |" in lines[2]
    assert "| 50.0 % ▲ |" in lines[2]
    assert re.search(r"\| 192 ▲ \| 1.50x \(1.4[23]–1.5[78]\) ▲ \| faster \|", lines[3])
    assert "**amp is the fastest: 1.50x single (1.43-1.58).**" in text
    assert "- All of it on a CPU: times say little about GPUs." in text
    assert "- sample order: equal (0a1b)" in text
    assert "- BN batch: differs (ddp: 32 of 64 images)" in text


def test_nothing_from_outside_is_markup_in_markdown() -> None:
    table = comparison(
        row(HOSTILE, reason=HOSTILE, state="failed"),
        verdict=HOSTILE,
        remarks=(HOSTILE,),
        held=(Held("weights", "differs", HOSTILE),),
    )
    lines = to_markdown(table).splitlines()
    # A pipe that is not escaped would be one more cell.
    assert len(re.findall(r"(?<!\\)\|", lines[2])) == len(re.findall(r"(?<!\\)\|", lines[0]))
    text = "\n".join(lines)
    assert not re.search(r"(?<!\\)[<`\[$@]", text)
    assert "\x1b" not in text
    assert "\ud800" not in text


def test_why_runs_ended_is_said_with_the_experiment_where_names_come_twice() -> None:
    failed: dict[str, Any] = {"state": "failed", "repeats": 0, "reason": "out of memory"}
    older = replace(row("single", **failed, experiment="ants"), key="ants/single")
    text = to_markdown(comparison(row("single"), older, row("amp", **failed)))
    assert "- ants: single, amp: out of memory" in text


def test_an_empty_table_says_so() -> None:
    assert to_markdown(comparison()) == "**There is nothing to compare yet.**\n"
    assert "There is nothing to compare yet." in to_html(comparison())
    assert json.loads(to_json(comparison()))["rows"] == []


def refuse(word: str) -> Any:
    raise AssertionError(f"{word} is not strict JSON")


def test_json_has_everything() -> None:
    table = usual()
    told = json.loads(to_json(table), parse_constant=refuse)
    assert (told["schema"], told["program"]) == (1, "resnet-tui")
    assert told["choices"] == {
        "view": "equal",
        "baseline": "bees/single",
        "target_accuracy": 0.25,
        "target_given": False,
        "price": None,
    }
    assert [each["name"] for each in told["columns"]] == [each.name for each in COLUMNS]
    for each, made in zip(told["rows"], table.rows, strict=True):
        assert each["values"] == {column.name: column.value(made) for column in COLUMNS}
        assert [repeat["run"] for repeat in each["repeats"]] == [
            repeat.run for repeat in made.repeats
        ]
        assert each["difference"]["ratio"] == made.difference.ratio
    assert [each["is_baseline"] for each in told["rows"]] == [True, False]
    assert told["held"][0] == {
        "what": "sample order",
        "constancy": "equal",
        "detail": "0a1b",
    }
    assert told["remarks"] == list(table.remarks)
    assert told["verdict"] == table.verdict


def test_what_is_no_number_is_null_in_json() -> None:
    odd = row("single", train_loss=math.nan, val_loss=math.inf, comment="a\ud800b")
    (told,) = json.loads(to_json(comparison(odd)), parse_constant=refuse)["rows"]
    assert told["values"]["train_loss"] is told["values"]["val_loss"] is None
    assert told["values"]["comment"] == "a\ufffdb"
    to_json(comparison(odd)).encode()


class Page(HTMLParser):
    """Which elements there are, whether each is closed, and the text outside of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "path", "circle"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "script" not in self.open and "style" not in self.open:
            self.text += data


def test_html_is_one_whole_file_that_loads_nothing() -> None:
    text = to_html(usual())
    page = Page(text)
    assert page.open == []
    assert page.seen.count("table") == 2
    assert "prefers-color-scheme:dark" in text
    names = [name for name, _ in page.attributes]
    assert not {"src", "href", "onclick", "onload"} & set(names)
    assert "http" not in text.replace("http-equiv", "")
    for part in ("amp is the fastest", "192 ▲", "sample order: equal (0a1b)", "1.50x (1.4"):
        assert part in page.text


@given(st.text(st.characters(codec=None), max_size=20))
def test_nothing_from_outside_is_markup_in_html(odd: str) -> None:
    for name in (odd, HOSTILE):
        table = comparison(
            row(name, reason=name, comment=name, experiment=name),
            row("amp", experiment="other"),
            verdict=name,
            remarks=(name,),
        )
        text = to_html(table)
        page = Page(text)
        assert page.open == []
        assert page.seen.count("script") == 1
        text.encode()


def test_the_courses_of_real_journals(tmp_path: Path) -> None:
    shape = Shape(total_steps=150, steps_per_epoch=50)
    made = write_experiment(
        tmp_path, tmp_path / "d", strategies=("single", "amp"), shape=shape, started=1000.0
    )
    source = read(made)
    known = courses([source])
    assert list(known) == [(made.name, "01-single"), (made.name, "02-amp")]
    points = known[made.name, "01-single"].points
    assert [(each.epoch, each.step) for each in points] == [(1, 50), (2, 100), (3, 150)]
    # 2.5 s of training and 0.2 s of validation each.
    assert [each.seconds for each in points] == pytest.approx([2.7, 5.4, 8.1])
    assert points[0].val_loss == pytest.approx(1.1 * loss_at(50))
    table = compare([source])
    told = json.loads(to_json(table, known), parse_constant=refuse)
    assert [each["run"] for each in told["runs"]] == ["01-single", "02-amp"]
    assert told["runs"][0]["epochs"][2]["step"] == 150
    page = Page(to_html(table, known))
    assert page.open == []
    assert page.seen.count("svg") == 2 + 2
    assert page.seen.count("circle") == 2 * 2 * 3


def test_a_loss_that_exploded_once_leaves_the_others_to_be_seen(tmp_path: Path) -> None:
    made = write_experiment(tmp_path, tmp_path / "d")
    source = read(made)
    ((key, course),) = courses([source]).items()
    exploded = replace(course.points[0], val_loss=2.9e26)
    table, known = compare([source]), {key: replace(course, points=(exploded, *course.points[1:]))}
    text = to_html(table, known)
    assert "validation loss, logarithmic" in text
    assert ">3e+26<" in text
    assert "logarithmic" not in to_html(table, courses([source]))


def test_experiments_of_one_name_are_told_apart(tmp_path: Path) -> None:
    first = write_experiment(tmp_path / "a", tmp_path / "d", started=1000.0)
    (tmp_path / "b").mkdir()
    second = first.directory.rename(tmp_path / "b" / "same")
    third = write_experiment(tmp_path / "a", tmp_path / "d").directory.rename(
        tmp_path / "a" / "same"
    )
    from engine.experiment import open_directory

    names = [each.name for each in read_all([open_directory(each) for each in (second, third)])]
    assert names == ["b/same", "a/same"]


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_written_over_what_was_there(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"table.{format}"
    path.write_text("older")
    assert write(usual(), path, format) == path
    assert "amp" in path.read_text("utf-8")
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert format_of(path) == format


def test_what_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    for place, why in (
        (tmp_path, "Is a directory"),
        (tmp_path / "none" / "a.csv", "No such file"),
        (Path("/dev/full"), "No space left"),
        (tmp_path / ("x" * 300), "name too long"),
    ):
        with pytest.raises(ExperimentError, match=rf"cannot write .*: .*{why}"):
            write(usual(), place, "csv")
    with pytest.raises(WrongInput, match=r"give --format csv\|md\|json\|html"):
        format_of(Path("table.xls"))


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("real.csv")
    write(usual(), tmp_path / "link.csv", "csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("experiment,")
