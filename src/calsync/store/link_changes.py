"""What becomes of links: put on the books, confirmed by their calendar, looked at, retired, taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy import Connection, bindparam, func, or_, select, update

from calsync.domain.event import Event
from calsync.domain.link import Link, LinkState
from calsync.store.link_rows import ALIVE, THIS, columns_of
from calsync.store.schema import links
from calsync.store.titles import hide_titles, titles_of


class Confirmation(TypedDict):
    """What a calendar acknowledged. `confirmed_at` is when it did; None keeps the time on the books."""

    version: str | None
    baseline: Event | None
    baseline_hash: str | None
    remote_id: str
    confirmed_at: datetime | None


def insert(conn: Connection, new: Link) -> None:
    """Put a new link on the books."""
    insert_many(conn, [(new, None)])


def insert_many(conn: Connection, new: Iterable[tuple[Link, datetime | None]]) -> None:
    """Put new links on the books, each with the end of its last expected occurrence (None: it goes on for ever)."""
    rows = [columns_of(one) | {"last_end": last_end} for one, last_end in new]
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


def set_unreadable(conn: Connection, link_id: str, *, version: str | None) -> None:
    """The last look showed an event that nobody can understand; `version` None keeps the one on the books."""
    conn.execute(_SET_UNREADABLE, {"the_id": link_id, "to_version": version})


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
_RENAME = update(links).where(THIS).values(remote_id=bindparam("to_remote_id"))
_ADD = links.insert()
_BASELINE = select(_c.baseline).where(THIS)
_NOTHING_SEEN: dict[str, Any] = {"observed": None, "absent": False, "unreadable": False}
_UNWRITTEN: dict[str, Any] = {
    "state": LinkState.ACTIVE.value,
    **dict.fromkeys(("version", "baseline", "baseline_hash", "confirmed_at", "linked_at", "read_after", "ended_at")),
    **_NOTHING_SEEN,
}
"""As a link is whose event has yet to be written."""
_NEXT_GENERATION = (
    update(links)
    .where(THIS)
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
    .where(THIS)
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
    .where(THIS)
    .values(
        version=func.coalesce(bindparam("to_version", type_=_c.version.type), _c.version),
        observed=bindparam("to_observed"),
        absent=bindparam("to_absent"),
        unreadable=False,
    )
)
_SET_UNREADABLE = (
    update(links)
    .where(THIS)
    .values(
        version=func.coalesce(bindparam("to_version", type_=_c.version.type), _c.version),
        absent=False,
        unreadable=True,
    )
)
_SET_READ_AFTER = (
    update(links)
    .where(THIS, _c.read_after.is_distinct_from(bindparam("at", type_=_c.read_after.type)))
    .values(read_after=bindparam("at"))
)
_SET_LAST_END = (
    update(links)
    .where(THIS, _c.last_end.is_distinct_from(bindparam("at", type_=_c.last_end.type)))
    .values(last_end=bindparam("at"))
)
_SET_RETIRING = update(links).where(THIS, ALIVE).values(state=LinkState.RETIRING.value)
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
    .where(THIS)
    .values(
        state=LinkState.RETIRED.value,
        ended_at=func.coalesce(_c.ended_at, bindparam("at", type_=_c.ended_at.type)),
        read_after=None,
        **_NOTHING_SEEN,
    )
)
