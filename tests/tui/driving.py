"""The application under a Pilot, with the machine's probe answered at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets._toast import Toast

from engine.plan.config import Settings
from engine.plan.machine import Machine
from tests.tui.frames import frame
from tui.app import ResnetTuiApp
from tui.screens import setup
from tui.start import Start

SIZES = [(160, 48), (80, 24)]
HERE = Machine(torch="2.15.0", torchvision="0.29.2", cores=2, cpu_name="a processor")


@dataclass
class Started:
    """What Setup handed to ``start_experiment``."""

    dataset: Path
    settings: Settings
    sources: dict[str, str]
    strategies: tuple[str, ...]


@dataclass
class Driver:
    """An application, its pilot, and what it was asked to start."""

    app: ResnetTuiApp
    pilot: Pilot[Any]
    started: list[Started] = field(default_factory=list)

    @property
    def frame(self) -> str:
        return "\n".join(frame(self.app))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        names = {"/": "slash", " ": "space", ".": "full_stop", "_": "underscore", "~": "tilde"}
        await self.press(*(names.get(each, each) for each in text))

    async def until(self, met: Callable[[], object], seconds: float = 20.0) -> None:
        """Waits for ``met``; fails with the screen where that does not come."""
        for _ in range(int(seconds / 0.02)):
            await self.pilot.pause(0.02)
            if met():
                return
        pytest.fail(f"did not come within {seconds:g} s; the screen:\n{self.frame}")

    async def until_seen(self, text: str) -> None:
        await self.until(lambda: text in self.frame)

    async def until_read(self, text: str) -> None:
        """Waits for ``text``, which may go on over the ends of lines."""
        await self.until(lambda: text in " ".join(self.frame.split()))

    @property
    def toasts(self) -> list[str]:
        """What the toasts on the screen say, however their lines are broken."""
        shown = self.app.screen.query(Toast)
        return [str(each._notification.message) for each in shown if each.region]

    async def pages(self, count: int) -> str:
        """What is seen now, and after each of ``count`` times PageDown."""
        seen = self.frame
        for _ in range(count):
            await self.press("pagedown")
            seen += self.frame
        return seen

    async def until_told(self, text: str) -> None:
        """Waits for a toast that says ``text``: a path in it may be broken anywhere."""
        await self.until(lambda: any(text in each for each in self.toasts))


@asynccontextmanager
async def drive(
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    start: Start,
    probe: Callable[[], Machine] = lambda: HERE,
) -> AsyncIterator[Driver]:
    """Runs the application; a start is noted instead of spawning a supervisor."""
    started: list[Started] = []

    def note(_app: ResnetTuiApp, *asked: Any) -> None:
        started.append(Started(*asked))

    monkeypatch.setattr(setup, "probe", probe)
    monkeypatch.setattr(ResnetTuiApp, "start_experiment", note)
    app = ResnetTuiApp(start)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        yield Driver(app, pilot, started)
