"""The columns of the table, in their order. Pure.

The same list makes the screen, the printed table and every export.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import cast

from engine.report.column import Column, Value
from engine.report.comparison import Row


def _figure(name: str) -> Callable[[Row], Value]:
    """The field of that name of the row's figures."""
    return cast("Callable[[Row], Value]", attrgetter(f"figures.{name}"))


def _difference(name: str) -> Callable[[Row], Value]:
    return cast("Callable[[Row], Value]", attrgetter(f"difference.{name}"))


COLUMNS: tuple[Column, ...] = (
    Column("experiment", "experiment", "text", _figure("experiment"), "its directory's name"),
    Column("name", "strategy", "text", _figure("name"), "the strategy", shown=True),
    Column(
        "view", "view", "text", _figure("view"),
        "what its batch size is for: equal (that of all strategies) or best (its own best)",
    ),
    Column(
        "state", "state", "text", _figure("state"),
        "how its runs ended or stand", shown=True,
    ),
    Column(
        "repeats", "repeats", "count", _figure("repeats"),
        "runs that are done, of which the figures are",
    ),
    Column(
        "batch_size", "batch", "count", _figure("batch_size"),
        "images per optimiser step, over all devices",
    ),
    Column(
        "batch_size_per_device", "per device", "count", _figure("batch_size_per_device"),
        "images of a global batch that one device computes at once, at most",
    ),
    Column(
        "num_workers", "workers", "count", _figure("num_workers"),
        "processes that decode images, per node",
    ),
    Column(
        "gradient_checkpointing", "gradient checkpointing", "flag",
        _figure("gradient_checkpointing"),
        "whether activations are computed twice instead of kept",
    ),
    Column(
        "data_parallel", "DP", "flag", _figure("data_parallel"),
        "whether it is DataParallel: one process feeds all GPUs",
    ),
    Column(
        "distributed_data_parallel", "DDP", "flag", _figure("distributed_data_parallel"),
        "whether it is DistributedDataParallel, sharded or not: one process per device",
    ),
    Column(
        "parallelism", "parallelism", "text", _figure("parallelism"),
        "none, dp, ddp, fsdp, gpipe or pipeline",
    ),
    Column(
        "precision", "precision", "text", _figure("precision"),
        "the format of the arithmetic, as it was",
    ),
    Column(
        "batch_seconds_median", "per batch", "seconds", _figure("batch_seconds_median"),
        "wall time of a step, the median", better="low", shown=True,
    ),
    Column(
        "batch_seconds_p95", "p95", "seconds", _figure("batch_seconds_p95"),
        "wall time of a step that 95 % of the steps stay below", better="low",
    ),
    Column(
        "epoch_seconds_estimated", "epoch estimated", "seconds",
        _figure("epoch_seconds_estimated"),
        "(images / batch) x time per batch of its first steps, of the last whole epoch",
    ),
    Column(
        "epoch_seconds_actual", "epoch", "seconds", _figure("epoch_seconds_actual"),
        "what the same epoch took", better="low",
    ),
    Column(
        "epoch_seconds_error", "error", "change", _figure("epoch_seconds_error"),
        "(estimated - actual) / actual",
    ),
    Column(
        "images_per_second", "images/s", "rate", _figure("images_per_second"),
        "images over wall time of training, geometric mean over repeats", better="high",
        shown=True,
    ),
    Column(
        "speedup", "speed-up", "ratio", _difference("ratio"),
        "throughput over the baseline's, paired by repeat", better="high", shown=True,
    ),
    Column(
        "speedup_low", "from", "ratio", _difference("low"),
        "where the 95 % interval of the speed-up begins, for all strategies together",
    ),
    Column(
        "speedup_high", "to", "ratio", _difference("high"),
        "where it ends",
    ),
    Column(
        "call", "call", "text", _difference("call"),
        "baseline, faster, slower, tie (within 1 %), undecided or unknown", shown=True,
    ),
    Column(
        "repeats_to_settle", "to settle", "count", _difference("repeats_to_settle"),
        "repeats, in all, that would decide it if the spread stays as it is", optional=True,
    ),
    Column(
        "scaling_efficiency", "efficiency", "share", attrgetter("scaling_efficiency"),
        "speed-up over the baseline / how many times as many GPUs", better="high", optional=True,
    ),
    Column(
        "stall_share", "stall", "share", _figure("stall_share"),
        "share of the time spent waiting for data", better="low", shown=True,
    ),
    Column(
        "device_idle_share", "idle", "share", _figure("device_idle_share"),
        "share of the time in which a GPU idled for another reason", better="low", optional=True,
    ),
    Column(
        "peak_memory", "peak memory", "bytes", _figure("peak_memory"),
        "of the rank that uses most: of the device, on a CPU of the process", better="low",
        shown=True,
    ),
    Column(
        "train_loss", "train loss", "loss", _figure("train_loss"),
        "mean over the last epoch", better="low",
    ),
    Column(
        "val_loss", "val loss", "loss", _figure("val_loss"),
        "at the last validation", better="low", shown=True,
    ),
    Column(
        "top1", "top-1", "share", _figure("top1"),
        "validation accuracy at the last validation", better="high", shown=True,
    ),
    Column(
        "best_top1", "best top-1", "share", _figure("best_top1"),
        "the highest validation accuracy", better="high",
    ),
    Column(
        "top5", "top-5", "share", _figure("top5"),
        "share of images whose class is among the five likeliest, at the last validation; not "
        "with five classes or fewer", better="high", optional=True,
    ),
    Column(
        "best_top5", "best top-5", "share", _figure("best_top5"),
        "the highest of these", better="high", optional=True,
    ),
    Column(
        "target_accuracy", "target", "share", _figure("target_accuracy"),
        "the top-1 accuracy that the next column is about", optional=True,
    ),
    Column(
        "seconds_to_accuracy", "to target", "seconds", _figure("seconds_to_accuracy"),
        "from the first step to the end of the first validation that reached the target",
        better="low", optional=True,
    ),
    Column(
        "gpu_hours", "GPU-hours", "hours", _figure("gpu_hours"),
        "GPUs x wall time of a run, starting up included", better="low", optional=True,
    ),
    Column(
        "cost", "cost", "money", _figure("cost"),
        "GPU-hours x the price that was set", better="low", optional=True,
    ),
    Column(
        "bubble", "bubble", "share", _figure("bubble"),
        "share of the time in which a stage of a pipeline idled", better="low", optional=True,
    ),
    Column(
        "bubble_in_theory", "in theory", "share", _figure("bubble_in_theory"),
        "(stages - 1) / (micro-batches + stages - 1)", optional=True,
    ),
    Column("epochs", "epochs", "count", _figure("epochs"), "trained to their end"),
    Column(
        "optimizer_steps", "steps", "count", _figure("optimizer_steps"), "updates of the weights",
    ),
    Column(
        "startup_seconds", "start-up", "seconds", _figure("startup_seconds"),
        "from the launch of its processes to the first step", better="low",
    ),
    Column(
        "warmup_seconds", "warm-up", "seconds", _figure("warmup_seconds"),
        "of these, compiling or warming up", better="low",
    ),
    Column(
        "first_epoch_seconds", "first epoch", "seconds", _figure("first_epoch_seconds"),
        "training part of the first epoch, where it is left out of the rates", better="low",
    ),
    Column(
        "train_seconds", "training", "seconds", _figure("train_seconds"),
        "training parts of all epochs, the first included", better="low", shown=True,
    ),
    Column(
        "wall_seconds", "wall time", "seconds", _figure("wall_seconds"),
        "from the launch of its processes to their end", better="low",
    ),
    Column("model", "model", "text", _figure("model"), "the network"),
    Column(
        "image_size", "image size", "count", _figure("image_size"),
        "side of the square the network sees, in pixels",
    ),
    Column("device_kind", "device", "text", _figure("device_kind"), "cpu, cuda or mps"),
    Column("device_name", "device name", "text", _figure("device_name"), "as torch names it"),
    Column(
        "device_count", "devices", "count", _figure("device_count"),
        "that were used; on a CPU, as many as processes",
    ),
    Column("ranks", "ranks", "count", _figure("ranks"), "processes that trained"),
    Column(
        "norm_batch", "BN batch", "count", _figure("norm_batch"),
        "images that batch normalisation sees together, at most",
    ),
    Column(
        "stages", "stages", "count", _figure("stages"), "of a pipeline", optional=True,
    ),
    Column(
        "micro_batches", "micro-batches", "count", _figure("micro_batches"),
        "pieces of a batch that follow one another through a pipeline", optional=True,
    ),
    Column("reason", "reason", "text", _figure("reason"), "why runs failed or ended early"),
    Column("comment", "comment", "text", _figure("comment"), "what the diagnosis says of it"),
)  # fmt: skip
"""All of them, in the order in which exports have them; names are stable, new ones come last."""
