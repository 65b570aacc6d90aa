"""Payments, fees and refunds as recorded decisions. calsync moves no money; amounts are texts such as `75.00`.

Fees and refunds have an idempotency key as their id: recording one again changes nothing (I7).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from calsync.store.dialect import Upsert
from calsync.store.rows import Shape, chunks
from calsync.store.schema_lifecycle import fees as fees_table
from calsync.store.schema_lifecycle import payments as payments_table
from calsync.store.schema_lifecycle import refunds as refunds_table

LATE_CANCELLATION = "late-cancellation"
NO_SHOW = "no-show"


@dataclass(frozen=True, slots=True)
class Payment:
    """A session that is paid. `amount` is empty where nobody said how much."""

    appointment: str
    amount: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Fee:
    """What a client owes for a session that was none. `kind`: late-cancellation, no-show. `state`: owed, waived."""

    id: str
    appointment: str
    provider: str
    client: str
    kind: str
    amount: str
    currency: str
    state: str
    at: datetime
    by: str
    note: str | None = None
    changed_at: datetime | None = None
    changed_by: str | None = None
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """Whether the payment of a cancelled session is to be given back: `decision` yes or no."""

    id: str
    appointment: str
    decision: str
    amount: str
    at: datetime
    by: str
    note: str | None = None


def put_payment(conn: Connection, payment: Payment) -> bool:
    """Record that a session is paid; False if it was known."""
    return _PUT_PAYMENT.run(conn, _PAYMENT.values(payment)) == 1


def payment(conn: Connection, appointment: str) -> Payment | None:
    """The session's payment, or None."""
    return _PAYMENT.first(conn, _PAYMENT_OF, {"the_id": appointment})


def put_fee(conn: Connection, fee: Fee) -> bool:
    """Record a fee; False, and no effect, if it stands recorded."""
    return _PUT_FEE.run(conn, _FEE.values(fee)) == 1


def change_fee(conn: Connection, fee: Fee) -> None:
    """Put a fee's new amount and state, with who changed it, when and why."""
    conn.execute(_CHANGE_FEE, {"the_id": fee.id} | {f"to_{name}": getattr(fee, name) for name in _CHANGING})


def fee(conn: Connection, fee_id: str) -> Fee | None:
    """The fee, or None."""
    return _FEE.first(conn, _FEE_BY_ID, {"the_id": fee_id})


def fees(conn: Connection, *, provider: str | None = None, client: str | None = None) -> list[Fee]:
    """All fees, or a provider's or a client's, the latest first."""
    query = select(*_FEE.columns).order_by(_f.at.desc(), _f.id)
    for column, value in ((_f.provider, provider), (_f.client, client)):
        if value is not None:
            query = query.where(column == value)
    return _FEE.all(conn, query)


def fees_of(conn: Connection, appointments: Iterable[str]) -> dict[str, list[Fee]]:
    """The fees of appointments, by appointment; those without any are left out."""
    found: dict[str, list[Fee]] = {}
    for part in chunks(sorted(set(appointments))):
        for one in _FEE.all(conn, _FEES_OF, {"ids": part}):
            found.setdefault(one.appointment, []).append(one)
    return found


def put_refund(conn: Connection, refund: Refund) -> bool:
    """Record whether to refund; False, and no effect, if that stands recorded."""
    return _PUT_REFUND.run(conn, _REFUND.values(refund)) == 1


def refunds(conn: Connection, appointment: str | None = None) -> list[Refund]:
    """All decisions about refunds, or one session's, the latest first."""
    query = select(*_REFUND.columns).order_by(refunds_table.c.at.desc(), refunds_table.c.id)
    if appointment is not None:
        query = query.where(refunds_table.c.appointment == appointment)
    return _REFUND.all(conn, query)


_CHANGING = ("amount", "state", "changed_at", "changed_by", "because")
_f = fees_table.c
_PAYMENT = Shape(payments_table, Payment)
_FEE = Shape(fees_table, Fee)
_REFUND = Shape(refunds_table, Refund)
_PUT_PAYMENT = Upsert(payments_table, [payments_table.c.appointment])
_PAYMENT_OF = select(*_PAYMENT.columns).where(payments_table.c.appointment == bindparam("the_id"))
_PUT_FEE = Upsert(fees_table, [_f.id])
_FEE_BY_ID = select(*_FEE.columns).where(_f.id == bindparam("the_id"))
_FEES_OF = select(*_FEE.columns).where(_f.appointment.in_(bindparam("ids", expanding=True))).order_by(_f.at, _f.id)
_CHANGE_FEE = (
    fees_table.update()
    .where(_f.id == bindparam("the_id"))
    .values({name: bindparam(f"to_{name}", type_=_f[name].type) for name in _CHANGING})
)
_PUT_REFUND = Upsert(refunds_table, [refunds_table.c.id])
