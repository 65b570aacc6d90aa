"""What leaves, and the port through which it does. A server's answer is one of three: taken, refused, unknown."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol


class MailProblem(Exception):
    """A mail that did not certainly leave. `code` is short, stable and free of addresses."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MailDeferred(MailProblem):
    """Certainly not taken, and worth another try later. `everywhere`: the server itself is out of reach."""

    def __init__(self, code: str, *, everywhere: bool = False) -> None:
        super().__init__(code)
        self.everywhere = everywhere


class MailRefused(MailProblem):
    """Certainly not taken, and never will be: no such mailbox, say."""


class MailUnknown(MailProblem):
    """The connection was lost after the text went out: it may have been taken or not."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One mail, ready to go: sender and recipient are bare addresses."""

    sender: str
    recipient: str
    message: EmailMessage


class Mailer(Protocol):
    """Whoever carries mails away."""

    def send(self, envelope: Envelope) -> None:
        """Return once the server has taken it; raise `MailDeferred`, `MailRefused` or `MailUnknown` otherwise."""
