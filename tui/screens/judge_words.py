"""What the judging screen says of the network, of the picture and of the guesses."""

from __future__ import annotations

import textwrap
from pathlib import Path

from textual.content import Content

from engine.journal.predictions import Judge
from engine.plan.text import clean
from tui.judged import Found
from tui.pictures import Picture
from tui.screens.judge_work import Network
from tui.widgets import format as show
from tui.widgets.guesses import guess_lines, truth_line
from tui.widgets.line import heading
from tui.widgets.picture_list import Named


def title(found: Found | None, judge: Judge | None, width: int) -> Content:
    """Which checkpoint judges, and what it was good for; its experiment where there is room."""
    facts = []
    if judge is not None:
        facts.append(judge.model)
        facts += [f"epoch {judge.epoch}"] if judge.epoch is not None else []
        if judge.accuracy is not None:
            facts.append(f"{show.percent(judge.accuracy)} in validation")
        facts += ["averaged weights"] if judge.averaged else []
    line = Content.assemble(
        ("judge", "bold $primary"),
        (f"  {found.chosen.title}" if found is not None else "", "$foreground"),
        f"  {' · '.join(facts)}",
    )
    more = f"  {found.experiment}" if found is not None else ""
    fits = line.cell_length + len(more) <= width
    return line + Content.styled(more if fits else "", "$quiet")


def about(image: Named | None, picture: Picture | None, width: int) -> Content:
    """The picture's name and size, or why it is not drawn."""
    if image is None:
        return Content("")
    name = clean(Path(image.path).name)
    if picture is None or picture.path != image.path:
        return heading(_cut(name, width - 4), width)
    if picture.problem:
        return Content.assemble((name, "bold $foreground"), (f"  {picture.problem}", "$error"))
    size = f"{picture.width} x {picture.height} px"
    return heading(_cut(name, width - len(size) - 6), width, size)


def guesses(network: Network, image: Named | None, width: int) -> list[Content]:
    """The guesses as bars, or what is waited for, or why there are none."""
    if network.problem:
        lines = textwrap.wrap(network.problem, max(20, width), break_on_hyphens=False)
        return [Content.styled(each, "$error") for each in lines]
    if network.judge is None:
        waited = f"  {network.seconds:.1f} s"
        return [Content.assemble((network.doing, "$foreground"), (waited, "$quiet"))]
    if image is None:
        return []
    judgement = network.known.get(image.path)
    if judgement is None:
        return [Content.styled("judging …", "$quiet")]
    if judgement.problem:
        return [Content.styled(f"cannot be judged: {judgement.problem}", "$error")]
    told = judgement.guesses
    return [truth_line(told, image.truth), *guess_lines(told, image.truth, width)]


def _cut(name: str, room: int) -> str:
    room = max(8, room)
    return name if len(name) <= room else name[: room - 1] + "…"
