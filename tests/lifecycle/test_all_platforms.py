"""What holds for every practice, by its number: calendars follow the records, and never the other way round."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.lifecycle.conftest import Make
from tests.lifecycle.practice import PROVIDER, SUPPORT, ZONE, Practice

DIAGNOSIS = "panic disorder"


def drag(practice: Practice, key: str, start: str, end: str) -> str:
    """Drag a session's event in the provider's calendar; the id of the edit that calsync sees in it."""
    hands = practice.hands
    assert hands is not None
    hands.find()
    hands.drag(hands.name_of(f"Session {key}\n"), datetime.fromisoformat(start), datetime.fromisoformat(end), ZONE)
    practice.site.later(minutes=1)
    practice.passes()
    (row,) = practice.site.drifts("--open")
    return str(row["edit"])


def test_all_01_a_drag_changes_nothing_but_is_seen_put_back_and_held(make: Make) -> None:
    practice = make("grow-therapy", mirrored=True)
    practice.book("A-1", "2026-11-04T10:00")
    practice.settled()
    drag(practice, "A-1", "2026-11-05T14:00", "2026-11-05T14:50")
    assert practice.start("A-1") == "2026-11-04T10:00"
    practice.site.later(minutes=2)
    practice.passes()
    assert practice.seen() == ["20261104T100000"]
    practice.at("2026-11-04T12:00")
    practice.do("appointments", "complete", "A-1", by=PROVIDER)
    practice.passes()
    assert practice.claim("A-1")["verdict"] == "held"
    assert "drift-unacknowledged" in practice.codes("A-1")


def test_all_01_the_drag_done_properly_passes_the_rules_of_any_other_move(make: Make) -> None:
    practice = make("grow-therapy", mirrored=True)
    practice.book("A-1", "2026-11-04T10:00")
    practice.book("A-2", "2026-11-05T14:00", client="C-2")
    practice.settled()
    edit = drag(practice, "A-1", "2026-11-05T14:20", "2026-11-05T15:10")
    resolve = ("drifts", "resolve", "--edit", edit, "--as", "reschedule")
    other = ("appointments", "reschedule", "A-1", "--start", "2026-11-05T14:20", "--minutes", "50", "--reason", "asked")
    refusals = [
        practice.refused("overlaps", *line, by=PROVIDER, note="asked").splitlines()[-3:] for line in (resolve, other)
    ]
    told = [[line for line in lines if not line.startswith("timestamp=")] for lines in refusals]
    assert told[0] == told[1]
    assert practice.start("A-1") == "2026-11-04T10:00"
    practice.do(*resolve, "--start", "2026-11-05T16:00", by=PROVIDER, note="asked")
    assert practice.start("A-1") == "2026-11-05T16:00"
    assert sorted(who for who, _ in practice.owed("appointment-rescheduled")) == ["client:C-1", "provider:P-1"]
    practice.site.later(minutes=2)
    practice.passes()
    practice.passes()
    assert practice.seen() == ["20261105T140000", "20261105T160000"]
    assert practice.site.drifts("--open") == []


def test_all_01_a_drag_of_a_started_session_is_refused_as_any_other_move(make: Make) -> None:
    practice = make("harley-therapy", mirrored=True)
    practice.book("A-1", "2026-11-04T10:00")
    practice.settled()
    edit = drag(practice, "A-1", "2026-11-05T14:00", "2026-11-05T14:50")
    practice.at("2026-11-04T10:00")
    resolve = ("drifts", "resolve", "--edit", edit, "--as", "reschedule")
    assert "support" in practice.refused("already-started", *resolve, by=PROVIDER, note="asked")
    practice.do(*resolve, by=SUPPORT, note="agreed by phone")
    assert practice.start("A-1") == "2026-11-05T14:00"


def test_a_drag_becomes_a_reschedule_where_the_practice_wants_that(make: Make) -> None:
    practice = make("practice-better", mirrored=True, changed=("[policy]", "[drift]\nadopt = true\n[policy]"))
    practice.book("A-1", "2026-11-04T10:00")
    practice.book("A-2", "2026-11-06T10:00", client="C-2")
    practice.settled()
    drag(practice, "A-1", "2026-11-05T14:00", "2026-11-05T14:50")
    practice.passes()
    assert practice.start("A-1") == "2026-11-04T10:00"  # it may be a slip: nothing before the quiet time is over
    practice.site.later(minutes=2)
    practice.passes()
    practice.passes()
    assert practice.start("A-1") == "2026-11-05T14:00"
    assert sorted(who for who, _ in practice.owed("appointment-rescheduled")) == ["client:C-1", "provider:P-1"]
    assert practice.seen() == ["20261105T140000", "20261106T100000"]
    assert practice.site.drifts("--open") == []
    drag(practice, "A-1", "2026-11-06T10:20", "2026-11-06T11:10")
    practice.site.later(minutes=2)
    practice.passes()
    assert practice.start("A-1") == "2026-11-05T14:00"  # the other session is in the way: the provider is asked
    assert [row["disposition"] for row in practice.site.drifts("--open")] == ["flag"]


TITLES = {"id": "Session A-1", "initials": "Session C", "first-name": "Session Cleo", "full-name": "Session Cleo Made"}


@pytest.mark.parametrize("title", TITLES)
def test_all_03_events_say_no_more_than_the_privacy_setting_allows(make: Make, title: str) -> None:
    practice = make("grow-therapy", mirrored=True, changed=("[drift]", f'[privacy]\ntitle = "{title}"\n[drift]'))
    practice.book("A-1", "2026-11-04T10:00", "--code", "90834")
    practice.book("A-2", "2026-11-05T10:00", client="C-2")
    practice.do("appointments", "ask-to-reschedule", "A-1", "--reason", "technical", by=PROVIDER, note=DIAGNOSIS)
    practice.move("A-2", "2026-11-05T11:00", "--reason", DIAGNOSIS, note=DIAGNOSIS)
    practice.settled()
    assert practice.hands is not None
    for text in practice.hands.find().events().values():
        assert "CLASS:PRIVATE" in text
        kept = {"id": ("Cleo", "Made", "Ada"), "initials": ("Cleo", "Made", "Ada"), "first-name": ("Made",)}
        for secret in (DIAGNOSIS, "90834", "technical", "c1@example.org", *kept.get(title, ())):
            assert secret not in text
    assert any(f"SUMMARY:{TITLES[title]}" in text for text in practice.hands.events().values())
