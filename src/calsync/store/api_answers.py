"""What was answered to requests that carried an Idempotency-Key, kept in the transaction of what they did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select, update

from calsync.store.dialect import Upsert
from calsync.store.schema_slots import api_answers

PENDING: Final = 0
"""Status of a request that is being carried out, by the transaction that put it there."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer, and the fingerprint of the request that it was given to."""

    fingerprint: str
    status: int
    body: Any


def claim(conn: Connection, token: str, key: str, fingerprint: str, now: datetime) -> bool:
    """Take a key for the request at hand; False if it was taken before.

    Another transaction that takes the same key at the same time is waited for.
    """
    row = {"token": token, "key": key, "fingerprint": fingerprint, "status": PENDING, "body": {}, "at": now}
    return _CLAIM.run(conn, row) == 1


def get(conn: Connection, token: str, key: str) -> StoredAnswer | None:
    """What was answered under a key, or None."""
    row = conn.execute(_GET, {"the_token": token, "the_key": key}).first()
    return None if row is None else StoredAnswer(row.fingerprint, row.status, row.body)


def keep(conn: Connection, token: str, key: str, status: int, body: Any) -> None:
    """Keep what is answered under a key that was claimed in this transaction."""
    conn.execute(_KEEP, {"the_token": token, "the_key": key, "new_status": status, "new_body": body})


def forget(conn: Connection, before: datetime) -> int:
    """Drop answers from before an instant; how many. Their keys may be used anew."""
    return conn.execute(_FORGET, {"limit": before}).rowcount


_c = api_answers.c
_THIS = (_c.token == bindparam("the_token"), _c.key == bindparam("the_key"))
_CLAIM = Upsert(api_answers, [_c.token, _c.key])
_GET = select(_c.fingerprint, _c.status, _c.body).where(*_THIS)
_KEEP = (
    update(api_answers)
    .where(*_THIS)
    .values(status=bindparam("new_status"), body=bindparam("new_body", type_=_c.body.type))
)
_FORGET = delete(api_answers).where(_c.at < bindparam("limit", type_=_c.at.type))
