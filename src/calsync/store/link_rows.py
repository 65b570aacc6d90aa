"""How a link lies in its table: its columns, and between them and the value both ways.

For `links`, which reads, and `link_changes`, which writes; nobody else. A title that a person typed is stored as a
mark (R-6), wherever it was seen.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam

from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.link import Link, LinkState
from calsync.store.schema import links
from calsync.store.titles import hide_titles, titles_of

_c = links.c
COLUMNS = [
    _c[name]
    for name in (
        "id",
        "calendar",
        "provider",
        "subject_kind",
        "subject",
        "generation",
        "remote_id",
        "uid",
        "state",
        "version",
        "baseline",
        "baseline_hash",
        "observed",
        "absent",
        "unreadable",
        "confirmed_at",
        "linked_at",
    )
]
HERE = _c.calendar == bindparam("the_calendar")
THIS = _c.id == bindparam("the_id")
ALIVE = _c.state != "retired"


def link_of(row: Any) -> Link:
    """The link of a row that begins with `COLUMNS`."""
    number, calendar, provider, kind, subject, generation, remote_id, uid, state, *rest = row[: len(COLUMNS)]
    return Link(
        number,
        calendar,
        provider,
        Subject(SubjectKind(kind), subject),
        generation,
        remote_id,
        uid,
        LinkState(state),
        *rest,
    )


def columns_of(one: Link) -> dict[str, Any]:
    """What is stored of a link when it is put on the books."""
    named = {column.name: getattr(one, column.name) for column in COLUMNS if column.name != "subject_kind"}
    return named | {
        "subject_kind": one.subject.kind.value,
        "subject": one.subject.id,
        "state": one.state.value,
        "observed": None if one.observed is None else hide_titles(one.observed, titles_of(one.baseline)),
    }
