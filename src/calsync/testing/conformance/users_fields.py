"""Checks that what is the user's stays the user's: their fields in our events, and all of their own events (I3)."""

# The names of the checks are sentences.

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from calsync.connector.protocol import Seen
from calsync.testing import edits
from calsync.testing.conformance.bench import Bench, assert_same, shown
from calsync.testing.conformance.samples import TITLE, changed_series, series, single, slot
from calsync.testing.conformance.subject import Weakness

HOUR = timedelta(hours=1)


class UsersFieldChecks:
    """Colour, reminders, notes, categories, titles; foreign events."""

    def test_an_update_keeps_the_users_fields(self, bench: Bench) -> None:
        made = bench.create(single())
        bench.hands.decorate(made.remote_id)
        before = bench.hands.decorations(made.remote_id)
        assert before
        bench.update(made.remote_id, edits.dragged(single(), HOUR), title_was=TITLE)
        assert bench.hands.decorations(made.remote_id) == before
        assert_same(bench.seen(made.remote_id).event, edits.dragged(single(), HOUR))

    def test_an_update_of_a_series_keeps_the_users_fields(self, bench: Bench) -> None:
        made = bench.create(changed_series())
        bench.hands.decorate(made.remote_id)
        before = bench.hands.decorations(made.remote_id)
        bench.update(made.remote_id, edits.dragged(changed_series(), HOUR), title_was=TITLE)
        assert bench.hands.decorations(made.remote_id) == before

    def test_the_users_fields_are_not_taken_for_ours(self, bench: Bench) -> None:
        made = bench.create(replace(single(), description="From the platform"))
        bench.hands.decorate(made.remote_id)
        assert_same(bench.seen(made.remote_id).event, replace(single(), description="From the platform"))

    def test_a_title_that_the_user_wrote_stays(self, bench: Bench) -> None:
        made = bench.create(single())
        bench.hands.save(made.remote_id, lambda event: edits.retitled(event, "Mine"))
        bench.update(made.remote_id, edits.dragged(single(), HOUR), title_was=TITLE)
        seen = bench.seen(made.remote_id).event
        assert_same(seen, edits.retitled(edits.dragged(single(), HOUR), "Mine"))

    def test_our_own_title_is_replaced(self, bench: Bench) -> None:
        made = bench.create(single())
        wanted = edits.retitled(single(), "Session B2")
        bench.update(made.remote_id, wanted, title_was=TITLE)
        assert_same(bench.seen(made.remote_id).event, wanted)

    def test_the_title_that_the_user_gave_one_occurrence_stays(self, bench: Bench) -> None:
        made = bench.create(series())
        bench.hands.save(made.remote_id, lambda event: edits.retitled(event, "Mine", slot(2)))
        wanted = edits.dragged(series(), HOUR, slot(2))
        bench.update(made.remote_id, wanted, title_was=TITLE)
        assert_same(bench.seen(made.remote_id).event, edits.retitled(wanted, "Mine", slot(2)))

    def test_foreign_events_are_seen_without_marker_and_stay_as_they_are(self, bench: Bench) -> None:
        foreign = bench.hands.add(single("dentist", "2026-03-05T12:00"))
        foreign_series = bench.hands.add(changed_series("choir"))
        before = {remote_id: bench.hands.raw(remote_id) for remote_id in (foreign, foreign_series)}
        told = bench.look()
        for remote_id in before:
            assert told.seen(remote_id).marker is None
        assert_same(told.seen(foreign).event, single("dentist", "2026-03-05T12:00"))
        made = bench.create(series())
        bench.look(told.cursor)
        bench.update(made.remote_id, edits.dragged(series(), HOUR))
        bench.delete(made.remote_id)
        assert bench.hands.count() == 2
        if not bench.is_weak(Weakness.NO_ACCOUNT_OF_BYTES):
            assert {remote_id: bench.hands.raw(remote_id) for remote_id in before} == before

    def test_a_stripped_marker_shows_as_missing(self, bench: Bench) -> None:
        made = bench.create(single())
        cursor = bench.quiet_cursor()
        bench.hands.strip_marker(made.remote_id)
        seen = bench.look(cursor).seen(made.remote_id)
        assert seen.marker is None
        assert_same(seen.event, single())

    def test_a_copy_carries_the_marker(self, bench: Bench) -> None:
        made = bench.create(single())
        cursor = bench.quiet_cursor()
        copy = bench.hands.add(edits.dragged(single("copy"), timedelta(days=1)), like=made.remote_id)
        item = bench.look(cursor).items[copy]
        assert isinstance(item, Seen)
        assert item.marker == bench.seen(made.remote_id).marker
        assert shown(item.event) == shown(edits.dragged(single(), timedelta(days=1)))
