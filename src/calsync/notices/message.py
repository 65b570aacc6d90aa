"""A mail as it goes over the wire: headers of automatic mail, values without line breaks, one stable Message-ID."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import Final

from calsync.errors import ConfigError
from calsync.notices.compose import Mail
from calsync.notices.invitation import Ends, write_invitation
from calsync.notices.mailer import Envelope

_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}")
# Line breaks of every kind, other controls, and what turns the reading direction.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+"
)
_MAX_SUBJECT: Final = 200


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom mails come from, and where answers go."""

    address: str
    reply_to: str | None = None


def is_address(text: str) -> bool:
    """Whether this is exactly one plain address; a comma or a second @ could make it two."""
    return _ADDRESS.fullmatch(text) is not None and ".." not in text and len(text) <= 254


def one_line(text: str) -> str:
    """The text without anything that could end a header line or hide what follows."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def message_id(key: str, sender: str) -> str:
    """The one Message-ID of an effect: the same key gives the same, whenever it is sent."""
    return f"<{sha256(key.encode()).hexdigest()[:40]}@{sender.rpartition('@')[2]}>"


def build(mail: Mail, sender: Sender, recipient: str, *, mail_id: str, now: datetime) -> Envelope:
    """Make the message. ConfigError for an address that is none: it must not become a header."""
    for address in (sender.address, sender.reply_to, recipient):
        if address is not None and not is_address(address):
            raise ConfigError.of("not exactly one e-mail address", "[mail] or the people's list", "Correct the address")
    message = EmailMessage()
    message["From"] = Address(addr_spec=sender.address)
    message["To"] = Address(addr_spec=recipient)
    if sender.reply_to is not None:
        message["Reply-To"] = Address(addr_spec=sender.reply_to)
    message["Subject"] = one_line(mail.subject)[:_MAX_SUBJECT]
    message["Date"] = format_datetime(now)
    message["Message-ID"] = mail_id
    # RFC 3834 and what mail servers made of it: nobody's absence note must answer this.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(_clean(mail.text), cte="quoted-printable")
    message.add_alternative(_clean(mail.html), subtype="html", cte="quoted-printable")
    _add_invitations(message, mail, Ends(sender.address, recipient, now))
    # The library draws boundaries at random; the same mail must be the same bytes.
    for depth, part in enumerate(one for one in message.walk() if one.is_multipart()):
        part.set_boundary(f"=_{depth}{sha256(mail_id.encode()).hexdigest()[:32]}")
    return Envelope(sender.address, recipient, message)


def _add_invitations(message: EmailMessage, mail: Mail, ends: Ends) -> None:
    """One object stands beside the texts, where mail programs look for it; several are attached, each on its own."""
    # As bytes: a text's line ends would be rewritten, and an object's must be CRLF.
    parts = [(one.method.value, write_invitation(one, ends).encode()) for one in mail.invitations]
    alone = len(parts) == 1
    for number, (method, data) in enumerate(parts, start=1):
        params = {"method": method, "charset": "utf-8"}
        if alone:
            message.add_alternative(data, maintype="text", subtype="calendar", params={**params, "name": "session.ics"})
        else:
            name = f"session-{number}.ics"
            message.add_attachment(data, maintype="text", subtype="calendar", params=params, filename=name)


def _clean(text: str) -> str:
    return "\n".join(_UNPRINTABLE.sub(" ", line) for line in text.split("\n"))
