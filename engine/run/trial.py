"""One try of a batch size: a training of some seconds, and what came of it.

An attempt of its own, in ``search/`` inside the experiment's directory: what it does to its
processes (memory that runs out on one rank) is met as in any run, and touches no run.
"""

from __future__ import annotations

import math
import time

from engine import cgroup
from engine.experiment import Experiment
from engine.journal.events import BatchTried, Ready
from engine.plan.room import size
from engine.plan.runs import RunPlan
from engine.run import past, training, tree
from engine.run.budget import Budget, fills_gpu, refused
from engine.run.evidence import Verdict
from engine.run.pace import Pace, Rate
from engine.run.watch import Watch

_LOOK = 0.5
"""Seconds between two looks at the memory of a computer."""
_SPLIT = 2.0
"""Seconds between two that tell shared pages apart, for which the kernel makes training wait."""


class Trial:
    """Launched when made; raises ``ExperimentError`` or ``OSError`` where that cannot be done."""

    def __init__(self, experiment: Experiment, run: RunPlan, limit: Budget) -> None:
        """``experiment``: with the directory that tries lie in."""
        self._run = run
        self._limit = limit
        self._began = time.monotonic()
        number = past.attempts(experiment.directory, run.run) + 1
        self._attempt = training.launch(experiment, run, number)
        self._pace = Pace(experiment.directory, run.run, number, run.ranks)
        self._rate: Rate | None = None
        self._peak: int | None = None
        self._too_much = ""
        self._looked = self._split = 0.0
        self.interrupted = False
        """Somebody asked it to end: what it measured is nothing."""

    @property
    def watch(self) -> Watch:
        return self._attempt.watch

    @property
    def ready(self) -> Ready | None:
        """What its first rank told before its first step."""
        return self.watch.memory.readies.get(0)

    @property
    def is_too_large(self) -> bool:
        """Whether the dataset has fewer images than this batch."""
        return self.ready is not None and self._run.settings.batch_size > self.ready.train_images

    def stop(self) -> None:
        self.interrupted = True
        self._attempt.stop()

    def kill(self) -> None:
        self.interrupted = True
        self._attempt.kill()

    def end(self) -> None:
        self._attempt.end()

    def poll(self) -> BatchTried | None:
        """Moves it on; what came of it, once no process of it is left."""
        verdict = self._attempt.poll()
        grown = self._pace.poll()
        if verdict is None:
            if not self._attempt.stopping:
                self._look(grown)
            return None
        if self._rate is None and verdict.state == "done":
            self._rate = self._measured()
        fits, reason = self._judged(verdict)
        rate = self._rate if fits and not reason else None
        return BatchTried(
            strategy=self._run.strategy.name,
            batch_size=self._run.settings.batch_size,
            fits=fits,
            images_per_second=rate.images_per_second if rate else None,
            spread=rate.spread if rate and math.isfinite(rate.spread) else None,
            peak_memory=self._peak_memory(),
            reason=reason,
            seconds=time.monotonic() - self._began,
        )

    # While it runs

    def _look(self, grown: bool) -> None:
        if self.is_too_large:
            self._attempt.kill()
            return
        self._guard()
        found = self._measured() if grown else None
        if found is not None and self._pace.is_known(found, self._queue):
            self._rate = found
            if self._on_cpu:
                # Now, at the cost of a step that does not count: afterwards nobody is there to ask.
                self._peak = tree.fullest(self._attempt.pid)
            self._attempt.stop()

    def _measured(self) -> Rate | None:
        if self.ready is None:
            return None
        return self._pace.rate(self.ready.steps_per_epoch, self._queue)

    @property
    def _queue(self) -> int:
        return (self.ready.queue if self.ready else None) or 0

    def _guard(self) -> None:
        """Ends it where it takes more of the computer's memory than it may."""
        now = time.monotonic()
        if not self._on_cpu or now - self._looked < _LOOK:
            return
        self._looked = now
        held = tree.resident(self._attempt.pid)
        if held <= self._limit.bytes or now - self._split < _SPLIT:
            return
        self._split = now
        # What several processes share was counted once for each.
        held = tree.resident(self._attempt.pid, split=True) or held
        if held > self._limit.bytes:
            self._peak = held
            self._too_much = f"it took {size(held)} while it ran, more than {self._limit}"
            self._attempt.kill()

    @property
    def _on_cpu(self) -> bool:
        return (self.ready.device if self.ready else self._run.settings.device) == "cpu"

    # Afterwards

    def _judged(self, verdict: Verdict) -> tuple[bool, str]:
        """Whether it fits, and why not, or why it was not measured."""
        if self._too_much:
            return False, self._too_much
        if reason := self._refused(verdict):
            return False, reason
        if self._rate is None:
            return True, verdict.reason or "it made too few steps"
        peak = self._peak_memory()
        if self._on_cpu and peak is not None and peak > self._limit.bytes:
            return False, f"it took {size(peak)} at its fullest, more than {self._limit}"
        full = fills_gpu(self.watch.memory.last.values(), self._limit)
        return not full, full

    def _refused(self, verdict: Verdict) -> str:
        """What was said where memory was refused, or a process killed for it."""
        reasons = [verdict.reason, *(each.reason for each in self.watch.closings.values())]
        if reason := refused(reasons):
            return reason
        if verdict.state == "failed" and cgroup.oom_kills() > self.watch.memory.kills_before:
            return "memory ran out"
        return ""

    def _peak_memory(self) -> int | None:
        told = self.watch.memory.last.values()
        reserved = [each.peak_reserved for each in told if each.peak_reserved is not None]
        if reserved:
            return max(reserved)
        if self._peak is not None or not told:
            return self._peak
        return sum(each.peak_rss for each in told)
