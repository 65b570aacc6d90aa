"""iCloud, Fastmail and Nextcloud, which no test can start: their ways as the contract sheet records them.

A first user of one of these runs `calsync doctor`, which tries the same on the real thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from calsync.connector.errors import AuthRevoked, CursorExpired, Throttled
from calsync.connector.protocol import NAME_REFUSED, Calendar, Gone, OpenRequest, Outcome, Page, Seen, Write
from calsync.domain.write import WriteKind
from calsync.errors import UserError
from calsync.testing.conformance.bench import KnownVersions
from calsync.testing.conformance.samples import WINDOW, single
from calsync_caldav.connector import CONNECTOR
from calsync_caldav.settings import CalendarSettings, ConnectorSettings
from tests.servers.certificates import make_authority
from tests.unit.connectors.caldav.scripted_server import Reply, Request, ScriptedServer
from tests.unit.connectors.caldav.test_hostile_dav import BODY, NS
from tests.unit.connectors.caldav.test_transport_security import leads_to_loopback

Answer = Callable[[Request], Reply]
HOSTS = ("caldav.icloud.com", "p34-caldav.icloud.com", "caldav.fastmail.com", "cloud.example.org")
FOLDER = "<resourcetype><collection/></resourcetype>"
CALENDAR = "<resourcetype><collection/><C:calendar/></resourcetype>"
SYNCS = (
    "<supported-report-set><supported-report><report><sync-collection/></report></supported-report>"
    "</supported-report-set>"
)


def row(href: str, props: str = "", *, status: str = "") -> str:
    inner = f"<status>HTTP/1.1 {status}</status>" if status else ""
    if props:
        inner += f"<propstat><prop>{props}</prop><status>HTTP/1.1 200 OK</status></propstat>"
    return f"<response><href>{href}</href>{inner}</response>"


def answer(*rows: str, token: str = "") -> Reply:
    tail = f"<sync-token>{token}</sync-token>" if token else ""
    return Reply(207, f"<multistatus {NS}>{''.join(rows)}{tail}</multistatus>".encode())


class Service:
    """A service on its own host names, over TLS."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        authority = make_authority(folder)
        self.answer: Answer = lambda request: Reply(404)
        self.server = ScriptedServer(self.respond, context=authority.server_context(*HOSTS))
        self.settings = ConnectorSettings(ca_file=authority.file, allow_networks=("127.0.0.0/8",))
        leads_to_loopback(monkeypatch, *HOSTS)

    def respond(self, request: Request) -> Reply:
        return self.answer(request)

    def url(self, host: str, path: str = "/") -> str:
        return f"https://{host}:{self.server.port}{path}"

    def request(self, url: str) -> OpenRequest:
        keys = CalendarSettings(url=url, username="ash")
        return OpenRequest(
            *("cal-1", self.settings, keys, "dedicated", "America/New_York", lambda: "app-password"),
            dedicated_id="0123",
        )

    def open(self, url: str) -> Calendar:
        request = self.request(url)
        return CONNECTOR.open(request, CONNECTOR.locate(request))

    def hosts(self) -> set[str]:
        return {request.headers["host"].partition(":")[0] for request in self.server.requests}


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    made = Service(tmp_path, monkeypatch)
    yield made
    made.server.close()


def look(calendar: Calendar, cursor: str | None) -> Page:
    [page] = list(calendar.changes(cursor, WINDOW, KnownVersions()))
    return page


def create(calendar: Calendar) -> tuple[Outcome, str]:
    [result] = list(calendar.write([Write("k", WriteKind.CREATE, "ours", single(), "1.m")]))
    return result.outcome, result.reason


# -- iCloud


class ICloud:
    """A principal on the common host, the home on a partition, hrefs on either, random names."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.calendars = {"/1234/calendars/work/"}
        self.home = service.url("p34-caldav.icloud.com", "/1234/calendars/")
        self.bodies: dict[str, bytes] = {"/1234/calendars/work/5F0A-random.ics": BODY}

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization", "").partition(" ")[0] != "Basic":
            return Reply(401, headers={"WWW-Authenticate": 'X-MobileMe-AuthToken realm="MMCalDav"'})
        if request.method == "REPORT":
            return self.report(request)
        if request.path == "/":
            return answer(
                row("/", f"{FOLDER}<current-user-principal><href>/1234/principal/</href></current-user-principal>")
            )
        if request.path == "/1234/principal/":
            home = f"<C:calendar-home-set><href>{self.home}</href></C:calendar-home-set>"
            return Reply(400) if request.headers["depth"] == "1" else answer(row(request.path, home))
        if request.method == "GET":
            body = self.bodies.get(request.path)
            return Reply(404) if body is None else Reply(200, body, {"Content-Type": "text/calendar", "ETag": '"a1"'})
        return self.folders(request)

    def folders(self, request: Request) -> Reply:
        if request.method == "MKCALENDAR":
            self.calendars.add(request.path)
            return Reply(201)
        if request.path in self.calendars:
            return answer(row(request.path, f"{CALENDAR}{SYNCS}<sync-token>HwoQEgwAAA==</sync-token>"))
        return answer(row(request.path, FOLDER)) if request.path == "/1234/calendars/" else Reply(404)

    def report(self, request: Request) -> Reply:
        # Hrefs come back on the common host, whichever partition was asked, and the collection lists itself.
        there = self.service.url("caldav.icloud.com")[:-1]
        if b"sync-collection" in request.body:
            rows = [
                row(there + name, '<getetag>"a1"</getetag>') for name in self.bodies if name.startswith(request.path)
            ]
            return answer(row(there + request.path, CALENDAR), *rows, token="HwoQEgwAAB==")
        return answer(
            *(
                row(there + name, f'<getetag>"a1"</getetag><C:calendar-data>{body.decode()}</C:calendar-data>')
                for name, body in self.bodies.items()
            )
        )


def test_icloud_is_followed_to_its_partition_with_basic_alone(service: Service) -> None:
    service.answer = ICloud(service)
    place = CONNECTOR.locate(service.request(service.url("caldav.icloud.com")))
    assert place.remote == service.url("p34-caldav.icloud.com", "/1234/calendars/calsync-0123/")
    assert place.made
    assert service.hosts() == {"caldav.icloud.com", "p34-caldav.icloud.com"}


def test_icloud_hrefs_of_the_common_host_are_those_of_the_partition(service: Service) -> None:
    service.answer = ICloud(service)
    calendar = service.open(service.url("p34-caldav.icloud.com", "/1234/calendars/work/"))
    page = look(calendar, None)
    assert page.items == ()  # listed by PROPFIND, which names the collection alone here
    page = look(calendar, page.cursor)
    [seen] = page.items
    assert isinstance(seen, Seen)
    assert (seen.remote_id, seen.version) == ("5F0A-random.ics", '"a1"')
    calendar.close()


def test_icloud_without_an_app_password_asks_for_a_new_connection(service: Service) -> None:
    offers = 'X-MobileMe-AuthToken realm="MMCalDav", Basic realm="MMCalDav"'
    service.answer = lambda request: Reply(401, headers={"WWW-Authenticate": offers})
    with pytest.raises(AuthRevoked):
        service.open(service.url("caldav.icloud.com"))
    assert len(service.server.requests) == 1


# -- Fastmail


class Fastmail:
    """Cyrus behind a front: the root is public, and a UID may lie in one calendar of the account only."""

    def __init__(self) -> None:
        self.logged_in = True
        self.puts: list[Reply] = []

    def __call__(self, request: Request) -> Reply:
        if request.method == "PUT":
            return self.puts.pop(0)
        if request.method == "GET":
            return Reply(404)
        home = "<C:calendar-home-set><href>/dav/calendars/user/ash/</href></C:calendar-home-set>"
        known = {
            "/": f"{FOLDER}<current-user-principal>{self.principal()}</current-user-principal>",
            "/dav/principals/user/ash/": home,
            "/dav/calendars/user/ash/": FOLDER,
            "/dav/calendars/user/ash/calsync-0123/": f"{CALENDAR}{SYNCS}<sync-token>data:,1-2</sync-token>",
        }
        return answer(row(request.path, known[request.path])) if request.path in known else Reply(404)

    def principal(self) -> str:
        return "<href>/dav/principals/user/ash/</href>" if self.logged_in else "<unauthenticated/>"


def test_fastmail_is_found_from_its_root(service: Service) -> None:
    service.answer = Fastmail()
    place = CONNECTOR.locate(service.request(service.url("caldav.fastmail.com")))
    assert place.remote == service.url("caldav.fastmail.com", "/dav/calendars/user/ash/calsync-0123/")
    assert all(request.headers["authorization"].startswith("Basic ") for request in service.server.requests)


def test_fastmails_public_root_is_no_empty_account(service: Service) -> None:
    shape = Fastmail()
    shape.logged_in = False
    service.answer = shape
    with pytest.raises(UserError, match="no calendar home was found"):
        service.open(service.url("caldav.fastmail.com"))


def test_fastmail_refuses_a_uid_that_lies_in_another_calendar(service: Service) -> None:
    shape = Fastmail()
    condition = "C:unique-scheduling-object-resource"
    conflict = f"<error {NS}><{condition}><href>/dav/x.ics</href></{condition}></error>"
    shape.puts = [Reply(403, conflict.encode())]
    service.answer = shape
    calendar = service.open(service.url("caldav.fastmail.com"))
    assert create(calendar) == (Outcome.REJECTED, "uid-conflict")
    calendar.close()


# -- Nextcloud

NEXTCLOUD = "/remote.php/dav/calendars/ash/calsync-0123/"
IN_TRASH = (
    '<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Sabre\\DAV\\Exception\\BadRequest</s:exception>'
    "<s:message>Deleted calendar object with uid already exists in this calendar collection.</s:message></d:error>"
)
BAD_TOKEN = (
    '<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Sabre\\DAV\\Exception\\InvalidSyncToken'
    "</s:exception><d:valid-sync-token/></d:error>"
)


class Nextcloud:
    """SabreDAV 4 with a trash bin and a throttle."""

    def __init__(self) -> None:
        self.puts: list[Reply] = []
        self.sync = answer(token="http://sabre.io/ns/sync/2")

    def __call__(self, request: Request) -> Reply:
        if request.path in {"/", "/.well-known/caldav"}:
            return Reply(301, headers={"Location": "/remote.php/dav/"})
        if request.method == "PUT":
            return self.puts.pop(0)
        if request.method == "GET":
            return Reply(404)
        if request.method == "REPORT":
            return self.sync
        folder = "/remote.php/dav/principals/users/ash/"
        known = {
            "/remote.php/dav/": f"{FOLDER}<current-user-principal><href>{folder}</href></current-user-principal>",
            folder: "<C:calendar-home-set><href>/remote.php/dav/calendars/ash/</href></C:calendar-home-set>",
            "/remote.php/dav/calendars/ash/": FOLDER,
            NEXTCLOUD: f"{CALENDAR}{SYNCS}<sync-token>http://sabre.io/ns/sync/1</sync-token>",
        }
        return answer(row(request.path, known[request.path])) if request.path in known else Reply(404)


@pytest.fixture
def nextcloud(service: Service) -> Nextcloud:
    shape = Nextcloud()
    service.answer = shape
    return shape


def test_nextcloud_is_found_through_its_redirect(service: Service, nextcloud: Nextcloud) -> None:
    place = CONNECTOR.locate(service.request(service.url("cloud.example.org")))
    assert place.remote == service.url("cloud.example.org", NEXTCLOUD)


@pytest.mark.parametrize("refusal", [Reply(400, IN_TRASH.encode()), Reply(403, IN_TRASH.encode())])
def test_what_lies_in_nextclouds_trash_goes_on_under_another_name(
    service: Service, nextcloud: Nextcloud, refusal: Reply
) -> None:
    nextcloud.puts = [refusal, refusal]
    calendar = service.open(service.url("cloud.example.org"))
    assert create(calendar) == (Outcome.REJECTED, NAME_REFUSED)
    assert nextcloud.puts == []
    calendar.close()


def test_nextclouds_teapot_is_asked_about_alone(service: Service, nextcloud: Nextcloud) -> None:
    calendar = service.open(service.url("cloud.example.org"))
    page = look(calendar, None)
    nextcloud.sync = answer(row(f"{NEXTCLOUD}a.ics", status="418 I'm a teapot"), token="http://sabre.io/ns/sync/3")
    assert look(calendar, page.cursor).items == (Gone("a.ics"),)
    calendar.close()


def test_nextclouds_refused_token_begins_anew(service: Service, nextcloud: Nextcloud) -> None:
    calendar = service.open(service.url("cloud.example.org"))
    page = look(calendar, None)
    nextcloud.sync = Reply(403, BAD_TOKEN.encode())
    with pytest.raises(CursorExpired):
        look(calendar, page.cursor)
    calendar.close()


def test_nextclouds_throttle_is_obeyed(service: Service, nextcloud: Nextcloud) -> None:
    calendar = service.open(service.url("cloud.example.org"))
    page = look(calendar, None)
    nextcloud.sync = Reply(429, headers={"Retry-After": "25"})
    with pytest.raises(Throttled) as caught:
        look(calendar, page.cursor)
    assert timedelta(seconds=caught.value.retry_after or 0) == timedelta(seconds=25)
    calendar.close()
