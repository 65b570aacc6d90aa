"""Programs that repeat, reorder and race, on SQLite and on PostgreSQL: each thing changes once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from calsync.booking.availability import set_availability
from calsync.booking.commands import Command, cancel
from calsync.domain.appointment import AppointmentStatus
from calsync.domain.working_times import Hours, WorkingTimes
from calsync.store import audit, clients, providers, records
from calsync.store.clients import ClientRow
from calsync.store.database import Database
from calsync.store.providers import ProviderRow
from calsync.store.records import AppointmentFilter
from tests.unit.booking.test_at_once import somebody_waits
from tests.unit.web.conftest import ZONE, House
from tests.unit.web.test_api_v1 import BOOKING, Program, said_at, start_of
from tests.waiting import until


@pytest.fixture
def busy_house(db: Database) -> House:
    """An installation on either database, whose provider works in the mornings."""
    house = House(db)
    with db.transaction() as conn:
        providers.put(conn, ProviderRow("P-1", "Dr. Made Up", "p1@example.org", ZONE))
        clients.put(conn, ClientRow("K-1"))
        times = WorkingTimes(weekly=((Hours(540, 1140),),) * 7, every=60)
        set_availability(conn, Command(actor="support:x", now=house.clock.now()), "P-1", times)
    return house


def test_repeats_of_one_command_take_effect_once(busy_house: House) -> None:
    platform = Program(busy_house)
    body = BOOKING | {"by": "client:K-1"}

    def send(_number: int) -> tuple[int, str]:
        answer = platform("POST", "/appointments", body, Idempotency_Key="k-1")
        return answer.status_code, json.dumps(answer.json(), sort_keys=True)

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(send, range(16)))
    assert len(answers) == 1
    assert answers.pop()[0] == 201
    with busy_house.database.reading() as conn:
        assert len([row for row in audit.rows(conn) if row.what == "appointment-booked"]) == 1


def test_of_many_clients_one_gets_the_slot(busy_house: House) -> None:
    platform = Program(busy_house)

    def send(number: int) -> str:
        wish = {"id": f"A-{number}", "client": f"K-{number}", "by": f"client:K-{number}"}
        answer = platform("POST", "/appointments", BOOKING | wish, Idempotency_Key=f"k-{number}")
        return "booked" if answer.status_code == 201 else str(answer.json()["error"]["code"])

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(send, range(8)))
    assert answers == ["booked"] + ["slot-taken"] * 7
    with busy_house.database.reading() as conn:
        assert len(list(records.appointments(conn, AppointmentFilter(status=AppointmentStatus.SCHEDULED)))) == 1


def test_what_is_said_in_disorder_ends_with_the_newest(busy_house: House) -> None:
    platform = Program(busy_house)

    def say(hour: int) -> int:
        return platform("PUT", "/appointments/4821", said_at(hour)).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(say, [14, 11, 18, 12, 16, 13, 18, 10])) <= {200, 409}
    assert start_of(busy_house, "4821") == "2026-11-24T18:00"


def test_a_command_that_another_one_overtakes_is_judged_by_what_that_one_left(busy_house: House, backend: str) -> None:
    platform = Program(busy_house)
    platform.done("POST", "/appointments", BOOKING | {"id": "4821", "by": "client:K-1"})
    move = {"start": "2026-11-24T15:00", "reason": "work", "by": "provider:P-1"}
    with ThreadPoolExecutor(1) as pool:
        with busy_house.database.transaction() as conn:
            cancel(conn, Command(actor="provider:P-1", now=busy_house.clock.now(), reason="ill"), "4821")
            moving = pool.submit(platform, "POST", "/appointments/4821/reschedule", move)
            until(lambda: somebody_waits(busy_house.database, backend))
        answer = moving.result(timeout=30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "already-cancelled")
