"""Links: which subject is which event in which calendar, and what was last agreed and last seen there (R-1).

Reading them; `link_changes` writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select

from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.link import Link
from calsync.store.link_rows import ALIVE, COLUMNS, HERE, THIS, link_of
from calsync.store.rows import chunks, stream
from calsync.store.schema import links


@dataclass(frozen=True, slots=True)
class LinkLife:
    """A link with what the claims gate must know: its event's last end, the read that is owed, when the link ended."""

    link: Link
    last_end: datetime | None
    read_after: datetime | None
    ended_at: datetime | None


def link(conn: Connection, link_id: str) -> Link | None:
    """The link, or None."""
    row = conn.execute(_BY_ID, {"the_id": link_id}).first()
    return None if row is None else link_of(row)


def by_ids(conn: Connection, ids: Iterable[str]) -> list[Link]:
    """Those of the links that are known, by id."""
    found = [link_of(row) for part in chunks(sorted(set(ids))) for row in conn.execute(_BY_IDS, {"ids": part})]
    return sorted(found, key=lambda one: one.id)


def by_subject(conn: Connection, calendar: str, subject: Subject) -> Link | None:
    """The subject's link in this calendar, in its latest generation, unless it is retired."""
    return by_subjects(conn, calendar, [subject]).get(subject)


def by_subjects(conn: Connection, calendar: str, subjects: Iterable[Subject]) -> dict[Subject, Link]:
    """Like `by_subject`, for many; subjects without a link are left out."""
    found: dict[Subject, Link] = {}
    for kind, ids in _ids_by_kind(subjects):
        for part in chunks(ids):
            parameters = {"the_calendar": calendar, "the_kind": kind.value, "ids": part}
            for row in conn.execute(_BY_SUBJECTS, parameters):
                one = link_of(row)
                found[one.subject] = one  # the latest generation comes last
    return found


def by_remote_ids(conn: Connection, calendar: str, remote_ids: Iterable[str]) -> list[Link]:
    """The links of these events of the calendar, retired ones as well, by link id."""
    found = [
        link_of(row)
        for part in chunks(sorted(set(remote_ids)))
        for row in conn.execute(_BY_REMOTE_IDS, {"the_calendar": calendar, "ids": part})
    ]
    return sorted(found, key=lambda one: one.id)


def versions(conn: Connection, calendar: str, remote_ids: Iterable[str]) -> dict[str, str]:
    """The version on the books, by remote id; where an event is missing or cannot be understood, to be back is news."""
    return {
        row.remote_id: row.version
        for part in chunks(sorted(set(remote_ids)))
        for row in conn.execute(_VERSIONS, {"the_calendar": calendar, "ids": part})
    }


def all_remote_ids(conn: Connection, calendar: str) -> Iterator[tuple[str, str, str | None]]:
    """Stream link id, remote id and version of every link of the calendar that is not retired, by link id."""
    for row in stream(conn, _ALL_REMOTE_IDS, {"the_calendar": calendar}):
        yield row.id, row.remote_id, row.version


def of_calendar(conn: Connection, calendar: str) -> Iterator[Link]:
    """Stream every link of the calendar that is not retired, by id."""
    for row in stream(conn, _OF_CALENDAR, {"the_calendar": calendar}):
        yield link_of(row)


def of_subject(conn: Connection, subject: Subject) -> list[Link]:
    """The subject's links in all calendars, whatever their state, by calendar and id."""
    return [life.link for life in lives_of_subjects(conn, [subject]).get(subject, [])]


def lives_of_subjects(conn: Connection, subjects: Iterable[Subject]) -> dict[Subject, list[LinkLife]]:
    """Every link of these subjects in all calendars, whatever its state; subjects without any are left out."""
    found: dict[Subject, list[LinkLife]] = {}
    for kind, ids in _ids_by_kind(subjects):
        for part in chunks(ids):
            for row in conn.execute(_LIVES, {"the_kind": kind.value, "ids": part}):
                life = LinkLife(link_of(row), row.last_end, row.read_after, row.ended_at)
                found.setdefault(life.link.subject, []).append(life)
    return found


def unreadable(conn: Connection, link_ids: Iterable[str]) -> list[Link]:
    """Those of these links whose event was there when it was last looked at, and nobody could understand it."""
    return [link_of(row) for part in chunks(sorted(link_ids)) for row in conn.execute(_UNREADABLE, {"ids": part})]


def reads_due(conn: Connection, calendar: str, now: datetime, limit: int) -> list[Link]:
    """Links whose event is to be read by id now (R-19), the longest due first."""
    return [link_of(row) for row in conn.execute(_READS_DUE, {"the_calendar": calendar, "now": now, "room": limit})]


def next_read(conn: Connection, calendar: str) -> datetime | None:
    """When the next read by id is due, or None."""
    at: datetime | None = conn.execute(_NEXT_READ, {"the_calendar": calendar}).scalar_one()
    return at


def upcoming_count(conn: Connection, calendar: str, now: datetime) -> int:
    """How many events that were written at least once still have something ahead of them (R-13's denominator)."""
    return int(conn.execute(_UPCOMING, {"the_calendar": calendar, "now": now}).scalar_one())


def _ids_by_kind(subjects: Iterable[Subject]) -> list[tuple[SubjectKind, list[str]]]:
    by_kind: dict[SubjectKind, set[str]] = {}
    for subject in subjects:
        by_kind.setdefault(subject.kind, set()).add(subject.id)
    return [(kind, sorted(ids)) for kind, ids in by_kind.items()]


_c = links.c
_IDS: Any = bindparam("ids", expanding=True)
_BY_ID = select(*COLUMNS).where(THIS)
_BY_IDS = select(*COLUMNS).where(_c.id.in_(_IDS))
_BY_SUBJECTS = (
    select(*COLUMNS)
    .where(HERE, _c.subject_kind == bindparam("the_kind"), _c.subject.in_(_IDS), ALIVE)
    .order_by(_c.generation, _c.id)
)
_BY_REMOTE_IDS = select(*COLUMNS).where(HERE, _c.remote_id.in_(_IDS))
# One that was missing and is back is news, even under its old version: tags may be hashes of the content. So is one
# that can be understood again.
_VERSIONS = select(_c.remote_id, _c.version).where(
    HERE, _c.remote_id.in_(_IDS), _c.version.is_not(None), _c.absent.is_(False), _c.unreadable.is_(False), ALIVE
)
_UNREADABLE = _BY_IDS.where(_c.unreadable.is_(True))
_ALL_REMOTE_IDS = select(_c.id, _c.remote_id, _c.version).where(HERE, ALIVE).order_by(_c.id)
_OF_CALENDAR = select(*COLUMNS).where(HERE, ALIVE).order_by(_c.id)
_LIVES = (
    select(*COLUMNS, _c.last_end, _c.read_after, _c.ended_at)
    .where(_c.subject_kind == bindparam("the_kind"), _c.subject.in_(_IDS))
    .order_by(_c.subject, _c.calendar, _c.generation, _c.id)
)
_NOW = bindparam("now", type_=_c.read_after.type)
_READS_DUE = (
    select(*COLUMNS).where(HERE, _c.read_after <= _NOW, ALIVE).order_by(_c.read_after, _c.id).limit(bindparam("room"))
)
_NEXT_READ = select(func.min(_c.read_after)).where(HERE, _c.read_after.is_not(None), ALIVE)
# Of a second generation, an earlier event has stood there, though this one is yet to be written.
_WRITTEN_ONCE = or_(_c.linked_at.is_not(None), _c.generation > 1)
_UPCOMING = select(func.count()).where(HERE, or_(_c.last_end > _NOW, _c.last_end.is_(None)), _WRITTEN_ONCE, ALIVE)
