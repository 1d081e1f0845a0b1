"""What the live view says of a snapshot: which run, in which state, with which numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.journal.views import RunView
from engine.plan.runs import RunPlan
from engine.plan.text import clean
from engine.report.progress import Progress
from tui.feed import Snapshot
from tui.widgets import format as show
from tui.widgets.summary import Figures, Tab

_ENDED = ("done", "failed", "stopped")


@dataclass(frozen=True, slots=True)
class Entry:
    """A run of the plan and what is known of it, if anything yet. ``number`` counts from 1."""

    number: int
    plan: RunPlan
    view: RunView | None

    @property
    def name(self) -> str:
        return self.plan.run

    @property
    def strategy(self) -> str:
        return self.plan.strategy.name


def entries(snapshot: Snapshot) -> tuple[Entry, ...]:
    """All runs in the order of the plan."""
    plans = snapshot.experiment.plan.runs
    return tuple(
        Entry(number, plan, snapshot.view.run(plan.run)) for number, plan in enumerate(plans, 1)
    )


def follow(all_: tuple[Entry, ...]) -> Entry:
    """The run worth looking at: the running one, else the last that was begun, else the first."""
    running = [each for each in all_ if each.view is not None and each.view.state == "running"]
    begun = [each for each in all_ if each.view is not None and each.view.attempt > 0]
    return (running or begun[-1:] or list(all_))[0]


def state_of(entry: Entry, snapshot: Snapshot, stopping: bool) -> str:
    """The state word of a run, what the lock says included."""
    run = entry.view
    if run is None or run.state == "queued":
        return "starting" if run is None and snapshot.state == "starting" else "queued"
    if run.state in _ENDED:
        return run.state
    if snapshot.state in ("crashed", "silent"):
        return snapshot.state
    if snapshot.state in _ENDED:
        # The supervisor is gone and never closed this run.
        return "crashed"
    if stopping:
        return "stopping"
    return "running" if run.history.steps else "starting"


def state_words(
    entry: Entry, snapshot: Snapshot, state: str, stop_asked: float | None, now: float
) -> str:
    """The state with what it does now."""
    run = entry.view
    if state == "silent":
        age = None if snapshot.view.last_event is None else now - snapshot.view.last_event
        return f"no word for {show.seconds(age)}"
    phase = run.phases[-1] if run is not None and run.phases else None
    doing = clean(phase.name) if phase is not None and phase.seconds is None else ""
    if state == "stopping":
        since = f", {max(0.0, now - stop_asked):.0f} s" if stop_asked is not None else ""
        return f"stopping: {doing or 'finishing the step'}{since} (K again kills)"
    if state in ("starting", "running") and doing:
        return f"{state} · {doing}"
    return state


def about(entry: Entry, snapshot: Snapshot) -> tuple[str, ...]:
    """Dataset, model, strategy, device."""
    plan = snapshot.experiment.plan
    ready = entry.view.ready if entry.view is not None else None
    size = f"{plan.settings.image_size} px"
    precision = f"{entry.strategy} ({ready.precision})" if ready is not None else entry.strategy
    device = ""
    if ready is not None:
        device = clean(ready.device_name) or ready.device
    return (clean(Path(plan.dataset).name), plan.settings.model, precision, size, device)


def place(entry: Entry, all_: tuple[Entry, ...], progress: Progress | None) -> str:
    """``run 2 of 6``, where there are several."""
    return f"run {entry.number} of {len(all_)}" if len(all_) > 1 else ""


def tabs(
    all_: tuple[Entry, ...],
    snapshot: Snapshot,
    shown: Entry,
    overlay: bool,
    stopping: frozenset[str],
) -> list[Tab]:
    """One tab per run of the plan."""
    return [
        Tab(
            number=each.number,
            strategy=each.strategy,
            state=state_of(each, snapshot, each.name in stopping),
            top1=each.view.validations[-1].top1 if each.view and each.view.validations else None,
            shown=each.name == shown.name,
            overlaid=overlay and each.view is not None and each.view.history.steps > 0,
        )
        for each in all_
    ]


def figures(run: RunView, now: Progress) -> Figures:
    """The latest numbers; loss and top-1 are means over the latest steps."""
    steps = run.ready.steps_per_epoch // 5 if run.ready is not None else 20
    window = min(max(steps, 10), 200)
    best = max((each.top1 for each in run.validations), default=None)
    return Figures(
        loss=run.history.mean("loss", window),
        top1=run.history.mean("top1", window),
        val_top1=run.validations[-1].top1 if run.validations else None,
        best_top1=best,
        throughput=now.throughput,
        wait_share=now.wait_share,
        step_seconds=now.step_seconds,
    )


def title(entry: Entry, state: str, progress: Progress | None) -> str:
    """For the terminal: ``● 57 % amp · hymenoptera``."""
    share = progress.fraction if progress is not None else None
    percent = f" {share * 100:.0f} %" if share is not None and state == "running" else ""
    dataset = clean(Path(entry.plan.dataset).name)
    return f"{state}{percent} · {entry.strategy} · {dataset} · resnet-tui"
