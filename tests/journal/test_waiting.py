"""The queue, what is prepared and what is searched, as the supervisor's journal tells them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.journal import events
from engine.journal.events import AnyEvent
from engine.journal.fold import ExperimentFold
from engine.journal.views import ExperimentView, PhaseView, SearchView

WRITER: dict[str, Any] = {"journal": "", "host": "", "pid": 1, "boot": ""}
RUNS = ("01-single", "02-amp", "03-ddp", "04-single", "05-amp")


def told(*some: AnyEvent) -> ExperimentView:
    fold = ExperimentFold()
    for event in some:
        fold.apply_supervisor(event)
    return fold.freeze()


def begun(t: float = 1.0) -> AnyEvent:
    return events.SupervisorStarted(t=t, **WRITER)


def queued(run: str) -> AnyEvent:
    return events.RunQueued(run=run, strategy=run[3:], seed=0)


def started(run: str, t: float = 3.0) -> AnyEvent:
    return events.RunStarted(t=t, run=run, attempt=1, argv=(), pid=1)


def ended(run: str) -> AnyEvent:
    return events.RunEnded(run=run, attempt=1, state="done")


def ordered(*runs: str) -> AnyEvent:
    return events.QueueOrdered(runs=runs)


def test_runs_wait_in_the_order_of_the_queue_until_their_turn() -> None:
    first, second, third, late, _ = RUNS
    so_far: list[AnyEvent] = [begun(), queued(first), queued(second), queued(third)]
    assert told(*so_far).queue == (first, second, third)
    so_far += [started(first), ordered(third, second)]
    assert told(*so_far).queue == (third, second)
    so_far += [queued(late), ended(first), started(third)]
    assert told(*so_far).queue == (second, late)
    # One that is taken out ends without having begun; one that is done again waits again.
    so_far += [ended(second), queued(first)]
    assert told(*so_far).queue == (late, first)


def test_an_order_names_what_it_knows_and_the_others_keep_theirs_behind() -> None:
    first, second, third, late, unknown = RUNS
    so_far: list[AnyEvent] = [queued(first), queued(second), queued(third), queued(late)]
    assert told(*so_far, ordered(late, unknown, late, second)).queue == (
        late, second, first, third,
    )  # fmt: skip


def test_a_new_supervisor_queues_anew() -> None:
    first, second, *_ = RUNS
    so_far: list[AnyEvent] = [
        begun(),
        queued(first),
        queued(second),
        ordered(second, first),
        begun(9.0),
    ]
    assert told(*so_far).queue == ()
    assert told(*so_far, queued(first), queued(second)).queue == (first, second)


class Model:
    """The queue as a person would keep it: a list, and one thing done after another."""

    def __init__(self) -> None:
        self.waiting: list[str] = []

    def do(self, event: AnyEvent) -> None:
        match event:
            case events.SupervisorStarted():
                self.waiting.clear()
            case events.RunQueued():
                self._leave(event.run)
                self.waiting.append(event.run)
            case events.RunStarted() | events.RunEnded():
                self._leave(event.run)
            case events.QueueOrdered():
                # From the last to the first, each goes to the front.
                for run in reversed(event.runs):
                    if run in self.waiting:
                        self._leave(run)
                        self.waiting.insert(0, run)

    def _leave(self, run: str) -> None:
        if run in self.waiting:
            self.waiting.remove(run)


_run = st.sampled_from(RUNS)
_event = st.one_of(
    st.builds(queued, _run),
    st.builds(queued, _run),
    st.builds(started, _run),
    st.builds(ended, _run),
    st.lists(_run, max_size=7).map(lambda runs: ordered(*runs)),
    st.builds(begun),
    st.just(events.Preparing(what="reading images")),
    st.just(events.Notice(level="info", text="")),
)


@given(some=st.lists(_event, max_size=40))
def test_whatever_happens_the_queue_is_that_of_the_model(some: list[AnyEvent]) -> None:
    fold, model = ExperimentFold(), Model()
    for event in some:
        fold.apply_supervisor(event)
        model.do(event)
        assert fold.freeze().queue == tuple(model.waiting)


def test_what_is_prepared_lasts_until_it_ends_or_something_else_begins() -> None:
    reading = events.Preparing(t=2.0, what="reading images into memory")
    so_far: list[AnyEvent] = [begun(), reading]
    phase = PhaseView(name="reading images into memory", started=2.0, seconds=None)
    assert told(*so_far).preparing == phase
    search = events.Preparing(t=3.0, what="searching a batch size", strategy="amp")
    preparing = told(*so_far, search).preparing
    assert preparing is not None
    assert (preparing.name, preparing.started) == ("searching a batch size", 3.0)
    for end in (
        events.Preparing(t=4.0, what=""),
        started(RUNS[0]),
        events.SupervisorEnded(state="stopped"),
        begun(),
    ):
        assert told(*so_far, end).preparing is None
    assert told(*so_far, ended(RUNS[0]), queued(RUNS[1])).preparing == phase


def tried(strategy: str, batch_size: int, *, fits: bool = True) -> events.BatchTried:
    return events.BatchTried(t=1.0, strategy=strategy, batch_size=batch_size, fits=fits)


def found(strategy: str, batch_size: int | None) -> events.BatchFound:
    return events.BatchFound(t=1.0, strategy=strategy, batch_size=batch_size)


def test_a_search_has_its_tries_in_order_and_then_what_it_found() -> None:
    single = (tried("single", 64), tried("single", 128, fits=False))
    amp = (tried("amp", 64), tried("amp", 256), tried("amp", 128))
    so_far: list[AnyEvent] = [*single, amp[0], found("single", 64), *amp[1:]]
    assert told(*so_far).searches == (
        SearchView(strategy="single", tried=single, found=found("single", 64)),
        SearchView(strategy="amp", tried=amp),
    )
    # A second search begins with nothing; one that found nothing is over all the same.
    so_far += [found("amp", None), tried("single", 32), tried("single", 48)]
    assert told(*so_far).searches == (
        SearchView(strategy="single", tried=(tried("single", 32), tried("single", 48))),
        SearchView(strategy="amp", tried=amp, found=found("amp", None)),
    )
    assert told(found("ddp", None)).searches == (
        SearchView(strategy="ddp", found=found("ddp", None)),
    )
