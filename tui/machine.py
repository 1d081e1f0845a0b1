"""What must be known of this machine before something is trained on it."""

from __future__ import annotations

from engine.plan.config import Settings
from engine.plan.machine import ANY, Machine
from engine.plan.strategies import Strategy
from engine.plan.switches import runs_anywhere


def machine_for(strategies: tuple[Strategy, ...], settings: Settings) -> Machine:
    """The machine, where a plan depends on it; else what every machine has.

    Blocks for seconds the first time that torch must be asked; later answers are remembered.
    """
    if all(runs_anywhere(each, settings) for each in strategies):
        return ANY
    from engine.run import host

    return host.probe()
