"""Events as text and back, and the hash of what we write."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.notation import (
    appearance_from_text,
    appearance_to_text,
    canonical_text,
    content_hash,
    event_from_text,
    event_to_text,
)
from calsync.domain.span import Span

SPAN = Span(datetime(2026, 11, 1, 1, 30, fold=1), datetime(2026, 11, 1, 2, 20), "America/New_York")
SLOT = datetime(2026, 11, 8, 6, 30, tzinfo=UTC)
FULL = Event(
    uid="u-1",
    master=Appearance(SPAN, "Séance 4821", busy=False, answer="tentative"),
    recurrence=Recurrence("FREQ=WEEKLY;COUNT=5", (SLOT + timedelta(days=1),), (SLOT,)),
    overrides=(
        Override(
            SLOT + timedelta(days=7),
            Appearance(
                Span(datetime(2026, 11, 16), datetime(2026, 11, 17), "UTC", all_day=True), cancelled=True, proposed=SPAN
            ),
        ),
    ),
    location="Room 2",
    description="ours",
)


def test_nothing_is_lost_on_the_way() -> None:
    assert event_from_text(event_to_text(FULL)) == FULL
    assert event_from_text(event_to_text(FULL)).master.span.start.fold == 1
    late = Span(SPAN.start, SPAN.end.replace(hour=1, minute=50, fold=1), SPAN.zone)
    assert event_from_text(event_to_text(Event("u", Appearance(late)))).master.span.end.fold == 1
    assert appearance_from_text(appearance_to_text(FULL.master)) == FULL.master


def test_an_occurrence_that_is_not_there_has_no_text() -> None:
    assert appearance_to_text(None) is None
    assert appearance_from_text(None) is None


def test_equal_data_has_equal_text() -> None:
    assert canonical_text({"b": 1, "a": 2}) == '{"a":2,"b":1}'
    assert json.loads(event_to_text(Event("u", Appearance(SPAN)))).keys() == {"uid", "master"}


def test_the_hash_covers_what_we_write() -> None:
    seen = {content_hash(FULL)}
    for other in (
        replace(FULL, master=replace(FULL.master, title="Yoga")),
        replace(FULL, master=replace(FULL.master, cancelled=True)),
        replace(FULL, master=replace(FULL.master, span=replace(SPAN, start=SPAN.start.replace(fold=0)))),
        replace(FULL, recurrence=None),
        replace(FULL, recurrence=replace(FULL.recurrence, excluded=()) if FULL.recurrence else None),
        replace(FULL, overrides=()),
        replace(FULL, location=""),
        replace(FULL, description=""),
    ):
        assert content_hash(other) not in seen
        seen.add(content_hash(other))
    assert all(len(one) == 16 for one in seen)


def test_the_hash_leaves_out_what_is_not_ours_and_how_a_rule_is_written() -> None:
    assert FULL.recurrence is not None
    written = replace(FULL.recurrence, rule="COUNT=5;INTERVAL=1;FREQ=WEEKLY")
    for same in (
        FULL.with_uid("u-2"),
        replace(FULL, master=replace(FULL.master, busy=True, answer="", proposed=SPAN)),
        replace(FULL, recurrence=written),
    ):
        assert content_hash(same) == content_hash(FULL)


def test_even_a_hostile_rule_has_a_hash() -> None:
    hostile = replace(FULL, recurrence=Recurrence("FREQ=SECONDLY"))
    assert content_hash(hostile) != content_hash(replace(FULL, recurrence=Recurrence("")))
