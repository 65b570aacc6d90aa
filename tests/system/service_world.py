"""What worlds in front of a service over HTTP have in common: clients that are kept open, and the books behind them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from calsync.connector.protocol import Calendar
from calsync.connector.wrappers import Around, RetryPolicy, WrapPorts, wrap
from calsync.domain.drift import DriftKind, Resolution
from calsync.store import providers
from calsync.store.calendars import CalendarRow
from calsync.store.database import open_database
from calsync.store.providers import ProviderRow
from calsync.store.upgrade import create_for_tests
from calsync.worker.context import Rules
from tests.unit.worker.world import POLICY, ZONE, World


@dataclass(kw_only=True)
class KeptOpener(ABC):
    """Opens calendars as the worker's own opener does, and keeps each open until an error."""

    ports: WrapPorts
    the_rules: Rules = field(default_factory=lambda: Rules(decisions=POLICY))
    retries: int = 1
    kept: dict[str, Around] = field(default_factory=dict)

    @abstractmethod
    def client(self, row: CalendarRow) -> Calendar:
        """A fresh client of the calendar."""

    def open(self, row: CalendarRow) -> Around:
        """A client of the calendar."""
        if row.id not in self.kept:
            retries = RetryPolicy(attempts=self.retries, first=0.1)
            self.kept[row.id] = wrap(self.client(row), row.id, ports=self.ports, retries=retries)
        return self.kept[row.id]

    def forget(self, calendar: str) -> None:
        """Close it."""
        kept = self.kept.pop(calendar, None)
        if kept is not None:
            kept.close()

    def rules(self, provider: str, practice: str | None = None) -> Rules:
        """The same for everybody."""
        del provider, practice
        return self.the_rules


class ServiceWorld(World):
    """As `World`, with a real connector."""

    opener: KeptOpener  # type: ignore[assignment]

    def close(self) -> None:
        """Close all clients."""
        for name in list(self.opener.kept):
            self.opener.forget(name)

    def restart(self) -> None:
        """A new process on the same books."""
        self.opener.forget(self.calendar)
        self.worker = self.new_worker()

    def lose_books(self) -> None:
        """A new, empty database; the keys are the old ones."""
        self.database = open_database("sqlite://")
        create_for_tests(self.database)
        self.restart()
        with self.database.transaction() as conn:
            providers.put(conn, ProviderRow("P-1", "Dr. Made Up", "p1@example.org", ZONE))
        self.link(self.calendar)

    def retry(self, attempts: int) -> None:
        """Let the wrapper try again."""
        self.opener.retries = attempts
        self.opener.forget(self.calendar)

    def until_quiet(self, rounds: int = 8) -> None:
        """Run passes until nothing is owed."""
        seen = []
        for _ in range(rounds):
            self.later(minutes=5)
            result = self.run()
            seen.append(result)
            if not result.owed and not result.written and result.error is None:
                return
        raise AssertionError(f"never quiet: {seen}")

    def kinds(self) -> list[DriftKind]:
        """The kinds of all drifts, oldest first."""
        return [drift.kind for drift in self.drifts()]

    def resolutions(self) -> list[Resolution]:
        """How all drifts stand, oldest first."""
        return [drift.resolution for drift in self.drifts()]


def wall(text: str) -> datetime:
    """A wall time."""
    return datetime.fromisoformat(text)


def weeks(start: str, count: int) -> list[datetime]:
    """Weekly wall times."""
    return [wall(start) + timedelta(weeks=number) for number in range(count)]
