from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import Connection, select

from calsync.booking.commands import Booking, Command, Outcome, book, book_series
from calsync.domain.appointment import Appointment, Series
from calsync.domain.span import Span
from calsync.store import providers, records
from calsync.store.database import Database
from calsync.store.providers import ProviderRow
from calsync.store.schema import metadata

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HORIZON = NOW + timedelta(days=60)
ZONE = "Europe/Berlin"
Answer = TypeVar("Answer")


def span(start: str, minutes: int = 50) -> Span:
    wall = datetime.fromisoformat(f"2026-{start}" if len(start) < 16 else start)
    return Span(wall, wall + timedelta(minutes=minutes), ZONE)


class Book:
    """An appointment book with one provider, and a clock that the test sets."""

    def __init__(self, database: Database) -> None:
        self.database, self.now = database, NOW
        with database.transaction() as conn:
            providers.put(conn, ProviderRow("P-1", "Pat Example", "pat@example.org", ZONE))

    def command(self, actor: str | None = None, reason: str | None = "moving house") -> Command:
        return Command(actor=actor or "provider:P-1", now=self.now, reason=reason)

    def do(self, act: Callable[[Connection, Command], Answer], **who: str | None) -> Answer:
        with self.database.transaction() as conn:
            return act(conn, self.command(**who))

    def single(self, key: str, start: str, client: str = "C-1") -> Outcome:
        booking = Booking(id=key, provider="P-1", client=client, span=span(start))
        return self.do(lambda conn, command: book(conn, command, booking))

    def weekly(self, key: str = "S-7", start: str = "11-24T10:00", rule: str = "FREQ=WEEKLY;BYDAY=TU") -> Outcome:
        booking = Booking(id=key, provider="P-1", client="C-1", span=span(start))
        return self.do(lambda conn, command: book_series(conn, command, booking, rule, HORIZON))

    def get(self, key: str) -> Appointment:
        with self.database.reading() as conn:
            found = records.appointment(conn, key)
        assert found is not None
        return found

    def series(self, key: str) -> Series:
        with self.database.reading() as conn:
            found = records.series(conn, key)
        assert found is not None
        return found

    def members(self, key: str) -> list[Appointment]:
        with self.database.reading() as conn:
            return records.appointments_of_series(conn, key)

    def starts(self, key: str) -> list[str]:
        """When the series' standing sessions are."""
        standing = [one for one in self.members(key) if one.status.shows_in_calendars]
        return sorted(one.span.start.strftime("%Y-%m-%dT%H:%M")[2:] for one in standing)

    def dump(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table, to see that nothing changed."""
        with self.database.reading() as conn:
            return {
                table.name: sorted((tuple(row) for row in conn.execute(select(table))), key=repr)
                for table in metadata.sorted_tables
            }


@pytest.fixture
def the_book(db: Database) -> Book:
    return Book(db)
