"""Appointments whose claims must be assessed again (R-4). Written with every change; drained by the worker."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, literal, select

from calsync.store import late
from calsync.store.dialect import Upsert
from calsync.store.rows import chunks
from calsync.store.schema_claims import claims_touched
from calsync.store.schema_records import appointments


def touch(conn: Connection, touched_appointments: Iterable[str]) -> None:
    """Have these appointments assessed again; it is written when the caller's transaction ends, once for each."""
    late.of(conn).touched.update(touched_appointments)


def touch_provider(conn: Connection, provider: str) -> None:
    """Have all appointments of a provider assessed again."""
    touch(conn, conn.execute(_OF_PROVIDER, {"the_provider": provider}).scalars())


def touched(conn: Connection, limit: int) -> list[tuple[str, int]]:
    """Up to `limit` appointments to assess, each with the revision to hand to `take_away`.

    Assess and take them away in the same transaction: until it ends, other workers are given others.
    """
    write_touched(conn)
    return [(row.appointment, row.revision) for row in conn.execute(_TOUCHED, {"room": limit})]


def take_away(conn: Connection, appointment: str, revision: int) -> bool:
    """The appointment was assessed as of this revision; False if it was touched again meanwhile, and stays."""
    return conn.execute(_TAKE_AWAY, {"the_id": appointment, "the_revision": revision}).rowcount == 1


def write_touched(conn: Connection) -> None:
    """Write what `touch` was told so far. Called at the end of every transaction."""
    waiting = late.of(conn).touched
    for part in chunks(sorted(waiting)):
        _TOUCH.run(conn, [{"appointment": one} for one in part])
    waiting.clear()


_c = claims_touched.c
_OF_PROVIDER = select(appointments.c.id).where(appointments.c.provider == bindparam("the_provider"))
_TOUCH = Upsert(claims_touched, [_c.appointment], lambda _new: {"revision": _c.revision + literal(1)})
_TOUCHED = (
    select(_c.appointment, _c.revision)
    .order_by(_c.appointment)
    .limit(bindparam("room"))
    .with_for_update(skip_locked=True)
)
_TAKE_AWAY = delete(claims_touched).where(
    _c.appointment == bindparam("the_id"), _c.revision == bindparam("the_revision")
)
