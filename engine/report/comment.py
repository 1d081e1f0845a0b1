"""What the diagnosis says of a run, as short as a cell of a table. Pure."""

from __future__ import annotations

from engine.journal.views import RunView
from engine.plan.runs import RunPlan
from engine.report.comparison import Source
from engine.report.diagnose import Surroundings, diagnose


def comment(run: RunView, plan: RunPlan, source: Source) -> str:
    """The finding's title, and what to change where something is to be done: ``waiting for data:
    raise --workers from 2 to 4``. Empty while there is too little to tell.

    Samples of the machine are kept for some minutes: of an older run nothing is said that would
    need them.
    """
    if run.ready is None:
        return ""
    around = Surroundings(
        source.view.host, source.view.gpus, source.view.cores, alive=not source.crashed
    )
    told = diagnose(run, plan, around)
    if told.kind == "measuring" and run.state != "done":
        return ""
    return f"{told.title}: {told.change}" if told.change else told.title
