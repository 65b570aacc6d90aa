"""Events for other programs: put here in the transaction of what they tell, and kept until each receiver has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, exists, select, update

from calsync.store.dialect import Upsert
from calsync.store.rows import Shape, chunks
from calsync.store.schema_billing import claim_verdicts, webhook_deliveries, webhook_events


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event. `subject` (`appointment:ID`, `calendar:ID`, …) is what events are told in order of."""

    seq: int
    id: str
    type: str
    subject: str
    payload: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """How far one event is with one receiver. `state`: due, delivered or failed (given up)."""

    endpoint: str
    event: int
    subject: str
    state: str
    due_at: datetime
    attempts: int
    last_at: datetime | None
    last_error: str | None


def emit(conn: Connection, effect: str, event_type: str, subject: str, payload: dict[str, Any], at: datetime) -> None:
    """Keep an event. `effect` names what happened: the same effect is one event, however often it is told."""
    name = "evt_" + sha256(effect.encode()).hexdigest()[:40]
    _EMIT.run(conn, {"id": name, "type": event_type, "subject": subject, "payload": payload, "at": at})


def fan_out(conn: Connection, receivers: Callable[[str], Iterable[str]], now: datetime, limit: int = 500) -> int:
    """Make deliveries of new events, for the receivers of each type; how many events there were."""
    events = _EVENT.all(conn, _NEW, {"room": limit})
    deliveries = [
        {"endpoint": name, "event": one.seq, "subject": one.subject, "due_at": now, "attempts": 0}
        for one in events
        for name in receivers(one.type)
    ]
    for part in chunks(deliveries):
        _DELIVER.run(conn, part)
    for group in chunks(one.seq for one in events):
        conn.execute(_FANNED_OUT, {"seqs": group})
    return len(events)


def take(conn: Connection, endpoint: str, now: datetime, lease: timedelta, limit: int) -> list[tuple[EventRow, int]]:
    """Events to post now, each with the attempts made before; nobody else is given them for the length of the lease.

    Of several about one subject only the first is given: the next one waits until that one has arrived, or was given
    up.
    """
    found = conn.execute(_TAKE, {"the_endpoint": endpoint, "now": now, "room": limit}).all()
    for part in chunks(row.event for row in found):
        conn.execute(_LEASE, {"the_endpoint": endpoint, "seqs": part, "until": now + lease})
    attempts = {row.event: int(row.attempts) for row in found}
    events = [one for part in chunks(attempts) for one in _EVENT.all(conn, _BY_SEQ, {"seqs": part})]
    return [(one, attempts[one.seq]) for one in events]


def mark(conn: Connection, endpoint: str, event: int, state: str, **told: Any) -> None:
    """How an attempt ended: `state` with `at`, and `due_at` and `error` where it did not arrive."""
    values = {"last_at": told["at"], "last_error": told.get("error"), "due_at": told.get("due_at", told["at"])}
    conn.execute(_MARK, {"the_endpoint": endpoint, "the_event": event, "to_state": state, **values})


def replay(conn: Connection, endpoint: str, now: datetime, *, event: str | None, since: datetime | None) -> int:
    """Make events due again: one, or all since an instant, or all that were given up; how many."""
    query = update(webhook_deliveries).where(_d.endpoint == endpoint)
    if event is not None:
        query = query.where(_d.event.in_(select(_e.seq).where(_e.id == event)))
    elif since is not None:
        query = query.where(_d.event.in_(select(_e.seq).where(_e.at >= since)))
    else:
        query = query.where(_d.state == "failed")
    return conn.execute(query.values(state="due", due_at=now, attempts=0, last_error=None)).rowcount


def rows(
    conn: Connection, *, endpoint: str | None = None, states: Iterable[str] = (), limit: int = 200
) -> list[tuple[EventRow, DeliveryRow]]:
    """Deliveries, the latest first."""
    wanted = list(states)
    query = (
        select(*_EVENT.columns, *_DELIVERY.columns)
        .join(webhook_deliveries, _d.event == _e.seq)
        .order_by(_e.seq.desc(), _d.endpoint)
        .limit(limit)
    )
    if endpoint is not None:
        query = query.where(_d.endpoint == endpoint)
    if wanted:
        query = query.where(_d.state.in_(wanted))
    width = len(_EVENT.columns)
    return [(_EVENT.of(row[:width]), _DELIVERY.of(row[width:])) for row in conn.execute(query)]


def forget(conn: Connection, before: datetime) -> None:
    """Drop events from before an instant that nobody waits for any more."""
    conn.execute(_FORGET_DELIVERIES, {"before": before})
    conn.execute(_FORGET, {"before": before})


def verdicts(conn: Connection, appointments: Iterable[str]) -> dict[str, tuple[str, str]]:
    """What was last told of claims: verdict and reasons, by appointment."""
    return {
        row.appointment: (row.verdict, row.reasons)
        for part in chunks(appointments)
        for row in conn.execute(_VERDICTS, {"ids": part})
    }


def remember_verdict(conn: Connection, appointment: str, verdict: str, reasons: str) -> None:
    """Remember what is told of a claim."""
    _REMEMBER.run(conn, {"appointment": appointment, "verdict": verdict, "reasons": reasons})


_e = webhook_events.c
_d = webhook_deliveries.c
_earlier = webhook_deliveries.alias("earlier").c
_EVENT = Shape(webhook_events, EventRow)
_DELIVERY = Shape(webhook_deliveries, DeliveryRow)
_SEQS: Any = bindparam("seqs", expanding=True)
_THIS = and_(_d.endpoint == bindparam("the_endpoint"), _d.event == bindparam("the_event"))
_EMIT = Upsert(webhook_events, [_e.id])
_NEW = (
    select(*_EVENT.columns)
    .where(_e.fanned_out == 0)
    .order_by(_e.seq)
    .limit(bindparam("room"))
    .with_for_update(skip_locked=True)
)
_FANNED_OUT = update(webhook_events).where(_e.seq.in_(_SEQS)).values(fanned_out=1)
_DELIVER = Upsert(webhook_deliveries, [_d.endpoint, _d.event])
_TAKE = (
    select(_d.event, _d.attempts)
    .where(
        _d.endpoint == bindparam("the_endpoint"),
        _d.state == "due",
        _d.due_at <= bindparam("now", type_=_d.due_at.type),
        ~exists().where(
            _earlier.endpoint == _d.endpoint,
            _earlier.subject == _d.subject,
            _earlier.event < _d.event,
            _earlier.state == "due",
        ),
    )
    .order_by(_d.event)
    .limit(bindparam("room"))
    .with_for_update(skip_locked=True)
)
_LEASE = (
    update(webhook_deliveries)
    .where(_d.endpoint == bindparam("the_endpoint"), _d.event.in_(_SEQS))
    .values(due_at=bindparam("until"), attempts=_d.attempts + 1)
)
_BY_SEQ = select(*_EVENT.columns).where(_e.seq.in_(_SEQS)).order_by(_e.seq)
_MARK = (
    update(webhook_deliveries)
    .where(_THIS)
    .values(
        state=bindparam("to_state"),
        last_at=bindparam("last_at"),
        last_error=bindparam("last_error"),
        due_at=bindparam("due_at"),
    )
)
_OLD = bindparam("before", type_=_e.at.type)
_FORGET_DELIVERIES = delete(webhook_deliveries).where(
    _d.state != "due", _d.event.in_(select(_e.seq).where(_e.at < _OLD))
)
_FORGET = delete(webhook_events).where(_e.at < _OLD, _e.fanned_out == 1, ~exists().where(_d.event == _e.seq))
_v = claim_verdicts.c
_VERDICTS = select(_v.appointment, _v.verdict, _v.reasons).where(_v.appointment.in_(bindparam("ids", expanding=True)))
_REMEMBER = Upsert(claim_verdicts, [_v.appointment], lambda new: {"verdict": new.verdict, "reasons": new.reasons})
