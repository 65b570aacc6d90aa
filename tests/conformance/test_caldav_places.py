"""Finding and making calendars on real servers, from the URLs that people write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from calsync.connector.errors import AuthRevoked, CalendarError
from calsync.errors import UserError
from calsync_caldav.connector import CONNECTOR
from tests.servers.caldav_subject import open_request
from tests.servers.process import Server
from tests.servers.radicale_server import radicale
from tests.servers.xandikos_server import xandikos


@pytest.fixture(scope="module", params=[radicale, xandikos], ids=["radicale", "xandikos"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    make: Callable[[Path], Server] = request.param
    running = make(tmp_path_factory.mktemp("server"))
    running.start()
    yield running
    running.stop()


def test_a_dedicated_calendar_is_made_from_the_root_and_found_from_the_home(server: Server) -> None:
    account = server.account(1)
    made = CONNECTOR.locate(open_request(account, server.url, placement="dedicated"))
    assert made.made
    assert made.remote == f"{account.home}calsync-0123abcd/"
    for url in (server.url, account.home, f"{server.url}user1/"):
        again = CONNECTOR.locate(open_request(account, url, placement="dedicated"))
        assert (again.remote, again.made) == (made.remote, False)
    kept = CONNECTOR.locate(replace(open_request(account, server.url, placement="dedicated"), remote=made.remote))
    assert kept.remote == made.remote
    calendar = CONNECTOR.open(open_request(account, server.url), made)
    assert [finding for finding in calendar.check() if not finding.ok] == []
    calendar.close()


def test_the_url_of_a_calendar_without_its_last_slash_is_used(server: Server) -> None:
    account = server.account(2)
    made = CONNECTOR.locate(open_request(account, server.url, placement="dedicated"))
    place = CONNECTOR.locate(open_request(account, made.remote.rstrip("/")))
    assert (place.remote, place.made) == (made.remote, False)


def test_an_existing_calendar_is_asked_for_by_name(server: Server) -> None:
    account = server.account(2)
    made = CONNECTOR.locate(open_request(account, server.url, placement="dedicated"))
    with pytest.raises(UserError) as caught:
        CONNECTOR.locate(open_request(account, server.url))
    assert made.remote in caught.value.problems[0].remedy


def test_a_wrong_password_is_no_missing_calendar(server: Server) -> None:
    with pytest.raises(AuthRevoked):
        CONNECTOR.locate(open_request(server.account(3), server.url, password="wrong", placement="dedicated"))


def test_another_persons_home_is_refused_without_a_trace(server: Server) -> None:
    request = open_request(server.account(3), server.account(1).home, placement="dedicated")
    with pytest.raises((CalendarError, UserError)):
        CONNECTOR.locate(request)
