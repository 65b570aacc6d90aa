"""From a URL to a calendar: the chain, its redirects, and what is said where no calendar can be made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calsync.connector.errors import Forbidden, Malformed, NotFound
from calsync.connector.protocol import CalendarPlace, OpenRequest
from calsync.errors import UserError
from calsync_caldav.connector import CONNECTOR
from calsync_caldav.settings import CalendarSettings, ConnectorSettings
from tests.unit.connectors.caldav.scripted_server import Reply, Request, ScriptedServer

NS = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
CALENDAR = "<resourcetype><collection/><C:calendar/></resourcetype>"
FOLDER = "<resourcetype><collection/></resourcetype>"
TASKS = '<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>'


def row(href: str, props: str) -> str:
    propstat = f"<propstat><prop>{props}</prop><status>HTTP/1.1 200 OK</status></propstat>"
    return f"<response><href>{href}</href>{propstat}</response>"


def found(*rows: str) -> Reply:
    return Reply(207, f"<multistatus {NS}>{''.join(rows)}</multistatus>".encode())


class Account:
    """An account whose root leads to a principal, the principal to a home, and the home to a few calendars."""

    def __init__(self) -> None:
        self.server = ScriptedServer(self.answer)
        self.made: set[str] = set()
        self.refuses: Reply | None = None
        self.redirects: dict[str, str] = {}
        self.principal = "<current-user-principal><href>/p/</href></current-user-principal>"
        self.home = "<C:calendar-home-set><href>/calendars-of-user1/</href></C:calendar-home-set>"

    def answer(self, request: Request) -> Reply:
        path = request.path
        if path in self.redirects:
            return Reply(301, headers={"Location": self.redirects[path]})
        if request.method == "MKCALENDAR":
            if self.refuses is not None:
                return self.refuses
            self.made.add(path)
            return Reply(201)
        if path == "/calendars-of-user1/" and request.headers["depth"] == "1":
            return found(
                row("/calendars-of-user1/", FOLDER),
                row("/calendars-of-user1/work/", f"{CALENDAR}<displayname>Work &amp; more</displayname>"),
                row("/calendars-of-user1/tasks/", CALENDAR + TASKS),
                row("/calendars-of-user1/inbox/", "<resourcetype><collection/><C:schedule-inbox/></resourcetype>"),
                row("http://127.0.0.1:1/elsewhere/", CALENDAR),
            )
        known = {
            "/": FOLDER + self.principal,
            "/p/": self.home,
            "/calendars-of-user1/": FOLDER,
            "/calendars-of-user1/work/": CALENDAR,
        }
        known |= dict.fromkeys(self.made, CALENDAR)
        return found(row(path, known[path])) if path in known else Reply(404)

    def locate(self, path: str = "/", placement: str = "dedicated", remote: str | None = None) -> CalendarPlace:
        url = f"http://127.0.0.1:{self.server.port}"
        keys = CalendarSettings(url=url + path, username="user1")
        request = OpenRequest(
            *("cal-1", ConnectorSettings(), keys, placement, "Etc/UTC", lambda: "user1"),
            remote=None if remote is None else url + remote,
            dedicated_id="0123",
        )
        place = CONNECTOR.locate(request)
        return CalendarPlace(place.remote.removeprefix(url), place.made)


@pytest.fixture
def account() -> Iterator[Account]:
    made = Account()
    yield made
    made.server.close()


@pytest.mark.parametrize("path", ["/", "/p/", "/calendars-of-user1/"])
def test_a_dedicated_calendar_is_made_once_and_found_again(account: Account, path: str) -> None:
    assert account.locate(path) == CalendarPlace("/calendars-of-user1/calsync-0123/", made=True)
    assert account.locate(path) == CalendarPlace("/calendars-of-user1/calsync-0123/", made=False)
    assert account.server.methods().count("MKCALENDAR") == 1


def test_a_calendar_made_by_a_try_whose_answer_was_lost_is_taken(account: Account) -> None:
    account.made.add("/calendars-of-user1/calsync-0123/")
    account.refuses = Reply(405)
    assert account.locate() == CalendarPlace("/calendars-of-user1/calsync-0123/", made=False)


@pytest.mark.parametrize("placement", ["dedicated", "existing"])
def test_the_url_of_a_calendar_is_used_as_it_is(account: Account, placement: str) -> None:
    assert account.locate("/calendars-of-user1/work", placement) == CalendarPlace("/calendars-of-user1/work/")


def test_a_misspelt_path_is_not_looked_for_elsewhere(account: Account) -> None:
    with pytest.raises(NotFound):
        account.locate("/calendars-of-user1/wrok/")
    assert "MKCALENDAR" not in account.server.methods()


def test_a_servers_name_is_enough(account: Account) -> None:
    account.redirects = {"/.well-known/caldav": "/p/"}
    account.principal = ""
    assert account.locate("") == CalendarPlace("/calendars-of-user1/calsync-0123/", made=True)


def test_existing_with_a_root_names_the_calendars(account: Account) -> None:
    with pytest.raises(UserError) as caught:
        account.locate("/", "existing")
    [problem] = caught.value.problems
    assert problem.where == "calendar cal-1, key url"
    assert "/calendars-of-user1/work/ (Work & more)" in problem.remedy
    assert "tasks" not in problem.remedy
    assert "elsewhere" not in problem.remedy


@pytest.mark.parametrize("status", [403, 405, 501])
def test_a_server_that_makes_no_calendars_is_said_to(account: Account, status: int) -> None:
    account.refuses = Reply(status)
    with pytest.raises(UserError, match="does not let calsync make a calendar") as caught:
        account.locate()
    assert "/calendars-of-user1/work/" in caught.value.problems[0].remedy


def test_a_redirect_on_the_same_host_is_followed(account: Account) -> None:
    account.redirects["/dav"] = "/"
    assert account.locate("/dav").remote == "/calendars-of-user1/calsync-0123/"


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/", "http://localhost/", "ftp://127.0.0.1/", "/dav", "http://u:p@127.0.0.1/"]
)
def test_other_redirects_are_refused(account: Account, target: str) -> None:
    account.redirects["/dav"] = target
    with pytest.raises(Malformed):
        account.locate("/dav")


def test_a_redirect_to_another_name_of_the_host_is_refused(account: Account) -> None:
    account.redirects["/dav"] = f"http://localhost:{account.server.port}/"
    with pytest.raises(Malformed):
        account.locate("/dav")
    assert len(account.server.requests) == 2


def test_redirects_in_a_ring_end(account: Account) -> None:
    account.redirects |= {"/a": "/b", "/b": "/a"}
    with pytest.raises(Malformed):
        account.locate("/a")
    assert len(account.server.requests) < 10


def test_a_login_that_was_not_taken_is_not_an_empty_account(account: Account) -> None:
    account.principal = "<current-user-principal><unauthenticated/></current-user-principal>"
    with pytest.raises(UserError, match="no calendar home"):
        account.locate()


def test_a_home_on_a_private_host_is_refused(account: Account) -> None:
    account.home = "<C:calendar-home-set><href>http://127.0.0.1:1/calendars-of-user1/</href></C:calendar-home-set>"
    with pytest.raises(Forbidden):
        account.locate()


def test_a_calendar_that_was_deleted_is_not_made_again_by_itself(account: Account) -> None:
    with pytest.raises(NotFound):
        account.locate(remote="/calendars-of-user1/calsync-0123/")
    assert "MKCALENDAR" not in account.server.methods()
    assert account.locate(remote="/calendars-of-user1/work/") == CalendarPlace("/calendars-of-user1/work/")
