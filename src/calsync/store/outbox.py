"""Mails and webhooks that are owed: put here in the transaction of what they tell, sent later (I7).

`sending` is committed before the dialogue begins; what is found `sending` after a crash is repeated once, under the
same Message-ID. Payloads hold ids only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy import Connection, bindparam, func, select

from calsync.store.dialect import Upsert
from calsync.store.rows import Shape, chunks
from calsync.store.schema_effects import outbox


class Timing(TypedDict):
    """When it came up, and when it may go out."""

    now: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One message. `key` names the effect; `recipient` is provider:ID, client:ID, support or billing.

    `state`: due, sending, sent, merged (another message says it, or there is nothing to say any more) or failed.
    `repeats`: how often it was begun again although its first dialogue may have ended well.
    """

    key: str
    kind: str
    recipient: str
    payload: dict[str, Any]
    created_at: datetime
    due_at: datetime
    state: str
    attempts: int
    repeats: int
    message_id: str | None
    sent_at: datetime | None
    last_error: str | None


def put(
    conn: Connection, key: str, kind: str, recipient: str, payload: dict[str, Any], **timing: Unpack[Timing]
) -> bool:
    """Owe a message; no effect, and False, if the key was ever used."""
    item = {"key": key, "kind": kind, "recipient": recipient, "payload": payload}
    return _PUT.run(conn, {**item, "created_at": timing["now"], "due_at": timing["due_at"]}) == 1


def get(conn: Connection, key: str) -> OutboxItem | None:
    """The message, or None."""
    return _SHAPE.first(conn, _GET, {"the_key": key})


def due(conn: Connection, now: datetime, limit: int) -> list[OutboxItem]:
    """Messages to send now, the longest due first; their rows are this transaction's until it ends."""
    return _SHAPE.all(conn, DUE, {"now": now, "room": limit})


def stuck(conn: Connection, before: datetime) -> list[OutboxItem]:
    """Messages that have been `sending` since before this instant: a process died in the middle."""
    return _SHAPE.all(conn, _STUCK, {"before": before})


def recipients(conn: Connection, kinds: Collection[str], now: datetime) -> list[str]:
    """Whom messages of these kinds are due for, whoever has waited longest first."""
    return list(conn.execute(_RECIPIENTS, {"kinds": list(kinds), "now": now}).scalars())


def waiting(conn: Connection, recipient: str, kinds: Collection[str]) -> list[OutboxItem]:
    """All messages of these kinds that a recipient has not got yet, due or not, by when they came up.

    Their rows are this transaction's until it ends.
    """
    return _SHAPE.all(conn, _WAITING, {"the_recipient": recipient, "kinds": list(kinds)})


def begun_for(conn: Connection, recipient: str, since: datetime) -> list[datetime]:
    """When dialogues about messages to a recipient began, at or after `since`, the first one first."""
    return list(conn.execute(_BEGUN_FOR, {"the_recipient": recipient, "since": since}).scalars())


def count_begun(conn: Connection, since: datetime) -> int:
    """How many messages went out, or are going out, that were begun at or after `since`."""
    return int(conn.execute(_COUNT_BEGUN, {"since": since}).scalar_one())


def of_recipient(conn: Connection, recipient: str, since: datetime) -> list[OutboxItem]:
    """What came up for a recipient at or after `since`, whatever its state (R-18's bounds)."""
    return _SHAPE.all(conn, _OF_RECIPIENT, {"the_recipient": recipient, "since": since})


def mark_sending(conn: Connection, key: str, message_id: str, at: datetime) -> None:
    """The dialogue is about to begin; commit this before it does. `due_at` becomes when it began."""
    conn.execute(_SENDING, {"the_key": key, "to_message_id": message_id, "at": at})


def mark_repeating(conn: Connection, key: str, at: datetime) -> None:
    """A dialogue of unknown end is begun once more under the same Message-ID; commit this before it is."""
    conn.execute(_REPEATING, {"the_key": key, "at": at})


def set_payload(conn: Connection, key: str, payload: dict[str, Any]) -> None:
    """Remember which other messages this one speaks for, so that a repeat says the same."""
    conn.execute(_SET_PAYLOAD, {"the_key": key, "to_payload": payload})


def hold(conn: Connection, keys: Iterable[str], until: datetime) -> None:
    """Keep messages back for a while."""
    for part in chunks(keys):
        conn.execute(_HOLD, {"keys": part, "at": until})


def mark_sent(conn: Connection, key: str, at: datetime) -> bool:
    """The server took it; False if it was not `sending` any more."""
    return conn.execute(_SENT, {"the_key": key, "at": at}).rowcount == 1


def mark_failed(conn: Connection, key: str, error: str, retry_at: datetime | None) -> None:
    """The server did not take it; due again at `retry_at`, or given up for good if that is None."""
    if retry_at is None:
        conn.execute(_GIVE_UP, {"the_key": key, "to_error": error})
    else:
        conn.execute(_RETRY, {"the_key": key, "to_error": error, "at": retry_at})


def merge(conn: Connection, keys: Iterable[str], at: datetime) -> None:
    """Another message says what these would have said."""
    for part in chunks(keys):
        conn.execute(_MERGE, {"keys": part, "at": at})


def withdraw(conn: Connection, key: str, at: datetime) -> bool:
    """There is nothing to tell any more; False if it has gone out, or was never owed."""
    return conn.execute(_WITHDRAW, {"the_key": key, "at": at}).rowcount == 1


_c = outbox.c
_SHAPE = Shape(outbox, OutboxItem)
_KEYS: Any = bindparam("keys", expanding=True)
_THIS = _c.key == bindparam("the_key")
_PUT = Upsert(outbox, [_c.key])
_GET = select(*_SHAPE.columns).where(_THIS)
DUE = (
    select(*_SHAPE.columns)
    .where(_c.state == "due", _c.due_at <= bindparam("now"))
    .order_by(_c.due_at, _c.key)
    .limit(bindparam("room"))
    .with_for_update(skip_locked=True)
)
_STUCK = (
    select(*_SHAPE.columns).where(_c.state == "sending", _c.due_at < bindparam("before")).order_by(_c.due_at, _c.key)
)
_KINDS: Any = bindparam("kinds", expanding=True)
_RECIPIENTS = (
    select(_c.recipient)
    .where(_c.state == "due", _c.due_at <= bindparam("now"), _c.kind.in_(_KINDS))
    .group_by(_c.recipient)
    .order_by(func.min(_c.due_at), _c.recipient)
)
_WAITING = (
    select(*_SHAPE.columns)
    .where(_c.recipient == bindparam("the_recipient"), _c.state == "due", _c.kind.in_(_KINDS))
    .order_by(_c.created_at, _c.key)
    .with_for_update()
)
# `due_at` of what is going or gone out is when it was begun.
_BEGUN = (_c.state.in_(("sending", "sent")), _c.due_at >= bindparam("since"))
_BEGUN_FOR = select(_c.due_at).where(*_BEGUN, _c.recipient == bindparam("the_recipient")).order_by(_c.due_at)
_COUNT_BEGUN = select(func.count()).select_from(outbox).where(*_BEGUN)
_OF_RECIPIENT = (
    select(*_SHAPE.columns)
    .where(_c.recipient == bindparam("the_recipient"), _c.created_at >= bindparam("since"))
    .order_by(_c.created_at, _c.key)
)
_SENDING = (
    outbox.update()
    .where(_THIS)
    .values(state="sending", attempts=_c.attempts + 1, message_id=bindparam("to_message_id"), due_at=bindparam("at"))
)
_REPEATING = (
    outbox.update().where(_THIS).values(attempts=_c.attempts + 1, repeats=_c.repeats + 1, due_at=bindparam("at"))
)
_SET_PAYLOAD = outbox.update().where(_THIS).values(payload=bindparam("to_payload"))
_HOLD = outbox.update().where(_c.key.in_(_KEYS), _c.state == "due").values(due_at=bindparam("at"))
_SENT = (
    outbox.update().where(_THIS, _c.state == "sending").values(state="sent", sent_at=bindparam("at"), last_error=None)
)
_RETRY = outbox.update().where(_THIS).values(state="due", due_at=bindparam("at"), last_error=bindparam("to_error"))
_GIVE_UP = outbox.update().where(_THIS).values(state="failed", last_error=bindparam("to_error"))
_MERGED = {"state": "merged", "sent_at": bindparam("at", type_=_c.sent_at.type)}
_MERGE = outbox.update().where(_c.key.in_(_KEYS), _c.state == "due").values(**_MERGED)
_WITHDRAW = outbox.update().where(_THIS, _c.state == "due").values(**_MERGED)
