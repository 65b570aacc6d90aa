"""Which worker processes live, by their own word; and taking over from those that fell silent.

Whoever is taken over from wrongly (it merely slept) loses nothing but time: its leases' fences have moved on. A process
that never said that it lives, as older programs do not, keeps its leases until they run out.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, bindparam, delete, func, insert, select, type_coerce, update

from calsync.ports import Clock
from calsync.store.alone import Alone
from calsync.store.columns import Instant
from calsync.store.database import Database
from calsync.store.dialect import DatabaseTime
from calsync.store.schema import calendars
from calsync.store.schema_scale import workers


def beat(database: Database, owner: str, clock: Clock) -> None:
    """Say that this process lives. Times are the database's (R-28)."""
    given = {"the_owner": owner, "now": clock.now()}
    if not database.alone(_BEAT, given):
        database.alone(_ADD, given)


def take_over(database: Database, silent_for: timedelta, clock: Clock) -> int:
    """Free the calendars of processes that have not said for so long that they live; how many calendars those were."""
    given: dict[str, Any] = {"now": clock.now(), "silence": silent_for // timedelta(microseconds=1)}
    silent = [row[0] for row in database.alone(_SILENT, given)]
    if not silent:
        return 0
    with database.transaction() as conn:
        freed = conn.execute(_FREE, {"owners": silent}).rowcount
        conn.execute(_FORGET, {"owners": silent})
    return freed


def leave(database: Database, owner: str) -> None:
    """Forget a process that ends in order."""
    with database.transaction() as conn:
        conn.execute(_FORGET, {"owners": [owner]})


def count(database: Database) -> int:
    """How many processes say that they live."""
    with database.reading() as conn:
        return int(conn.execute(_COUNT).scalar_one())


_w = workers.c
_NOW = DatabaseTime()
_OWNER = bindparam("the_owner", type_=_w.owner.type)
_OWNERS: Any = bindparam("owners", expanding=True)
_LIMIT = type_coerce(type_coerce(_NOW, BigInteger) - bindparam("silence", type_=BigInteger), Instant)
_BEAT = Alone(update(workers).where(_w.owner == _OWNER).values(beat_at=_NOW).returning(_w.owner))
_ADD = Alone(insert(workers).values(owner=_OWNER, began_at=_NOW, beat_at=_NOW).returning(_w.owner))
_SILENT = Alone(select(_w.owner).where(_w.beat_at < _LIMIT))
_FREE = update(calendars).where(calendars.c.lease_owner.in_(_OWNERS)).values(lease_owner=None, lease_until=None)
_FORGET = delete(workers).where(_w.owner.in_(_OWNERS))
_COUNT = select(func.count()).select_from(workers)
