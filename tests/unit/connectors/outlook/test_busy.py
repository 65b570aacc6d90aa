"""Busy time of others' events only: what is ours is left out by its name, series with all their occurrences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from calsync.connector.protocol import Calendar, Write
from calsync.domain.span import Window
from calsync.domain.write import WriteKind
from calsync.sandbox.graph.people import Person
from calsync.testing.conformance.samples import series
from tests.unit.connectors.outlook.test_connector import HOUR, calendar, created, login, person, sandbox

__all__ = ["calendar", "login", "person", "sandbox"]


def test_named_events_are_left_out_with_all_their_occurrences(calendar: Calendar, person: Person) -> None:
    at = datetime(2026, 3, 5, 12, tzinfo=UTC)
    person.add_own(at, at + HOUR)
    ours = created(calendar, Write("s", WriteKind.CREATE, "s", series(), "marker"))
    window = Window(at - HOUR, at + timedelta(days=30))
    assert len(list(calendar.busy(window))) > 2
    assert [span.start_at for span in calendar.busy(window, {ours})] == [at]
