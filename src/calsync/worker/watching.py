"""Push: each calendar whose service can call back has a channel, renewed before it ends, the old one ended after.

Runs inside a calendar's lease, right after its pass, so that one thread at a time talks to the calendar. A push is a
hint and nothing more: whatever goes wrong here is logged, tried again in an hour, and polling stays correct.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import structlog

from calsync.connector.errors import CalendarError
from calsync.connector.protocol import Watch
from calsync.connector.wrappers import Around
from calsync.ports import Ids
from calsync.store import watches, work
from calsync.store.calendars import CalendarRow
from calsync.store.database import Database
from calsync.store.watches import OPEN, REFUSED, WatchRow
from calsync.store.work import Priority

_log = structlog.get_logger(__name__)

# Under which name a connector's service calls: `/hooks/NAME`.
HOOKS = {"google": "google", "outlook": "graph"}
LIFETIME = timedelta(days=7)
AGAIN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PushPlan:
    """Where services are asked to call: the installation's public address."""

    public_url: str

    def callback(self, service: str) -> str:
        """The address of a service's hook."""
        return f"{self.public_url.rstrip('/')}/hooks/{service}"


def keep_watch(
    plan: PushPlan, row: CalendarRow, calendar: Around, *, database: Database, ids: Ids, now: datetime
) -> bool:
    """Open a channel where there is none or the youngest nears its end; true if one was opened."""
    service = HOOKS.get(row.connector)
    if service is None or not calendar.traits.push:
        return False
    with database.reading() as conn:
        known = watches.of_calendar(conn, row.id)
    if known and now < known[0].renew_at:
        return False
    secret = base64.urlsafe_b64encode(ids.token_bytes(32)).rstrip(b"=").decode("ascii")
    opened = _opened(plan, row, calendar, service, secret)
    with database.transaction() as conn:
        if opened is None:
            for one in known:
                if one.state == REFUSED:
                    watches.remove(conn, one.id)
            watches.insert(conn, _refused(row, service, secret, now))
            return False
        digest = watches.hash_of(secret.encode("ascii"))
        watches.insert(
            conn, WatchRow(opened.id, service, row.id, opened.resource, digest, OPEN, now, opened.expires_at)
        )
        # What changed between the reading and the opening was told to nobody.
        work.push(conn, row.id, now, Priority.PUSH)
    _end(calendar, database, known)
    return True


def end_watches(row: CalendarRow, calendar: Around, *, database: Database) -> None:
    """End all channels of a calendar that is paused or removed."""
    with database.reading() as conn:
        known = watches.of_calendar(conn, row.id)
    _end(calendar, database, known)


def _opened(plan: PushPlan, row: CalendarRow, calendar: Around, service: str, secret: str) -> Watch | None:
    try:
        return calendar.watch(plan.callback(service), secret, LIFETIME)
    except CalendarError as problem:
        _log.warning("watch_refused", calendar=row.id, problem=type(problem).__name__)
        return None


def _refused(row: CalendarRow, service: str, secret: str, now: datetime) -> WatchRow:
    name = f"refused-{sha256(secret.encode()).hexdigest()[:16]}"
    return WatchRow(name, service, row.id, "", "", REFUSED, now, now + AGAIN_AFTER)


def _end(calendar: Around, database: Database, known: Iterable[WatchRow]) -> None:
    for one in known:
        if one.state == OPEN:
            try:
                calendar.unwatch(Watch(one.id, one.resource, one.expires_at))
            except CalendarError as problem:
                # It ends by itself; until then its calls are strays.
                _log.info("unwatch_failed", calendar=one.calendar, problem=type(problem).__name__)
        with database.transaction() as conn:
            watches.remove(conn, one.id)
