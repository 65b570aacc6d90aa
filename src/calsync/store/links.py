"""Links: which subject is which event in which calendar, and what was last agreed and last seen there (R-1).

A title that a person typed is stored as a mark (R-6), wherever it was seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy import Connection, bindparam, exists, func, or_, select, update

from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.drift import DriftKind, Resolution
from calsync.domain.event import Event
from calsync.domain.link import Link, LinkState
from calsync.store.rows import chunks, stream
from calsync.store.schema import drifts, links
from calsync.store.titles import hide_titles, titles_of


class Confirmation(TypedDict):
    """What a calendar acknowledged. `confirmed_at` is when it did; None keeps the time on the books."""

    version: str | None
    baseline: Event | None
    baseline_hash: str | None
    remote_id: str
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class LinkLife:
    """A link with what the claims gate must know: its event's last end, the read that is owed, when the link ended."""

    link: Link
    last_end: datetime | None
    read_after: datetime | None
    ended_at: datetime | None


# --- reading -------------------------------------------------------------------------------------------------------


def link(conn: Connection, link_id: str) -> Link | None:
    """The link, or None."""
    row = conn.execute(_BY_ID, {"the_id": link_id}).first()
    return None if row is None else _link(row)


def by_ids(conn: Connection, ids: Iterable[str]) -> list[Link]:
    """Those of the links that are known, by id."""
    found = [_link(row) for part in chunks(sorted(set(ids))) for row in conn.execute(_BY_IDS, {"ids": part})]
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
                one = _link(row)
                found[one.subject] = one  # the latest generation comes last
    return found


def by_remote_ids(conn: Connection, calendar: str, remote_ids: Iterable[str]) -> list[Link]:
    """The links of these events of the calendar, retired ones as well, by link id."""
    found = [
        _link(row)
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
        yield _link(row)


def of_subject(conn: Connection, subject: Subject) -> list[Link]:
    """The subject's links in all calendars, whatever their state, by calendar and id."""
    return [life.link for life in lives_of_subjects(conn, [subject]).get(subject, [])]


def lives_of_subjects(conn: Connection, subjects: Iterable[Subject]) -> dict[Subject, list[LinkLife]]:
    """Every link of these subjects in all calendars, whatever its state; subjects without any are left out."""
    found: dict[Subject, list[LinkLife]] = {}
    for kind, ids in _ids_by_kind(subjects):
        for part in chunks(ids):
            for row in conn.execute(_LIVES, {"the_kind": kind.value, "ids": part}):
                life = LinkLife(_link(row), row.last_end, row.read_after, row.ended_at)
                found.setdefault(life.link.subject, []).append(life)
    return found


def reads_due(conn: Connection, calendar: str, now: datetime, limit: int) -> list[Link]:
    """Links whose event is to be read by id now (R-19), the longest due first."""
    return [_link(row) for row in conn.execute(_READS_DUE, {"the_calendar": calendar, "now": now, "room": limit})]


def next_read(conn: Connection, calendar: str) -> datetime | None:
    """When the next read by id is due, or None."""
    at: datetime | None = conn.execute(_NEXT_READ, {"the_calendar": calendar}).scalar_one()
    return at


def upcoming_count(conn: Connection, calendar: str, now: datetime) -> int:
    """How many events that were written at least once still have something ahead of them (R-13's denominator)."""
    return int(conn.execute(_UPCOMING, {"the_calendar": calendar, "now": now}).scalar_one())


# --- writing -------------------------------------------------------------------------------------------------------


def insert(conn: Connection, new: Link) -> None:
    """Put a new link on the books."""
    insert_many(conn, [(new, None)])


def insert_many(conn: Connection, new: Iterable[tuple[Link, datetime | None]]) -> None:
    """Put new links on the books, each with the end of its last expected occurrence (None: it goes on for ever)."""
    rows = [_columns(one) | {"last_end": last_end} for one, last_end in new]
    if rows:
        conn.execute(_ADD, rows)


def next_generation(conn: Connection, link_id: str, *, generation: int, remote_id: str, uid: str) -> None:
    """Go on under a new name, with nothing confirmed yet: the service refused the old name, or the link was retired."""
    parameters = {"the_id": link_id, "to_generation": generation, "to_remote_id": remote_id, "to_uid": uid}
    conn.execute(_NEXT_GENERATION, parameters)


def rename(conn: Connection, link_id: str, remote_id: str) -> None:
    """The service shows the link's event under another name from now on."""
    conn.execute(_RENAME, {"the_id": link_id, "to_remote_id": remote_id})


def confirm(conn: Connection, link_id: str, **told: Unpack[Confirmation]) -> None:
    """The calendar shows the baseline: nothing differs any more. The first time sets `linked_at`."""
    confirm_many(conn, [(link_id, told)])


def confirm_many(conn: Connection, confirmed: Iterable[tuple[str, Confirmation]]) -> None:
    """Like `confirm`, for many links, in this order."""
    rows = [{"the_id": link_id, **{f"to_{name}": value for name, value in told.items()}} for link_id, told in confirmed]
    if rows:
        conn.execute(_CONFIRM, rows)


def remember(conn: Connection, link_id: str, *, version: str | None, observed: Event | None, absent: bool) -> None:
    """What the last look showed: the event while it differs from the baseline, or that it was missing.

    Version None keeps the one on the books.
    """
    if observed is not None:
        baseline = conn.execute(_BASELINE, {"the_id": link_id}).scalar_one_or_none()
        observed = hide_titles(observed, titles_of(baseline))
    conn.execute(_REMEMBER, {"the_id": link_id, "to_version": version, "to_observed": observed, "to_absent": absent})


def set_read_after(conn: Connection, link_id: str, at: datetime | None) -> None:
    """Owe a read by id from `at` on; None: none is owed."""
    set_reads_after(conn, {link_id: at})


def set_reads_after(conn: Connection, wanted: Mapping[str, datetime | None]) -> None:
    """Like `set_read_after`, for many, by link id."""
    if wanted:
        conn.execute(_SET_READ_AFTER, [{"the_id": link_id, "at": at} for link_id, at in wanted.items()])


def set_last_end(conn: Connection, link_id: str, at: datetime | None) -> None:
    """Remember when the last expected occurrence ends; None: it goes on for ever."""
    conn.execute(_SET_LAST_END, {"the_id": link_id, "at": at})


def set_retiring(conn: Connection, link_id: str) -> None:
    """The event is watched until it is removed (R-23)."""
    conn.execute(_SET_RETIRING, {"the_id": link_id})


def retire(conn: Connection, link_id: str, at: datetime) -> None:
    """The link is history: its event is no longer looked at. It goes on counting for sessions that ended before."""
    conn.execute(_RETIRE, {"the_id": link_id, "at": at})


def take_back(conn: Connection, calendar: str, removed_at: datetime, after: datetime) -> int:
    """A removed calendar is mirrored again: links that ended with it and still have sessions after `after` are active.

    They keep their names, so that events that stayed are found, and begin with nothing agreed. Returns how many.
    """
    parameters = {"the_calendar": calendar, "removed_at": removed_at, "after": after}
    return conn.execute(_TAKE_BACK, parameters).rowcount


def would_come_back(conn: Connection, calendar: str, removed_at: datetime, after: datetime) -> bool:
    """Whether events stayed in a removed calendar that `take_back` would go on with."""
    parameters = {"the_calendar": calendar, "removed_at": removed_at, "after": after}
    return conn.execute(_WOULD_COME_BACK, parameters).first() is not None


_c = links.c
_COLUMNS = [
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
        "confirmed_at",
        "linked_at",
    )
]


def _link(row: Any) -> Link:
    number, calendar, provider, kind, subject, generation, remote_id, uid, state, *rest = row[: len(_COLUMNS)]
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


def _ids_by_kind(subjects: Iterable[Subject]) -> list[tuple[SubjectKind, list[str]]]:
    by_kind: dict[SubjectKind, set[str]] = {}
    for subject in subjects:
        by_kind.setdefault(subject.kind, set()).add(subject.id)
    return [(kind, sorted(ids)) for kind, ids in by_kind.items()]


def _columns(one: Link) -> dict[str, Any]:
    named = {column.name: getattr(one, column.name) for column in _COLUMNS if column.name != "subject_kind"}
    return named | {
        "subject_kind": one.subject.kind.value,
        "subject": one.subject.id,
        "state": one.state.value,
        "observed": None if one.observed is None else hide_titles(one.observed, titles_of(one.baseline)),
    }


_HERE = _c.calendar == bindparam("the_calendar")
_THIS = _c.id == bindparam("the_id")
_IDS: Any = bindparam("ids", expanding=True)
_ALIVE = _c.state != "retired"
_RENAME = update(links).where(_THIS).values(remote_id=bindparam("to_remote_id"))
_BY_ID = select(*_COLUMNS).where(_THIS)
_BY_IDS = select(*_COLUMNS).where(_c.id.in_(_IDS))
_BY_SUBJECTS = (
    select(*_COLUMNS)
    .where(_HERE, _c.subject_kind == bindparam("the_kind"), _c.subject.in_(_IDS), _ALIVE)
    .order_by(_c.generation, _c.id)
)
_BY_REMOTE_IDS = select(*_COLUMNS).where(_HERE, _c.remote_id.in_(_IDS))
_IS_UNREADABLE = exists().where(
    drifts.c.link == _c.id,
    drifts.c.kind == DriftKind.UNREADABLE.value,
    drifts.c.resolution == Resolution.OPEN.value,
)
# One that was missing and is back is news, even under its old version: tags may be hashes of the content.
_VERSIONS = select(_c.remote_id, _c.version).where(
    _HERE, _c.remote_id.in_(_IDS), _c.version.is_not(None), _c.absent.is_(False), ~_IS_UNREADABLE, _ALIVE
)
_ALL_REMOTE_IDS = select(_c.id, _c.remote_id, _c.version).where(_HERE, _ALIVE).order_by(_c.id)
_OF_CALENDAR = select(*_COLUMNS).where(_HERE, _ALIVE).order_by(_c.id)
_LIVES = (
    select(*_COLUMNS, _c.last_end, _c.read_after, _c.ended_at)
    .where(_c.subject_kind == bindparam("the_kind"), _c.subject.in_(_IDS))
    .order_by(_c.subject, _c.calendar, _c.generation, _c.id)
)
_NOW = bindparam("now", type_=_c.read_after.type)
_READS_DUE = (
    select(*_COLUMNS)
    .where(_HERE, _c.read_after <= _NOW, _ALIVE)
    .order_by(_c.read_after, _c.id)
    .limit(bindparam("room"))
)
_NEXT_READ = select(func.min(_c.read_after)).where(_HERE, _c.read_after.is_not(None), _ALIVE)
# Of a second generation, an earlier event has stood there, though this one is yet to be written.
_WRITTEN_ONCE = or_(_c.linked_at.is_not(None), _c.generation > 1)
_UPCOMING = select(func.count()).where(_HERE, or_(_c.last_end > _NOW, _c.last_end.is_(None)), _WRITTEN_ONCE, _ALIVE)
_ADD = links.insert()
_BASELINE = select(_c.baseline).where(_THIS)
_NOTHING_SEEN: dict[str, Any] = {"observed": None, "absent": False}
_UNWRITTEN: dict[str, Any] = {
    "state": LinkState.ACTIVE.value,
    **dict.fromkeys(("version", "baseline", "baseline_hash", "confirmed_at", "linked_at", "read_after", "ended_at")),
    **_NOTHING_SEEN,
}
"""As a link is whose event has yet to be written."""
_NEXT_GENERATION = (
    update(links)
    .where(_THIS)
    .values(
        generation=bindparam("to_generation"),
        remote_id=bindparam("to_remote_id"),
        uid=bindparam("to_uid"),
        **_UNWRITTEN,
    )
)
_AT = bindparam("to_confirmed_at", type_=_c.confirmed_at.type)
_CONFIRM = (
    update(links)
    .where(_THIS)
    .values(
        version=bindparam("to_version"),
        baseline=bindparam("to_baseline"),
        baseline_hash=bindparam("to_baseline_hash"),
        remote_id=bindparam("to_remote_id"),
        confirmed_at=func.coalesce(_AT, _c.confirmed_at),
        linked_at=func.coalesce(_c.linked_at, _AT),
        **_NOTHING_SEEN,
    )
)
_REMEMBER = (
    update(links)
    .where(_THIS)
    .values(
        version=func.coalesce(bindparam("to_version", type_=_c.version.type), _c.version),
        observed=bindparam("to_observed"),
        absent=bindparam("to_absent"),
    )
)
_SET_READ_AFTER = (
    update(links)
    .where(_THIS, _c.read_after.is_distinct_from(bindparam("at", type_=_c.read_after.type)))
    .values(read_after=bindparam("at"))
)
_SET_LAST_END = (
    update(links)
    .where(_THIS, _c.last_end.is_distinct_from(bindparam("at", type_=_c.last_end.type)))
    .values(last_end=bindparam("at"))
)
_SET_RETIRING = update(links).where(_THIS, _ALIVE).values(state=LinkState.RETIRING.value)
_ENDED_WITH_IT = (
    _c.calendar == bindparam("the_calendar"),
    _c.state == LinkState.RETIRED.value,
    _c.ended_at == bindparam("removed_at", type_=_c.ended_at.type),
    or_(_c.last_end.is_(None), _c.last_end > bindparam("after", type_=_c.last_end.type)),
)
_TAKE_BACK = update(links).where(*_ENDED_WITH_IT).values(**_UNWRITTEN)
_WOULD_COME_BACK = select(_c.id).where(*_ENDED_WITH_IT, _c.linked_at.is_not(None)).limit(1)
_RETIRE = (
    update(links)
    .where(_THIS)
    .values(
        state=LinkState.RETIRED.value,
        ended_at=func.coalesce(_c.ended_at, bindparam("at", type_=_c.ended_at.type)),
        read_after=None,
        **_NOTHING_SEEN,
    )
)
