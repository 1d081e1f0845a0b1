"""What Setup shows on pages of their own: the learning rate, and the network."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from engine.plan import learning_rate
from engine.plan.config import Settings
from engine.plan.inspection import Report
from engine.plan.recipes import RECIPES
from engine.plan.summary import IMAGENET_CLASSES, summarize
from tui.screens.paged import Page
from tui.widgets.chart import Chart
from tui.widgets.fitting import wrapped
from tui.widgets.keys import KeysLine
from tui.widgets.line import Line, heading
from tui.widgets.network import network_lines
from tui.widgets.schedule import schedule_plot

WIDEST = 110
"""Cells across beyond which a line is hard to read."""


class LearningRateScreen(Screen[None]):
    """The schedule before it begins, large, with what it follows from."""

    BINDING_GROUP_TITLE = "learning rate"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,backspace,escape", "close", "back", key_display="l"),
    ]

    DEFAULT_CSS = """
    LearningRateScreen {
        Chart {
            margin: 0 1;
        }
        Page {
            height: auto;
            max-height: 50%;
            margin: 1 1 0 1;
        }
    }
    """

    def __init__(self, settings: Settings, images: int | None, ascii: bool = False) -> None:
        """``images``: to train on; ``None`` while that is not known."""
        super().__init__()
        self._settings, self._images, self._ascii = settings, images, ascii

    def compose(self) -> ComposeResult:
        yield Line(id="page-title")
        yield Chart()
        yield Page()
        yield KeysLine()

    def on_mount(self) -> None:
        self.query_one(Page).focus()
        self.query_one(Chart).show(schedule_plot(self._settings, self._images, self._ascii))

    def on_resize(self) -> None:
        self.call_after_refresh(self._paint)

    def _paint(self) -> None:
        title = self.query_one("#page-title", Line)
        title.show(heading("Schedule", title.room, "before anything is trained"))
        page = self.query_one(Page)
        page.show(schedule_lines(self._settings, self._images, min(page.room, WIDEST)))

    def action_close(self) -> None:
        self.dismiss()


def schedule_lines(settings: Settings, images: int | None, width: int) -> list[Content]:
    """The schedule in words, and the recipe that it comes from."""
    told = ["The number of steps is known once a dataset is chosen."]
    if images:
        steps = len(learning_rate.batch_sizes(images, settings.batch_size))
        told = [
            learning_rate.sentence(settings, images),
            f"{steps:,} step{'s' if steps != 1 else ''} an epoch: {images:,} images in batches of "
            f"{settings.batch_size:,}",
        ]
    lines = [Content.styled(line, "$foreground") for text in told for line in wrapped(text, width)]
    for recipe in RECIPES:
        if recipe.name == settings.recipe:
            lines += [Content(""), heading(f"Recipe {recipe.name}", width, recipe.about)]
            lines += [Content.styled(line, "$quiet") for line in wrapped(recipe.source, width)]
    return lines


class NetworkScreen(Screen[None]):
    """The chosen network, layer by layer, before it is built."""

    BINDING_GROUP_TITLE = "network"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i,backspace,escape", "close", "back", key_display="i"),
    ]

    DEFAULT_CSS = """
    NetworkScreen Page {
        height: 1fr;
        margin: 0 1;
        scrollbar-gutter: stable;
    }
    """

    def __init__(self, settings: Settings, report: Report | None) -> None:
        """``report``: of the dataset, whose classes and images count; else ImageNet's do."""
        super().__init__()
        self._known = report is not None and bool(report.classes)
        classes = IMAGENET_CLASSES
        if report is not None and report.classes:
            classes = len(report.classes)
            batch = max(1, min(settings.batch_size, report.train_images))
            settings = replace(settings, batch_size=batch)
        self._summary = summarize(settings, classes)

    def compose(self) -> ComposeResult:
        yield Line(id="page-title")
        yield Page()
        yield KeysLine()

    def on_mount(self) -> None:
        self.query_one(Page).focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._paint)

    def _paint(self) -> None:
        title, page = self.query_one("#page-title", Line), self.query_one(Page)
        about = "counted before anything is built" if self._known else "with ImageNet's classes"
        title.show(heading(self._summary.model, title.room, about))
        page.show(network_lines(self._summary, min(page.room, WIDEST)))

    def action_close(self) -> None:
        self.dismiss()
