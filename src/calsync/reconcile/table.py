"""The three-way decision as data: what the record did × what the calendar did -> what to do (DESIGN 5).

`decide` looks every occurrence up here; `docs/three-way-table.md` is rendered from it and a test keeps them equal.
Both sides are measured against the baseline, the state that was last agreed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Record(StrEnum):
    """What became of the record's side since the baseline."""

    SAME = "same"
    CHANGED = "changed"
    NEW = "new"  # nothing was agreed yet, and the record wants it
    GONE = "gone"  # it was agreed, and the record no longer wants it


class Calendar(StrEnum):
    """What became of the calendar's side since the baseline."""

    SAME = "same"  # as agreed; where nothing was agreed: absent
    COSMETIC = "cosmetic"  # only what is the user's own differs
    AS_RECORDED = "as-recorded"  # a guarded change to exactly what the record now says
    EDITED = "edited"  # any other guarded change
    OURS = "ours"  # as a write of ours left it whose answer never came


class Do(StrEnum):
    """What to do about one occurrence."""

    NOTHING = "nothing"
    PUSH = "push"
    CREATE = "create"
    REMOVE = "remove"
    ADOPT = "adopt"
    ASK_POLICY = "ask-policy"
    RECORD_AND_ASK_POLICY = "record-and-ask-policy"
    RECORD_AND_PUSH = "record-and-push"
    RECORD_AND_REMOVE = "record-and-remove"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the table: the action, and what happened in the world."""

    do: Do
    story: str


TABLE: dict[tuple[Record, Calendar], Cell] = {
    (Record.SAME, Calendar.SAME): Cell(Do.NOTHING, "nobody did anything"),
    (Record.SAME, Calendar.COSMETIC): Cell(
        Do.ASK_POLICY, "somebody recoloured or renamed it; by default theirs to keep"
    ),
    (Record.SAME, Calendar.AS_RECORDED): Cell(Do.NOTHING, "written another way, shown the same"),
    (Record.SAME, Calendar.EDITED): Cell(Do.RECORD_AND_ASK_POLICY, "somebody edited the calendar: a drift"),
    (Record.SAME, Calendar.OURS): Cell(Do.ADOPT, "our own write arrived, its answer did not: no drift"),
    (Record.CHANGED, Calendar.SAME): Cell(Do.PUSH, "the session was rescheduled on the platform"),
    (Record.CHANGED, Calendar.COSMETIC): Cell(Do.PUSH, "rescheduled, and renamed in the calendar: the name stays"),
    (Record.CHANGED, Calendar.AS_RECORDED): Cell(Do.ADOPT, "rescheduled on both sides to the same time: agreed"),
    (Record.CHANGED, Calendar.EDITED): Cell(Do.RECORD_AND_PUSH, "both moved it: evidence is kept, the record wins"),
    (Record.CHANGED, Calendar.OURS): Cell(Do.ADOPT, "an earlier write of ours arrived while the record moved on"),
    (Record.NEW, Calendar.SAME): Cell(Do.CREATE, "booked, and not in the calendar yet"),
    (Record.NEW, Calendar.COSMETIC): Cell(Do.ADOPT, "ours is there already, and renamed: the name stays"),
    (Record.NEW, Calendar.AS_RECORDED): Cell(Do.ADOPT, "ours is there already: a crash came before the books"),
    (Record.NEW, Calendar.EDITED): Cell(
        Do.RECORD_AND_ASK_POLICY, "ours is there already, and somebody edited it since"
    ),
    (Record.NEW, Calendar.OURS): Cell(Do.ADOPT, "the create arrived, its answer did not"),
    (Record.GONE, Calendar.SAME): Cell(Do.REMOVE, "the session was cancelled on the platform"),
    (Record.GONE, Calendar.COSMETIC): Cell(
        Do.RECORD_AND_REMOVE, "cancelled, and renamed in the calendar before that was known"
    ),
    (Record.GONE, Calendar.AS_RECORDED): Cell(Do.ADOPT, "cancelled, and already removed from the calendar"),
    (Record.GONE, Calendar.EDITED): Cell(Do.RECORD_AND_REMOVE, "cancelled, and edited before that was known"),
    (Record.GONE, Calendar.OURS): Cell(Do.ADOPT, "our removal arrived, or an earlier write did: look again from there"),
}

_RECORD_WORDS = {
    Record.SAME: "as agreed",
    Record.CHANGED: "changed",
    Record.NEW: "new",
    Record.GONE: "gone (cancelled)",
}
_CALENDAR_WORDS = {
    Calendar.SAME: "as agreed (or absent, if new)",
    Calendar.COSMETIC: "cosmetic change",
    Calendar.AS_RECORDED: "guarded change, equal to the record",
    Calendar.EDITED: "guarded change",
    Calendar.OURS: "equal to an unanswered write of ours",
}


def cell_name(record: Record, calendar: Calendar) -> str:
    """Return the name by which plans and the audit log cite a cell, such as `same/edited`."""
    return f"{record}/{calendar}"


def render_table() -> str:
    """Return the table as the documentation page that ships with the product."""
    lines = [
        "# The three-way table",
        "",
        "Rendered from `src/calsync/reconcile/table.py`; change it there. Both sides are measured against the",
        "baseline, what calendar and record last agreed on. Looked up for each occurrence on its own.",
        "",
        "| cell | record | calendar | do | what happened |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| `{cell_name(record, calendar)}` | {_RECORD_WORDS[record]} | {_CALENDAR_WORDS[calendar]} "
        f"| {cell.do.replace('-', ' ')} | {cell.story} |"
        for (record, calendar), cell in TABLE.items()
    ]
    return "\n".join(lines) + "\n"
