"""Copies: events under other names that carry a link's marker (duplicated, or the rest of a split)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, select

from calsync.domain.event import Event
from calsync.reconcile.case import Copy
from calsync.store.dialect import Upsert
from calsync.store.rows import chunks
from calsync.store.schema import link_copies, links
from calsync.store.titles import hide_titles, titles_of


def of_link(conn: Connection, link_id: str) -> tuple[Copy, ...]:
    """Events under other names that carry this link's marker, by remote id."""
    return of_links(conn, [link_id]).get(link_id, ())


def of_links(conn: Connection, link_ids: Iterable[str]) -> dict[str, tuple[Copy, ...]]:
    """Like `of_link`, for many; links without copies are left out."""
    found: dict[str, tuple[Copy, ...]] = {}
    for part in chunks(sorted(set(link_ids))):
        for link, *copy in conn.execute(_OF_LINKS, {"ids": part}):
            found[link] = (*found.get(link, ()), Copy(*copy))
    return found


def ids_among(conn: Connection, calendar: str, remote_ids: Iterable[str]) -> set[str]:
    """Those of these events of the calendar that are on the books as copies."""
    return {
        str(one)
        for part in chunks(sorted(set(remote_ids)))
        for one in conn.execute(_IDS_AMONG, {"the_calendar": calendar, "ids": part}).scalars()
    }


def links_of(conn: Connection, calendar: str, remote_ids: Iterable[str]) -> set[str]:
    """The links, not retired, that have any of these events of the calendar on the books as a copy, by id."""
    return {
        str(one)
        for part in chunks(sorted(set(remote_ids)))
        for one in conn.execute(_LINKS_OF, {"the_calendar": calendar, "ids": part}).scalars()
    }


def all_ids(conn: Connection, calendar: str) -> list[str]:
    """Every event of the calendar that is on the books as a copy, by remote id."""
    return [str(one) for one in conn.execute(_ALL, {"the_calendar": calendar}).scalars()]


def put(conn: Connection, link_id: str, remote_id: str, version: str, event: Event) -> None:
    """Remember an event under another name that carries this link's marker."""
    baseline = conn.execute(_BASELINE, {"the_id": link_id}).scalar_one_or_none()
    shown = hide_titles(event, titles_of(baseline))
    _PUT.run(conn, {"link": link_id, "remote_id": remote_id, "version": version, "event": shown})


def drop(conn: Connection, link_id: str, remote_id: str) -> None:
    """Forget a copy that is gone."""
    conn.execute(_DROP, {"the_link": link_id, "the_remote_id": remote_id})


_HERE = links.c.calendar == bindparam("the_calendar")
_ALIVE = links.c.state != "retired"
_BASELINE = select(links.c.baseline).where(links.c.id == bindparam("the_id"))
_AMONG: Any = bindparam("ids", expanding=True)
_p = link_copies.c
_OF_LINKS = (
    select(_p.link, _p.remote_id, _p.version, _p.event).where(_p.link.in_(_AMONG)).order_by(_p.link, _p.remote_id)
)
_IDS_AMONG = select(_p.remote_id).where(_p.remote_id.in_(_AMONG), _p.link == links.c.id, _HERE)
_LINKS_OF = select(_p.link).where(_p.remote_id.in_(_AMONG), _p.link == links.c.id, _HERE, _ALIVE)
_ALL = select(_p.remote_id).where(_p.link == links.c.id, _HERE, _ALIVE).order_by(_p.remote_id)
_PUT = Upsert(link_copies, [_p.link, _p.remote_id], lambda new: {"version": new["version"], "event": new["event"]})
_DROP = delete(link_copies).where(and_(_p.link == bindparam("the_link"), _p.remote_id == bindparam("the_remote_id")))
