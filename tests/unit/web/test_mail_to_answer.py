"""From a drag to the answer: the worker finds it, the mail asks, the page is posted, calendar and books agree."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from calsync.domain.drift import Resolution
from calsync.notices.answer_links import AnswerLinks
from calsync.settings.secrets import Key, KeyRing
from calsync.store import asks, holds
from calsync.web.app import make_app
from calsync.web.site import Site
from tests.unit.notices.office import Office
from tests.unit.notices.test_send import dragged


@pytest.fixture
def office() -> Office:
    return Office()


def client_of(office: Office) -> TestClient:
    """A browser."""
    world = office.world
    ring = KeyRing((Key("k1", b"1" * 32),))
    site = Site(world.database, office.settings, world.clock, world.ids, lambda: ring)
    return TestClient(make_app(site))


def last_path(office: Office) -> str:
    """The address in the last mail."""
    found = re.search(r"https://calsync\.example\.org(/a/[\w-]+)", office.texts[-1])
    assert found
    return found[1]


def open_last(office: Office) -> Response:
    """Look at that page."""
    answer: Response = client_of(office).get(last_path(office) + "?do=keep")
    return answer


def press_as_booked(office: Office) -> int:
    """Open it and choose a reason."""
    field = re.search(r'name="field" value="([^"]+)"', open_last(office).text)
    assert field
    given = {"field": field[1], "do": "keep", "reason": "slip"}
    return int(client_of(office).post(last_path(office), data=given).status_code)


def test_another_mail_about_an_answered_edit_has_nothing_to_ask(office: Office) -> None:
    dragged(office, "4821")
    office.drained(minutes=12)
    edit = office.world.drifts()[0].edit
    with office.world.database.transaction() as conn:
        links = AnswerLinks("https://calsync.example.org", office.world.ids)
        second = links.for_edit(conn, edit, "provider:P-1", office.world.clock.now())
    assert second is not None
    assert press_as_booked(office) == 200
    assert client_of(office).get(second.removeprefix("https://calsync.example.org")).status_code == 410


@pytest.mark.parametrize("put_back_first", [True, False])
def test_as_booked_ends_with_the_booked_time_in_the_calendar(office: Office, put_back_first: bool) -> None:
    world = office.world
    dragged(office, "4821")
    if put_back_first:
        world.later(minutes=2)
        world.run()
    assert office.drained(minutes=12) == 1
    assert ("shows that again." in office.texts[0]) == put_back_first
    assert press_as_booked(office) == 200
    assert open_last(office).status_code == 410
    world.later(minutes=5)
    world.run()
    assert min(span.start.hour for span in world.shown().values()) == 10
    (drift,) = world.drifts()
    assert drift.resolution in (Resolution.ACKNOWLEDGED, Resolution.REVERTED)
    with world.database.reading() as conn:
        assert holds.standing(conn) == []
        assert asks.of_appointments(conn, ["4821"])["4821"][0].answered_at is not None
    world.later(hours=1)
    assert world.run().written == 0
    assert office.drained(hours=3) == 0
