"""What the platform last said of its appointments over HTTP, and as of when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, select

from calsync.store.columns import EPOCH
from calsync.store.dialect import Upsert
from calsync.store.schema_slots import api_records

NEVER: Final = EPOCH
"""Stands for an appointment of which nothing was said before the transaction that is open."""


@dataclass(frozen=True, slots=True)
class SaidRecord:
    """What was said, by column in normal form, and the instant that the platform gave with it."""

    updated_at: datetime
    said: Mapping[str, str | None]


def get(conn: Connection, appointment: str) -> SaidRecord | None:
    """What was last said of an appointment, or None."""
    row = conn.execute(_GET, {"the_id": appointment}).first()
    return None if row is None else SaidRecord(row.updated_at, row.said)


def lock(conn: Connection, appointment: str) -> SaidRecord | None:
    """Return what was last said, and keep others from saying anything of it until the transaction ends."""
    _PLACE.run(conn, {"appointment": appointment, "updated_at": NEVER, "said": {}})
    row = conn.execute(_LOCK, {"the_id": appointment}).one()
    return None if row.updated_at == NEVER else SaidRecord(row.updated_at, row.said)


def put(conn: Connection, appointment: str, record: SaidRecord) -> None:
    """Keep what is said now."""
    _PUT.run(conn, {"appointment": appointment, "updated_at": record.updated_at, "said": dict(record.said)})


_c = api_records.c
_GET = select(_c.updated_at, _c.said).where(_c.appointment == bindparam("the_id"))
_LOCK = _GET.with_for_update()
_PLACE = Upsert(api_records, [_c.appointment])
_PUT = Upsert(api_records, [_c.appointment], lambda new: {"updated_at": new["updated_at"], "said": new["said"]})
