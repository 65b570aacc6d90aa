"""Nothing that names people or opens doors leaves this machine but under TLS 1.2 or newer.

"Another machine" is 127.0.0.2 where the rule goes by name (mail): nobody calls that one this machine.
"""

from __future__ import annotations

import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from calsync.connector.errors import Forbidden
from calsync.notices.compose import Mail
from calsync.notices.mailer import Envelope, MailDeferred
from calsync.notices.message import Sender, build
from calsync.notices.smtp import SmtpMailer, SmtpServer
from calsync.settings.webhooks import Webhook
from calsync.store.database import parsed_url
from calsync.webhooks.post import HttpPoster
from calsync_caldav.client import Client, Limits, Login, tls_context
from calsync_caldav.guard import Guard, networks
from calsync_google.settings import ConnectorSettings as GoogleSettings
from calsync_google.transport import Transport
from calsync_outlook.access import _tls
from calsync_outlook.settings import ConnectorSettings as OutlookSettings
from calsync_outlook.tokens import _Session
from tests.servers.certificates import Authority, make_authority
from tests.servers.process import free_port

ELSEWHERE = "127.0.0.2"


# --- the version of TLS ----------------------------------------------------------------------------------------------


@contextmanager
def speaking(authority: Authority, newest: ssl.TLSVersion) -> Iterator[tuple[int, list[str | None]]]:
    """A server that speaks TLS up to a version: its port, and the versions on which it came to terms with somebody."""
    context = authority.server_context(ELSEWHERE)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is what it is about
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = newest
    agreed: list[str | None] = []
    listening = socket.create_server((ELSEWHERE, 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                sock = listening.accept()[0]
                with suppress(OSError, ValueError), context.wrap_socket(sock, server_side=True) as line:
                    agreed.append(line.version())
                sock.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1], agreed
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def caldav(url: str, ca_file: Path) -> None:
    limits = Limits(3, tls_context(verify=True, ca_file=str(ca_file)))
    port = int(url.rstrip("/").rpartition(":")[2])
    Client(Login("u", "p"), Guard(frozenset({(ELSEWHERE, port)})), limits).send("GET", url)


def graph(url: str, ca_file: Path) -> None:
    httpx.Client(verify=_tls(str(ca_file)), timeout=3, trust_env=False).get(url)


def entra(url: str, ca_file: Path) -> None:
    _Session(str(ca_file), 3).get(url)


def google(url: str, ca_file: Path) -> None:
    transport = Transport(3)
    transport.ca_certs = str(ca_file)
    transport.request(url)


def webhook(url: str, ca_file: Path) -> None:
    reply = HttpPoster(3, ca_file).post(url, {}, b"{}")
    assert not reply.is_taken


def mail(url: str, _ca_file: Path) -> None:
    SmtpMailer(SmtpServer.at(url.rstrip("/").replace("https", "smtps")), timeout_s=3).knock()


CALLERS: list[Callable[[str, Path], None]] = [caldav, graph, entra, google, webhook, mail]


@pytest.mark.parametrize("call", CALLERS, ids=lambda call: call.__name__)
def test_old_versions_of_tls_are_not_spoken(
    call: Callable[[str, Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = make_authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    told: dict[str, list[str | None]] = {}
    for newest in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2):
        with speaking(authority, newest) as (port, agreed):
            with suppress(Exception):
                call(f"https://{ELSEWHERE}:{port}/", authority.file)
            told[newest.name] = agreed
    assert told["TLSv1_1"] == []
    assert set(told["TLSv1_2"]) == {"TLSv1.2"}  # the refusal was about the version and nothing else


# --- mails -----------------------------------------------------------------------------------------------------------


def envelope() -> Envelope:
    mail = Mail("Tue 24 Nov", "A text.\n", "<p>A text.</p>")
    now = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
    return build(mail, Sender("cal@example.org"), "ada@example.org", mail_id="<1@example.org>", now=now)


class Noting(Sink):
    """Notes whether a mail's dialogue began, and under TLS."""

    def __init__(self) -> None:
        super().__init__()
        self.senders: list[bool] = []

    async def handle_MAIL(self, server, session, envelope, address, options):  # type: ignore[no-untyped-def]  # noqa: N802
        self.senders.append(session.ssl is not None)
        envelope.mail_from = address
        return "250 fine"


@contextmanager
def mail_server(noting: Noting, context: ssl.SSLContext | None) -> Iterator[SmtpServer]:
    port = free_port()
    controller = Controller(noting, hostname=ELSEWHERE, port=port, tls_context=context)
    controller.start()
    try:
        yield SmtpServer(ELSEWHERE, port)
    finally:
        controller.stop()


def test_a_mail_does_not_go_to_another_machine_without_tls() -> None:
    """As when somebody on the way takes STARTTLS out of the server's offer."""
    noting = Noting()
    with mail_server(noting, None) as server, pytest.raises(MailDeferred, match="no-tls") as caught:
        SmtpMailer(server, timeout_s=5).send(envelope())
    assert caught.value.everywhere
    assert noting.senders == []


def test_and_under_tls_only_to_the_server_that_was_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = make_authority(tmp_path)
    noting = Noting()
    with mail_server(noting, authority.server_context(ELSEWHERE)) as server:
        with pytest.raises(MailDeferred, match="tls"):
            SmtpMailer(server, timeout_s=5).send(envelope())
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        SmtpMailer(server, timeout_s=5).send(envelope())
    assert noting.senders == [True]


# --- calendars, programs, databases ----------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["1.2.3.4", "10.0.0.5", "2600::1"])
def test_a_password_reaches_another_machine_without_tls_only_where_its_network_is_listed(address: str) -> None:
    trusted = frozenset({("dav.example.org", 80)})
    limits = Limits(3, tls_context(verify=True, ca_file=None))
    client = Client(Login("u", "p"), Guard(trusted, resolve=lambda *_: [address]), limits)
    with pytest.raises(Forbidden, match="under TLS only"):
        client.send("GET", "http://dav.example.org/")
    listed = Guard(allowed=networks([address]), resolve=lambda *_: [address])
    assert listed.addresses("dav.example.org", 80, plain=True) == [address]
    assert Guard(trusted, resolve=lambda *_: [address]).addresses("dav.example.org", 80) == [address]


def test_one_listed_network_opens_no_other() -> None:
    guard = Guard(allowed=networks(["10.0.0.0/8"]), resolve=lambda *_: ["1.2.3.4"])
    limits = Limits(3, tls_context(verify=True, ca_file=None))
    with pytest.raises(Forbidden, match="under TLS only"):
        Client(Login("u", "p"), guard, limits).send("GET", "http://dav.example.org/")


@pytest.mark.parametrize("url", ["http://graph.example.org/v1.0", "http://10.0.0.1/"])
def test_services_and_receivers_are_spoken_to_under_tls(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        GoogleSettings(api_endpoint=url, client_id="c")
    with pytest.raises(ValueError, match="https"):
        GoogleSettings(token_uri=url, client_id="c")
    with pytest.raises(ValueError, match="https"):
        OutlookSettings(graph_url=url)
    with pytest.raises(ValueError, match="https"):
        OutlookSettings(authority=url)
    with pytest.raises(ValueError, match="https"):
        Webhook(id="w", url=url, secret_file=Path("x"))


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://calsync@db.example.org/calsync", "require"),
        ("postgresql://calsync@10.0.0.1/calsync", "require"),
        ("postgresql:///calsync?host=db.example.org", "require"),
        ("postgresql://calsync@db.example.org/calsync?sslmode=verify-full", "verify-full"),
        ("postgresql://calsync@localhost/calsync", None),
        ("postgresql://calsync@127.0.0.1/calsync", None),
        ("postgresql:///calsync?host=/run/postgresql", None),
        ("postgresql:///calsync", None),
    ],
)
def test_a_database_elsewhere_is_asked_for_tls(url: str, mode: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    assert parsed_url(url).query.get("sslmode") == mode
