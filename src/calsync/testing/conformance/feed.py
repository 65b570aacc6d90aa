"""Checks of the change feed: complete, silent when nothing happened, never told in two ways."""

# The names of the checks are sentences.

from __future__ import annotations

from datetime import timedelta

import pytest

from calsync.connector.errors import CursorExpired
from calsync.connector.protocol import Gone, Outcome, Seen, Unreadable
from calsync.testing import edits
from calsync.testing.conformance.bench import Bench, assert_same
from calsync.testing.conformance.samples import WINDOW, series, single
from calsync.testing.conformance.subject import Weakness

HOUR = timedelta(hours=1)
MANY = 200


class FeedChecks:
    """Full listings, cursors, changes."""

    def test_an_empty_calendar_lists_nothing(self, bench: Bench) -> None:
        told = bench.look()
        assert told.items == {}
        assert all(page.full for page in told.pages)
        assert told.cursor

    def test_nothing_changed_costs_one_request_and_tells_nothing(self, bench: Bench) -> None:
        bench.create(single(), "one")
        bench.create(series(), "two")
        bench.hands.add(single("dentist"))
        cursor = bench.quiet_cursor()
        for _ in range(3):
            told = bench.look(cursor)
            assert told.items == {}
            assert len(told.pages) == 1
            assert told.requests == 1
            cursor = told.cursor

    def test_own_writes_are_no_news(self, bench: Bench) -> None:
        cursor = bench.quiet_cursor()
        made = bench.create(single(), "one")
        bench.create(series(), "two")
        bench.update(made.remote_id, edits.dragged(single(), HOUR))
        told = bench.look(cursor)
        news = told.changed(bench.known)
        if bench.is_weak(Weakness.VERSIONS_MOVE):
            expected = {"single@conformance": edits.dragged(single(), HOUR), "series@conformance": series()}
            for item in news.values():
                assert isinstance(item, Seen)
                assert_same(item.event, expected[item.event.uid])
        else:
            assert news == {}
        assert bench.look(told.cursor).items == {}

    def test_own_deletes_are_told_as_gone_at_most(self, bench: Bench) -> None:
        made = bench.create(single())
        cursor = bench.quiet_cursor()
        bench.delete(made.remote_id)
        told = bench.look(cursor)
        if not any(page.full for page in told.pages):
            assert told.items.get(made.remote_id, Gone(made.remote_id)) == Gone(made.remote_id)
        assert bench.look(told.cursor).items == {}

    def test_new_changed_and_removed_events_are_told_once(self, bench: Bench) -> None:
        kept = bench.create(single("kept", "2026-04-01T10:00"), "kept").remote_id
        moved = bench.create(single("moved"), "moved").remote_id
        removed = bench.create(single("removed", "2026-05-01T10:00"), "removed").remote_id
        cursor = bench.quiet_cursor()
        bench.hands.save(moved, lambda event: edits.dragged(event, HOUR))
        bench.hands.delete(removed)
        added = bench.hands.add(single("dentist"))
        told = bench.look(cursor)
        assert_same(told.seen(moved).event, edits.dragged(single("moved"), HOUR))
        assert_same(told.seen(added).event, single("dentist"))
        assert kept not in told.changed(bench.known)
        if any(page.full for page in told.pages):
            assert removed not in told.items
            assert kept in told.items
        else:
            assert told.items[removed] == Gone(removed)
        assert bench.look(told.cursor).items == {}

    def test_a_cursor_is_not_used_up(self, bench: Bench) -> None:
        made = bench.create(single())
        cursor = bench.quiet_cursor()
        bench.hands.save(made.remote_id, lambda event: edits.dragged(event, HOUR))
        first = bench.look(cursor).seen(made.remote_id)
        assert bench.look(cursor).seen(made.remote_id) == first

    def test_an_event_removed_and_made_again_is_there(self, bench: Bench) -> None:
        foreign = bench.hands.add(single("dentist"))
        cursor = bench.quiet_cursor()
        bench.hands.delete(foreign)
        again = bench.hands.add(single("dentist", "2026-03-09T12:00"))
        told = bench.look(cursor)
        assert_same(told.seen(again).event, single("dentist", "2026-03-09T12:00"))

    def test_a_full_listing_names_everything(self, bench: Bench) -> None:
        writes = [
            bench.creation(edits.dragged(single(f"event-{number}"), timedelta(days=number)), f"event-{number}")
            for number in range(MANY)
        ]
        results = list(bench.calendar.write(writes))
        assert [result.outcome for result in results] == [Outcome.WRITTEN] * MANY
        told = bench.look()
        assert all(page.full for page in told.pages)
        assert {item.remote_id for item in told.items.values() if isinstance(item, Seen)} == {
            result.remote_id for result in results
        }
        assert sum(len(page.items) for page in told.pages) == MANY
        uids = {item.event.uid for item in told.items.values() if isinstance(item, Seen)}
        assert uids == {f"event-{number}@conformance" for number in range(MANY)}
        assert bench.look(told.cursor).items == {}

    def test_a_full_listing_asks_for_known_versions_in_batches(self, bench: Bench) -> None:
        for number in range(5):
            bench.create(single(f"event-{number}"), f"event-{number}")
        told = bench.look()
        assert set(told.items) == set(bench.known)

    def test_an_event_dragged_out_of_the_window_can_still_be_read(self, bench: Bench) -> None:
        made = bench.create(single())
        cursor = bench.quiet_cursor()
        away = timedelta(days=3 * 365)
        bench.hands.save(made.remote_id, lambda event: edits.dragged(event, away))
        item = bench.look(cursor).items[made.remote_id]
        assert isinstance(item, Seen | Gone)
        seen = bench.seen(made.remote_id).event
        assert seen.master.span.start == edits.dragged(single(), away).master.span.start

    def test_an_expired_cursor_is_said_to_be_so(self, bench: Bench) -> None:
        if bench.is_weak(Weakness.NO_EXPIRY):
            return
        bench.create(single())
        cursor = bench.subject.expire(bench.quiet_cursor())
        with pytest.raises(CursorExpired):
            list(bench.calendar.changes(cursor, WINDOW, bench.known))
        assert len(bench.look().items) == 1

    def test_an_unreadable_event_does_not_stop_the_page(self, bench: Bench) -> None:
        if bench.is_weak(Weakness.NO_NONSENSE):
            return
        spoilt = bench.create(single("spoilt"), "spoilt").remote_id
        sound = bench.create(single("sound", "2026-04-01T10:00"), "sound").remote_id
        cursor = bench.quiet_cursor()
        bench.hands.spoil(spoilt)
        bench.hands.save(sound, lambda event: edits.dragged(event, HOUR))
        for told in (bench.look(cursor), bench.look()):
            item = told.items[spoilt]
            assert isinstance(item, Unreadable)
            assert item.reason
            assert_same(told.seen(sound).event, edits.dragged(single("sound", "2026-04-01T10:00"), HOUR))
        assert isinstance(bench.read(spoilt), Unreadable)
        assert isinstance(bench.read(sound), Seen)
