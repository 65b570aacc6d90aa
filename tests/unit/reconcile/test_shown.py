"""What is seen of an occurrence: when two show the same, what a difference is called, and in which order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from calsync.domain.event import Appearance
from calsync.domain.span import Span
from calsync.reconcile.shown import Shown, kind_of, same_state, shown_kind, sort_key
from tests.unit.reconcile.scenes import DAYS, ZONE, seen, whole_day


@pytest.mark.parametrize(
    ("expected", "observed", "kind"),
    [
        (seen(), seen(), None),
        (seen(), None, "deleted"),
        (seen(), seen(cancelled=True), "cancelled"),
        (seen(cancelled=True), None, None),
        (seen(cancelled=True), replace(seen(cancelled=True), title="Yoga"), None),
        (None, None, None),
        (None, seen(cancelled=True), None),
        (None, seen(), "recurrence-changed"),
        (seen(cancelled=True), seen(), "recurrence-changed"),
        (seen(), seen("2026-12-01T11:00"), "moved"),
        (seen(), seen(minutes=40), "resized"),
        (seen(), seen("2026-12-01T10:10", 40), "moved"),
        (seen(), whole_day(), "made-all-day"),
        (seen(), seen(zone="America/Chicago"), "zone-changed"),
        (seen(), seen("2026-12-01T09:00", zone="America/Chicago"), None),
        (seen(), seen("2026-12-01T11:00", zone="America/Chicago"), "moved"),
        (seen(), seen(minutes=40, zone="America/Chicago"), "moved"),
        (seen(), seen("2026-12-01T09:00", 40, zone="America/Chicago"), "resized"),
        (seen(), seen(answer="declined"), "declined"),
        (seen(answer="declined"), seen(answer="declined"), None),
        (seen(), seen(answer="tentative"), None),
        (seen(), seen(busy=False), "marked-free"),
        (seen(), replace(seen(busy=False), title="Yoga"), "marked-free"),
        (seen(), replace(seen(), title="Yoga"), "retitled"),
    ],
)
def test_a_difference_is_called_by_its_gravest_name(
    expected: Appearance | None, observed: Appearance | None, kind: str | None
) -> None:
    assert kind_of(expected, observed) == kind


@pytest.mark.parametrize(
    ("shown", "elsewhere", "kind"),
    [
        (Shown(None, None), None, "deleted"),
        (Shown(None, None), "K-2", "relocated"),
        (Shown(seen(), seen()), "K-2", None),
        (Shown(seen("2026-12-01T12:00"), seen("2026-12-01T12:00")), "K-2", "moved"),
        (Shown(None, seen("2026-12-01T12:00"), copy_id="c-1"), None, "split"),
        (Shown(None, seen("2026-12-01T12:00"), relabelled=True), None, "zone-changed"),
        (Shown(None, seen(minutes=20), relabelled=True), None, "zone-changed"),
        (Shown(None, seen(busy=False), relabelled=True), None, "marked-free"),
    ],
)
def test_what_only_the_whole_event_tells_goes_before(shown: Shown, elsewhere: str | None, kind: str | None) -> None:
    assert shown_kind(seen(), shown, elsewhere=elsewhere) == kind


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        (Shown(None, None, headless=True), "recurrence-changed"),
        (Shown(None, None), "deleted"),
        (Shown(seen("2026-12-01T12:00"), seen("2026-12-01T12:00"), headless=True), "moved"),
        (Shown(seen(), seen(), headless=True), None),
    ],
)
def test_a_series_of_which_single_changes_are_left_lost_its_rule(shown: Shown, kind: str | None) -> None:
    assert shown_kind(seen(), shown) == kind


def test_a_single_events_start_comes_before_all_others() -> None:
    early = datetime(1960, 1, 1, tzinfo=UTC)
    assert sorted([DAYS[1], None, early, DAYS[0]], key=sort_key) == [None, early, DAYS[0], DAYS[1]]


class TestTheState:
    @pytest.mark.parametrize(("one", "other"), [(None, seen()), (seen(), None), (seen(cancelled=True), seen())])
    def test_there_and_not_there_are_two_states(self, one: Appearance | None, other: Appearance | None) -> None:
        assert not same_state(one, other)
        assert not same_state(other, one)

    @pytest.mark.parametrize(
        ("one", "other"), [(None, None), (None, seen(cancelled=True)), (seen(cancelled=True),) * 2]
    )
    def test_all_ways_of_not_being_there_are_one(self, one: Appearance | None, other: Appearance | None) -> None:
        assert same_state(one, other)

    def test_a_time_that_is_proposed_is_news_once(self) -> None:
        proposed = Span(datetime(2026, 12, 2, 10), datetime(2026, 12, 2, 10, 50), ZONE)
        other = Span(datetime(2026, 12, 3, 10), datetime(2026, 12, 3, 10, 50), ZONE)
        assert kind_of(seen(), seen(proposed=proposed)) == "new-time-proposed"
        assert kind_of(seen(proposed=other), seen(proposed=proposed)) == "new-time-proposed"
        assert kind_of(seen(proposed=proposed), seen(proposed=proposed)) is None
        assert kind_of(seen(proposed=proposed), seen()) is None
