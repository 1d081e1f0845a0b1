"""What the queue of an experiment does, in lines."""

from __future__ import annotations

from engine.journal.commands import TAKEN_OUT
from engine.journal.events import (
    BatchFound,
    BatchTried,
    Event,
    Notice,
    Preparing,
    QueueOrdered,
    RunEnded,
    RunQueued,
    RunStarted,
    SupervisorStarted,
)
from engine.journal.fold import ExperimentFold
from tests.report.views import NOW, WRITER
from tui.commands.words import told
from tui.narrate import Narrator


class Follower:
    """Tells what each event adds to the lines."""

    def __init__(self) -> None:
        self.fold = ExperimentFold()
        self.narrator = Narrator()
        self.at = NOW
        self.after(SupervisorStarted(t=NOW, **WRITER))  # type: ignore[arg-type]

    def after(self, *events: Event) -> list[str]:
        for event in events:
            self.fold.apply_supervisor(event)  # type: ignore[arg-type]
        view = self.fold.freeze()
        return [told(line, view).strip() for line in self.narrator.lines(view)]

    def queued(self, run: str, repeat: int = 0) -> list[str]:
        strategy = run.partition("-")[2]
        return self.after(RunQueued(t=NOW, run=run, strategy=strategy, seed=repeat, repeat=repeat))

    def started(self, run: str) -> list[str]:
        self.at += 1
        return self.after(RunStarted(t=self.at, run=run, attempt=1, argv=("x",), pid=1))

    def ended(self, run: str, reason: str = TAKEN_OUT) -> list[str]:
        return self.after(RunEnded(run=run, attempt=1, state="stopped", reason=reason))


def test_the_only_run_has_no_number() -> None:
    one = Follower()
    assert one.queued("01-single") == []
    assert one.started("01-single") == []


def test_which_turn_it_is_and_what_changes() -> None:
    some = Follower()
    # Told line by line: no news.
    assert [some.queued(run) for run in ("01-single", "02-amp", "03-ddp")] == [[], [], []]
    assert some.started("01-single") == ["single  strategy 1 of 3"]
    assert some.queued("04-dp") == ["queued: 04-dp"]
    assert some.after(QueueOrdered(runs=("04-dp", "02-amp", "03-ddp"))) == [
        "the queue is now 04-dp, 02-amp, 03-ddp"
    ]
    assert some.ended("02-amp") == ["amp     taken out of the queue"]
    assert some.ended("01-single", "as asked") == ["single  stopped: as asked"]
    # What was taken out has no turn.
    assert some.started("04-dp") == ["dp      strategy 2 of 3"]
    assert some.started("03-ddp") == ["ddp     strategy 3 of 3"]


def test_repeats_are_numbered_and_long_queues_cut_short() -> None:
    some = Follower()
    for number in range(4):
        some.queued(f"{number + 1:02d}-amp", repeat=number)
    assert some.started("01-amp") == ["amp  run 1 of 4, repeat 1"]
    assert some.started("02-amp") == ["amp  run 2 of 4, repeat 2"]
    more = [f"{number:02d}-amp" for number in range(5, 13)]
    events = [RunQueued(run=run, strategy="amp", seed=0) for run in more]
    assert some.after(*events) == [f"queued: {', '.join(more[:6])} and 2 more"]


def test_what_prepares_the_runs_is_told() -> None:
    some = Follower()
    some.queued("01-single")
    some.queued("02-amp")
    reading = Preparing(t=NOW, what="reading 397 images into memory")
    assert some.after(reading) == []  # It may be over in a moment.
    read = Notice(t=NOW + 6, level="info", text="read 397 images (45 MiB) into memory in 6.0 s")
    assert some.after(read) == [read.text, "reading 397 images into memory"]
    assert some.after(Preparing(what="")) == []
    tries = [
        BatchTried(
            t=NOW + 1,
            strategy="amp",
            batch_size=64,
            fits=True,
            images_per_second=312.0,
            peak_memory=3 << 30,
        ),
        BatchTried(t=NOW + 2, strategy="amp", batch_size=128, fits=False, reason="out of memory"),
    ]
    assert some.after(*tries) == [
        "amp     batch 64   312 images/s   peak 3.0 GiB",
        "amp     batch 128 does not fit: out of memory",
    ]
    over = BatchFound(strategy="amp", batch_size=64, images_per_second=312.0, reason="memory ended")
    assert some.after(over) == ["amp     best batch 64, 312 images/s: memory ended"]
    nothing = BatchFound(strategy="single", reason="it crashed")
    assert some.after(nothing) == ["single  no best batch: it crashed"]
