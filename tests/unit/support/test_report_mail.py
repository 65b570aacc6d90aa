"""The report that comes by itself: each period once, in the morning after it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from calsync.notices.office_news import tell_office
from calsync.notices.texts import Texts
from calsync.store import installation, outbox
from calsync.support.report_mail import last_period, owe_report
from tests.unit.claims.gate_world import GateWorld
from tests.unit.cli.test_claims_commands import dragged


@pytest.mark.parametrize(
    ("often", "now", "period"),
    [
        ("daily", "2026-11-24T06:00", (date(2026, 11, 23), date(2026, 11, 24))),
        ("daily", "2026-11-24T05:59", (date(2026, 11, 22), date(2026, 11, 23))),
        ("weekly", "2026-11-23T06:00", (date(2026, 11, 16), date(2026, 11, 23))),
        ("weekly", "2026-11-23T05:59", (date(2026, 11, 9), date(2026, 11, 16))),
        ("weekly", "2026-11-29T23:00", (date(2026, 11, 16), date(2026, 11, 23))),
        ("monthly", "2026-12-01T06:00", (date(2026, 11, 1), date(2026, 12, 1))),
        ("monthly", "2026-12-01T05:00", (date(2026, 10, 1), date(2026, 11, 1))),
        ("monthly", "2027-01-15T12:00", (date(2026, 12, 1), date(2027, 1, 1))),
        ("never", "2026-12-01T06:00", None),
    ],
)
def test_periods_end_in_the_morning(often: str, now: str, period: tuple[date, date] | None) -> None:
    assert last_period(often, datetime.fromisoformat(now).replace(tzinfo=UTC)) == period


def test_each_period_is_owed_once_and_says_first_what_matters(world: GateWorld) -> None:
    dragged(world)
    with world.db.transaction() as conn:
        installation.ensure(conn, "here", "here", datetime(2026, 11, 12, tzinfo=UTC))
    assert not owe_report(world.gate, datetime(2026, 11, 12, 12, tzinfo=UTC)), "that week was over before"
    monday = datetime(2026, 11, 16, 6, tzinfo=UTC)
    world.clock.set(monday)
    assert owe_report(world.gate, monday)
    assert not owe_report(world.gate, monday + timedelta(hours=1))
    with world.db.reading() as conn:
        (item,) = outbox.due(conn, monday, 10)
        facts = tell_office(conn, item)
    assert (item.kind, item.recipient) == ("report", "support")
    assert facts is not None
    words = Texts().words(facts.name, facts.words)
    assert words.subject == "Calendars and claims, Mon 09 Nov to Sun 15 Nov 2026: 1 edit needs an answer"
    assert "Edits made in calendars: 1" in words.body
    quiet = Texts().words("report", {**facts.words, "open": 0})
    assert quiet.subject.endswith("nothing needs you")
    assert owe_report(world.gate, monday + timedelta(days=7))
