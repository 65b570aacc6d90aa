"""What a transaction writes at its very end, in one order, so that no two transactions wait for each other.

Many transactions touch the same appointments' claims, and all that audit want the end of the one chain. Written where
it is asked for, in any order, that would be a deadlock on PostgreSQL sooner or later; so it is kept beside the
connection until the block of `Database.transaction` ends, and commits with it. Used by `claims` and `audit`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

_KEY: Final = "calsync_late"


@dataclass(frozen=True, slots=True)
class Note:
    """One entry of the audit log that has no place in the chain yet."""

    at: datetime
    actor: str
    what: str
    subject: str
    detail: dict[str, Any]


@dataclass(slots=True)
class Late:
    """What the present transaction of one connection has still to write."""

    touched: set[str] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)
    pushed: bool = False  # some calendar became due: whoever waits for work should look


def begin(conn: Connection) -> None:
    """Start with nothing to write. Called by `Database.transaction` only."""
    conn.execution_options(**{_KEY: Late()})


def note_push(conn: Connection) -> None:
    """Some calendar became due; workers are woken when the transaction has ended."""
    late = conn.get_execution_options().get(_KEY)
    if isinstance(late, Late):
        late.pushed = True


def of(conn: Connection) -> Late:
    """What this connection's transaction has still to write; a connection from elsewhere is a fault of the program."""
    late = conn.get_execution_options().get(_KEY)
    if not isinstance(late, Late):
        raise RuntimeError("this needs a connection from Database.transaction()")  # noqa: TRY004 - no matter of types
    return late
