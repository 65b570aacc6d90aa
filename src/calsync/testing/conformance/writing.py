"""Checks of writing: what was asked for stands, conditions hold, and a repeat does no harm."""

# The names of the checks are sentences.

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from calsync.connector.protocol import Gone, Outcome, Write
from calsync.domain.event import Appearance, Event
from calsync.domain.write import WriteKind
from calsync.testing import edits
from calsync.testing.conformance.bench import MARKER, Bench, assert_same
from calsync.testing.conformance.samples import (
    BEYOND_SIMPLE_RULES,
    ODD_ZONES,
    SAMPLES,
    changed_series,
    series,
    single,
    slot,
)
from calsync.testing.conformance.subject import Weakness

HOUR = timedelta(hours=1)


class WritingChecks:
    """Create, update, delete."""

    @pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.uid.partition("@")[0])
    def test_what_was_created_reads_back_equal(self, bench: Bench, event: Event) -> None:
        if event.master.cancelled and bench.is_weak(Weakness.NO_CALLED_OFF):
            assert bench.write(bench.creation(event, "one")).outcome is Outcome.REJECTED
            assert bench.hands.count() == 0
            return
        if event in BEYOND_SIMPLE_RULES and bench.is_weak(Weakness.SIMPLE_RULES):
            refused = bench.write(bench.creation(event, "one"))
            assert (refused.outcome, bool(refused.reason)) == (Outcome.REJECTED, True)
            assert bench.hands.count() == 0
            return
        made = bench.create(event)
        seen = bench.seen(made.remote_id)
        assert_same(seen.event, event)
        assert seen.event.master.span.zone == event.master.span.zone
        assert seen.marker == MARKER
        if made.event is not None:
            assert_same(made.event, event)

    def test_wall_time_stands_in_every_zone(self, bench: Bench) -> None:
        events = {zone: series(zone.replace("/", "-"), zone) for zone in ODD_ZONES}
        writes = [bench.creation(event, f"zone-{zone.replace('/', '-')}") for zone, event in events.items()]
        results = list(bench.calendar.write(writes))
        if bench.is_weak(Weakness.SIMPLE_RULES):
            refused = [zone for result, zone in zip(results, events, strict=True) if result.outcome is Outcome.REJECTED]
            assert refused == ["Antarctica/Troll"]
            results = [result for result in results if result.outcome is not Outcome.REJECTED]
            events = {zone: event for zone, event in events.items() if zone not in refused}
        assert {result.outcome for result in results} == {Outcome.WRITTEN}
        readings = {reading.remote_id: reading for reading in bench.calendar.read([r.remote_id for r in results])}
        for result, (zone, event) in zip(results, events.items(), strict=True):
            reading = readings[result.remote_id]
            assert not isinstance(reading, Gone)
            seen = bench.seen(result.remote_id).event
            assert_same(seen, event)
            assert seen.master.span.zone == zone

    def test_a_create_under_a_taken_id_doubles_nothing(self, bench: Bench) -> None:
        made = bench.create(single())
        again = bench.write(bench.creation(single(), "one"))
        if not bench.is_weak(Weakness.CREATE_OVERWRITES):
            assert again.outcome is Outcome.CONFLICT
        assert again.remote_id == made.remote_id
        assert bench.hands.count() == 1
        seen = bench.seen(made.remote_id)
        assert_same(seen.event, single())
        assert seen.marker == MARKER

    def test_a_create_leaves_what_stands_under_its_id(self, bench: Bench) -> None:
        made = bench.create(single())
        again = bench.write(bench.creation(single(start="2026-03-06T11:00"), "one"))
        assert bench.hands.count() == 1
        if not bench.is_weak(Weakness.CREATE_OVERWRITES):
            assert again.outcome is Outcome.CONFLICT
            assert_same(bench.seen(made.remote_id).event, single())

    def test_the_version_of_a_write_is_the_one_that_is_read(self, bench: Bench) -> None:
        made = bench.create(single())
        if not bench.is_weak(Weakness.VERSIONS_MOVE):
            assert bench.seen(made.remote_id).version == made.version
            changed = bench.update(made.remote_id, edits.dragged(single(), HOUR))
            assert bench.seen(made.remote_id).version == changed.version
            assert changed.version != made.version

    def test_an_update_shows(self, bench: Bench) -> None:
        made = bench.create(single())
        wanted = replace(edits.dragged(single(), HOUR), location="Room 4", description="New")
        changed = bench.update(made.remote_id, wanted, marker=MARKER.replace("link-1", "link-2"))
        assert changed.remote_id == made.remote_id
        assert_same(bench.seen(made.remote_id).event, wanted)
        assert bench.seen(made.remote_id).marker == MARKER.replace("link-1", "link-2")

    @pytest.mark.parametrize("number", range(1, len(SAMPLES)), ids=lambda number: SAMPLES[number].uid.partition("@")[0])
    def test_an_update_can_turn_an_event_into_any_other(self, bench: Bench, number: int) -> None:
        before, wanted = (replace(SAMPLES[at], uid="one@conformance") for at in (number - 1, number))
        if bench.is_weak(Weakness.NO_CALLED_OFF):
            before, wanted = (edits.changed(event, _stands) for event in (before, wanted))
        if bench.is_weak(Weakness.SIMPLE_RULES):
            rules = {one.recurrence for one in BEYOND_SIMPLE_RULES}
            before, wanted = (series("one") if event.recurrence in rules else event for event in (before, wanted))
        made = bench.create(before)
        bench.update(made.remote_id, wanted)
        assert_same(bench.seen(made.remote_id).event, wanted)

    def test_an_update_takes_single_changes_of_a_series_back(self, bench: Bench) -> None:
        made = bench.create(changed_series("series"))
        bench.update(made.remote_id, series())
        assert_same(bench.seen(made.remote_id).event, series())

    def test_an_update_on_a_stale_version_changes_nothing(self, bench: Bench) -> None:
        made = bench.create(single())
        stale = bench.seen(made.remote_id).version
        persons = edits.dragged(single(), HOUR)
        bench.hands.save(made.remote_id, lambda event: edits.dragged(event, HOUR))
        before = bench.hands.raw(made.remote_id)
        result = bench.write(Write(bench.new_key(), WriteKind.UPDATE, made.remote_id, single(), MARKER, version=stale))
        assert result.outcome is Outcome.CONFLICT
        assert bench.hands.raw(made.remote_id) == before
        assert_same(bench.seen(made.remote_id).event, persons)

    def test_a_series_of_which_one_occurrence_was_edited_is_another_version(self, bench: Bench) -> None:
        made = bench.create(series())
        stale = bench.seen(made.remote_id).version
        bench.hands.save(made.remote_id, lambda event: edits.dragged(event, HOUR, slot(3)))
        result = bench.write(Write(bench.new_key(), WriteKind.UPDATE, made.remote_id, series(), MARKER, version=stale))
        assert result.outcome is Outcome.CONFLICT
        if not bench.is_weak(Weakness.STALE_DELETE):
            result = bench.write(Write(bench.new_key(), WriteKind.DELETE, made.remote_id, version=stale))
            assert result.outcome is Outcome.CONFLICT
        assert_same(bench.seen(made.remote_id).event, edits.dragged(series(), HOUR, slot(3)))

    def test_an_update_of_a_removed_event_makes_none(self, bench: Bench) -> None:
        made = bench.create(single())
        version = bench.seen(made.remote_id).version
        bench.hands.delete(made.remote_id)
        result = bench.write(
            Write(bench.new_key(), WriteKind.UPDATE, made.remote_id, single(), MARKER, version=version)
        )
        if not bench.is_weak(Weakness.UPDATE_MAKES_MISSING):
            assert result.outcome is Outcome.CONFLICT
            assert bench.hands.count() == 0

    def test_a_delete_removes_and_its_repeat_succeeds(self, bench: Bench) -> None:
        made = bench.create(single())
        version = bench.seen(made.remote_id).version
        bench.delete(made.remote_id)
        assert isinstance(bench.read(made.remote_id), Gone)
        assert bench.hands.count() == 0
        again = bench.write(Write(bench.new_key(), WriteKind.DELETE, made.remote_id, version=version))
        assert again.outcome is Outcome.WRITTEN

    def test_a_delete_on_a_stale_version_removes_nothing(self, bench: Bench) -> None:
        made = bench.create(single())
        stale = bench.seen(made.remote_id).version
        bench.hands.save(made.remote_id, lambda event: edits.dragged(event, HOUR))
        result = bench.write(Write(bench.new_key(), WriteKind.DELETE, made.remote_id, version=stale))
        if not bench.is_weak(Weakness.STALE_DELETE):
            assert result.outcome is Outcome.CONFLICT
            assert_same(bench.seen(made.remote_id).event, edits.dragged(single(), HOUR))

    def test_an_event_that_a_person_removed_can_be_made_again(self, bench: Bench) -> None:
        made = bench.create(single())
        bench.hands.delete(made.remote_id)
        again = bench.write(bench.creation(single(), "one"))
        if bench.is_weak(Weakness.IDS_RESERVED):
            assert again.outcome is Outcome.REJECTED
            assert bench.hands.count() == 0
            again = bench.create(single("next-generation"), "one-2")
        assert again.outcome is Outcome.WRITTEN
        assert bench.hands.count() == 1

    def test_a_refused_write_does_not_stop_the_others(self, bench: Bench) -> None:
        made = bench.create(single("a"), "a")
        stale = bench.seen(made.remote_id).version
        bench.hands.save(made.remote_id, lambda event: edits.dragged(event, HOUR))
        batch = [
            bench.creation(single("b"), "b"),
            Write(bench.new_key(), WriteKind.UPDATE, made.remote_id, single("a"), MARKER, version=stale),
            bench.creation(series("c"), "c"),
        ]
        results = {result.key: result.outcome for result in bench.calendar.write(batch)}
        assert results == {
            batch[0].key: Outcome.WRITTEN,
            batch[1].key: Outcome.CONFLICT,
            batch[2].key: Outcome.WRITTEN,
        }
        assert bench.hands.count() == 3

    @pytest.mark.parametrize(
        "event", [one for one in SAMPLES if one.is_series], ids=lambda event: event.uid.partition("@")[0]
    )
    def test_series_are_refused_as_declared_and_else_taken(self, bench: Bench, event: Event) -> None:
        # What is declared is mirrored as single events; what is refused undeclared would never be shown at all.
        reason = bench.calendar.traits.why_apart(event)
        result = bench.write(bench.creation(event, "one"))
        assert (result.outcome is Outcome.REJECTED) == (reason is not None), (result, reason)

    def test_reading_mixes_present_and_missing(self, bench: Bench) -> None:
        made = [bench.create(single(name), name).remote_id for name in ("a", "b", "c")]
        readings = list(bench.calendar.read([made[0], "never-there", made[1], "nor-this", made[2]]))
        assert sorted(reading.remote_id for reading in readings) == sorted([*made, "never-there", "nor-this"])
        gone = {reading.remote_id for reading in readings if isinstance(reading, Gone)}
        assert gone == {"never-there", "nor-this"}

    def test_reading_nothing_answers_nothing(self, bench: Bench) -> None:
        assert list(bench.calendar.read([])) == []
        assert list(bench.calendar.write([])) == []

    def test_a_removed_occurrence_comes_back_by_an_update(self, bench: Bench) -> None:
        made = bench.create(series())
        bench.hands.save(made.remote_id, lambda event: edits.without_occurrence(event, slot(4)))
        bench.update(made.remote_id, series())
        assert_same(bench.seen(made.remote_id).event, series())


def _stands(appearance: Appearance) -> Appearance:
    return replace(appearance, cancelled=False)
