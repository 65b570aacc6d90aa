"""Drifts: every out-of-band difference that a calendar showed, once per occurrence and episode (R-3).

Titles that a person typed are stored as marks (R-6). An answered drift closes the holds that it opened (R-4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy import Connection, Executable, Select, and_, bindparam, exists, func, or_, select

from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Appearance, OriginalStart
from calsync.domain.notation import appearance_from_data, appearance_to_data
from calsync.reconcile.case import PastRevert, RecentChange
from calsync.store import edits, holds, told_edits
from calsync.store.edits import EditRow
from calsync.store.recent_changes import NOT_COUNTED, recent_changes
from calsync.store.rows import Shape, chunks, stream
from calsync.store.schema import drifts, links, stops
from calsync.store.titles import hide_title


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
    hidden = replace(drift, observed=_hidden(drift.expected, drift.observed))
    history = [_history_entry(_hidden(drift.expected, seen)) for seen in drift.history]
    conn.execute(_ADD, {**_SHAPE.values(hidden), "history": history})
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

    An answer that was given about what was seen before is none about this: it can be answered anew.
    """
    known = get(conn, drift_id)
    if known is None:
        return
    seen = _hidden(known.expected, observed)
    parameters: dict[str, Any] = {"the_id": drift_id, "to_kind": kind.value, "to_disposition": disposition.value}
    if seen == known.observed:
        conn.execute(_REJUDGE, parameters)
        return
    history = [_history_entry(one) for one in (*known.history, known.observed)]
    conn.execute(_UPDATE, parameters | {"to_observed": seen, "to_history": history, "at": changed_at})


def shown_by(conn: Connection, drift_id: str, copy_id: str) -> None:
    """Another event shows it from now on: the rest of a split, by its remote id."""
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
        for row in conn.execute(_OPEN_OF_LINKS, {"ids": [link]})
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
    return _SHAPE.first(conn, _GET, {"the_id": drift_id})


def answers(conn: Connection, ids: Iterable[str]) -> dict[str, DriftAnswer]:
    """How these drifts were dealt with, by id."""
    return {one.id: one for part in chunks(ids) for one in _ANSWER.all(conn, _ANSWERS, {"ids": part})}


def insert_edit(conn: Connection, edit: EditRow) -> None:
    """Put on the books what a person did in one go; its drifts follow."""
    edits.insert(conn, edit)


def edit(conn: Connection, edit_id: str) -> EditRow | None:
    """The edit, or None."""
    return edits.get(conn, edit_id)


def of_edit(conn: Connection, edit_id: str) -> list[Drift]:
    """The drifts of one edit, by original start."""
    return _SHAPE.all(conn, _OF_EDIT, {"the_edit": edit_id})


def of_edits(conn: Connection, edit_ids: Iterable[str]) -> dict[str, list[Drift]]:
    """The drifts of these edits, by edit, each by original start."""
    return _grouped(conn, _OF_EDITS, edit_ids, lambda drift: drift.edit)


def of_appointments(conn: Connection, ids: Iterable[str]) -> dict[str, list[Drift]]:
    """All drifts of these appointments, by appointment, the first one first; those without any are left out."""
    return _grouped(conn, _OF_APPOINTMENTS, ids, lambda drift: drift.appointment or "")


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
        yield _SHAPE.of(row)


def page(conn: Connection, wanted: DriftFilter, after: tuple[datetime, str] | None, limit: int) -> list[Drift]:
    """At most `limit` drifts by when they were detected, then id; those behind a drift that was the last one seen."""
    query = _filtered(wanted).order_by(None).order_by(_c.detected_at, _c.id).limit(limit)
    if after is not None:
        query = query.where(or_(_c.detected_at > after[0], and_(_c.detected_at == after[0], _c.id > after[1])))
    return [_SHAPE.of(row) for row in conn.execute(query)]


def open_of_links(conn: Connection, link_ids: Iterable[str]) -> dict[str, tuple[Drift, ...]]:
    """Per link its open drifts and, per occurrence, the latest answered one whose seen state is accepted (R-10)."""
    found: dict[str, tuple[Drift, ...]] = {}
    for link, known in _grouped(conn, _STANDING, link_ids, lambda drift: drift.link).items():
        accepted: dict[tuple[OriginalStart, str | None, bool], Drift] = {}
        for drift in sorted(known, key=lambda one: one.episode):
            if drift.resolution is not Resolution.OPEN:
                # Each copy beside the event has an answer of its own, and a lost marker is none about what is seen.
                copy = drift.copy_id if drift.kind is DriftKind.DUPLICATED else None
                accepted[drift.original_start, copy, drift.kind is DriftKind.MARKER_LOST] = drift
        still_open = [drift for drift in known if drift.resolution is Resolution.OPEN]
        found[link] = (*still_open, *accepted.values())
    return found


def open_in_mode(conn: Connection, calendars: Iterable[str], *, observing: bool) -> list[tuple[str, Subject]]:
    """Provider and subject of what has an edit open that was judged while the practice observed, or while it acted."""
    judged = _c.disposition.in_(_OBSERVED) if observing else _c.disposition.not_in(_OBSERVED)
    query = (
        select(links.c.provider, links.c.subject_kind, links.c.subject)
        .join(drifts, _c.link == links.c.id)
        .where(_c.calendar.in_(_IDS), _OPEN, judged)
        .distinct()
    )
    return [
        (row.provider, Subject(SubjectKind(row.subject_kind), row.subject))
        for part in chunks(sorted(calendars))
        for row in conn.execute(query, {"ids": part})
    ]


def reverts_of_links(conn: Connection, link_ids: Iterable[str], since: datetime) -> dict[str, tuple[PastRevert, ...]]:
    """Per link what was put back at or after `since`, the first one first; links without any are left out."""
    found: dict[str, tuple[PastRevert, ...]] = {}
    for part in chunks(sorted(set(link_ids))):
        for row in conn.execute(_REVERTS, {"ids": part, "since": since}):
            past = PastRevert(row.original_start, row.reverted_at, row.observed)
            found[row.link] = (*found.get(row.link, ()), past)
    return found


def next_episode(conn: Connection, link: str, original_start: OriginalStart) -> int:
    """The number of the episode that a new drift of this occurrence begins."""
    return int(conn.execute(_LAST_EPISODE, {"the_link": link, "the_start": original_start}).scalar_one() or 0) + 1


def recent_whole(conn: Connection, calendar: str, since: datetime) -> list[RecentChange]:
    """Links that vanished or changed as a whole at or after `since`, or earlier and are still open (R-13), by link.

    Only what was upcoming then and was not over by `since`. What a person let through when releasing an earlier stop
    does not count again.
    """
    return recent_changes(_SHAPE.all(conn, _RECENT, {"the_calendar": calendar, "since": since}))


def _hidden(expected: Appearance | None, seen: Appearance | None) -> Appearance | None:
    return None if seen is None else hide_title(seen, frozenset((expected.title,) if expected else ()))


def _history_entry(seen: Appearance | None) -> dict[str, Any] | None:
    return None if seen is None else appearance_to_data(seen)


def _read_history(data: Iterable[dict[str, Any] | None]) -> tuple[Appearance | None, ...]:
    return tuple(None if one is None else appearance_from_data(one) for one in data)


def _grouped(
    conn: Connection, statement: Executable, ids: Iterable[str], key: Callable[[Drift], str]
) -> dict[str, list[Drift]]:
    found: dict[str, list[Drift]] = {}
    for part in chunks(sorted(set(ids))):
        for drift in _SHAPE.all(conn, statement, {"ids": part}):
            found.setdefault(key(drift), []).append(drift)
    return found


def _filtered(wanted: DriftFilter) -> Select[Any]:
    query = select(*_SHAPE.columns).order_by(_c.detected_at, _c.original_start, _c.id)
    for column, value in (
        (_c.provider, wanted.provider),
        (_c.appointment, wanted.appointment),
        (_c.edit, wanted.edit),
        (_c.calendar, wanted.calendar),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.open:
        query = query.where(_OPEN)
    if wanted.since is not None:
        query = query.where(_c.detected_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(_c.detected_at < wanted.until)
    return query


_c = drifts.c
_SHAPE = Shape(
    drifts,
    Drift,
    kind=DriftKind,
    phase=Phase,
    scope=Scope,
    disposition=Disposition,
    resolution=Resolution,
    history=_read_history,
)
_ANSWER = Shape(drifts, DriftAnswer)
_IDS: Any = bindparam("ids", expanding=True)
_THIS = _c.id == bindparam("the_id")
_AT = bindparam("at", type_=_c.resolved_at.type)
_OPEN = _c.resolution == Resolution.OPEN.value
_OBSERVED = (Disposition.WOULD_REVERT.value, Disposition.WOULD_FLAG.value)
_IN_ORDER = (_c.original_start, _c.episode, _c.id)
_ADD = drifts.insert()
_REJUDGE = drifts.update().where(_THIS).values(kind=bindparam("to_kind"), disposition=bindparam("to_disposition"))
_UPDATE = _REJUDGE.values(
    observed=bindparam("to_observed"), history=bindparam("to_history"), changed_at=_AT, resolved_by=None
)
_SHOWN_BY = drifts.update().where(_THIS).values(copy_id=bindparam("to_copy"))
_RESOLVE = (
    drifts.update()
    .where(_THIS)
    .values(
        resolution=bindparam("to_resolution"),
        resolved_at=_AT,
        resolved_by=bindparam("to_by"),
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
    drifts.update()
    .where(_c.id.in_(_IDS))
    .values(resolution=Resolution.REVERTED.value, reverted_at=_AT, resolved_at=_AT)
)
_GET = select(*_SHAPE.columns).where(_THIS)
_ANSWERS = select(*_ANSWER.columns).where(_c.id.in_(_IDS))
_OF_EDIT = select(*_SHAPE.columns).where(_c.edit == bindparam("the_edit")).order_by(*_IN_ORDER)
_OF_EDITS = select(*_SHAPE.columns).where(_c.edit.in_(_IDS)).order_by(*_IN_ORDER)
_OF_APPOINTMENTS = (
    select(*_SHAPE.columns).where(_c.appointment.in_(_IDS)).order_by(_c.detected_at, _c.original_start, _c.id)
)
_APPOINTMENTS_OF = select(_c.appointment).where(_c.id.in_(_IDS))
_STANDING = (
    select(*_SHAPE.columns).where(_c.link.in_(_IDS), or_(_OPEN, _c.accepted.is_(True))).order_by(_c.link, *_IN_ORDER)
)
_OPEN_OF_LINKS = (
    select(_c.id, _c.original_start, _c.kind, _c.copy_id).where(_c.link.in_(_IDS), _OPEN).order_by(*_IN_ORDER)
)
_SINCE = bindparam("since", type_=_c.detected_at.type)
_REVERTS = (
    select(_c.link, _c.original_start, _c.reverted_at, _c.observed)
    .where(_c.link.in_(_IDS), _c.reverted_at >= _SINCE)
    .order_by(_c.reverted_at, _c.id)
)
_LAST_EPISODE = select(func.max(_c.episode)).where(
    _c.link == bindparam("the_link"), _c.original_start == bindparam("the_start", type_=_c.original_start.type)
)
_HERE = _c.calendar == bindparam("the_calendar")
_LET_THROUGH = (
    select(func.coalesce(func.max(stops.c.handled_at), -1))
    .where(stops.c.calendar == bindparam("the_calendar"))
    .scalar_subquery()
)
_COUNTED = (
    _HERE,
    _c.kind.not_in(NOT_COUNTED),
    or_(_c.scope == Scope.SERIES.value, _c.original_start == bindparam("single", None, type_=_c.original_start.type)),
    _c.detected_at > _LET_THROUGH,
)
# Edits of what is over say nothing about the events that are still to come.
_OVER = exists().where(links.c.id == _c.link, links.c.last_end <= bindparam("since", type_=links.c.last_end.type))
_RECENT = (
    select(*_SHAPE.columns)
    .where(
        *_COUNTED,
        _c.phase == Phase.UPCOMING.value,
        ~_OVER,
        or_(_OPEN, _c.changed_at >= _SINCE),
        _c.resolution.not_in([Resolution.WITHDRAWN.value, Resolution.IGNORED.value]),
    )
    .order_by(_c.link, *_IN_ORDER)
)
