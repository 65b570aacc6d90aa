"""Numbers over all calendars, for the fleet's brakes (R-14) and for whoever releases them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from calsync.store.schema import calendars, drifts, owed_writes
from calsync.store.schema_effects import outbox


def mirrors(conn: Connection) -> int:
    """How many calendars are written to."""
    return int(conn.execute(_MIRRORS).scalar_one())


def drifting(conn: Connection, since: datetime, without: Iterable[str]) -> int:
    """In how many calendars edits were found since then; kinds of drift in `without` are nobody's alarm."""
    return int(conn.execute(_DRIFTING, {"since": since, "without": sorted(without)}).scalar_one())


def reconnecting(conn: Connection, since: datetime) -> int:
    """How many calendars began to need a new login since then."""
    return int(conn.execute(_RECONNECTING, {"since": since}).scalar_one())


def owed_by_calendar(conn: Connection) -> Iterator[tuple[str, int]]:
    """Each calendar that is written to, with the number of writes that are owed to it."""
    for calendar, owed in conn.execute(_OWED):
        yield str(calendar), int(owed)


def mails_waiting(conn: Connection) -> int:
    """Messages to providers and clients that have not gone."""
    return int(conn.execute(_MAILS).scalar_one())


_c, _d = calendars.c, drifts.c
_MIRROR = (_c.removed_at.is_(None), _c.mode == "mirror")
_MIRRORS = select(func.count()).select_from(calendars).where(*_MIRROR)
_DRIFTING = select(func.count(func.distinct(_d.calendar))).where(
    _d.detected_at >= bindparam("since"), _d.kind.not_in(bindparam("without", expanding=True))
)
_RECONNECTING = (
    select(func.count())
    .select_from(calendars)
    .where(*_MIRROR, _c.state == "needs-reconnect", _c.state_since >= bindparam("since"))
)
_OWED = (
    select(_c.id, func.count(owed_writes.c.id))
    .select_from(calendars.outerjoin(owed_writes, (owed_writes.c.calendar == _c.id) & (owed_writes.c.state == "owed")))
    .where(*_MIRROR)
    .group_by(_c.id)
    .order_by(_c.id)
)
_MAILS = (
    select(func.count())
    .select_from(outbox)
    .where(outbox.c.state == "due", outbox.c.recipient.like("provider:%") | outbox.c.recipient.like("client:%"))
)
