"""What the live view says of a snapshot: which run, in which state, with which numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engine.journal.pipeline_view import PipelineView
from engine.journal.views import RunView
from engine.plan.runs import RunPlan
from engine.plan.schedule import Kind, Schedule, schedule
from engine.plan.shares import device_batch
from engine.plan.text import clean
from engine.report.progress import Progress
from tui.feed import Snapshot
from tui.screens.live_doing import doing, phase
from tui.screens.live_metrics import Metric
from tui.screens.live_plots import Shown
from tui.screens.live_time import Insight
from tui.widgets import format as show
from tui.widgets.preparing import doing as doing_before
from tui.widgets.summary import Figures

_ENDED = ("done", "failed", "stopped")


@dataclass(frozen=True, slots=True)
class Entry:
    """A run of the plan and what is known of it, if anything yet. ``number`` counts from 1."""

    number: int
    plan: RunPlan
    view: RunView | None
    repeats: int = 1
    """Runs of its strategy in the same view."""

    @property
    def name(self) -> str:
        return self.plan.run

    @property
    def strategy(self) -> str:
        return self.plan.strategy.name

    @property
    def kind(self) -> tuple[str, str]:
        """What its repeats have in common: strategy and view."""
        return self.strategy, self.plan.view

    @property
    def repeat(self) -> str:
        """``repeat 2 of 3``; empty where there are none."""
        return f"repeat {self.plan.repeat + 1} of {self.repeats}" if self.repeats > 1 else ""

    @property
    def title(self) -> str:
        """``single``, ``single · repeat 2 of 3``, ``ddp · best batch · repeat 1 of 3``."""
        best = "best batch" if self.plan.view == "best" else ""
        return " · ".join(filter(None, (self.strategy, best, self.repeat)))

    @property
    def is_left(self) -> bool:
        """Whether something of it is still to be done."""
        return self.view is None or self.view.state in ("queued", "running")


def entries(snapshot: Snapshot) -> tuple[Entry, ...]:
    """All runs in the order of the plan."""
    plans, views = snapshot.experiment.plan.runs, {each.run: each for each in snapshot.view.runs}
    last: dict[tuple[str, str], int] = {}
    for plan in plans:
        kind = (plan.strategy.name, plan.view)
        last[kind] = max(last.get(kind, 0), plan.repeat)
    return tuple(
        Entry(number, plan, views.get(plan.run), last[plan.strategy.name, plan.view] + 1)
        for number, plan in enumerate(plans, 1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at an experiment: what is shown of it, and when. ``now`` is Unix, in seconds."""

    snapshot: Snapshot
    entries: tuple[Entry, ...]
    shown: Entry
    state: str
    """Of the shown run."""
    stopping: frozenset[str]
    """Runs that were asked to stop."""
    stop_asked: float | None
    """When the shown one was."""
    overlay: bool
    stages: bool | None
    """Whether the user wants to see the stages of a pipeline; ``None`` where there is room."""
    metric: Metric
    """Of the second large chart."""
    progress: Progress | None
    """Of the shown run."""
    running: Progress | None
    """Of the run that trains, where there are several."""
    now: float
    insight: Insight | None = None

    @property
    def preparing(self) -> str:
        """What the supervisor does instead of a run; empty where nothing."""
        return preparing(self.snapshot, self.now)

    @property
    def repeated(self) -> bool:
        """Whether a strategy has more than one run."""
        return len({each.strategy for each in self.entries}) < len(self.entries)

    @property
    def runs(self) -> list[Shown]:
        """The runs on the charts, the foremost first: those of one repeat can be compared."""
        chosen = [self.shown]
        if self.overlay:
            chosen += [each for each in self.entries if self.is_beside(each)]
        return [
            Shown(each.view, each.number)
            for each in chosen
            if each.view is not None and (each is self.shown or each.view.history.steps)
        ]

    def is_beside(self, entry: Entry) -> bool:
        """Whether an overlay has that run as well: another strategy in the same repeat and view."""
        shown = self.shown.plan
        if entry is self.shown or entry.plan.repeat != shown.repeat:
            return False
        if entry.plan.view == shown.view:
            return True
        # A strategy whose best batch is the one that was asked for stands in both views.
        other = shown.view == "best" and (entry.strategy, "best") not in self.kinds
        return other and entry.strategy != self.shown.strategy

    @property
    def kinds(self) -> frozenset[tuple[str, str]]:
        return frozenset(each.kind for each in self.entries)


def preparing(snapshot: Snapshot, now: float) -> str:
    """What the supervisor does instead of a run, with its seconds; empty where nothing."""
    phase = snapshot.view.preparing
    return doing_before(phase, now) if phase is not None and snapshot.alive else ""


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


def state_words(look: Look) -> str:
    """The state with what it does now."""
    run, last = look.shown.view, look.snapshot.view.last_event
    if look.state == "silent":
        return f"no word for {show.seconds(None if last is None else look.now - last)}"
    # Of a journal that is still being read nobody knows whether steps come.
    caught_up = look.snapshot.caught_up
    now = doing(run, look.progress, look.now) if caught_up else phase(run)
    if look.state == "stopping":
        asked = look.stop_asked
        since = "" if asked is None else f", {max(0.0, look.now - asked):.0f} s"
        return f"stopping: {now or 'finishing the step'}{since} (K again kills)"
    if look.state in ("starting", "running") and now:
        return f"{look.state} · {now}"
    if look.state == "queued" and look.preparing:
        return f"queued · {look.preparing}"
    return look.state


def batch(look: Look) -> str:
    """The global batch, and how it is shared out: ``batch 64 = 2 x 32``."""
    run = look.shown.view
    part = run.ready.device_batch if run is not None and run.ready is not None else None
    whole = look.shown.plan.settings.batch_size
    return f"batch {show.pieces(whole, part or device_batch(look.shown.plan))}"


def about(look: Look) -> tuple[str, ...]:
    """Dataset, model, strategy, repeat, how the batch is shared out, image size, devices."""
    plan, strategy, repeat = look.shown.plan, look.shown.strategy, look.shown.repeat
    run, settings = look.shown.view, plan.settings
    ready = run.ready if run is not None else None
    dataset, size = clean(Path(plan.dataset).name), f"{settings.image_size} px"
    if run is None or ready is None:
        return (dataset, settings.model, strategy, repeat, batch(look), size)
    device = clean(ready.device_name) or ready.device
    if run.world_size > 1:
        device = f"{run.world_size} ranks · {device}"
    elif len(set(run.devices)) > 1:
        device = f"{len(set(run.devices))} x {device}"
    how = f"{strategy} ({ready.precision})"
    return (dataset, settings.model, how, repeat, batch(look), size, device)


def figures(run: RunView, now: Progress, insight: Insight | None = None) -> Figures:
    """The latest numbers; loss and top-1 are means over the latest steps."""
    steps = run.ready.steps_per_epoch // 5 if run.ready is not None else 20
    window = min(max(steps, 10), 200)
    return Figures(
        loss=run.history.mean("loss", window),
        top1=run.history.mean("top1", window),
        val_top1=run.validations[-1].top1 if run.validations else None,
        best_top1=max((each.top1 for each in run.validations), default=None),
        throughput=now.throughput,
        wait_share=now.wait_share if insight is None else insight.wait_share,
        step_seconds=now.step_seconds,
    )


@lru_cache(maxsize=8)
def _schedule(kind: Kind, stages: int, micro_batches: int, last_first: bool) -> Schedule:
    return schedule(kind, stages, micro_batches, last_first=last_first)


def schedule_of(entry: Entry, pipeline: PipelineView) -> Schedule:
    """The schedule by which the run trains: torchgpipe goes back from the last micro-batch."""
    last_first = entry.plan.strategy.parallelism == "gpipe"
    return _schedule(pipeline.schedule, pipeline.stages, pipeline.micro_batches, last_first)


def title(entry: Entry, state: str, progress: Progress | None) -> str:
    """For the terminal: ``running 57 % · amp · hymenoptera``."""
    share = progress.fraction if progress is not None else None
    percent = f" {share * 100:.0f} %" if share is not None and state == "running" else ""
    dataset = clean(Path(entry.plan.dataset).name)
    return f"{state}{percent} · {entry.title} · {dataset} · resnet-tui"
