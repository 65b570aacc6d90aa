"""The installation: its name, the machine it belongs to, and the stop of all writes that survives a restart (R-14)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from calsync.errors import StartRefusedError
from calsync.store.dialect import Upsert, database_identity
from calsync.store.schema import installation


@dataclass(frozen=True, slots=True)
class FleetStop:
    """Since when and why nothing is written to calendars, and the part of them (0 to 1) that a person let go on."""

    at: datetime
    because: str
    released: float


def ensure(conn: Connection, name: str, host: str, now: datetime) -> str:
    """Return the installation's name, putting a new one on the books under `name`.

    Raises StartRefusedError for a database that was copied from elsewhere (R-26): two copies at work would fight each
    other in the same calendars. An SQLite file belongs to a host; a PostgreSQL database to its server, whichever and
    however many machines the workers run on.
    """
    identity = database_identity(conn, host)
    _ADD.run(conn, {"one": 1, "id": name, "host": identity, "created_at": now})
    row = conn.execute(_GET).one()
    if row.host != identity:
        raise StartRefusedError(
            f"the database belongs to another machine ({row.host}; this is {identity}). Two copies of one installation "
            "would fight each other in the calendars. If the other one will never run again: calsync db adopt"
        )
    return str(row.id)


def created_at(conn: Connection) -> datetime | None:
    """When this installation's books began; None before anything ever worked on them."""
    at: datetime | None = conn.execute(_CREATED).scalar()
    return at


def adopt(conn: Connection, host: str) -> bool:
    """Make a copied or moved database this machine's own, after a person said so; False if there is none, or it is."""
    return conn.execute(_ADOPT, {"to_host": database_identity(conn, host)}).rowcount == 1


def stop_writes(conn: Connection, because: str, at: datetime) -> bool:
    """Stop all writes to calendars, over restarts, until a person allows them; False if they were stopped already."""
    return conn.execute(_STOP, {"at": at, "because": because}).rowcount == 1


def release_writes(conn: Connection, share: float) -> bool:
    """Let this part of the calendars write again while the stop stands; False if there is none."""
    return conn.execute(_RELEASE, {"share": share}).rowcount == 1


def allow_writes(conn: Connection, at: datetime) -> bool:
    """End the stop, and count the fleet's shares anew from here; False if there was none."""
    return conn.execute(_ALLOW, {"at": at}).rowcount == 1


def shares_counted_from(conn: Connection) -> datetime | None:
    """The last time that a person allowed all writes: what happened before is judged already."""
    row = conn.execute(_GET_COUNTED).first()
    return None if row is None else row.shares_counted_from


def fleet_stop(conn: Connection) -> FleetStop | None:
    """The stop of all writes, if there is one."""
    row = conn.execute(_GET).first()
    if row is None or row.writes_stopped_at is None:
        return None
    return FleetStop(row.writes_stopped_at, row.writes_stopped_because or "", row.writes_released)


def key_check(conn: Connection) -> str | None:
    """The text that only this installation's keys open; None before the first one was stored."""
    row = conn.execute(_GET_CHECK).first()
    return None if row is None else row.key_check


def set_key_check(conn: Connection, sealed: str) -> None:
    """Remember such a text."""
    conn.execute(_SET_CHECK, {"sealed": sealed})


_c = installation.c
_CREATED = select(_c.created_at)
_GET_CHECK = select(_c.key_check)
_SET_CHECK = installation.update().values(key_check=bindparam("sealed"))
_ADD = Upsert(installation, [_c.one])
_GET = select(_c.id, _c.host, _c.writes_stopped_at, _c.writes_stopped_because, _c.writes_released)
_GET_COUNTED = select(_c.shares_counted_from)
_ADOPT = installation.update().where(_c.host != bindparam("to_host")).values(host=bindparam("to_host"))
_STOP = (
    installation.update()
    .where(_c.writes_stopped_at.is_(None))
    .values(writes_stopped_at=bindparam("at"), writes_stopped_because=bindparam("because"), writes_released=0.0)
)
_RELEASE = installation.update().where(_c.writes_stopped_at.is_not(None)).values(writes_released=bindparam("share"))
_ALLOW = (
    installation.update()
    .where(_c.writes_stopped_at.is_not(None))
    .values(
        writes_stopped_at=None, writes_stopped_because=None, writes_released=0.0, shares_counted_from=bindparam("at")
    )
)
