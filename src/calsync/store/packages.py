"""Packages of sessions that clients bought in advance, and the credits that sessions use of them.

A use and a return have an idempotency key each, one for every session: either happens once (I7, PB-3).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from calsync.store.dialect import Upsert
from calsync.store.rows import Shape
from calsync.store.schema_lifecycle import credit_changes as credits_table
from calsync.store.schema_lifecycle import packages as packages_table


@dataclass(frozen=True, slots=True)
class Package:
    """`sessions` that a client has bought."""

    id: str
    client: str
    sessions: int
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Credit:
    """One change of a package's credits by one session: -1 used, 1 given back."""

    id: str
    package: str
    appointment: str
    change: int
    at: datetime
    by: str


def put(conn: Connection, package: Package) -> bool:
    """Put a package on the books; False if its id is known."""
    return _PUT.run(conn, _SHAPE.values(package)) == 1


def lock(conn: Connection, package: str) -> Package | None:
    """The package, or None. Its row is the transaction's until it ends, so that no credit is used twice."""
    return _SHAPE.first(conn, _LOCK, {"the_id": package})


def rows(conn: Connection, client: str | None = None) -> list[Package]:
    """All packages, or one client's, by id."""
    query = select(*_SHAPE.columns).order_by(packages_table.c.id)
    return _SHAPE.all(conn, query if client is None else query.where(packages_table.c.client == client))


def credits_left(conn: Connection, package: Package) -> int:
    """How many of its sessions are neither used nor booked."""
    return package.sessions + int(conn.execute(_CHANGED, {"the_id": package.id}).scalar_one() or 0)


def record(conn: Connection, credit: Credit) -> bool:
    """Record a use or a return; False, and no effect, if it stands recorded."""
    return _PUT_CREDIT.run(conn, _CREDIT.values(credit)) == 1


def history(conn: Connection, package: str) -> list[Credit]:
    """All uses and returns of a package, the first one first."""
    return _CREDIT.all(conn, _HISTORY, {"the_id": package})


def used_by(conn: Connection, appointment: str) -> Credit | None:
    """The credit that a session used, whether or not it was given back since; None if it is of no package."""
    return _CREDIT.first(conn, _USED_BY, {"the_id": appointment})


_c = credits_table.c
_SHAPE = Shape(packages_table, Package)
_CREDIT = Shape(credits_table, Credit)
_PUT = Upsert(packages_table, [packages_table.c.id])
_LOCK = select(*_SHAPE.columns).where(packages_table.c.id == bindparam("the_id")).with_for_update()
_CHANGED = select(func.sum(_c.change)).where(_c.package == bindparam("the_id"))
_PUT_CREDIT = Upsert(credits_table, [_c.id])
_HISTORY = select(*_CREDIT.columns).where(_c.package == bindparam("the_id")).order_by(_c.at, _c.change, _c.id)
_USED_BY = select(*_CREDIT.columns).where(_c.appointment == bindparam("the_id"), _c.change < 0)
