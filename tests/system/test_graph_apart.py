"""What Outlook has no pattern for is shown session by session: nothing is missing, each edit is found and settled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from calsync.domain.appointment import Appointment, Series
from calsync.domain.drift import DriftKind, Resolution
from calsync.domain.span import Span
from calsync.store import record_changes
from tests.system.graph_world import GraphWorld

MONTH_ENDS = [datetime(2026, 12, 31, 10), datetime(2027, 1, 31, 10), datetime(2027, 3, 31, 10)]
THURSDAYS = [datetime(2026, 11, 19, 10) + timedelta(weeks=number) for number in range(4)]
SERIES = {
    "31st": ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3", "America/New_York", MONTH_ENDS),
    "two days of the month": (
        "FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=3",
        "America/New_York",
        [datetime(2026, 12, 1, 10), datetime(2026, 12, 15, 10), datetime(2027, 1, 1, 10)],
    ),
    "zone without a Windows name": ("FREQ=WEEKLY;COUNT=4", "Antarctica/Troll", THURSDAYS),
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GraphWorld]:
    made = GraphWorld(tmp_path)
    yield made
    made.close()


def book(world: GraphWorld, rule: str, zone: str, starts: list[datetime]) -> list[Span]:
    spans = [Span(start, start + timedelta(minutes=50), zone) for start in starts]
    now = world.clock.now()
    with world.database.transaction() as conn:
        series = Series("S", "P-1", "K-1", spans[0], rule)
        record_changes.put_series(conn, series, now=now, actor="support:test", action="book")
        for number, span in enumerate(spans):
            one = Appointment(f"S-{number}", "P-1", "K-1", span, series="S", original_start=span.start_at)
            record_changes.put_appointment(conn, one, now=now, actor="support:test", action="book", origin="book")
    return spans


def shown(world: GraphWorld) -> list[datetime]:
    items = world.person.items()
    assert all(item.recurrence is None for item in items)
    return sorted(item.when.start for item in items)


@pytest.mark.parametrize("name", SERIES)
def test_every_session_is_shown_and_a_dragged_one_put_back(world: GraphWorld, name: str) -> None:
    spans = book(world, *SERIES[name])
    wanted = sorted(span.start_at for span in spans)
    assert world.run().written == len(spans)
    assert shown(world) == wanted
    assert world.drifts() == []

    second = next(one for one in world.person.ids() if world.person.item(one).when.start == wanted[1])
    world.person.drag(second, timedelta(hours=2))
    world.later(minutes=6)
    world.run()
    [drift] = world.drifts()
    assert (drift.kind, drift.appointment) == (DriftKind.MOVED, "S-1")
    world.later(seconds=95)
    world.run()
    assert shown(world) == wanted
    assert world.drifts()[0].resolution is Resolution.REVERTED

    world.later(hours=25)
    assert (world.run(full=True).written, len(world.drifts())) == (0, 1)
