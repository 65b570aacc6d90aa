"""What practices want to know of every cancellation, move and request, and which bookings wait for a confirmation.

From both, how often a provider has upset plans over a rolling period (HT-7, HT-9).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select

from calsync.store.dialect import Upsert
from calsync.store.rows import Shape, chunks
from calsync.store.schema_lifecycle import confirmations, plan_changes


@dataclass(frozen=True, slots=True)
class PlanChange:
    """One session that a command changed. `act`: cancel, reschedule, ask-to-reschedule. `id`: session and version.

    `caused_by`: client, provider or practice. `answers`: what the reason's questions were answered with.
    """

    id: str
    appointment: str
    provider: str
    act: str
    at: datetime
    by: str
    reason: str | None
    caused_by: str
    late: bool = False
    client_aware: bool = False
    suggest_others: bool = False
    answers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A booking that its provider should confirm until `due_at`."""

    appointment: str
    provider: str
    due_at: datetime
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None
    ended_at: datetime | None = None


def record(conn: Connection, changes: Iterable[PlanChange]) -> None:
    """Put changes on the books; known ones stay."""
    for part in chunks(changes):
        _PUT.run(conn, [_SHAPE.values(one) for one in part])


def of_appointment(conn: Connection, appointment: str) -> list[PlanChange]:
    """All changes of a session, the first one first."""
    return _SHAPE.all(conn, _OF, {"the_id": appointment})


def suggestions_wanted(conn: Connection, since: datetime) -> list[PlanChange]:
    """Cancellations since an instant that asked to suggest others to the client (HT-2), the latest first."""
    return _SHAPE.all(conn, _SUGGEST, {"since": since})


def caused_by_providers(conn: Connection, acts: Collection[str], since: datetime, until: datetime) -> dict[str, int]:
    """How many changes of these acts providers caused after `since` and up to `until`, by provider."""
    told = {"acts": list(acts), "since": since, "until": until}
    return {row.provider: row.number for row in conn.execute(_COUNT, told)}


def expect_confirmation(conn: Connection, wanted: Iterable[Confirmation]) -> None:
    """Remember bookings that wait for their provider's confirmation."""
    for part in chunks(wanted):
        _PUT_CONFIRMATION.run(conn, [_CONFIRMATION.values(one) for one in part])


def confirmation(conn: Connection, appointment: str) -> Confirmation | None:
    """Whether and until when a booking is to be confirmed; None if it never was to be."""
    return _CONFIRMATION.first(conn, _CONFIRMATION_OF, {"the_id": appointment})


def confirm(conn: Connection, appointment: str, at: datetime, by: str) -> bool:
    """The provider confirmed it; False if there was nothing left to confirm."""
    return conn.execute(_CONFIRM, {"the_id": appointment, "at": at, "by": by}).rowcount == 1


def end_confirmations(conn: Connection, appointments: Iterable[str], at: datetime) -> None:
    """These bookings need no confirmation any more."""
    for part in chunks(sorted(set(appointments))):
        conn.execute(_END, {"ids": part, "at": at})


def unconfirmed(conn: Connection, now: datetime) -> list[Confirmation]:
    """Bookings that still wait for a confirmation and whose limit has passed, the longest overdue first."""
    return _CONFIRMATION.all(conn, _UNCONFIRMED, {"now": now})


def left_unconfirmed(conn: Connection, since: datetime, until: datetime) -> dict[str, int]:
    """How many bookings passed their limit unconfirmed between the two instants, by provider."""
    return {row.provider: row.number for row in conn.execute(_COUNT_LEFT, {"since": since, "until": until})}


_c, _k = plan_changes.c, confirmations.c
_SHAPE = Shape(plan_changes, PlanChange)
_CONFIRMATION = Shape(confirmations, Confirmation)
_SINCE = bindparam("since", type_=_c.at.type)
_UNTIL = bindparam("until", type_=_c.at.type)
_IDS: Any = bindparam("ids", expanding=True)
_PUT = Upsert(plan_changes, [_c.id])
_OF = select(*_SHAPE.columns).where(_c.appointment == bindparam("the_id")).order_by(_c.at, _c.id)
_SUGGEST = select(*_SHAPE.columns).where(_c.suggest_others.is_(True), _c.at >= _SINCE).order_by(_c.at.desc(), _c.id)
_COUNT = (
    select(_c.provider, func.count().label("number"))
    .where(
        _c.caused_by == "provider",
        _c.act.in_(bindparam("acts", expanding=True)),
        _c.at > _SINCE,
        _c.at <= _UNTIL,
    )
    .group_by(_c.provider)
)
_PUT_CONFIRMATION = Upsert(confirmations, [_k.appointment])
_CONFIRMATION_OF = select(*_CONFIRMATION.columns).where(_k.appointment == bindparam("the_id"))
_WAITING = (_k.confirmed_at.is_(None), _k.ended_at.is_(None))
_CONFIRM = (
    confirmations.update()
    .where(_k.appointment == bindparam("the_id"), *_WAITING)
    .values(confirmed_at=bindparam("at", type_=_k.confirmed_at.type), confirmed_by=bindparam("by"))
)
_END = (
    confirmations.update()
    .where(_k.appointment.in_(_IDS), *_WAITING)
    .values(ended_at=bindparam("at", type_=_k.ended_at.type))
)
_UNCONFIRMED = (
    select(*_CONFIRMATION.columns)
    .where(*_WAITING, _k.due_at < bindparam("now", type_=_k.due_at.type))
    .order_by(_k.due_at, _k.appointment)
)
_COUNT_LEFT = (
    select(_k.provider, func.count().label("number"))
    .where(
        _k.due_at > _SINCE,
        _k.due_at < _UNTIL,
        or_(_k.confirmed_at.is_(None), _k.confirmed_at > _k.due_at),
        or_(_k.ended_at.is_(None), _k.ended_at > _k.due_at),
    )
    .group_by(_k.provider)
)
