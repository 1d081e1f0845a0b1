"""Whether a strategy became slower: by known throughputs of two experiments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from engine.report.comparison import Comparison, Row
from engine.report.difference import Difference
from engine.report.slower import Judgement, judge
from tests.report.comparisons import comparison, figures


def measured(name: str, experiment: str, rates: Sequence[float], **more: Any) -> Row:
    repeats = tuple(
        figures(name, experiment=experiment, repeat=number, images_per_second=each, **more)
        for number, each in enumerate(rates)
    )
    product = 1.0
    for each in rates:
        product *= each
    whole = product ** (1 / len(rates)) if rates else None
    return Row(
        key=f"{experiment}/{name}",
        figures=figures(
            name,
            experiment=experiment,
            **{"repeats": len(rates), "images_per_second": whole, **more},
        ),
        repeats=repeats,
        difference=Difference(call="unknown"),
    )


def judged(old: Sequence[float], new: Sequence[float], allowed: float = 0.05) -> Judgement:
    return judge(table(measured("amp", "A", old), measured("amp", "B", new)), "A", allowed)


def table(*rows: Row) -> Comparison:
    return comparison(*rows)


def test_one_run_each_decides_by_the_ratio_and_says_so() -> None:
    told = judged([100.0], [90.0])
    assert told.slower == (
        "amp is 10.0 % slower in B: 90.0 images/s after 100; with 1 repeat noise cannot be told "
        "from a difference",
    )
    assert (told.unsure, told.missing, told.compared) == ((), (), 1)


def test_another_training_is_judged_and_said_to_be_one() -> None:
    old, new = measured("amp", "A", [100.0]), measured("amp", "B", [90.0], batch_size=32)
    told = judge(table(old, new), "A", 0.05)
    assert told.unlike == ("amp was not trained alike in B: batch 32 after 64",)
    assert len(told.slower) == told.compared == 1
    best = replace(table(old, new), view="best")
    assert judge(best, "A", 0.05).unlike == ()


@pytest.mark.parametrize("new", [95.1, 100.0, 200.0])
def test_what_is_allowed_is_not_slower(new: float) -> None:
    assert judged([100.0], [new]) == Judgement(compared=1)


def test_with_repeats_it_must_be_more_than_noise() -> None:
    surely = judged([200.0, 202.0, 198.0], [180.0, 182.0, 178.0])
    (sentence,) = surely.slower
    assert sentence.startswith("amp is 10.0 % slower in B: 180 images/s after 200 (95 % interval")
    assert not surely.unsure
    perhaps = judged([100.0, 130.0, 70.0], [90.0, 60.0, 120.0])
    assert not perhaps.slower
    assert perhaps.unsure[0].endswith(", which may be noise")


def test_more_pairs_need_more_evidence() -> None:
    old, new = [100.0, 103.0, 97.0], [93.0, 90.0, 95.0]
    assert judged(old, new).slower
    names = [f"s{number}" for number in range(200)]
    rows = [
        measured(name, place, rates) for name in names for place, rates in (("A", old), ("B", new))
    ]
    many = judge(table(*rows), "A", 0.05)
    assert not many.slower
    assert len(many.unsure) == many.compared == 200


def test_what_is_missing_is_named() -> None:
    told = judge(
        table(
            measured("single", "A", [100.0]),
            measured("amp", "A", [100.0]),
            measured("ddp", "A", [100.0]),
            measured("single", "B", [100.0]),
            measured("ddp", "B", []),
            measured("gpipe", "B", [100.0]),
        ),
        "A",
        0.05,
    )
    assert told.compared == 1
    assert told.missing == (
        "amp is not in B",
        "ddp was not trained to its end in B",
        "gpipe is not in A",
    )


def test_other_devices_are_not_compared() -> None:
    old, new = measured("amp", "A", [100.0]), measured("amp", "B", [1.0], device_kind="cuda")
    told = judge(table(old, new), "A", 0.05)
    assert told == Judgement(missing=("amp was measured on different devices: cpu and cuda",))
    unknown = measured("amp", "B", [1.0], device_kind=None)
    assert judge(table(old, unknown), "A", 0.05).missing == (
        "amp was measured on different devices: cpu and one that is not known",
    )


def test_every_later_experiment_is_held_against_the_first() -> None:
    rows = [
        measured("amp", place, [rate]) for place, rate in (("A", 100.0), ("B", 99.0), ("C", 50.0))
    ]
    told = judge(table(*rows), "A", 0.05)
    assert told.compared == 2
    assert [each.split(":")[0] for each in told.slower] == ["amp is 50.0 % slower in C"]
