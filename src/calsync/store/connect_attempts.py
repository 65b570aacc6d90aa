"""What a provider has chosen and agreed to behind a link, before anything is written: one attempt for each link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from calsync.store.dialect import Upsert
from calsync.store.rows import Shape
from calsync.store.schema_connecting import connect_attempts

KEPT_FOR: Final = timedelta(days=2)
"""An attempt that nobody ends is forgotten after this time, its login with it."""


class Stage(StrEnum):
    """How far an attempt is."""

    ASKED = "asked"  # sent to a consent page
    AGREED = "agreed"  # there is a login; nothing is written
    CONNECTED = "connected"  # the calendar is on the books


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. `sealed` holds the verifier while asked, the login once agreed, nothing once connected."""

    link: str
    provider: str
    calendar: str
    connector: str
    placement: str
    keys: dict[str, Any]
    choices: list[list[str]]
    state_hash: str | None
    sealed: str | None
    stage: Stage
    tries: int
    updated_at: datetime


def put(conn: Connection, attempt: Attempt) -> None:
    """Keep the attempt in place of the link's former one; forget old ones of all links."""
    conn.execute(_FORGET_OLD, {"before": attempt.updated_at - KEPT_FOR})
    _PUT.run(conn, _SHAPE.values(attempt))


def get(conn: Connection, link: str, now: datetime) -> Attempt | None:
    """The link's attempt; None if there is none, or it is too old."""
    found = _SHAPE.first(conn, _GET, {"the_link": link})
    return (
        found if found is not None and (found.stage is Stage.CONNECTED or now - found.updated_at < KEPT_FOR) else None
    )


def finish(conn: Connection, link: str, now: datetime) -> bool:
    """What was agreed to is carried out, in the transaction that does so; False if it was already."""
    return conn.execute(_FINISH, {"the_link": link, "now": now}).rowcount == 1


def remove(conn: Connection, link: str) -> None:
    """Forget it."""
    conn.execute(_REMOVE, {"the_link": link})


_c = connect_attempts.c
_SHAPE = Shape(connect_attempts, Attempt, stage=Stage)
_GET = select(*_SHAPE.columns).where(_c.link == bindparam("the_link"))
_PUT = Upsert(connect_attempts, [_c.link], lambda new: {name: new[name] for name in _SHAPE.names if name != "link"})
_FINISH = (
    connect_attempts.update()
    .where(_c.link == bindparam("the_link"), _c.stage == Stage.AGREED.value)
    .values(stage=Stage.CONNECTED.value, sealed=None, updated_at=bindparam("now", type_=_c.updated_at.type))
)
_REMOVE = connect_attempts.delete().where(_c.link == bindparam("the_link"))
_FORGET_OLD = connect_attempts.delete().where(
    _c.updated_at < bindparam("before", type_=_c.updated_at.type), _c.stage != Stage.CONNECTED.value
)
