"""From the word in a plan to the code behind it; libraries of one strategy load with it alone."""

from __future__ import annotations

from engine.plan.runs import RunPlan
from engine.train.strategies.base import Strategy
from engine.train.world import World


def make(plan: RunPlan, world: World) -> Strategy:
    """The strategy that ``plan`` names, for one rank of ``world``."""
    match plan.strategy.parallelism:
        case "none":
            from engine.train.strategies.none import NoParallelism

            return NoParallelism(world)
        case "dp":
            from engine.train.strategies.dp import DataParallelism

            return DataParallelism(world)
        case "ddp":
            from engine.train.strategies.ddp import DistributedDataParallelism

            return DistributedDataParallelism(world)
        case "fsdp":
            from engine.train.strategies.fsdp import FullySharded

            return FullySharded(world)
        case "gpipe":
            from engine.train.strategies.gpipe import GPipe

            return GPipe(world)
        case "pipeline":
            from engine.train.strategies.pipeline import Pipeline

            return Pipeline(world)
