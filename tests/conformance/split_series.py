"""What servers make possible that take one UID in several resources (caldav sheet 3.5: DAViCal, SabreDAV)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from calsync.testing import edits
from calsync.testing.conformance import Bench
from calsync.testing.conformance.bench import shown
from calsync.testing.conformance.samples import series, slot
from calsync_caldav.composing import Order, compose
from calsync_caldav.ics_text import parse, serialise
from tests.servers.caldav_person import CaldavPerson


class SplitSeriesChecks:
    """A changed occurrence that a client saves as a resource of its own is an edit of our series."""

    def test_an_override_in_a_resource_of_its_own_is_seen_and_put_back(self, bench: Bench) -> None:
        made = bench.create(series())
        cursor = bench.quiet_cursor()
        dragged = edits.dragged(series(), timedelta(hours=1), slot(4))
        calendar = parse(compose(Order(dragged, None, datetime(2026, 1, 1, tzinfo=UTC))))
        calendar.children = [part for part in calendar.children if part.name != "VEVENT" or part.first("RECURRENCE-ID")]
        assert isinstance(bench.hands, CaldavPerson)
        bench.hands.put("moved.ics", serialise(calendar))
        told = bench.look(cursor)
        assert shown(told.seen(made.remote_id).event) == shown(dragged)
        assert shown(bench.seen(made.remote_id).event) == shown(dragged)
        bench.update(made.remote_id, series())
        assert bench.hands.names() == [made.remote_id]
        assert shown(bench.look(told.cursor).seen(made.remote_id).event) == shown(series())
