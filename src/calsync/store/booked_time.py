"""What a provider's time is taken by, read so that two bookings at once never both find it free (PB-4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from calsync.store.schema import providers
from calsync.store.schema_records import appointments, blocks


@dataclass(frozen=True, slots=True)
class Taken:
    """A stretch of a provider's time: of which appointment or block, aware UTC instants. `session` names a group."""

    kind: str
    id: str
    start_at: datetime
    end_at: datetime
    session: str | None = None


def taken_between(conn: Connection, provider: str, start: datetime, end: datetime) -> list[Taken]:
    """Scheduled sessions and blocks of a provider that touch [start, end), by start.

    Keeps the provider's row locked until the transaction ends, so that whoever asks next sees what this one booked.
    """
    lock(conn, provider)
    return seen_between(conn, provider, start, end)


def lock(conn: Connection, provider: str) -> None:
    """Keep the provider's row locked until the transaction ends; whoever books at the same time waits for it."""
    conn.execute(_LOCK, {"the_provider": provider})


def seen_between(conn: Connection, provider: str, start: datetime, end: datetime) -> list[Taken]:
    """What `taken_between` returns, for whoever only looks: the time may be taken by others right after."""
    parameters = {"the_provider": provider, "from_": start, "to": end}
    found = [Taken("appointment", *row) for row in conn.execute(_SESSIONS, parameters)]
    found += [Taken("block", *row) for row in conn.execute(_BLOCKS, parameters)]
    return sorted(found, key=lambda one: (one.start_at, one.id))


_a, _b = appointments.c, blocks.c
_FROM = bindparam("from_", type_=_a.start_at.type)
_TO = bindparam("to", type_=_a.start_at.type)
_LOCK = select(providers.c.id).where(providers.c.id == bindparam("the_provider")).with_for_update()
_SESSIONS = select(_a.id, _a.start_at, _a.end_at, _a.session).where(
    _a.provider == bindparam("the_provider"), _a.end_at > _FROM, _a.start_at < _TO, _a.status == "scheduled"
)
_BLOCKS = select(_b.id, _b.start_at, _b.end_at).where(
    _b.provider == bindparam("the_provider"), _b.end_at > _FROM, _b.start_at < _TO, _b.cancelled.is_(False)
)
