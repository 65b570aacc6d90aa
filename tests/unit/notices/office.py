"""A world with a post office: real books, a calendar in memory, and a mailer that keeps what it is handed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from calsync.notices.mailer import Envelope
from calsync.notices.send import PostOffice
from calsync.notices.station import Station
from calsync.notices.texts import Texts
from calsync.settings.model import Settings
from calsync.store import outbox
from calsync.store.outbox import OutboxItem
from tests.unit.worker.world import World


@dataclass
class KeepingMailer:
    """Takes every mail; `before` and `after` may break the dialogue in the middle."""

    taken: list[Envelope] = field(default_factory=list)
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None

    def send(self, envelope: Envelope) -> None:
        self.before()
        self.taken.append(envelope)
        self.after()


@dataclass
class Office:
    """The world, its post office and what left it."""

    world: World = field(default_factory=World)
    mailer: KeepingMailer = field(default_factory=KeepingMailer)
    keys: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tables: dict[str, Any] = {
            "mail": {"sender": "calendars@example.org", "support": "support@example.org"},
            "web": {"public_url": "https://calsync.example.org"},
        }
        self.settings = Settings(path=Path("/nowhere/calsync.toml"), **(tables | self.keys))
        self.post = self.reopened()

    def reopened(self) -> PostOffice:
        """The post office as after a restart."""
        world = self.world
        return PostOffice(Station(world.database, world.clock, world.ids, self.settings, Texts()), self.mailer)

    def drained(self, **later: float) -> int:
        """Let time pass, and empty the outbox."""
        if later:
            self.world.later(**later)
        return self.post.drain()

    @property
    def mails(self) -> list[EmailMessage]:
        """What left, the first one first."""
        return [one.message for one in self.mailer.taken]

    @property
    def texts(self) -> list[str]:
        """Their plain texts."""
        return [text_of(one) for one in self.mails]

    def items(self, recipient: str = "provider:P-1") -> list[OutboxItem]:
        """The outbox's rows for somebody."""
        with self.world.database.reading() as conn:
            return outbox.of_recipient(conn, recipient, self.world.clock.now().replace(year=2000))


def text_of(message: EmailMessage) -> str:
    """The plain part of a mail."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(message: EmailMessage) -> str:
    """The HTML part of a mail."""
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())
