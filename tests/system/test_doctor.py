"""`calsync doctor` on a real server: what holds, what does not, and nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.caldav_person import CaldavPerson
from tests.servers.process import Server
from tests.system.site import ZONE, Site

STEPS = [
    "reach the calendar",
    "follow changes",
    "create an event",
    "read it back",
    "refuse a stale write",
    "remove it",
]


@pytest.fixture
def site(tmp_path: Path, server: Server) -> Site:
    made = Site(tmp_path)
    made.add_provider("ash", server.url, "user3")
    made.add_provider("birch", server.url, "user4", password="wrong")
    made.set_up()
    return made


def test_each_calendar_is_tried_and_left_as_it_was(site: Site, server: Server) -> None:
    answer = site.calsync("doctor", "--json")
    ash, birch = answer.json["calendars"]
    assert answer.code == 1
    assert [finding["what"] for finding in ash["findings"]] == STEPS
    assert ash["ok"]
    assert not birch["ok"]
    [failed] = birch["findings"]
    assert failed["detail"].startswith("AuthRevoked")
    person = CaldavPerson(server.account(3), _url_of(server), ZONE)
    assert person.count() == 0
    person.close()


def test_one_calendar_is_asked_for_by_name(site: Site) -> None:
    answer = site.calsync("doctor", "--connection", "ash-cal")
    assert answer.code == 0
    assert "ash-cal  ash  caldav  fine" in answer.out
    assert "birch" not in answer.out
    assert site.calsync("doctor", "--connection", "oak-cal").code == 1


def _url_of(server: Server) -> str:
    account = server.account(3)
    person = CaldavPerson(account, account.home, ZONE)
    [calendar] = person.client.principal().get_calendars()
    person.close()
    return str(calendar.url)
