"""Forgetting: what stands behind the claims of long ago, and links and messages that are of no use any more.

Records, their history and the audit log stay; so does everything of sessions about which a question is open.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, exists, func, select
from sqlalchemy.sql.expression import ColumnElement

from calsync.store.connect_attempts import KEPT_FOR as ATTEMPT_KEPT_FOR
from calsync.store.connect_attempts import Stage
from calsync.store.schema import drifts, holds, observations
from calsync.store.schema_claims import asks, clearances, session_evidence, statements
from calsync.store.schema_connecting import connect_attempts
from calsync.store.schema_effects import action_links, outbox
from calsync.store.schema_records import appointments

USELESS_AFTER: Final = timedelta(days=400)
"""How long links that have expired and messages that have gone out are kept: keys of theirs are never used later."""


def count(conn: Connection, evidence_before: datetime, now: datetime) -> dict[str, int]:
    """How many rows `forget` would take away, by table."""
    told = _told(evidence_before, now)
    found = {
        name: int(conn.execute(select(func.count()).select_from(table).where(*which), told).scalar_one())
        for name, (table, which) in _FORGOTTEN.items()
    }
    return {name: number for name, number in found.items() if number}


def forget(conn: Connection, evidence_before: datetime, now: datetime) -> dict[str, int]:
    """Take away evidence of sessions that ended before an instant, and what is of no use; how many rows, by table."""
    told = _told(evidence_before, now)
    done = {
        name: int(conn.execute(delete(table).where(*which), told).rowcount)
        for name, (table, which) in _FORGOTTEN.items()
    }
    return {name: number for name, number in done.items() if number}


def _told(evidence_before: datetime, now: datetime) -> dict[str, Any]:
    return {
        "evidence_before": evidence_before,
        "useless_before": now - USELESS_AFTER,
        "given_up_before": now - ATTEMPT_KEPT_FOR,
    }


def _settled_long_ago(appointment: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a session ended before the instant, and no edit of it waits for anybody."""
    other = drifts.alias("waiting")
    ended = exists().where(
        appointments.c.id == appointment,
        appointments.c.end_at < bindparam("evidence_before", type_=appointments.c.end_at.type),
    )
    waits = exists().where(other.c.appointment == appointment, other.c.resolution.in_(("open", "reverted")))
    return ended & ~waits


_USELESS = bindparam("useless_before", type_=outbox.c.created_at.type)
# Drifts go last: whether one waits decides about all the others.
_FORGOTTEN: Final[dict[str, tuple[Any, tuple[ColumnElement[bool], ...]]]] = {
    table.name: (table, (_settled_long_ago(table.c.appointment),))
    for table in (observations, session_evidence, statements, asks, holds, clearances, drifts)
} | {
    "action_links": (action_links, (action_links.c.expires_at < _USELESS,)),
    "outbox": (
        outbox,
        (outbox.c.state.in_(("sent", "merged", "failed")), outbox.c.created_at < _USELESS, outbox.c.due_at < _USELESS),
    ),
    # A login that a provider agreed to and never used must not lie about.
    "connect_attempts": (
        connect_attempts,
        (
            connect_attempts.c.stage != Stage.CONNECTED.value,
            connect_attempts.c.updated_at < bindparam("given_up_before", type_=connect_attempts.c.updated_at.type),
        ),
    ),
}
