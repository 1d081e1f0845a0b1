"""The search for the batch size at which a strategy is fastest, as a task of the supervisor.

Each try is a training of its own (``engine.run.trial``) in ``search/STRATEGY-SIZE`` of the
experiment's directory, which keeps its journals. Which size comes next, and which is best, is
decided in ``engine.plan.batches``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from engine.errors import ExperimentError
from engine.experiment import Experiment
from engine.journal.events import AnyEvent, BatchFound, BatchTried, Event, Preparing
from engine.plan.batches import NOISE, Found, Try, advance
from engine.plan.foresee import foreseen, tensors_of
from engine.plan.room import size as spelled
from engine.plan.runs import RunPlan
from engine.plan.trials import sizes_of, trial_of
from engine.run.budget import budget
from engine.run.trial import Trial
from engine.run.watch import Watch

DIRECTORY = "search"
"""Inside the experiment's; no run is called like this."""

_FEWEST_CLASSES = 2


class BatchSearch:
    """Of one strategy. A search that was interrupted goes on where it was."""

    def __init__(
        self,
        experiment: Experiment,
        run: RunPlan,
        tell: Callable[[Event], None],
        before: Iterable[AnyEvent] = (),
    ) -> None:
        """``run``: any of the strategy's; ``before``: what the journal says already."""
        self._experiment = replace(experiment, directory=experiment.directory / DIRECTORY)
        self._asked = experiment.plan.settings
        self._run = run
        self._tell = tell
        self._tried = [
            each
            for each in before
            if isinstance(each, BatchTried) and each.strategy == run.strategy.name
        ]
        self._sizes = sizes_of(run, self._asked)
        self._classes = _FEWEST_CLASSES
        self._on_cpu = run.settings.device == "cpu"
        self._limit = budget(run.settings.memory_budget)
        self._trial: Trial | None = None
        self._stopping = False

    @property
    def strategy(self) -> str:
        return self._run.strategy.name

    @property
    def stopping(self) -> bool:
        return self._stopping

    @property
    def watch(self) -> Watch | None:
        return self._trial.watch if self._trial else None

    def poll(self) -> bool:
        while self._trial is None:
            if self._stopping or not self._begin_next():
                return True
        tried = self._trial.poll()
        if tried is None:
            return False
        trial, self._trial = self._trial, None
        self._learn(trial)
        if not (trial.interrupted or trial.is_too_large):
            self._note(tried)
        return False

    def stop(self) -> None:
        self._stopping = True
        if self._trial is not None:
            self._trial.stop()

    def kill(self) -> None:
        self._stopping = True
        if self._trial is not None:
            self._trial.kill()

    def end(self) -> None:
        if self._trial is not None:
            self._trial.end()

    def _begin_next(self) -> bool:
        """Launches the next try, or settles it without; false where the search is over."""
        size = advance(self._sizes, [_as_known(each) for each in self._tried])
        if isinstance(size, Found):
            self._tell(
                BatchFound(
                    strategy=self.strategy,
                    batch_size=size.batch_size,
                    images_per_second=size.images_per_second,
                    reason=size.reason,
                )
            )
            return False
        what = f"finding the best batch of {self.strategy}: {size}"
        self._tell(Preparing(what=what, strategy=self.strategy))
        if too_much := self._foreseen(size):
            self._note(self._untried(size, fits=False, reason=too_much))
            return True
        try:
            self._experiment.directory.mkdir(exist_ok=True)
            run = trial_of(self._run, size, self._asked)
            self._trial = Trial(self._experiment, run, self._limit)
        except (ExperimentError, OSError) as error:
            self._note(self._untried(size, fits=True, reason=str(error)))
        return True

    def _foreseen(self, size: int) -> str:
        """Why a batch need not be tried: the memory it would take of a computer."""
        if not self._on_cpu:
            return ""
        peaks = {
            each.batch_size: each.peak_memory
            for each in self._tried
            if each.fits and each.peak_memory is not None
        }
        tensors = {
            each: held
            for each in (size, *peaks)
            if (held := tensors_of(self._run, each, self._asked, self._classes)) is not None
        }
        needed = foreseen(size, peaks, tensors)
        if needed is None or needed <= self._limit.bytes:
            return ""
        return f"it would take about {spelled(needed)} (an estimate), more than {self._limit}"

    def _untried(self, size: int, *, fits: bool, reason: str) -> BatchTried:
        return BatchTried(strategy=self.strategy, batch_size=size, fits=fits, reason=reason)

    def _note(self, tried: BatchTried) -> None:
        self._tried.append(tried)
        self._tell(tried)

    def _learn(self, trial: Trial) -> None:
        """What only a training knows: how large the dataset is, and on what it trains."""
        if trial.ready is not None:
            self._sizes = replace(self._sizes, images=trial.ready.train_images)
            self._classes = len(trial.ready.classes)
            self._on_cpu = trial.ready.device == "cpu"


def _as_known(tried: BatchTried) -> Try:
    return Try(
        batch_size=tried.batch_size,
        fits=tried.fits,
        images_per_second=tried.images_per_second,
        spread=NOISE / 2 if tried.spread is None else tried.spread,
        reason=tried.reason,
    )
