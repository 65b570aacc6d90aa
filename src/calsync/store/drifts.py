"""Drifts: every out-of-band difference that a calendar showed, once per occurrence and episode (R-3).

Titles that a person typed are stored as marks (R-6). An answered drift closes the holds that it opened (R-4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select

from calsync.domain.drift import Disposition, Drift, DriftKind, Resolution, Scope
from calsync.domain.event import Appearance, OriginalStart
from calsync.store import holds, told_edits
from calsync.store.drift_values import IDS, IN_ORDER, OPEN, SHAPE, grouped, hidden, history_entry
from calsync.store.rows import Shape, chunks, stream
from calsync.store.schema import drifts


@dataclass(frozen=True, slots=True)
class DriftFilter:
    """Which drifts; what is None or False does not narrow. `since` <= detected < `until`, aware instants."""

    open: bool = False
    provider: str | None = None
    appointment: str | None = None
    edit: str | None = None
    calendar: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DriftAnswer:
    """How a drift was dealt with: when it was put back, who answered, and what they noted."""

    id: str
    reverted_at: datetime | None
    resolved_by: str | None
    note: str | None


class Answer(TypedDict, total=False):
    """Who ended a drift and what they noted. `accepted`: what was seen is the agreed state from now on (R-10)."""

    by: str | None
    note: str | None
    accepted: bool


# --- writing -------------------------------------------------------------------------------------------------------


def insert(conn: Connection, drift: Drift) -> None:
    """Put a new drift on the books. Link, original start and episode name it: a second one is refused."""
    kept = replace(drift, observed=hidden(drift.expected, drift.observed))
    history = [history_entry(hidden(drift.expected, seen)) for seen in drift.history]
    conn.execute(_ADD, {**SHAPE.values(kept), "history": history})
    told_edits.found(conn, drift)


def update(
    conn: Connection,
    drift_id: str,
    *,
    kind: DriftKind,
    observed: Appearance | None,
    disposition: Disposition,
    changed_at: datetime,
) -> None:
    """The person changed it further: what is seen now replaces what was seen, which joins the history.

    An answer that was given about what was seen before is none about this: it can be answered anew. An event that
    nobody can read and one that is gone both show nothing: the one becoming the other is a change all the same.
    """
    known = get(conn, drift_id)
    if known is None:
        return
    seen = hidden(known.expected, observed)
    parameters: dict[str, Any] = {"the_id": drift_id, "to_kind": kind.value, "to_disposition": disposition.value}
    renamed = kind is not known.kind
    if seen == known.observed and not (renamed and DriftKind.UNREADABLE in (kind, known.kind)):
        conn.execute(_RENAME if renamed else _REJUDGE, parameters)
        return
    history = [history_entry(one) for one in (*known.history, known.observed)]
    conn.execute(_UPDATE, parameters | {"to_observed": seen, "to_history": history, "at": changed_at})


def shown_by(conn: Connection, drift_id: str, copy_id: str) -> None:
    """Another event shows it from now on: the rest of a split, by its remote id. So the series was edited with it."""
    conn.execute(_SHOWN_BY, {"the_id": drift_id, "to_copy": copy_id})


def resolve(conn: Connection, drift_id: str, resolution: Resolution, at: datetime, **answer: Unpack[Answer]) -> None:
    """The drift has ended, or is answered after it was put back. Its holds close, unless it was merely put back."""
    parameters = {
        "the_id": drift_id,
        "to_resolution": resolution.value,
        "at": at,
        "to_by": answer.get("by"),
        "to_note": answer.get("note"),
        "to_accepted": answer.get("accepted", False),
    }
    conn.execute(_RESOLVE, parameters)
    if resolution not in (Resolution.OPEN, Resolution.REVERTED):
        holds.close_hold(conn, drift_id, at)
        known = get(conn, drift_id)
        if known is not None:
            told_edits.resolved(conn, known, resolution, at)


def answer(conn: Connection, drift_id: str, *, by: str, note: str | None) -> None:
    """Somebody answered that it is to be put back. It stays open until the calendar has that."""
    conn.execute(_KEEP_ANSWER, {"the_id": drift_id, "to_by": by, "to_note": note})


def mark_reverted(
    conn: Connection, link: str, original_starts: Iterable[OriginalStart], at: datetime, *, copy: str | None = None
) -> list[str]:
    """The open drifts of these occurrences were put back. Their holds stay until they are answered (R-17).

    `copy`: the remote id of a copy that was taken away; only what it doubled was put back by that. Returns their ids.
    """
    wanted = list(original_starts)
    found = [
        row.id
        for row in conn.execute(_OPEN_HERE, {"ids": [link]})
        if row.original_start in wanted and copy == (row.copy_id if row.kind == DriftKind.DUPLICATED.value else None)
    ]
    put_back(conn, found, at)
    return found


def put_back(conn: Connection, drift_ids: Iterable[str], at: datetime) -> None:
    """The calendar shows again what was expected, by our own write. Nobody has answered by that; their holds stay."""
    for part in chunks(drift_ids):
        conn.execute(_MARK_REVERTED, {"ids": part, "at": at})


# --- reading -------------------------------------------------------------------------------------------------------


def get(conn: Connection, drift_id: str) -> Drift | None:
    """The drift, or None."""
    return SHAPE.first(conn, _GET, {"the_id": drift_id})


def answers(conn: Connection, ids: Iterable[str]) -> dict[str, DriftAnswer]:
    """How these drifts were dealt with, by id."""
    return {one.id: one for part in chunks(ids) for one in _ANSWER.all(conn, _ANSWERS, {"ids": part})}


def of_edit(conn: Connection, edit_id: str) -> list[Drift]:
    """The drifts of one edit, by original start."""
    return SHAPE.all(conn, _OF_EDIT, {"the_edit": edit_id})


def of_edits(conn: Connection, edit_ids: Iterable[str]) -> dict[str, list[Drift]]:
    """The drifts of these edits, by edit, each by original start."""
    return grouped(conn, _OF_EDITS, edit_ids, lambda drift: drift.edit)


def of_appointments(conn: Connection, ids: Iterable[str]) -> dict[str, list[Drift]]:
    """All drifts of these appointments, by appointment, the first one first; those without any are left out."""
    return grouped(conn, _OF_APPOINTMENTS, ids, lambda drift: drift.appointment or "")


def appointments_of(conn: Connection, drift_ids: Iterable[str]) -> list[str]:
    """The appointments that these drifts are about, by id."""
    found = {
        str(one)
        for part in chunks(drift_ids)
        for one in conn.execute(_APPOINTMENTS_OF, {"ids": part}).scalars()
        if one is not None
    }
    return sorted(found)


def rows(conn: Connection, wanted: DriftFilter) -> Iterator[Drift]:
    """Stream the drifts that the filter lets through, by when they were detected."""
    for row in stream(conn, _filtered(wanted)):
        yield SHAPE.of(row)


def page(conn: Connection, wanted: DriftFilter, after: tuple[datetime, str] | None, limit: int) -> list[Drift]:
    """At most `limit` drifts by when they were detected, then id; those behind a drift that was the last one seen."""
    query = _filtered(wanted).order_by(None).order_by(_c.detected_at, _c.id).limit(limit)
    if after is not None:
        query = query.where(or_(_c.detected_at > after[0], and_(_c.detected_at == after[0], _c.id > after[1])))
    return [SHAPE.of(row) for row in conn.execute(query)]


def _filtered(wanted: DriftFilter) -> Select[Any]:
    query = select(*SHAPE.columns).order_by(_c.detected_at, _c.original_start, _c.id)
    for column, value in (
        (_c.provider, wanted.provider),
        (_c.appointment, wanted.appointment),
        (_c.edit, wanted.edit),
        (_c.calendar, wanted.calendar),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.open:
        query = query.where(OPEN)
    if wanted.since is not None:
        query = query.where(_c.detected_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(_c.detected_at < wanted.until)
    return query


_c = drifts.c
_ANSWER = Shape(drifts, DriftAnswer)
_THIS = _c.id == bindparam("the_id")
_AT = bindparam("at", type_=_c.resolved_at.type)
_ADD = drifts.insert()
_REJUDGE = drifts.update().where(_THIS).values(kind=bindparam("to_kind"), disposition=bindparam("to_disposition"))
_RENAME = _REJUDGE.values(resolved_by=None)
_UPDATE = _RENAME.values(observed=bindparam("to_observed"), history=bindparam("to_history"), changed_at=_AT)
_SHOWN_BY = drifts.update().where(_THIS).values(copy_id=bindparam("to_copy"), scope=Scope.SERIES.value)
_RESOLVE = (
    drifts.update()
    .where(_THIS)
    .values(
        resolution=bindparam("to_resolution"),
        resolved_at=_AT,
        # Who said that it is to be put back has answered, whoever finds that it is.
        resolved_by=func.coalesce(_c.resolved_by, bindparam("to_by", type_=_c.resolved_by.type)),
        note=func.coalesce(bindparam("to_note", type_=_c.note.type), _c.note),
        accepted=bindparam("to_accepted"),
    )
)
_KEEP_ANSWER = (
    drifts.update()
    .where(_THIS)
    .values(
        resolved_by=bindparam("to_by"),
        note=func.coalesce(bindparam("to_note", type_=_c.note.type), _c.note),
    )
)
_MARK_REVERTED = (
    drifts.update().where(_c.id.in_(IDS)).values(resolution=Resolution.REVERTED.value, reverted_at=_AT, resolved_at=_AT)
)
_GET = select(*SHAPE.columns).where(_THIS)
_ANSWERS = select(*_ANSWER.columns).where(_c.id.in_(IDS))
_OF_EDIT = select(*SHAPE.columns).where(_c.edit == bindparam("the_edit")).order_by(*IN_ORDER)
_OF_EDITS = select(*SHAPE.columns).where(_c.edit.in_(IDS)).order_by(*IN_ORDER)
_OF_APPOINTMENTS = (
    select(*SHAPE.columns).where(_c.appointment.in_(IDS)).order_by(_c.detected_at, _c.original_start, _c.id)
)
_APPOINTMENTS_OF = select(_c.appointment).where(_c.id.in_(IDS))
_OPEN_HERE = select(_c.id, _c.original_start, _c.kind, _c.copy_id).where(_c.link.in_(IDS), OPEN).order_by(*IN_ORDER)
