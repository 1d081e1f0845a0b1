from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from engine.report.statistics import difference_of, mean_of, student_quantile


@pytest.mark.parametrize("freedom", [1, 1.5, 2, 2.7, 3, 4, 5, 9.99, 30, 99, 999, 1e5])
def test_students_quantile_is_scipys(freedom: float) -> None:
    for outside in (0.9, 0.5, 0.1, 0.05, 0.01, 0.05 / 7, 0.05 / 19, 0.05 / 190, 1e-6, 1e-9):
        expected = stats.t.isf(outside / 2, freedom)
        assert student_quantile(outside, freedom) == pytest.approx(expected, rel=1e-8)


def test_quantiles_of_students_own_table() -> None:
    # As in every textbook: two-sided 95 % and 99 %.
    assert student_quantile(0.05, 2) == pytest.approx(4.303, abs=5e-4)
    assert student_quantile(0.05, 9) == pytest.approx(2.262, abs=5e-4)
    assert student_quantile(0.01, 4) == pytest.approx(4.604, abs=5e-4)


def test_the_interval_of_a_mean_is_scipys() -> None:
    random = np.random.default_rng(1)
    for count in (2, 3, 5, 30):
        values = random.normal(0.3, 0.1, count).tolist()
        known = mean_of(values)
        assert known is not None
        for comparisons in (1, 4, 19):
            expected = stats.t.interval(
                1 - 0.05 / comparisons, count - 1, np.mean(values), stats.sem(values)
            )
            assert known.interval(comparisons) == pytest.approx(expected, rel=1e-9)


def test_the_interval_of_a_difference_is_scipys() -> None:
    random = np.random.default_rng(2)
    for ours, theirs in ((2, 2), (3, 3), (3, 8), (20, 4)):
        one = random.normal(0.3, 0.1, ours)
        other = random.normal(0.2, 0.02, theirs)
        known = difference_of(one.tolist(), other.tolist())
        assert known is not None
        told = stats.ttest_ind(one, other, equal_var=False)
        expected = told.confidence_interval(0.95)
        assert known.interval() == pytest.approx((expected.low, expected.high), rel=1e-8)
        assert known.freedom == pytest.approx(told.df)


def test_one_value_has_no_interval_and_equal_ones_a_point() -> None:
    assert mean_of([]) is None
    assert mean_of([1.0]) is None
    assert difference_of([1.0, 2.0], [1.0]) is None
    point = mean_of([0.5, 0.5, 0.5])
    assert point is not None
    assert point.interval() == (0.5, 0.5)
    both = difference_of([0.5, 0.5], [0.25, 0.25])
    assert both is not None
    assert both.interval(3) == (0.25, 0.25)
    assert math.isfinite(both.freedom)
