"""What was measured of one run, and what it was: the cells of a table. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from engine.plan.runs import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One run, or all repeats of a strategy together: then each figure is their median, but the
    throughput, which is their geometric mean.

    Accuracies and shares in 0..1, times in seconds, sizes in bytes; ``None`` is unknown.

    Rates and times per batch are of the training parts of epochs alone, without validation and
    starting up, and without the first epoch, which warms up, where there is more than one.
    """

    # Which
    name: str
    """The strategy."""
    experiment: str
    run: str
    """Its directory; empty where it is several repeats together."""
    view: View
    repeat: int
    """From 0."""
    repeats: int
    """Runs that are done and stand in these figures: 1 for a run that is done, 0 for another."""
    state: str
    reason: str

    # What it was
    model: str | None = None
    image_size: int | None = None
    seed: int | None = None
    batch_size: int | None = None
    batch_size_per_device: int | None = None
    """Images of a global batch that one device computes at once, at most."""
    norm_batch: int | None = None
    """Images that batch normalisation sees together, at most."""
    num_workers: int | None = None
    """Processes that decode images, per node."""
    gradient_checkpointing: bool | None = None
    parallelism: str | None = None
    """``none``, ``dp``, ``ddp``, ``fsdp``, ``gpipe``, ``pipeline``."""
    precision: str | None = None
    """The format of the arithmetic as it was, not as it was asked for."""
    device_kind: str | None = None
    """``cpu``, ``cuda``, ``mps``."""
    device_name: str | None = None
    device_count: int | None = None
    """Devices that were used; on a CPU, as many as processes."""
    ranks: int | None = None
    stages: int | None = None
    micro_batches: int | None = None

    # How fast
    batch_seconds_median: float | None = None
    """Wall time of a step."""
    batch_seconds_p95: float | None = None
    images_per_second: float | None = None
    """Images over wall time."""
    steady: bool = True
    """Whether the first epoch is left out of rates: not where it is the only one."""
    grown: bool = True
    """Whether rates are of images of the full side: not where they grow and have not yet."""
    steps_rated: int = 0
    """Steps that the throughput is of."""
    steps_kept: int = 0
    """Of these, the latest, that median and percentile are of: those whose rows are kept."""
    epoch_seconds_estimated: float | None = None
    """(images / batch) x time per batch, of the last whole epoch."""
    epoch_seconds_actual: float | None = None
    epoch_seconds_error: float | None = None
    """(estimated - actual) / actual."""
    stall_share: float | None = None
    """Of the time, waiting for data."""
    device_idle_share: float | None = None
    """Of the time, idle for whatever reason but waiting for data or ranks; ``None`` on a CPU."""
    bubble: float | None = None
    """Measured share of the time in which a stage of a pipeline idled."""
    bubble_in_theory: float | None = None

    # What it cost
    startup_seconds: float | None = None
    """From the launch of its processes to the first step."""
    warmup_seconds: float | None = None
    """Of these, in compiling or warming up."""
    first_epoch_seconds: float | None = None
    """Training part of the first epoch, where it is not in the rates."""
    train_seconds: float | None = None
    """Training parts of all epochs, the first included."""
    wall_seconds: float | None = None
    """From the launch of its processes to their end."""
    gpu_hours: float | None = None
    """GPUs x wall time; ``None`` without GPUs."""
    cost: float | None = None
    """GPU hours x price, where one is set."""
    peak_memory: int | None = None
    """Of the rank that uses most: device memory reserved, on a CPU the process's resident memory.
    """

    # What came of it
    epochs: int = 0
    """Trained to their end."""
    optimizer_steps: int | None = None
    train_loss: float | None = None
    """Mean over the last epoch; NaN where it is not finite."""
    val_loss: float | None = None
    top1: float | None = None
    """At the last validation."""
    best_top1: float | None = None
    top5: float | None = None
    """``None`` with five classes or fewer, where it is 1 whatever the model does."""
    best_top5: float | None = None
    target_accuracy: float | None = None
    seconds_to_accuracy: float | None = None
    """From the first step to the end of the first validation that reached the target, validation
    included; ``None`` where it was not reached."""

    earlier_ways: tuple[tuple[str, int], ...] = ()
    """How a run was computed before it went on in another way, and up to which step: see
    ``ways``. Rates, times and memory are of the latest way."""

    comment: str = ""
    """What the diagnosis says of it."""

    @property
    def data_parallel(self) -> bool | None:
        return None if self.parallelism is None else self.parallelism == "dp"

    @property
    def distributed_data_parallel(self) -> bool | None:
        return None if self.parallelism is None else self.parallelism in ("ddp", "fsdp")
