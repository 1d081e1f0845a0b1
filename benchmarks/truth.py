"""Whether what is measured is true: trainings that sleep, injected against measured.

    python -m benchmarks.truth [--quick] [--steps 40] [--wrong]

Real ranks (two of them by torchrun), loaders and journals; only the decoding of an image and the
network are replaced, by ones that sleep. "asked" is what the injection asks for, by hand and as if
nothing else took time; "came" is what the sleepers noted by a clock of their own, with what the
real work beside them took; the error is of what was measured, against what came. A figure is true
within 5 % or 2 ms, a sum of the epoch within 2 % of its wall time.

``--quick`` has the cases of the tests, where one training is several cases in one. ``--wrong``
prints only what is out of its tolerance. The exit code is 1 where anything is.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from engine.report.diagnose import Surroundings, diagnose
from tests.train.truth.cases import every, in_short
from tests.train.truth.figures import Figure, figures
from tests.train.truth.trials import Outcome, run

CORES = 8
"""Of the machine that a verdict advises; sleeping needs none."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--wrong", action="store_true")
    chosen = parser.parse_args()
    seen: list[Figure] = []
    wrong = 0
    for ranks in (1, 2):
        cases = in_short(ranks) if chosen.quick else every(ranks, chosen.steps)
        with tempfile.TemporaryDirectory() as directory:
            for outcome in run(Path(directory), cases):
                found = figures(outcome)
                seen += found
                wrong += not _print(outcome, found, only_wrong=chosen.wrong)
    _print_summary(seen)
    return 1 if wrong or not all(each.is_true for each in seen) else 0


def _print(outcome: Outcome, found: list[Figure], *, only_wrong: bool) -> bool:
    """Whether the verdict is the expected one, where the machine lets the sleepers decide."""
    verdict = diagnose(outcome.view, outcome.plan, Surroundings(cores=CORES))
    right = verdict.kind == outcome.case.verdict
    print(f"\n{outcome.case.title}")
    said = "" if right else f"; expected: {outcome.case.verdict}"
    if outcome.too_busy:
        print(f"  {outcome.too_busy}")
    print(f"  verdict: {verdict.kind}{said}: {verdict.finding}; {verdict.change or 'no change'}")
    (epoch,) = outcome.view.epochs
    if epoch.estimated_seconds is not None:
        off = epoch.estimated_seconds / epoch.seconds - 1.0
        print(
            f"  epoch: estimated {epoch.estimated_seconds:.2f} s, took {epoch.seconds:.2f} s "
            f"({off:+.1%})"
        )
    shown = [each for each in found if not (only_wrong and each.is_true)]
    if shown:
        print(f"  {'':20} {'asked':>10} {'came':>10} {'measured':>10} {'error':>10}")
    for each in shown:
        print(f"  {_line(each)}")
    return right or bool(outcome.too_busy)


def _line(figure: Figure) -> str:
    name = f"rank {figure.rank} {figure.name}"
    if figure.name == "batches ready":
        numbers = f"{'':>10} {figure.came:>10.1f} {figure.measured:>10.1f} {figure.error:>+10.1f}"
    else:
        asked = "" if figure.asked is None else f"{1000 * figure.asked:.1f} ms"
        numbers = (
            f"{asked:>10} {1000 * figure.came:>7.1f} ms {1000 * figure.measured:>7.1f} ms "
            f"{1000 * figure.error:>+7.2f} ms"
        )
        if figure.came > 0:
            numbers += f" {figure.error / figure.came:>+7.1%}"
    return f"{name:<20} {numbers}" + ("" if figure.is_true else "   OUT")


def _print_summary(seen: list[Figure]) -> None:
    print("\nfigure            of them  median error     worst error")
    for name in dict.fromkeys(each.name for each in seen):
        found = [each for each in seen if each.name == name]
        worst = max(found, key=lambda each: abs(each.error) / each.room)
        median = statistics.median(abs(each.error) for each in found)
        unit, factor = ("  ", 1.0) if name == "batches ready" else ("ms", 1000.0)
        print(
            f"{name:17} {len(found):>7} {factor * median:>10.2f} {unit} "
            f"{factor * worst.error:>+11.2f} {unit} of {factor * worst.came:.1f}"
        )
    true = sum(each.is_true for each in seen)
    print(f"{true} of {len(seen)} figures are within their tolerance")


if __name__ == "__main__":
    sys.exit(main())
