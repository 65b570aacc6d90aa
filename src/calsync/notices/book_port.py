"""What mails ask of the appointment book, which this room does not know: its rules, its slots, its booking links."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from calsync.notices.facts import MoveOffer


class Book(Protocol):
    """The book as mails see it. What it answers must not fail a mail: it says None where it knows nothing."""

    def booking_url(self, conn: Connection, *, client: str, provider: str, now: datetime) -> str | None:
        """The client's own address for booking with the provider; always the same one (GT-8)."""

    def offer(self, conn: Connection, drift: str, now: datetime) -> MoveOffer | None:
        """Whether a dragged session may go where it was dragged, and what is free that day."""


class NoBook:
    """Where there is none: nothing is offered."""

    def booking_url(self, conn: Connection, *, client: str, provider: str, now: datetime) -> str | None:
        """None."""

    def offer(self, conn: Connection, drift: str, now: datetime) -> MoveOffer | None:
        """None."""
