"""`calsync doctor` on a real server: what holds, what does not, and nothing left behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from calsync.store import calendars, connections, providers
from calsync.store.calendars import CalendarSpec
from calsync.store.connections import ConnectionRow
from calsync.store.database import open_database
from calsync.store.providers import ProviderRow
from tests.servers.caldav_person import CaldavPerson
from tests.servers.process import Server, free_port
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


class TestTheHouse:
    """What is found out about the installation itself."""

    @pytest.fixture
    def house(self, tmp_path: Path) -> Site:
        return Site(tmp_path)

    def findings(self, house: Site) -> dict[str, Any]:
        return {one["what"]: one for one in house.calsync("doctor", "--json").json["house"]}

    def test_all_is_well(self, house: Site, server: Server) -> None:
        house.add_provider("ash", server.url, "user3")
        house.set_up()
        answer = house.calsync("doctor")
        assert answer.code == 0, answer
        assert f"agree with the clock of 127.0.0.1:{server.port}" in answer.out

    def test_each_fault_is_named_with_its_remedy(self, house: Site, server: Server) -> None:
        house.add_provider("ash", server.url, "user3")
        house.set_up(
            more=f'[web]\npublic_url = "http://127.0.0.1:{server.port}"\n'
            f'[mail]\nsender = "c@example.org"\nsmtp_url = "smtp://127.0.0.1:{free_port()}"\n'
        )
        (house.folder / "calsync.db").chmod(0o644)
        house.now = datetime(2031, 1, 1, tzinfo=UTC)
        found = self.findings(house)
        bad = {what for what, one in found.items() if not one["ok"]}
        assert bad == {
            f"agree with the clock of 127.0.0.1:{server.port}",
            "know the time zones' rules",
            "keep the database to itself",
            f"be reached at http://127.0.0.1:{server.port}",
            "talk to the mail server",
        }
        assert all(found[what]["remedy"] for what in bad)
        assert "chmod 600" in found["keep the database to itself"]["remedy"]

    def test_a_mail_server_is_knocked_at_and_gets_no_mail(self, house: Site) -> None:
        taken: list[object] = []

        class Handler:
            async def handle_DATA(self, *told: object) -> str:  # noqa: N802 - aiosmtpd's own name
                taken.append(told)
                return "250 OK"

        controller = Controller(Handler(), hostname="127.0.0.1", port=free_port())
        controller.start()
        try:
            address = f"smtp://127.0.0.1:{controller.port}"
            house.set_up(more=f'[mail]\nsender = "c@example.org"\nsmtp_url = "{address}"\n')
            assert self.findings(house)["talk to the mail server"]["ok"]
        finally:
            controller.stop()
        assert taken == []

    def test_logins_that_end_after_seven_days_are_those_of_an_app_in_testing(self, house: Site) -> None:
        house.set_up()
        database = open_database(f"sqlite:///{house.folder / 'calsync.db'}")
        then = datetime.now(UTC) - timedelta(days=8)
        with database.transaction() as conn:
            connections.put(conn, ConnectionRow("c-1", "ash", "google", "database", {}, then))
            providers.put(conn, ProviderRow("ash", "Dr. Ash", "ash@example.org", ZONE))
            spec = CalendarSpec("ash-cal", "ash", "c-1", "google", "mirror", "dedicated", "database")
            calendars.register(conn, spec, then)
            calendars.set_state(conn, "ash-cal", "needs-reconnect", "auth-revoked", then + timedelta(days=7))
        database.dispose()
        found = self.findings(house)["keep Google's logins longer than a week"]
        assert not found["ok"]
        assert "Publish" in found["remedy"]
