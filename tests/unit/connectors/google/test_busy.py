"""Busy time of others' events only: what is ours is left out by its name, series with all their occurrences."""

from __future__ import annotations

from datetime import datetime

from calsync.connector.protocol import Calendar
from calsync.sandbox.google.server import Sandbox
from tests.servers.google_subject import EMAIL, ZONE
from tests.unit.connectors.google.test_connector import WINDOW, calendar, login, sandbox

__all__ = ["calendar", "login", "sandbox"]


def event(name: str, start: str, end: str, **more: object) -> dict[str, object]:
    moment = {"timeZone": ZONE}
    return {"id": name, "start": {"dateTime": start, **moment}, "end": {"dateTime": end, **moment}, **more}


def test_named_events_are_left_out_with_all_their_occurrences(calendar: Calendar, sandbox: Sandbox) -> None:
    weekly = {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"]}
    bodies = [
        event("ours1", "2026-03-05T10:00:00", "2026-03-05T11:00:00", **weekly),
        event("ours2", "2026-03-06T10:00:00", "2026-03-06T11:00:00"),
        event("other1", "2026-03-07T10:00:00", "2026-03-07T11:00:00"),
    ]
    sandbox.add_person(EMAIL).seed("primary", bodies)
    assert [span.start for span in calendar.busy(WINDOW, {"ours1", "ours2"})] == [datetime(2026, 3, 7, 10)]
    assert len(list(calendar.busy(WINDOW))) == 5
