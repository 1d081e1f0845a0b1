"""``resnet-tui resume``: goes on with what failed, was stopped or was cut off, where it was."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from tui.commands import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.experiment import Experiment
    from engine.plan.machine import Machine
    from engine.plan.runs import RunPlan
    from engine.run.resume import Resumable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from engine.plan.options import add_flags
    from engine.plan.resuming import CHANGEABLE

    shared.add_experiment(parser)
    parser.add_argument(
        "--run",
        metavar="RUN",
        dest="only",
        action="append",
        default=[],
        help="one run, as 02-amp; may be given several times (default: all that are not done)",
    )
    parser.add_argument(
        "--strategy",
        action="append",
        metavar="NAME",
        help="go on with another strategy (default: as before)",
    )
    add_flags(parser, shown=CHANGEABLE)
    output = parser.add_argument_group("output")
    output.add_argument(
        "--json", action="store_true", help="stream events as JSON lines, and nothing else"
    )
    output.add_argument(
        "--detach", action="store_true", help="go on, and leave it running in the background"
    )


def run(arguments: argparse.Namespace) -> int:
    # Imported before anything is started: what breaks here leaves nothing running.
    from engine.experiment import open_directory
    from engine.plan import options
    from engine.run import disk, resume
    from tui.commands import follow
    from tui.commands.interrupts import Interrupts
    from tui.commands.words import farewell

    experiment = shared.experiment(arguments)
    given = options.chosen(arguments)
    found = resume.resumable(experiment, arguments.only, given)
    plans = _plans(experiment, found, given, shared.strategies(arguments.strategy))
    disk.check_resume(experiment.directory, plans or [each.plan for each in found])
    # A line of JSON is for a program: what is said to people goes elsewhere then.
    out = sys.stderr if arguments.json else sys.stdout
    for line in _told(found, plans, given):
        print(line, file=out, flush=True)
    with Interrupts() as interrupts:
        resume.resume(experiment, [each.plan.run for each in found], plans)
        experiment = open_directory(experiment.directory)
        if arguments.detach and not interrupts.count:
            print(farewell(experiment), file=out)
            return 0
        if arguments.json:
            return follow.stream(experiment, interrupts)
        return follow.follow(experiment, interrupts, own=True)


def _plans(
    experiment: Experiment,
    found: tuple[Resumable, ...],
    given: dict[str, Any],
    named: Sequence[str],
) -> tuple[RunPlan, ...]:
    """Other plans for the runs; none where they go on as they were."""
    from engine.errors import StrategyError
    from engine.experiment import open_directory
    from engine.plan.resuming import check_given, replanned
    from engine.plan.strategies import strategy as called
    from tui.commands.waiting import while_waiting
    from tui.machine import machine_for

    runs = [each.plan for each in found]
    check_given(runs, given)
    if len(named) > 1:
        raise StrategyError("a run goes on with one strategy; name one with --strategy")
    if not named and not given:
        return ()
    plan = open_directory(experiment.directory).plan
    chosen = called(named[0]) if named else None
    others = {each.strategy.name for each in plan.runs if each not in runs}
    strategies = (chosen,) if chosen is not None else tuple(each.strategy for each in runs)
    with while_waiting("asking torch what it can use"):
        machine = machine_for(strategies, plan.settings)
    return replanned(runs, plan.settings, given, chosen=chosen, others=others, machine=machine)


def _machine(plan: RunPlan) -> Machine:
    """Asks what mixed precision is on this machine's GPUs, where that matters."""
    from engine.plan.machine import ANY
    from engine.run import host
    from tui.commands.waiting import while_waiting

    if plan.settings.precision != "mixed" or plan.settings.device == "cpu":
        return ANY
    with while_waiting("asking torch what it can use"):
        return host.probe()


def _told(
    found: tuple[Resumable, ...], plans: tuple[RunPlan, ...], given: dict[str, Any]
) -> list[str]:
    """From where each goes on, what is lost by going on otherwise, and what stands of what it was
    given when it went on before."""
    from engine.plan.resuming import not_kept
    from engine.run.saved import explained

    lines = []
    after = {each.run: each for each in plans}
    for each in found:
        name = each.plan.run
        of = f" of {each.of:,}" if each.of else ""
        start = f"goes on from step {each.step:,}{of}" if each.found else "begins at its beginning"
        if each.found and (why := explained(each.found)):
            start += f", for {why}"
        if each.lost:
            start += ", for no checkpoint of it can be used: damaged, or not written by resnet-tui"
        lines.append(f"{name}: {start}")
        new = after.get(name)
        if each.found and new is not None and (lost := not_kept(each.plan, new, _machine(new))):
            other = new.strategy.name != each.plan.strategy.name
            how = f"as {new.strategy.name}" if other else "with other switches"
            lines.append(f"  {how}; not kept: {'; '.join(lost)}")
        changed = {*given, *(["strategy"] if new and new.strategy != each.plan.strategy else [])}
        if still := [text for setting, text in each.given.items() if setting not in changed]:
            lines.append(f"  as when it went on before: {', '.join(still)}")
    return lines
