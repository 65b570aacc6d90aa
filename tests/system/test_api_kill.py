"""The HTTP face's process is killed under a program's commands; repeated with their keys, each takes effect once."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from calsync.domain.appointment import AppointmentStatus
from calsync.store import audit, outbox, records
from calsync.store.database import open_database
from calsync.store.records import AppointmentFilter
from tests.servers.process import free_port
from tests.system.test_web import House
from tests.waiting import until

COMMANDS = 16
KILLS = 2


@pytest.fixture
def house(tmp_path: Path) -> House:
    site = House(tmp_path)
    site.port = free_port()
    site.calendars.append(
        '[[providers]]\nid = "ada"\nname = "Dr. Ada"\nemail = "ada@example.org"\nzone = "America/New_York"\n'
        f'[web]\nlisten = "127.0.0.1:{site.port}"\npublic_url = "https://calsync.example.org"\n'
    )
    site.set_up()
    return site


def test_commands_survive_kills(house: House) -> None:
    added = house.calsync("tokens", "add", "--role", "platform", "--json")
    assert house.calsync("sync").code == 0  # puts the config's provider on the books
    headers = {"Authorization": f"Bearer {added.json['token']}"}
    first = (datetime.now(UTC) + timedelta(days=2)).replace(hour=15, minute=0, second=0, microsecond=0)
    moments = random.Random(20261124)
    waiting = list(range(COMMANDS))
    answered: dict[int, Any] = {}
    for number in range(KILLS + 1):
        kill_after = moments.randrange(2, 8) if number < KILLS else len(waiting) + 1
        with house.running("serve") as process:
            until(house.ready, 60)
            with httpx.Client(base_url=house.url, headers=headers, timeout=10) as client:
                for place in list(waiting):
                    body = {
                        "id": f"A-{place}",
                        "provider": "ada",
                        "client": "K-1",
                        "start": (first + timedelta(hours=place)).isoformat(),
                        "minutes": 50,
                        "by": "provider:ada",
                    }
                    kill_after -= 1
                    if kill_after == 0:
                        process.kill()
                    try:
                        answer = client.post(
                            "/api/v1/appointments", json=body, headers={"Idempotency-Key": f"k-{place}"}
                        )
                    except httpx.TransportError:
                        break
                    assert answer.status_code == 201, answer.text
                    assert answered.setdefault(place, answer.json()) == answer.json()
                    # Half of the answers are lost on the way to whoever asked: they ask again.
                    if moments.random() < 0.5 or number == KILLS:
                        waiting.remove(place)
    assert waiting == []
    database = open_database(f"sqlite:///{house.folder / 'calsync.db'}")
    with database.reading() as conn:
        standing = list(records.appointments(conn, AppointmentFilter(status=AppointmentStatus.SCHEDULED)))
        booked = [row.subject for row in audit.rows(conn) if row.what == "appointment-booked"]
        owed = [row.key for row in outbox.due(conn, datetime.now(UTC) + timedelta(hours=1), 1000)]
        assert audit.verify(conn).is_whole
    database.dispose()
    assert sorted(one.id for one in standing) == sorted(f"A-{place}" for place in range(COMMANDS))
    assert sorted(booked) == sorted(f"appointment:A-{place}" for place in range(COMMANDS))
    assert len(owed) == len(set(owed))
