"""What is done before a run: images that are read, batch sizes that are tried."""

from __future__ import annotations

from engine.journal import events
from engine.journal.views import PhaseView, SearchView
from tests.tui.queues import NOW, snapshot
from tui.screens.live_news import News
from tui.widgets.preparing import doing, preparing, tries

SEARCHING = PhaseView(name="finding the best batch of ddp: 256", started=NOW, seconds=None)


def tried(
    size: int, rate: float | None, *, fits: bool = True, reason: str = ""
) -> events.BatchTried:
    return events.BatchTried(
        t=NOW,
        strategy="ddp",
        batch_size=size,
        fits=fits,
        images_per_second=rate,
        peak_memory=size * 2**20,
        seconds=4.0,
        reason=reason,
    )


TRIED = (tried(64, 210.0), tried(128, 260.4), tried(512, None, fits=False, reason="memory: full"))


def test_what_lasts_has_its_seconds_however_narrow_it_is() -> None:
    reading = PhaseView(name="reading 397 images into memory", started=NOW, seconds=None)
    assert doing(reading, NOW + 3.2) == "reading 397 images into memory, 3 s"
    assert doing(reading, NOW + 200) == "reading 397 images into memory, 3 min 20 s"
    assert doing(reading, NOW + 3, 20) == "reading 397 …, 3 s"
    assert doing(reading, NOW - 5) == "reading 397 images into memory, 0 s"


def test_the_best_of_the_tries_is_marked_and_what_does_not_fit_says_why() -> None:
    lines = [each.plain.split() for each in tries(TRIED, 78, 9)]
    assert lines[0] == ["batch", "images/s", "memory", "fits", "took"]
    assert lines[1] == ["64", "210", "64", "MiB", "yes", "4.0", "s"]
    assert lines[2] == ["128", "260", "▲", "128", "MiB", "yes", "4.0", "s"]
    assert lines[3] == ["512", "–", "512", "MiB", "no", "4.0", "s"]
    assert " ".join(lines[4]) == "512: memory: full"


def test_of_many_tries_the_newest_are_shown_and_lines_fit() -> None:
    search = SearchView(strategy="ddp", tried=tuple(tried(size, 100.0) for size in range(1, 40)))
    lines = preparing(SEARCHING, search, NOW + 1, 60, 10)
    assert len(lines) <= 10
    assert lines[-1].plain.split()[0] == "39"
    assert all(each.cell_length <= 60 for each in lines)


def test_a_batch_size_that_was_found_is_told_once() -> None:
    found = events.BatchFound(t=NOW, strategy="ddp", batch_size=128, images_per_second=260.4)
    none = events.BatchFound(t=NOW, strategy="amp", reason="the first try ran out of memory")
    names, news = ("single", "amp"), News()
    assert news.found(snapshot(names, [])) == []
    after = snapshot(names, [], more=[found])
    assert news.found(after) == ["ddp is fastest at a batch of 128: 260 images/s"]
    assert news.found(after) == []
    assert news.found(snapshot(names, [], more=[found, none])) == [
        "no batch size of amp could be measured: the first try ran out of memory"
    ]
    assert News().found(after) == [], "what was found before the first look is history"
