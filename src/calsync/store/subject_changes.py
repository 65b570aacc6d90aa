"""Which subjects a calendar's next pass must look at again: the outbox between records and calendars.

A mark carries a revision, so that a pass only takes away the mark it saw. Marking makes the calendar due. As in a pass,
the calendars' rows are locked before the marks, in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, delete, exists, func, literal, select, update

from calsync.domain.appointment import AppointmentStatus, Subject, SubjectKind
from calsync.domain.span import Window
from calsync.store import late
from calsync.store.dialect import Upsert, larger, smaller
from calsync.store.rows import chunks
from calsync.store.schema import calendars, links
from calsync.store.schema_records import appointments, blocks, subject_changes
from calsync.store.work import Priority


def mark(conn: Connection, provider: str, subject: Subject, now: datetime | None = None) -> None:
    """Have every mirror calendar of the provider look at the subject; due at `now` (None: as soon as possible)."""
    mark_many(conn, [(provider, subject)], now)


def mark_many(conn: Connection, wanted: Iterable[tuple[str, Subject]], now: datetime | None = None) -> None:
    """Like `mark`, for many subjects of many providers; each calendar is made due once."""
    of_provider: dict[str, set[Subject]] = {}
    for provider, subject in wanted:
        of_provider.setdefault(provider, set()).add(subject)
    mirrors: list[tuple[str, str]] = []
    for part in chunks(sorted(of_provider)):
        mirrors += [(row.id, row.provider) for row in conn.execute(_MIRRORS, {"providers": part})]
    mirrors.sort()
    push_all(conn, [calendar for calendar, _ in mirrors], now)
    marks = (
        {"calendar": calendar, "kind": subject.kind.value, "subject": subject.id}
        for calendar, provider in mirrors
        for subject in sorted(of_provider[provider], key=lambda one: (one.kind.value, one.id))
    )
    for part_of_marks in chunks(marks):
        _MARK.run(conn, part_of_marks)


def push_all(conn: Connection, wanted: Iterable[str], now: datetime | None = None) -> None:
    """Make calendars due because records changed; their rows stay locked until the transaction ends."""
    pushed = [{"the_id": calendar, "at": now} for calendar in wanted]
    if pushed:
        late.note_push(conn)
        conn.execute(_PUSH, pushed)


def mark_calendar(conn: Connection, calendar: str, window: Window) -> None:
    """Have a new calendar look at everything of its provider that lies inside the window."""
    push_all(conn, [calendar])
    for statement in _MARK_ALL:
        statement.run(conn, _inside(calendar, window))


def sweep(conn: Connection, calendar: str, window: Window) -> int:
    """Mark what came into the window without a link, and links whose subject has left it; how many marks that made.

    Done by a pass for itself before it looks at its marks, so it does not make the calendar due.
    """
    parameters = _inside(calendar, window)
    return sum(statement.run(conn, parameters) for statement in (*_MARK_UNLINKED, _MARK_LEFT))


def pending(conn: Connection, calendar: str, limit: int) -> list[tuple[Subject, int]]:
    """Up to `limit` marked subjects, each with the revision to hand to `take_away`."""
    marks = conn.execute(_PENDING, {"the_calendar": calendar, "room": limit})
    return [(Subject(SubjectKind(row.kind), row.subject), row.revision) for row in marks]


def take_away(conn: Connection, calendar: str, subject: Subject, revision: int) -> bool:
    """The calendar has looked at the subject as of this revision; False if it was marked again meanwhile, and stays."""
    parameters = {
        "the_calendar": calendar,
        "the_kind": subject.kind.value,
        "the_subject": subject.id,
        "the_revision": revision,
    }
    return conn.execute(_TAKE_AWAY, parameters).rowcount == 1


def take_away_all(conn: Connection, calendar: str, looked_at: Iterable[tuple[Subject, int]]) -> None:
    """Like `take_away`, for many."""
    rows = [
        {"the_calendar": calendar, "the_kind": one.kind.value, "the_subject": one.id, "the_revision": revision}
        for one, revision in looked_at
    ]
    if rows:
        conn.execute(_TAKE_AWAY, rows)


def _inside(calendar: str, window: Window) -> dict[str, Any]:
    return {"the_calendar": calendar, "window_start": window.start, "window_end": window.end}


_c = subject_changes.c
_a = appointments.c
_b = blocks.c
_again = {"revision": _c.revision + literal(1)}
_COLUMNS = ("calendar", "kind", "subject")
_MARK = Upsert(subject_changes, [_c.calendar, _c.kind, _c.subject], lambda _new: _again)
_PENDING = (
    select(_c.kind, _c.subject, _c.revision)
    .where(_c.calendar == bindparam("the_calendar"))
    .order_by(_c.kind, _c.subject)
    .limit(bindparam("room"))
)
_TAKE_AWAY = delete(subject_changes).where(
    _c.calendar == bindparam("the_calendar"),
    _c.kind == bindparam("the_kind"),
    _c.subject == bindparam("the_subject"),
    _c.revision == bindparam("the_revision"),
)
_MIRRORS = select(calendars.c.id, calendars.c.provider).where(
    calendars.c.provider.in_(bindparam("providers", expanding=True)),
    calendars.c.mode == "mirror",
    calendars.c.removed_at.is_(None),
)
# Without an instant: due since the last reading, which is always in the past.
_SINCE = func.coalesce(bindparam("at", type_=calendars.c.due_at.type), calendars.c.last_read_at, calendars.c.due_at)
_PUSH = (
    update(calendars)
    .where(calendars.c.id == bindparam("the_id"))
    .values(
        due_at=smaller(calendars.c.due_at, _SINCE),
        priority=larger(calendars.c.priority, literal(int(Priority.CHANGE))),
        generation=calendars.c.generation + 1,
    )
)
_ID: Any = bindparam("the_calendar", type_=_c.calendar.type)
_PROVIDER = select(calendars.c.provider).where(calendars.c.id == _ID).scalar_subquery()
_START: Any = bindparam("window_start", type_=_a.end_at.type)
_END: Any = bindparam("window_end", type_=_a.start_at.type)
_SHOWN = [status.value for status in AppointmentStatus if status.shows_in_calendars]
_SESSION_INSIDE = and_(_a.provider == _PROVIDER, _a.end_at > _START, _a.start_at < _END, _a.status.in_(_SHOWN))


def _named(kind: SubjectKind, subject: Any) -> tuple[Any, ...]:
    return _ID.label("calendar"), literal(kind.value).label("kind"), subject.label("subject")


_INSIDE: tuple[tuple[Select[Any], Any, SubjectKind], ...] = (
    (
        select(*_named(SubjectKind.APPOINTMENT, _a.id)).where(_SESSION_INSIDE, _a.series.is_(None)),
        _a.id,
        SubjectKind.APPOINTMENT,
    ),
    (
        select(*_named(SubjectKind.SERIES, _a.series)).where(_SESSION_INSIDE, _a.series.is_not(None)).distinct(),
        _a.series,
        SubjectKind.SERIES,
    ),
    (
        select(*_named(SubjectKind.BLOCK, _b.id)).where(
            _b.provider == _PROVIDER, _b.end_at > _START, _b.start_at < _END, _b.cancelled.is_(False)
        ),
        _b.id,
        SubjectKind.BLOCK,
    ),
)
_KEYS = [_c.calendar, _c.kind, _c.subject]
_MARK_ALL = tuple(Upsert(subject_changes, _KEYS, lambda _new: _again, (_COLUMNS, inside)) for inside, _, _ in _INSIDE)


def _unlinked(inside: Select[Any], subject: Any, kind: SubjectKind) -> Select[Any]:
    linked = exists().where(
        links.c.calendar == _ID,
        links.c.subject_kind == kind.value,
        links.c.subject == subject,
        links.c.state != "retired",
    )
    return inside.where(~linked)


_MARK_UNLINKED = tuple(Upsert(subject_changes, _KEYS, None, (_COLUMNS, _unlinked(*one))) for one in _INSIDE)
_MARK_LEFT = Upsert(
    subject_changes,
    _KEYS,
    None,
    (
        _COLUMNS,
        select(_ID.label("calendar"), links.c.subject_kind.label("kind"), links.c.subject.label("subject")).where(
            links.c.calendar == _ID, links.c.state != "retired", links.c.last_end <= _START
        ),
    ),
)
