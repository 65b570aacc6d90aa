"""Sealed texts besides credentials: logins that a provider is just agreeing to, and kept answers that open something.

Each is bound to its row, so that one moved to another row opens nothing there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, Text, bindparam, cast, delete, select, update

from calsync.ports import Ids
from calsync.settings.secrets import KeyRing, WrongKeyError
from calsync.store.database import Database
from calsync.store.schema_connecting import connect_attempts
from calsync.store.schema_slots import api_answers

SEALED_ANSWER: Final = "sealed by calsync"
"""The only key of a kept answer that is sealed; its value is the text."""


def bound_to_attempt(link: str) -> str:
    """What a secret of the attempt behind a link is bound to."""
    return f"connect:{link}"


def bound_to_answer(token: str, key: str) -> str:
    """What a kept answer is bound to: whose request it answered, under which Idempotency-Key."""
    return f"api-answer:{token}:{key}"


@dataclass(frozen=True, slots=True)
class _Found:
    """One sealed text, where it stands, and what it is bound to."""

    table: Table
    row: dict[str, str]
    text: str
    bound_to: str


def reseal(database: Database, keys: KeyRing, ids: Ids) -> int:
    """Seal with the first key whatever another one sealed; how many. What no key opens is of no use and is forgotten.

    Each row has a transaction of its own: broken off at any point, it goes on where it was.
    """
    with database.reading() as conn:
        waiting = [one for one in _all(conn) if one.text.partition(".")[0] != keys.current.id]
    for one in waiting:
        with database.transaction() as conn:
            _reseal(conn, one, keys, ids)
    return len(waiting)


def _all(conn: Connection) -> Iterator[_Found]:
    for link, text in conn.execute(_ATTEMPTS):
        yield _Found(connect_attempts, {"link": link}, text, bound_to_attempt(link))
    for token, key, body in conn.execute(_ANSWERS):
        if SEALED_ANSWER in body:
            place = {"token": token, "key": key}
            yield _Found(api_answers, place, body[SEALED_ANSWER], bound_to_answer(token, key))


def _reseal(conn: Connection, one: _Found, keys: KeyRing, ids: Ids) -> None:
    column = connect_attempts.c.sealed if one.table is connect_attempts else api_answers.c.body
    # Whoever replaced it meanwhile keeps the newer one.
    same = cast(column, Text).contains(one.text, autoescape=True)
    here = [one.table.c[name] == value for name, value in one.row.items()] + [same]
    try:
        plain = keys.decrypt(one.text, bound_to=one.bound_to)
    except WrongKeyError:
        conn.execute(delete(one.table).where(*here))
        return
    fresh = keys.encrypt(plain, bound_to=one.bound_to, ids=ids)
    value: Any = fresh if one.table is connect_attempts else {SEALED_ANSWER: fresh}
    conn.execute(update(one.table).where(*here).values({column: bindparam("fresh", value, type_=column.type)}))


_ATTEMPTS: Final = select(connect_attempts.c.link, connect_attempts.c.sealed).where(
    connect_attempts.c.sealed.is_not(None)
)
_ANSWERS: Final = select(api_answers.c.token, api_answers.c.key, api_answers.c.body).where(
    cast(api_answers.c.body, Text).contains(SEALED_ANSWER, autoescape=True)
)
