"""``resnet-tui doctor``: what this machine has, what it can run, and what could go wrong."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.commands import arguments as shared
from tui.commands import model, pipeline

if TYPE_CHECKING:
    from pathlib import Path

    from engine.plan.machine import Machine

Fact = tuple[str, str]
"""What is named, and what there is to say of it."""

_SMALL_SHARED_MEMORY = 1 << 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_experiments_directory(parser)
    pipeline.add_arguments(parser)
    model.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    if model.wanted(arguments):
        return model.run(arguments)
    if pipeline.wanted(arguments):
        return pipeline.run(arguments)
    from engine.run import host
    from tui.commands.waiting import while_waiting

    with while_waiting("asking torch what it can use"):
        machine = host.probe(refresh=True)
    directory = shared.directory(arguments)
    _print(
        {
            "software": list(_software(machine)),
            "machine": list(_machine(machine)),
            "strategies": list(strategies(machine)),
            "terminal": list(_terminal()),
            "running detached": list(_detached()),
            "experiments": list(_experiments(directory)),
        }
    )
    return 1 if machine.problem else 0


def _print(groups: dict[str, list[Fact]]) -> None:
    from rich.text import Text

    from tui.commands.table import emit, plain_table

    width = max(len(name) for facts in groups.values() for name, _ in facts)
    for title, facts in groups.items():
        emit(Text(title, style="bold"))
        table = plain_table()
        table.show_header = False
        table.add_column(min_width=width + 2)
        table.add_column(overflow="fold")
        for name, value in facts:
            table.add_row(Text(f"  {name}"), Text(value))
        emit(table)


def _software(machine: Machine) -> Iterator[Fact]:
    import platform
    from importlib.metadata import version

    from tui.widgets.format import UNKNOWN

    yield "resnet-tui", version("resnet-tui")
    yield "Python", f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    yield "torch", machine.torch or UNKNOWN
    yield "torchvision", machine.torchvision or UNKNOWN
    if machine.problem:
        yield "problem", machine.problem


def _machine(machine: Machine) -> Iterator[Fact]:
    from engine.run import host
    from tui.widgets import format as show

    busy = host.busyness()
    bf16 = ", computes in bf16 by itself" if machine.cpu_bf16 else ""
    yield "processor", f"{machine.cpu_name or host.machine_name()}{bf16}"
    yield "cores", f"{busy.cores} to use, load {busy.load:.2f}"
    yield "memory", f"{show.gib(busy.memory_available)} free of {show.gib(busy.memory_total)}"
    yield "/dev/shm", _shared_memory(busy.shared_memory_free)
    if not machine.devices:
        yield "accelerators", "none that torch can use: training takes the processor"
    for device in machine.devices:
        formats = ", bf16" if device.bf16 else ""
        memory = f", {show.gib(device.memory)}" if device.memory is not None else ""
        yield f"{device.kind}:{device.index}", f"{device.name}{memory}{formats}"
    for notice in machine.notices:
        yield "notice", notice


def _shared_memory(free: int | None) -> str:
    from tui.widgets import format as show

    if free is None:
        return "not there: loader workers cannot hand over images, use --workers 0"
    if free < _SMALL_SHARED_MEMORY:
        return (
            f"{show.gib(free)} free: little; loader workers hand images over in it. "
            "In a container: --shm-size=8g or --ipc=host"
        )
    return f"{show.gib(free)} free"


def strategies(machine: Machine) -> Iterator[Fact]:
    """Every strategy, those of the user's own files too, and whether the machine can run it."""
    from engine.errors import ResnetTuiError, SettingError
    from engine.plan.config import Settings
    from engine.plan.defaults import resolve
    from engine.plan.strategies import STRATEGIES, known_strategies
    from engine.plan.switches import availability, combine

    known, settings = STRATEGIES, Settings()
    try:
        known = known_strategies()
        settings = resolve(None, {}).settings
    except SettingError as error:
        yield "problem", str(error)
    for each in known:
        can = availability(each, machine, settings)
        status, why = can.status, can.reason
        try:
            combine(each, settings, machine)
        except ResnetTuiError as error:
            # Switches that the user's own files put together.
            status, why = "unavailable", why if status == "unavailable" else str(error)
        yield each.name, f"{status}: {why}" if why else status


def _terminal() -> Iterator[Fact]:
    import os
    import shutil
    import sys

    size = shutil.get_terminal_size((0, 0))
    place = f"{size.columns}x{size.lines}" if sys.stdout.isatty() else "none here"
    yield "size", place
    yield "TERM", os.environ.get("TERM") or "not set"
    encoding = (sys.stdout.encoding or "").upper()
    hint = "" if encoding == "UTF-8" else "; charts need UTF-8: export LC_ALL=C.UTF-8"
    yield "characters", f"{encoding}{hint}"
    if "NO_COLOR" in os.environ:
        colours = "none: NO_COLOR is set"
    elif os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        colours = "16 million"
    else:
        colours = "256 or fewer; COLORTERM=truecolor says that the terminal can do more"
    yield "colours", colours
    yield "tmux", "inside" if os.environ.get("TMUX") else "not inside"


def _detached() -> Iterator[Fact]:
    from engine.run import detached

    for risk in detached.risks():
        yield "risk", risk
    yield "outlives a logout", detached.outlook()


def _experiments(directory: Path) -> Iterator[Fact]:
    import os
    import shutil

    from engine.plan.text import clean
    from tui.widgets import format as show

    there = directory
    while not there.exists() and there != there.parent:
        there = there.parent
    yield "directory", clean(str(directory)) + ("" if directory.is_dir() else " (made when needed)")
    if not os.access(there, os.W_OK):
        yield "problem", f"{clean(str(there))} cannot be written to; choose --experiments-dir"
    yield "disk", f"{show.gib(shutil.disk_usage(there).free)} free"
