"""What the live view says of where the time goes: numbers of a run for the panes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from engine.journal.events import EpochEnded
from engine.journal.views import RunView
from engine.plan.runs import RunPlan
from engine.report.diagnose import Surroundings, judge
from engine.report.epochs import epoch_times
from engine.report.ledger import Ledger, Times, device_ledger
from engine.report.roofline import reached
from engine.report.situation import Situation, situation
from engine.report.stall import stall
from engine.report.verdict import Kind, Verdict
from tui.feed import Snapshot
from tui.widgets.time import Timing, summed


@dataclass(frozen=True, slots=True)
class Insight:
    """What was made of one look at a run."""

    verdict: Verdict
    timing: Timing
    wait_share: float | None
    """Of the latest seconds, 0..1: of the device where it has a clock of its own."""


EVERY = 2
"""Seconds from one insight to the next: it is of the latest fifteen."""


class Insights:
    """Remembers the last insight: another is made for another run or state, or after a while."""

    def __init__(self) -> None:
        self._run: RunView | None = None
        self._of: tuple[object, ...] = ()
        self._made: Insight | None = None

    def look(
        self, run: RunView | None, plan: RunPlan, snapshot: Snapshot, second: int
    ) -> Insight | None:
        """``None`` before anything is known of the run."""
        if run is None:
            return None
        # Nothing more comes of a run that has ended.
        now = second // EVERY if run.state == "running" or run is not self._run else 0
        where = (snapshot.experiment.directory, run.run, run.attempt)
        key = (*where, run.state, snapshot.alive, run.history.steps > 0, now)
        if self._made is None or key != self._of:
            same = self._made is not None and self._of[:3] == key[:3]
            before = self._made.verdict.kind if self._made is not None and same else None
            self._run, self._of = run, key
            self._made = insight(run, plan, snapshot, before)
        return self._made


def surroundings(snapshot: Snapshot) -> Surroundings:
    view = snapshot.view
    return Surroundings(host=view.host, gpus=view.gpus, cores=view.cores, alive=snapshot.alive)


def insight(run: RunView, plan: RunPlan, snapshot: Snapshot, before: Kind | None = None) -> Insight:
    """Takes about 10 ms for eight ranks. ``before`` is the verdict of the insight before it."""
    here = situation(run, plan, surroundings(snapshot), before)
    return Insight(
        verdict=judge(here),
        timing=timing(here),
        wait_share=here.waits.share if here.waits is not None else None,
    )


def timing(here: Situation) -> Timing:
    """Of the latest seconds of training; a run that has ended is told by its last ones."""
    run, times, limit = here.run, here.times, reached(here)
    epochs = epoch_times(run)
    ended = [each for each in epochs if each.actual is not None]
    going = [each for each in epochs if each.actual is None]
    return Timing(
        ledgers=ledgers(run, times),
        steps=sum(each.steps for each in times),
        ranks=max(1, len(times)),
        stall=stall(run),
        median_step=max((each.median_step for each in times), default=None),
        p95_step=max((each.p95_step for each in times), default=None),
        of_roofline=limit.share if limit is not None else None,
        last=ended[-1] if ended else None,
        at_hand=going[-1] if going else None,
    )


def ledgers(run: RunView, times: tuple[Times, ...]) -> tuple[tuple[str, Ledger], ...]:
    """Both clocks', summed over ranks; on a CPU they are one, and what is left is no idling."""
    if not times:
        return ()
    device = summed([each.device for each in times])
    if on_cpu(run):
        parts = tuple(("other" if part == "idle" else part, spent) for part, spent in device.parts)
        return (("CPU", Ledger(device.seconds, parts)),)
    return (("host", summed([each.host for each in times])), ("device", device))


def on_cpu(run: RunView) -> bool:
    return run.ready is not None and run.ready.device.startswith("cpu")


def waits_by_epoch(run: RunView) -> dict[int, dict[int, float]]:
    """How much of each epoch each rank waited for data, 0..1; what is not known is left out."""
    return {
        each.epoch: {
            rank: share for rank, told in each.by_rank if (share := _waited(told)) is not None
        }
        for each in run.epochs
    }


def _waited(epoch: EpochEnded) -> float | None:
    """From the rank's own sums; of older journals, from the wait of its host."""
    if epoch.sums:
        return device_ledger(epoch.sums).share("starved")
    return epoch.wait_seconds / epoch.seconds if epoch.seconds > 0 else None
