"""Budgets shared by all processes, of requests to a service or of tries at a door: a bucket of tokens and a block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from calsync.store.dialect import Upsert, larger
from calsync.store.rows import chunks
from calsync.store.schema_effects import budgets


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a bucket fills, and how much it holds."""

    per_second: float
    capacity: float


def take(conn: Connection, key: str, now: datetime, rate: Rate, amount: float = 1.0) -> datetime | None:
    """Take `amount` from the budget; None if it was granted, else when to ask again, and nothing is taken.

    An unknown budget starts full. The row stays locked until the transaction ends, so keep that short. A clock that
    went back fills nothing.
    """
    _ADD.run(conn, {"key": key, "tokens": rate.capacity, "refilled_at": now})
    row = conn.execute(_LOCK, {"the_key": key}).one()
    if row.blocked_until is not None and row.blocked_until > now:
        blocked: datetime = row.blocked_until
        return blocked
    elapsed = max(0.0, (now - row.refilled_at).total_seconds())
    tokens = min(rate.capacity, row.tokens + elapsed * rate.per_second)
    if tokens < amount:
        return now + timedelta(seconds=(amount - tokens) / rate.per_second)
    parameters = {"the_key": key, "to_tokens": tokens - amount, "at": max(now, row.refilled_at)}
    conn.execute(_TAKE, parameters)
    return None


def give_back(conn: Connection, key: str, amount: float = 1.0) -> None:
    """Put back what was taken and not needed."""
    conn.execute(_GIVE_BACK, {"the_key": key, "amount": amount})


def block(conn: Connection, key: str, until: datetime, now: datetime) -> None:
    """The service said to wait: nobody takes from this budget before `until`. A later time on the books stays."""
    _BLOCK.run(conn, {"key": key, "tokens": 0.0, "refilled_at": now, "blocked_until": until})


def blocked(conn: Connection, keys: Iterable[str], now: datetime) -> dict[str, datetime]:
    """Those of the budgets that are blocked now, with until when."""
    return {
        row.key: row.blocked_until
        for part in chunks(sorted(set(keys)))
        for row in conn.execute(_BLOCKED, {"keys": part, "now": now})
    }


_c = budgets.c
_KEYS: Any = bindparam("keys", expanding=True)
_ADD = Upsert(budgets, [_c.key])
_LOCK = select(_c.tokens, _c.refilled_at, _c.blocked_until).where(_c.key == bindparam("the_key")).with_for_update()
_TAKE = (
    budgets.update()
    .where(_c.key == bindparam("the_key"))
    .values(tokens=bindparam("to_tokens"), refilled_at=bindparam("at"), blocked_until=None)
)

_GIVE_BACK = budgets.update().where(_c.key == bindparam("the_key")).values(tokens=_c.tokens + bindparam("amount"))
_BLOCK = Upsert(
    budgets,
    [_c.key],
    lambda new: {"blocked_until": larger(func.coalesce(_c.blocked_until, new.blocked_until), new.blocked_until)},
)
_BLOCKED = select(_c.key, _c.blocked_until).where(_c.key.in_(_KEYS), _c.blocked_until > bindparam("now"))
