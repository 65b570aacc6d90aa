"""SMTP against a real server: what it takes, what it refuses, and what is lost on the way."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from calsync.errors import ConfigError
from calsync.notices.compose import Mail
from calsync.notices.mailer import Envelope, MailDeferred, MailRefused, MailUnknown
from calsync.notices.message import Sender, build
from calsync.notices.smtp import SmtpMailer, SmtpServer
from tests.servers.process import free_port

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


class Box:
    """Keeps what it takes, and answers as told."""

    def __init__(self, rcpt: str = "", data: str = "250 taken", sender: str = "") -> None:
        self.taken: list[Any] = []
        self.answers = {"rcpt": rcpt, "data": data, "sender": sender}

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answers["sender"]:
            return self.answers["sender"]
        envelope.mail_from = address
        return "250 fine"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answers["rcpt"]:
            return self.answers["rcpt"]
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.taken.append(envelope)
        if self.answers["data"] == "hang-up":
            _server.transport.abort()
            await asyncio.sleep(0)
        return self.answers["data"]


@contextmanager
def serving(box: Box, **options: Any) -> Iterator[SmtpMailer]:
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield SmtpMailer(SmtpServer("127.0.0.1", port), timeout_s=5)
    finally:
        controller.stop()


def envelope(text: str = "A text.\n.\nwith a dot.\n") -> Envelope:
    mail = Mail("Tue 24 Nov", text, "<p>A text.</p>")
    return build(mail, Sender("cal@example.org"), "ada@example.org", mail_id="<1@example.org>", now=NOW)


def test_a_mail_arrives_whole() -> None:
    box = Box()
    with serving(box) as mailer:
        mailer.send(envelope())
    (taken,) = box.taken
    assert (taken.mail_from, taken.rcpt_tos) == ("cal@example.org", ["ada@example.org"])
    assert b"Message-ID: <1@example.org>\r\n" in taken.content
    assert b"\r\n.\r\nwith a dot." in taken.content


@pytest.mark.parametrize("answer", ["550 no such mailbox", "551 gone"])
def test_a_refused_recipient_is_final(answer: str) -> None:
    with serving(Box(rcpt=answer)) as mailer, pytest.raises(MailRefused):
        mailer.send(envelope())


@pytest.mark.parametrize("box", [Box(rcpt="451 later"), Box(data="452 full"), Box(sender="550 not you")])
def test_what_may_work_later_is_deferred(box: Box) -> None:
    with serving(box) as mailer, pytest.raises(MailDeferred):
        mailer.send(envelope())


def test_a_refused_text_is_final() -> None:
    with serving(Box(data="554 looks like spam")) as mailer, pytest.raises(MailRefused):
        mailer.send(envelope())


def test_a_server_that_hangs_up_after_the_text_leaves_it_unknown() -> None:
    box = Box(data="hang-up")
    with serving(box) as mailer, pytest.raises(MailUnknown):
        mailer.send(envelope())
    assert len(box.taken) == 1


def test_nobody_there_defers_everything() -> None:
    with pytest.raises(MailDeferred) as caught:
        SmtpMailer(SmtpServer("127.0.0.1", free_port()), timeout_s=2).send(envelope())
    assert caught.value.everywhere


def test_a_server_that_says_nothing_is_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(MailDeferred) as caught:
            SmtpMailer(SmtpServer("127.0.0.1", silent.getsockname()[1]), timeout_s=0.3).send(envelope())
        assert caught.value.everywhere


def test_a_login_is_used() -> None:
    seen: list[Any] = []

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"secret")

    options = {"authenticator": check, "auth_required": True, "auth_require_tls": False}
    box = Box()
    with serving(box, **options) as mailer:
        SmtpMailer(mailer.server, "calsync", lambda: "secret", timeout_s=5).send(envelope())
        with pytest.raises(MailDeferred) as caught:
            SmtpMailer(mailer.server, "calsync", lambda: "wrong", timeout_s=5).send(envelope())
    assert caught.value.everywhere
    assert seen[0] == (b"calsync", b"secret")
    assert len(box.taken) == 1


def test_no_password_goes_over_an_open_line_to_another_machine() -> None:
    mailer = SmtpMailer(SmtpServer("mail.example.org", 25), "calsync", lambda: "secret")

    class Plain:
        def ehlo_or_helo_if_needed(self) -> None: ...

        def has_extn(self, _name: str) -> bool:
            return False

    with pytest.raises(MailDeferred):
        mailer._introduce(Plain())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", SmtpServer("mail.example.org", 25)),
        ("smtp://127.0.0.1:2525", SmtpServer("127.0.0.1", 2525)),
        ("smtps://mail.example.org", SmtpServer("mail.example.org", 465, tls=True)),
        ("smtp://[::1]:25", SmtpServer("::1", 25)),
    ],
)
def test_addresses_of_servers(url: str, server: SmtpServer) -> None:
    assert SmtpServer.at(url) == server


@pytest.mark.parametrize(
    "url", ["", "mail.example.org", "http://x", "smtp://", "smtp://h:99999", "smtp://u:p@h", "smtp://[:"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        SmtpServer.at(url)


def test_no_thread_is_left() -> None:
    assert not [one for one in threading.enumerate() if "mail" in one.name]
