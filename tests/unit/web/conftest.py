"""An installation with books in a file, and a client of its HTTP face."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from calsync.domain.appointment import Appointment
from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Appearance
from calsync.domain.span import Span
from calsync.notices.answer_links import AnswerLinks
from calsync.settings.model import Settings
from calsync.settings.secrets import Key, KeyRing
from calsync.store import calendars, drifts, edits, holds, providers, record_changes, tokens
from calsync.store.calendars import CalendarSpec
from calsync.store.database import Database, open_database
from calsync.store.edits import EditRow
from calsync.store.providers import ProviderRow
from calsync.store.tokens import Role, TokenRow
from calsync.testing.fake_ports import FakeClock, FakeIds
from calsync.web.app import make_app
from calsync.web.site import Site

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)  # a Monday, 09:00 in New York
ZONE = "America/New_York"
PUBLIC = "https://calsync.example.org"


@dataclass
class Targets:
    """One open channel."""

    asked: int = 0

    def calendar_of(self, service: str, channel: str, secret: bytes, resource: str | None = None) -> str | None:
        self.asked += 1
        return (
            "work" if (service, channel, secret) in {(one, "known", b"right") for one in ("google", "graph")} else None
        )

    def at_hand(self, service: str, channel: str, secret: bytes, resource: str | None = None) -> None:
        """The books are always asked."""

    def ended(self, channel: str) -> None:
        """Nothing is kept."""


@dataclass
class House:
    """The installation and what tests do with it."""

    database: Database
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    ids: FakeIds = field(default_factory=FakeIds)
    targets: Targets = field(default_factory=Targets)
    ring: KeyRing = field(default_factory=lambda: KeyRing((Key("k1", b"1" * 32),)))

    def __post_init__(self) -> None:
        tables: dict[str, Any] = {"web": {"public_url": PUBLIC}, "mail": {"support": "support@example.org"}}
        self.settings = Settings(path=Path("/nowhere/calsync.toml"), **tables)
        self.site = Site(self.database, self.settings, self.clock, self.ids, lambda: self.ring, targets=self.targets)
        self.app = make_app(self.site)
        self.client = TestClient(self.app, base_url="http://evil.example.com", raise_server_exceptions=False)

    def token(self, role: str) -> dict[str, str]:
        """Headers with a fresh token."""
        text, hashed = tokens.make_token(self.ids)
        with self.database.transaction() as conn:
            row = TokenRow(self.ids.new_id("token"), hashed, Role(role), "", self.clock.now(), "support:x")
            tokens.insert(conn, row)
        return {"Authorization": f"Bearer {text}"}

    def book(self, number: str, start: str = "2026-11-24T10:00") -> Appointment:
        """Book a session of 50 minutes."""
        wall = datetime.fromisoformat(start)
        one = Appointment(number, "P-1", "K-1", Span(wall, wall + timedelta(minutes=50), ZONE), code="90834")
        with self.database.transaction() as conn:
            record_changes.put_appointment(conn, one, now=self.clock.now(), actor="support:x", action="book")
        return one

    def edit(self, number: str, phase: Phase = Phase.PAST, resolution: Resolution = Resolution.OPEN) -> str:
        """Record that a session was dragged by four hours; the edit's id."""
        edit = self.ids.new_id("edit")
        now = self.clock.now()
        one = self.book(number)
        expected = Appearance(one.span)
        drift = Drift(
            id=self.ids.new_id("drift"),
            edit=edit,
            link=f"L-{number}",
            calendar="work",
            provider="P-1",
            appointment=number,
            block=None,
            series=None,
            original_start=None,
            episode=1,
            kind=DriftKind.MOVED,
            phase=phase,
            expected=expected,
            observed=Appearance(one.span.starting(one.span.start + timedelta(hours=4))),
            scope=Scope.OCCURRENCE,
            mixed=False,
            disposition=Disposition.REVERT if phase is Phase.UPCOMING else Disposition.FLAG,
            resolution=resolution,
            detected_at=now,
            changed_at=now,
        )
        with self.database.transaction() as conn:
            edits.insert(conn, EditRow(edit, drift.link, "work", "P-1", "v2", now, Scope.OCCURRENCE, mixed=False))
            drifts.insert(conn, drift)
            holds.open_hold(conn, number, drift.id, now)
        return edit

    def link(self, edit: str) -> str:
        """The path of a fresh link that answers an edit."""
        with self.database.transaction() as conn:
            url = AnswerLinks(PUBLIC, self.ids).for_edit(conn, edit, "provider:P-1", self.clock.now())
        assert url is not None
        return url.removeprefix(PUBLIC)

    def drift_of(self, edit: str) -> Drift:
        """The only drift of an edit."""
        with self.database.reading() as conn:
            (one,) = drifts.of_edit(conn, edit)
        return one

    def dump(self) -> list[str]:
        """Every row of every table."""
        from calsync.store.schema import metadata  # noqa: PLC0415

        with self.database.reading() as conn:
            return [f"{table.name} {row}" for table in metadata.sorted_tables for row in conn.execute(table.select())]


@pytest.fixture
def house(empty_books: Path, tmp_path: Path) -> Iterator[House]:
    """An installation with one provider and one calendar."""
    file = tmp_path / "calsync.db"
    file.write_bytes(empty_books.read_bytes())
    database = open_database(f"sqlite:///{file}")
    with database.transaction() as conn:
        providers.put(conn, ProviderRow("P-1", "Dr. Made Up", "p1@example.org", ZONE))
        spec = CalendarSpec("work", "P-1", "c", "google", "mirror", "existing", "config")
        calendars.register(conn, spec, NOW)
    yield House(database)
    database.dispose()
