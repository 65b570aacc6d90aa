"""Providers' working times, one row each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from calsync.domain.working_times import WorkingTimes
from calsync.store.dialect import Upsert
from calsync.store.schema_slots import availability


def get(conn: Connection, provider: str) -> WorkingTimes | None:
    """The provider's working times; None if nobody ever said any."""
    found = conn.execute(_GET, {"the_provider": provider}).scalar_one_or_none()
    return None if found is None else WorkingTimes.from_json(found)


def put(conn: Connection, provider: str, times: WorkingTimes, *, now: datetime, by: str) -> bool:
    """Make these the provider's working times; True if that changed anything."""
    if get(conn, provider) == times:
        return False
    _PUT.run(conn, {"provider": provider, "times": times.as_json(), "updated_at": now, "updated_by": by})
    return True


_c = availability.c
_GET = select(_c.times).where(_c.provider == bindparam("the_provider"))
_PUT = Upsert(
    availability,
    [_c.provider],
    lambda new: {name: new[name] for name in ("times", "updated_at", "updated_by")},
)
