"""A burst of hooks is answered from memory: each as the books would have it, and none a statement."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy import event

from calsync.store import watches
from calsync.store.database import Database
from calsync.store.watches import OPEN, WatchRow
from calsync.web.bell import LONGEST
from calsync.web.hook_targets import OpenChannels
from tests.unit.web.conftest import NOW, House
from tests.unit.web.test_hooks import generation


@pytest.fixture
def rung(house: House) -> House:
    """An installation with one open channel that was called on a moment ago."""
    one = House(house.database, targets=OpenChannels(house.database, house.clock), clock=house.clock)  # type: ignore[arg-type]
    with one.database.transaction() as conn:
        until = NOW + timedelta(days=1)
        watches.insert(conn, WatchRow("w-1", "google", "work", "r-1", watches.hash_of(b"right"), OPEN, NOW, until))
    assert call(one) == 204
    return one


def call(house: House, channel: str = "w-1", secret: str = "right", resource: str = "r-1", body: str = "") -> int:
    headers = {"X-Goog-Channel-ID": channel, "X-Goog-Channel-Token": secret, "X-Goog-Resource-ID": resource}
    return int(house.client.post("/hooks/google", headers=headers, content=body).status_code)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Collect what the books are asked meanwhile."""
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def test_what_adds_to_a_burst_and_what_is_forged_asks_the_books_nothing(rung: House) -> None:
    before = generation(rung)
    with statements(rung.database) as asked:
        assert [call(rung) for _ in range(20)] == [204] * 20
        assert [call(rung, secret=secret) for secret in ("wrong", "", "x" * 80)] == [404] * 3
        assert call(rung, resource="another") == 404
    assert asked == []
    assert generation(rung) == before
    assert rung.site.tallies.hooks == {("google", "taken"): 21, ("google", "stray"): 4}


def test_of_many_that_come_at_once_for_a_channel_one_asks_the_books(house: House) -> None:
    one = House(house.database, targets=OpenChannels(house.database, house.clock), clock=house.clock)  # type: ignore[arg-type]
    with one.database.transaction() as conn:
        until = NOW + timedelta(days=1)
        watches.insert(conn, WatchRow("w-1", "google", "work", "r-1", watches.hash_of(b"right"), OPEN, NOW, until))
    before = generation(one)[0]
    # On a thread of its own: on this one the loop of a browser may be running, for other files' tests.
    with statements(one.database) as asked, start_blocking_portal() as portal:
        assert portal.call(_at_once, one, ["right", "wrong"] * 20) == [204, 404] * 20
    assert sum("FROM watches" in statement for statement in asked) == 1, asked
    assert generation(one)[0] == before + 1


async def _at_once(house: House, secrets: list[str]) -> list[int]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(house.app), base_url="http://calsync") as client:
        told = [{"X-Goog-Channel-ID": "w-1", "X-Goog-Channel-Token": one} for one in secrets]
        calls = (client.post("/hooks/google", headers={**one, "X-Goog-Resource-ID": "r-1"}) for one in told)
        return [answer.status_code for answer in await asyncio.gather(*calls)]


def test_the_answers_are_those_of_the_long_way(rung: House) -> None:
    short = [rung.client.post("/hooks/google", headers=given).headers.items() for given in _each_kind()]
    long = [rung.client.post("/hooks/google", headers=given, content="x").headers.items() for given in _each_kind()]
    assert [sorted(one) for one in short] == [sorted(one) for one in long]


def _each_kind() -> Iterator[dict[str, str]]:
    for secret in ("right", "wrong"):
        yield {"X-Goog-Channel-ID": "w-1", "X-Goog-Channel-Token": secret, "X-Goog-Resource-ID": "r-1"}


def test_a_long_burst_is_rung_for_again(rung: House) -> None:
    before = generation(rung)[0]
    rung.clock.advance(LONGEST)
    assert call(rung) == 204
    assert generation(rung)[0] == before + 1


def test_a_closed_channel_is_a_stray_after_a_moment(rung: House) -> None:
    with rung.database.transaction() as conn:
        watches.remove(conn, "w-1")
    answers = []
    for _ in range(5):
        rung.clock.advance(1)
        answers.append(call(rung))
    assert answers == [204, 204, 204, 204, 404]


def test_a_channel_that_ran_out_meanwhile_is_a_stray(house: House) -> None:
    one = House(house.database, targets=OpenChannels(house.database, house.clock), clock=house.clock)  # type: ignore[arg-type]
    with one.database.transaction() as conn:
        until = NOW + timedelta(seconds=2)
        watches.insert(conn, WatchRow("w-1", "google", "work", "r-1", watches.hash_of(b"right"), OPEN, NOW, until))
    assert call(one) == 204
    one.clock.advance(timedelta(seconds=2))
    assert call(one) == 404


def test_what_lives_is_noted_now_and_then_although_it_is_in_memory(rung: House) -> None:
    for seconds in (29.5, 1):
        rung.clock.advance(seconds)
        assert call(rung) == 204
    with rung.database.reading() as conn:
        row = watches.get(conn, "w-1")
    assert row is not None
    assert row.last_push_at == NOW + timedelta(seconds=30.5)
