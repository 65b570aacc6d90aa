"""Mails over SMTP (RFC 5321): under TLS, from the first byte or by STARTTLS, and with a login where one is configured.

TLS is checked against the machine's certificates. Only on loopback, where nobody listens in between, does a mail go
without: elsewhere whoever stands on the way could take the offer of STARTTLS out of the server's answer.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from typing import Final
from urllib.parse import urlsplit

from calsync.errors import ConfigError
from calsync.notices.mailer import Envelope, MailDeferred, MailRefused, MailUnknown

_PORTS: Final = {"smtp": 25, "smtps": 465}
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# How long the server may be silent. Longer than most need to look a mail over, shorter than an admin's patience.
_TIMEOUT_S: Final = 30.0
_WIRE: Final = policy.SMTP.clone(max_line_length=78)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mails go. `tls` means from the first byte on; otherwise STARTTLS must be offered, but on loopback."""

    host: str
    port: int
    tls: bool = False

    @property
    def is_local(self) -> bool:
        """Whether it is reached without leaving this machine."""
        return self.host in _LOOPBACK

    @classmethod
    def at(cls, url: str) -> SmtpServer:
        """Read `smtp://host:port` or `smtps://host:port`; ConfigError for anything else."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            parts, port = urlsplit(""), 0
        if not parts.hostname or not port or parts.username is not None:
            raise ConfigError.of(
                "not the address of a mail server",
                "[mail] smtp_url",
                "Write smtp://HOST:PORT or smtps://HOST:PORT, and the login as username and password_file",
            )
        return cls(parts.hostname, port, tls=parts.scheme == "smtps")


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """One connection per mail. `password` is asked for at each login, so that a changed file needs no restart."""

    server: SmtpServer
    username: str | None = None
    password: Callable[[], str] = field(default=lambda: "", repr=False)
    timeout_s: float = _TIMEOUT_S

    def send(self, envelope: Envelope) -> None:
        """Hand one mail over. Raises as `Mailer.send` says."""
        with _answered_before_the_text(), self._connected() as smtp:
            self._introduce(smtp)
            _expect_sender(smtp.mail(envelope.sender)[0])
            _expect(smtp.rcpt(envelope.recipient), "recipient")
            self._hand_over(smtp, envelope.message.as_bytes(policy=_WIRE))

    def knock(self) -> None:
        """Log in as for a mail, and leave again. Raises OSError, SMTPException or MailDeferred if that fails."""
        with self._connected() as smtp:
            self._introduce(smtp)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        if self.server.tls:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                self.server.host, self.server.port, timeout=self.timeout_s, context=self._context()
            )
        else:
            smtp = smtplib.SMTP(self.server.host, self.server.port, timeout=self.timeout_s)
        try:
            yield smtp
            # The mail is taken by now: whatever the farewell comes to changes nothing.
            _say_goodbye(smtp)
        finally:
            smtp.close()

    def _introduce(self, smtp: smtplib.SMTP) -> None:
        smtp.ehlo_or_helo_if_needed()
        if not self.server.tls and smtp.has_extn("starttls"):
            smtp.starttls(context=self._context())
            smtp.ehlo()
        elif not self.server.tls and not self.server.is_local:
            raise MailDeferred("no-tls", everywhere=True)
        if self.username is not None:
            smtp.login(self.username, self.password())

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.server.is_local:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _hand_over(self, smtp: smtplib.SMTP, text: bytes) -> None:
        try:
            _expect(smtp.data(text), "text")
        except smtplib.SMTPDataError as problem:
            _expect((problem.smtp_code, b""), "text")
        except (OSError, smtplib.SMTPServerDisconnected):
            # The text was on its way. Only the server knows whether it has it.
            raise MailUnknown("lost-after-text") from None


def _expect_sender(code: int) -> None:
    # A sender that is refused is refused for every mail: that is for the admin to mend, and no mail's own end.
    if not 200 <= code < 300:
        raise MailDeferred(f"sender-{code}", everywhere=True)


def _expect(answer: tuple[int, bytes], step: str) -> None:
    code = answer[0]
    if 200 <= code < 300:
        return
    if code >= 500:
        raise MailRefused(f"{step}-{code}")
    raise MailDeferred(f"{step}-{code}")


def _say_goodbye(smtp: smtplib.SMTP) -> None:
    try:
        smtp.quit()
    except (OSError, smtplib.SMTPException):
        return


@contextmanager
def _answered_before_the_text() -> Iterator[None]:
    """Whatever fails before the text goes out fails for certain, and mostly for every mail alike."""
    try:
        yield
    except (MailDeferred, MailRefused, MailUnknown):
        raise
    except smtplib.SMTPAuthenticationError as problem:
        raise MailDeferred(f"login-{problem.smtp_code}", everywhere=True) from None
    except smtplib.SMTPResponseException as problem:
        raise MailDeferred(f"greeting-{problem.smtp_code}", everywhere=True) from None
    except ssl.SSLError:
        raise MailDeferred("tls", everywhere=True) from None
    except (OSError, smtplib.SMTPException) as problem:
        raise MailDeferred(type(problem).__name__, everywhere=True) from None
