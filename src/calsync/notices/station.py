"""What sending mail needs of an installation, and its audit entry about one mail."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from calsync.notices.answer_links import AnswerLinks
from calsync.notices.book_port import Book, NoBook
from calsync.notices.message import Sender
from calsync.notices.texts import Texts
from calsync.ports import Clock, Ids
from calsync.settings.model import Settings
from calsync.store import audit
from calsync.store.database import Database
from calsync.store.outbox import OutboxItem

ACTOR: Final = "system"


@dataclass(frozen=True, slots=True)
class Station:
    """What sending needs of an installation. `sender` None: no mail can leave.

    `book` knows the practices' rules and clients' addresses for booking.
    """

    database: Database
    clock: Clock
    ids: Ids
    settings: Settings
    texts: Texts
    book: Book = field(default_factory=NoBook)

    @property
    def sender(self) -> Sender | None:
        """Whom mails come from."""
        mail = self.settings.mail
        return None if mail.sender is None else Sender(mail.sender, mail.support)

    @property
    def links(self) -> AnswerLinks:
        """What makes addresses for answers."""
        return AnswerLinks(self.settings.web.public_url, self.ids)


def note(conn: Connection, station: Station, what: str, item: OutboxItem, detail: dict[str, str | None]) -> None:
    """Note in the audit log what became of a mail."""
    now = station.clock.now()
    told = {"to": item.recipient, **detail}
    audit.append(conn, at=now, actor=ACTOR, what=what, subject=f"mail:{item.key}", detail=told)
