"""What the comparison paints: its table, and the lines that say more of it."""

from __future__ import annotations

import time

from textual.content import Content

from engine.report.columns import COLUMNS
from tui.screens import compare_words as words
from tui.screens.compare_columns import told
from tui.screens.compare_layout import CompareLayout
from tui.screens.compare_table import Signs, repeats, rows_in_order, table


class ComparePainting(CompareLayout):
    """Paints what is known on the parts of the layout."""

    def show_table(self) -> None:
        """The table and the lines about it, whatever changed of them."""
        comparison, look = self.comparison, self.look
        if comparison is None or look is None:
            return
        parts = rows_in_order(comparison, COLUMNS, self.order)
        lines = len(comparison.rows) + (len(parts) if len(parts) > 1 else 0)
        below = self.share_room(lines)
        signs = Signs(
            drawn=self.drawn() if below and not self.shows_bars else (),
            room=below,
            marked=frozenset(self.marked),
            ascii=self.view.ascii,
            narrow=self.is_narrow,
        )
        self.grid.show(table(comparison, look, self.columns(), parts, signs))
        self.show_lines()

    def show_lines(self) -> None:
        """The lines that say more of the columns in sight, or of the row under the cursor."""
        comparison, look, grid = self.comparison, self.look, self.grid
        if comparison is None or look is None:
            return
        title = self.line("title")
        name, others = look.sources[0].name, len(look.sources) - 1
        title.show(words.title(name, comparison, others, title.room))
        self.line("head").show(Content.styled(grid.head().plain, "$quiet"))
        row = self.line("row")
        row.show(words.of_row(self.row, row.room, self._added()))
        legend = self.line("legend")
        across = None
        if grid.hides_columns:
            across = (*grid.in_sight, len(grid.table.heads))
        legend.show(
            words.legend(
                legend.room,
                marked=any(cell.mark for line in grid.table.rows for cell in line.cells),
                sorted_by=told(self.order, COLUMNS),
                across=across,
                repeats=any(repeats(each) for each in comparison.rows),
                added=[(look.letter(each.name), each.name) for each in look.sources[1:]],
            )
        )
        held = self.line("held")
        held.show(words.held(comparison.held, held.room))

    def _added(self) -> str:
        """Of the row under the cursor, the experiment that was added, with its letter."""
        row, look = self.row, self.look
        if row is None or look is None or look.is_shown(row):
            return ""
        return f"{look.letter(row.figures.experiment)} {row.figures.experiment}"

    def show_progress(self) -> None:
        """What is done now; a line that is there only while something is."""
        snapshot, line = self.snapshot, self.line("progress")
        if snapshot is None:
            return
        room = max(20, self.size.width - 2)
        told_ = words.progress(snapshot.view, snapshot.alive, time.time(), room)
        if not snapshot.caught_up:
            share_ = snapshot.view.bytes_read / max(1, snapshot.view.bytes_total)
            told_ = Content.styled(f"reading the journal, {share_ * 100:.0f} %", "$quiet")
        elif self.comparison is None:
            told_ = Content.styled("comparing …", "$quiet")
        line.show(told_)
        if line.display != bool(told_.plain):
            line.display = bool(told_.plain)
            self.show_table()
