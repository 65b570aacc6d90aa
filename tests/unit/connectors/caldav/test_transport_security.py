"""Who is talked to: certificates, addresses at each connect, redirects that lead out of TLS, services found by DNS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from calsync.connector.errors import Forbidden, Malformed, Unavailable
from calsync.connector.protocol import CalendarPlace, OpenRequest
from calsync.domain.span import Window
from calsync.errors import UserError
from calsync.testing.conformance.bench import KnownVersions
from calsync_caldav.client import Answer, Client, Limits, Login, tls_context
from calsync_caldav.connector import CONNECTOR
from calsync_caldav.guard import Guard
from calsync_caldav.redirects import next_hop
from calsync_caldav.service_records import Service, domain_of, services_of
from calsync_caldav.settings import CalendarSettings, ConnectorSettings
from tests.servers.certificates import Authority, make_authority
from tests.servers.dns_server import DnsServer
from tests.unit.connectors.caldav.scripted_server import Reply, ScriptedServer
from tests.unit.connectors.caldav.test_discovery import CALENDAR, FOLDER, found, row

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


def answer(request: Any) -> Reply:
    known = {
        "/": FOLDER,
        "/dav/": f"{FOLDER}<current-user-principal><href>/dav/p/</href></current-user-principal>",
        "/dav/p/": "<C:calendar-home-set><href>/dav/home-of-ash/</href></C:calendar-home-set>",
        "/dav/home-of-ash/": FOLDER,
        "/cal/": CALENDAR,
        "/dav/home-of-ash/calsync-0123/": CALENDAR,
    }
    return found(row(request.path, known[request.path])) if request.path in known else Reply(404)


@pytest.fixture
def server(authority: Authority) -> Iterator[ScriptedServer]:
    running = ScriptedServer(answer, context=authority.server_context("caldav.example.org", "127.0.0.1"))
    yield running
    running.close()


def request(url: str, *, extras: dict[str, Any] | None = None, **settings: Any) -> OpenRequest:
    keys = CalendarSettings(url=url, username="ash")
    return OpenRequest(
        *("cal-1", ConnectorSettings(**settings), keys, "dedicated", "Etc/UTC", lambda: "secret"),
        dedicated_id="0123",
        extras=extras or {},
    )


def url_of(server: ScriptedServer, host: str = "127.0.0.1") -> str:
    return f"https://{host}:{server.port}/cal/"


def test_a_certificate_of_an_own_authority_is_taken_where_the_config_names_it(
    server: ScriptedServer, authority: Authority
) -> None:
    place = CONNECTOR.locate(request(url_of(server), ca_file=authority.file))
    assert place == CalendarPlace(url_of(server))


def test_an_unknown_certificate_is_refused_before_the_password_leaves(server: ScriptedServer) -> None:
    with pytest.raises(Unavailable, match="certificate is not trusted"):
        CONNECTOR.locate(request(url_of(server)))
    assert server.requests == []


def test_a_certificate_of_another_name_is_refused(
    server: ScriptedServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads_to_loopback(monkeypatch, "other.example.org")
    with pytest.raises(Unavailable, match="certificate is not trusted"):
        CONNECTOR.locate(request(url_of(server, "other.example.org"), ca_file=authority.file))
    assert server.requests == []


def test_without_checks_any_certificate_is_taken(server: ScriptedServer) -> None:
    assert CONNECTOR.locate(request(url_of(server), verify_tls=False)).remote == url_of(server)


def test_a_file_that_holds_no_certificate_is_the_admins_to_mend(server: ScriptedServer, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing of the kind")
    with pytest.raises(UserError, match=r"connectors\.caldav, key ca_file"):
        CONNECTOR.locate(request(url_of(server), ca_file=file))


def test_a_server_that_speaks_no_tls_is_no_server(authority: Authority) -> None:
    plain = ScriptedServer(answer)
    with pytest.raises(Unavailable):
        CONNECTOR.locate(request(url_of(plain), ca_file=authority.file))
    plain.close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_not_spoken(authority: Authority) -> None:
    context = authority.server_context("127.0.0.1")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    old = ScriptedServer(answer, context=context)
    with pytest.raises(Unavailable):
        CONNECTOR.locate(request(url_of(old), verify_tls=False))
    assert old.requests == []
    old.close()


# -- addresses


class Names:
    """Answers for a name one list of addresses after the other; the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    def __call__(self, host: str, port: int) -> list[str]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def client(names: Names) -> Client:
    limits = Limits(5, tls_context(verify=True, ca_file=None))
    return Client(Login("ash", "secret"), Guard(resolve=names), limits)


@pytest.fixture
def connects(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Where connections were to go; none is made."""
    places: list[tuple[str, int]] = []

    def refuse(address: tuple[str, int], timeout: float | None = None) -> socket.socket:
        places.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("calsync_caldav.sockets.socket.create_connection", refuse)
    return places


def test_the_connection_goes_to_the_checked_address_and_not_to_the_name(connects: list[tuple[str, int]]) -> None:
    with pytest.raises(Unavailable):
        client(Names(["1.2.3.4"], ["127.0.0.1"])).send("GET", "https://caldav.example.org/")
    assert connects == [("1.2.3.4", 443)]


def test_a_name_that_turns_private_is_refused_at_the_next_connect(connects: list[tuple[str, int]]) -> None:
    one = client(Names(["1.2.3.4"], ["10.0.0.1"]))
    with pytest.raises(Unavailable):
        one.send("GET", "https://caldav.example.org/")
    with pytest.raises(Forbidden, match="private address"):
        one.send("GET", "https://caldav.example.org/")
    assert connects == [("1.2.3.4", 443)]


def test_all_addresses_are_checked_before_any_is_tried(connects: list[tuple[str, int]]) -> None:
    with pytest.raises(Forbidden, match="private address"):
        client(Names(["1.2.3.4", "169.254.169.254"])).send("GET", "https://caldav.example.org/")
    assert connects == []


def test_a_dead_address_is_followed_by_the_next(connects: list[tuple[str, int]]) -> None:
    with pytest.raises(Unavailable):
        client(Names(["1.2.3.4", "2600::1"])).send("GET", "https://caldav.example.org/")
    assert connects == [("1.2.3.4", 443), ("2600::1", 443)]


# -- redirects


@pytest.mark.parametrize(
    "target",
    [
        "http://caldav.example.org/",
        "https://caldav.example.org:8443/",
        "https://evil.example/",
        "//evil.example/",
        "https://caldav.example.org@evil.example/",
        "https://[::1/",
        "javascript:alert(1)",
        "/cal/",
        "",
    ],
)
def test_where_no_redirect_leads(target: str) -> None:
    with pytest.raises(Malformed):
        next_hop("https://caldav.example.org/cal/", Answer(301, {"location": target}, b""))


def test_a_redirect_up_into_tls_is_followed() -> None:
    hop = next_hop("http://caldav.example.org/cal/", Answer(301, {"location": "https://caldav.example.org/cal/"}, b""))
    assert hop == "https://caldav.example.org/cal/"


# -- from a mail address


def leads_to_loopback(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """These names mean this machine; no other name can be asked for."""
    ask = socket.getaddrinfo

    def answered(host: str, *rest: Any, **more: Any) -> Any:
        if host not in {"127.0.0.1", *names}:
            raise socket.gaierror
        return ask("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", answered)


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    running = DnsServer({})
    yield running
    running.close()


SRV = "_caldavs._tcp.example.org"


def test_an_account_is_found_from_its_mail_address(
    server: ScriptedServer, authority: Authority, dns: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads_to_loopback(monkeypatch, "caldav.example.org")
    dns.zone = {
        (SRV, "SRV"): [f"0 1 {server.port} caldav.example.org."],
        (SRV, "TXT"): ['"path=/dav/"'],
    }
    asked = request(
        "ash@example.org",
        extras={"resolver": dns.resolver()},
        ca_file=authority.file,
        allow_networks=("127.0.0.0/8",),
    )
    place = CONNECTOR.locate(asked)
    assert place.remote == f"https://caldav.example.org:{server.port}/dav/home-of-ash/calsync-0123/"
    calendar = CONNECTOR.open(asked, place)
    assert [page.items for page in calendar.changes(None, WINDOW, KnownVersions())] == [()]
    calendar.close()


def test_a_service_on_another_domain_is_named_and_not_gone_to(dns: DnsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to_loopback(monkeypatch)
    dns.zone = {(SRV, "SRV"): ["0 1 443 caldav.provider.example."]}
    with pytest.raises(UserError) as caught:
        CONNECTOR.locate(request("ash@example.org", extras={"resolver": dns.resolver()}))
    [problem] = caught.value.problems
    assert "https://caldav.provider.example/" in problem.remedy
    assert problem.where == "calendar cal-1, key url"


def test_a_mail_address_leads_to_no_private_address(
    server: ScriptedServer, authority: Authority, dns: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads_to_loopback(monkeypatch, "caldav.example.org", "example.org")
    dns.zone = {(SRV, "SRV"): [f"0 1 {server.port} caldav.example.org."]}
    with pytest.raises(UserError, match=r"no calendar service was found at example\.org"):
        CONNECTOR.locate(request("ash@example.org", extras={"resolver": dns.resolver()}, ca_file=authority.file))
    assert server.requests == []


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (None, [Service("https://example.org/", own=True)]),
        (["0 0 0 ."], []),
        (
            ["20 1 443 second.example.org.", "10 1 8443 first.example.org.", "10 9 443 better.example.org."],
            [
                Service("https://better.example.org/", own=True),
                Service("https://first.example.org:8443/", own=True),
                Service("https://second.example.org/", own=True),
                Service("https://example.org/", own=True),
            ],
        ),
        (
            ["0 1 443 notexample.org."],
            [Service("https://notexample.org/", own=False), Service("https://example.org/", own=True)],
        ),
    ],
)
def test_services_in_their_order(dns: DnsServer, records: list[str] | None, expected: list[Service]) -> None:
    dns.zone = {} if records is None else {(SRV, "SRV"): records}
    assert list(services_of("example.org", dns.resolver(), 5)) == expected


def test_a_domain_whose_servers_do_not_answer_is_tried_by_its_own_name(dns: DnsServer) -> None:
    resolver = dns.resolver()
    dns.close()
    assert list(services_of("example.org", resolver, 0.2)) == [Service("https://example.org/", own=True)]
    dns.__init__({})  # type: ignore[misc] # so that the fixture can close it


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ash@Example.org", "example.org"),
        ("ash@localhost", None),
        ("https://ash@example.org/", None),
        ("ash@exa mple.org", None),
        ("@example.org", None),
        ("a@b@example.org", None),
        ("ash@example.org:22", None),
    ],
)
def test_what_is_a_mail_address(text: str, expected: str | None) -> None:
    assert domain_of(text) == expected
