"""Student's distribution, intervals of means by it, and of shares by Wilson's formula. Pure.

Own code, so that a table needs no statistics library; tests hold it against one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

CONFIDENCE = 0.95
"""That all intervals of a table hold what they are of, together."""

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean (or a difference of two) with the standard error it is known to, and the degrees of
    freedom of that error."""

    mean: float
    error: float
    freedom: float

    def interval(self, comparisons: int = 1) -> tuple[float, float]:
        """What holds the true value with a probability of 95 %, for all ``comparisons`` together.

        Each is made with 1 - 0.05 / comparisons (O. J. Dunn 1961, "Multiple comparisons among
        means", after Bonferroni).
        """
        if self.error <= 0:
            return self.mean, self.mean
        half = student_quantile((1 - CONFIDENCE) / max(1, comparisons), self.freedom) * self.error
        return self.mean - half, self.mean + half


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def variance(values: Sequence[float]) -> float:
    """Of a sample of two or more: over n - 1."""
    centre = mean(values)
    return math.fsum((each - centre) ** 2 for each in values) / (len(values) - 1)


def mean_of(values: Sequence[float]) -> Estimate | None:
    """The mean of a sample: s / sqrt(n), with n - 1 degrees of freedom ("Student" 1908, "The
    probable error of a mean"). ``None`` with fewer than two values."""
    count = len(values)
    if count < 2:
        return None
    return Estimate(mean(values), math.sqrt(variance(values) / count), count - 1.0)


def difference_of(ours: Sequence[float], theirs: Sequence[float]) -> Estimate | None:
    """The difference of the means of two samples that are not paired, whose spreads may differ (B.
    L. Welch 1947, "The generalization of 'Student's' problem when several different population
    variances are involved"). ``None`` with fewer than two values in either."""
    if min(len(ours), len(theirs)) < 2:
        return None
    difference = mean(ours) - mean(theirs)
    return welch(difference, variance(ours), len(ours), variance(theirs), len(theirs))


def welch(
    difference: float, spread: float, count: int, other_spread: float, other_count: int
) -> Estimate:
    """The same from the variances of two samples and their sizes, of two or more."""
    one, other = spread / count, other_spread / other_count
    together = one + other
    weighted = one**2 / (count - 1) + other**2 / (other_count - 1)
    freedom = together**2 / weighted if weighted > 0 else count + other_count - 2.0
    return Estimate(difference, math.sqrt(together), freedom)


def proportion_interval(hits: int, count: int) -> tuple[float, float]:
    """What holds the true share of hits with a probability of about 95 %, of ``count`` trials, of
    which there is at least one (E. B. Wilson 1927, "Probable inference, the law of succession, and
    statistical inference"). Unlike that by the normal distribution it stays within 0..1, and has a
    width where all trials hit."""
    z = _NORMAL.inv_cdf((1 + CONFIDENCE) / 2)
    share, reach = hits / count, z * z / count
    centre = (share + reach / 2) / (1 + reach)
    half = math.sqrt(reach * (share * (1 - share) + reach / 4)) / (1 + reach)
    # What rounding leaves beyond them.
    return (0.0 if hits == 0 else centre - half), (1.0 if hits == count else centre + half)


@lru_cache(maxsize=4096)
def student_quantile(outside: float, freedom: float) -> float:
    """The t that a Student variable exceeds, on either side, with probability ``outside`` (0..1).

    Found by halving, between bounds that are doubled until they hold it: the probability falls with
    t, so it cannot be missed.
    """
    low, high = 0.0, 1.0
    while _outside(high, freedom) > outside and high < 1e150:
        low, high = high, 2 * high
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if _outside(middle, freedom) > outside else (low, middle)
    return (low + high) / 2


def _outside(t: float, freedom: float) -> float:
    """P(|T| > t) = I_x(freedom / 2, 1 / 2) with x = freedom / (freedom + t^2)."""
    return _beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b) (Abramowitz & Stegun 1964, 26.5.8)."""
    if x <= 0.0 or x >= 1.0:
        return min(1.0, max(0.0, x))
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    # There the fraction of the other tail converges quickly.
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of I_x(a, b), from its front (W. J. Lentz 1976, "Generating Bessel
    functions in Mie scattering calculations using continued fractions")."""
    tiny = 1e-300
    c, d = 1.0, 1.0 / _not_zero(1.0 - (a + b) * x / (a + 1), tiny)
    result = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / _not_zero(1.0 + term * d, tiny)
            c = _not_zero(1.0 + term / c, tiny)
            result *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return result


def _not_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
