"""Guessing at passwords and tokens: all web processes count together, and a hundred at once are no way round."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from calsync.answers.words import Desk
from calsync.store.database import open_database
from calsync.store.tokens import Role
from calsync.store.upgrade import upgrade
from calsync.support import accounts
from calsync.support.accounts import TooManyTries, add_user, log_in
from calsync.support.tries import WRONG_BY_NAME, WRONG_IN_ALL
from calsync.testing.fake_ports import FakeIds
from calsync.web.access import Door
from calsync.web.app import make_app
from tests.unit.web.conftest import House

WORD = "correct horse battery"


@pytest.fixture
def house(tmp_path: Path) -> House:
    upgrade(f"sqlite:///{tmp_path / 'calsync.db'}")
    return House(open_database(f"sqlite:///{tmp_path / 'calsync.db'}"))


def another_process(house: House) -> TestClient:
    """A client of a web process of its own, on the same books."""
    return TestClient(make_app(house.site), base_url="https://calsync.example.org", raise_server_exceptions=False)


def test_wrong_tokens_are_counted_over_all_processes(house: House) -> None:
    """The first 900 by the door itself, which costs less than as many requests."""
    doors = [Door() for _ in range(4)]
    assert not any(doors[number % 2].note_wrong(house.database, house.clock.now()) for number in range(900))
    wrong = {"Authorization": "Bearer wrong"}
    client = another_process(house)
    codes = [client.get("/api/v1/claims/1", headers=wrong).status_code for _ in range(101)]
    assert codes == [401] * 100 + [429]
    assert all(door.note_wrong(house.database, house.clock.now()) for door in doors[2:])
    # Whoever has a right one is not kept out by those who have not.
    assert client.get("/api/v1/claims/1", headers=house.token("admin")).status_code == 404


def test_a_flood_of_wrong_tokens_writes_next_to_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    written = 0
    real = house.database.transaction

    def counted() -> Any:
        nonlocal written
        written += 1
        return real()

    monkeypatch.setattr(house.database, "transaction", counted)
    door = Door()
    refused = sum(door.note_wrong(house.database, house.clock.now()) for _ in range(50_000))
    assert refused == 49_000
    assert written == 21


def test_a_clock_that_went_back_shuts_nobody_out_for_long(house: House) -> None:
    door = Door()
    while not door.note_wrong(house.database, house.clock.now()):
        pass
    house.clock.advance(-3600)
    assert door.note_wrong(house.database, house.clock.now())  # the books count no time backwards
    house.clock.advance(3600 + 5)
    assert not door.note_wrong(house.database, house.clock.now())


def desk(house: House, seed: int = 0) -> Desk:
    return Desk(house.database, house.settings, house.clock, FakeIds(seed))


def test_wrong_passwords_are_counted_over_all_processes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    add_user(desk(house), "ann", Role.SUPPORT, WORD, by="cli:x")
    looked: list[str] = []
    monkeypatch.setattr(accounts, "is_password", lambda word, _kept: looked.append(word))
    desks = [desk(house, seed) for seed in range(3)]
    for number in range(WRONG_BY_NAME):
        assert log_in(desks[number % 3], "ann", "wrong") is None
    for one in desks:
        with pytest.raises(TooManyTries):
            log_in(one, "ann", WORD)
    assert looked == ["wrong"] * WRONG_BY_NAME


def test_many_at_the_same_moment_are_no_way_round(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr(accounts, "is_password", lambda word, _kept: looked.append(word))

    def one(number: int) -> None:
        with suppress(TooManyTries):
            log_in(desk(house, number), "ann", f"wrong-{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(40)))
    assert len(looked) == WRONG_BY_NAME


def test_names_that_strangers_make_up_fill_no_table(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "is_password", lambda *_: False)
    for number in range(WRONG_IN_ALL * 3):
        with suppress(TooManyTries):
            log_in(desk(house), f"made-up-{number}", "wrong")
    assert "made-up" not in "".join(house.dump())


def test_right_ones_use_up_nothing(house: House) -> None:
    add_user(desk(house), "ann", Role.SUPPORT, WORD, by="cli:x")
    for number in range(WRONG_BY_NAME + 3):
        assert log_in(desk(house, number), "ann", WORD) is not None
