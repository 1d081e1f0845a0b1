"""What the supervisor of an experiment tells, and the sampler of its node."""

from __future__ import annotations

from engine.journal.event import Count, EndState, Event, Writer


class SupervisorStarted(Writer, frozen=True, kw_only=True, tag="supervisor-started"):
    version: str = ""


class RunQueued(Event, frozen=True, kw_only=True, tag="run-queued"):
    """A run waits for its turn. Written again when a run is queued again (retry)."""

    run: str
    strategy: str
    seed: Count
    repeat: Count = 0


class RunStarted(Event, frozen=True, kw_only=True, tag="run-started"):
    run: str
    attempt: Count
    argv: tuple[str, ...]
    pid: Count
    way: str = ""
    """A mark of how it computes (strategy, switches, devices): another one where an attempt goes on
    in another way than the one before. Empty in older journals."""


class RunEnded(Event, frozen=True, kw_only=True, tag="run-ended"):
    """How the supervisor judged the end: by the ranks' closing events, not by exit codes."""

    run: str
    attempt: Count
    state: EndState
    reason: str = ""
    detail: str = ""
    """The last lines of the failed rank's own traceback or log."""
    exit_code: int | None = None


class Acknowledged(Event, frozen=True, kw_only=True, tag="acknowledged"):
    """A request from ``commands/`` was taken up. ``refused`` is the reason where it was not."""

    command: str
    action: str
    run: str = ""
    refused: str = ""


class QueueOrdered(Event, frozen=True, kw_only=True, tag="queue-ordered"):
    """The runs that wait, in the order in which they will be done: written when it changes by a
    request. Runs that are queued later go behind them."""

    runs: tuple[str, ...]


class Preparing(Event, frozen=True, kw_only=True, tag="preparing"):
    """The supervisor does something that is no run: reads the images into memory, or searches a
    batch size. An empty ``what`` ends it."""

    what: str
    strategy: str = ""
    """Whose batch size is searched."""


class BatchTried(Event, frozen=True, kw_only=True, tag="batch-tried"):
    """A job that measured one batch size of a strategy, and ended. ``None`` is unknown."""

    strategy: str
    batch_size: Count
    fits: bool
    """Whether it stayed within memory."""
    images_per_second: float | None = None
    peak_memory: Count | None = None
    """Bytes: of the fullest rank's device, on a CPU of all its processes together."""
    spread: float | None = None
    """Standard error of ``images_per_second``, as a share of it."""
    reason: str = ""
    """Why it does not fit, or was not measured: a sentence."""
    seconds: float = 0.0
    """That the job took."""


class BatchFound(Event, frozen=True, kw_only=True, tag="batch-found"):
    """The search for a strategy's batch size is over; no ``batch_size`` where none could be
    measured."""

    strategy: str
    batch_size: Count | None = None
    images_per_second: float | None = None
    reason: str = ""
    """What ended the search: memory, the dataset, no more throughput; or why there is none."""


class SupervisorEnded(Event, frozen=True, kw_only=True, tag="supervisor-ended"):
    state: EndState


class NodeStarted(Writer, frozen=True, kw_only=True, tag="node-started"):
    node: Count
    cores: Count
    memory_total: Count
    machine: str = ""


class HostSample(Event, frozen=True, kw_only=True, tag="host-sample"):
    """One node, once a second: also the sign that the supervisor lives.

    ``cpu`` is the share of the cores' time that was used (0..1) since the last sample, and in a
    control group that may have less of it, of what it may have; ``tree_*`` are of the supervisor's
    whole process tree, loader workers included.
    """

    cpu: float
    memory_used: Count
    memory_total: Count
    tree_cpu: float | None = None
    """Cores busy with this experiment (2.0 = two whole cores)."""
    tree_rss: Count | None = None
    """Resident bytes, summed over processes: what several share counts once for each."""
    disk_free: Count | None = None
    tree_pss: Count | None = None
    """The same with shared pages split between those that share them; not in every sample."""
    shm_free: Count | None = None
    """Of ``/dev/shm``, through which loader workers hand over images."""
    shm_total: Count | None = None
    tree_read: float | None = None
    """Bytes per second that the same processes had read from disks; not from the page cache."""
    allowed: float | None = None
    """Cores' worth of time that ``cpu`` is a share of, where a control group allows less than all
    cores: perhaps one and a half."""
