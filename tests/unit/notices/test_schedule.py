"""Bursts, three a day, the evening digest, and the next step of a question."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from calsync.notices.schedule import burst_ends, held_until, next_step, steps

ZONE = "America/New_York"  # five hours behind UTC in November
NOON = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@dataclass(frozen=True)
class Item:
    created_at: datetime
    due_at: datetime


class TestBursts:
    def test_one_message_waits_for_others_for_ten_minutes(self) -> None:
        assert burst_ends([Item(NOON, NOON)]) == NOON + minutes(10)

    def test_a_late_member_that_has_not_settled_yet_is_waited_for(self) -> None:
        late = Item(NOON + minutes(9), NOON + minutes(12))
        assert burst_ends([Item(NOON, NOON), late]) == NOON + minutes(12)

    def test_what_came_after_the_burst_does_not_delay_it(self) -> None:
        after = Item(NOON + minutes(11), NOON + minutes(60))
        assert burst_ends([Item(NOON, NOON), after]) == NOON + minutes(10)


class TestADay:
    def test_three_mails_a_day_go_at_once(self) -> None:
        begun = [NOON - minutes(60), NOON - minutes(30)]
        assert held_until(begun, NOON, ZONE) is None

    def test_the_fourth_waits_for_the_evening_on_the_persons_clock(self) -> None:
        begun = [NOON - minutes(90), NOON - minutes(60), NOON - minutes(30)]
        evening = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
        assert held_until(begun, NOON, ZONE) == evening
        assert held_until(begun, evening, ZONE) is None

    def test_after_the_digest_the_next_morning(self) -> None:
        evening = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
        begun = [NOON - minutes(90), NOON - minutes(60), NOON - minutes(30), evening]
        morning = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
        assert held_until(begun, evening + minutes(20), ZONE) == morning

    def test_yesterdays_mails_do_not_count(self) -> None:
        midnight = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
        begun = [midnight - minutes(3), midnight - minutes(2), midnight - minutes(1)]
        assert held_until(begun, midnight, ZONE) is None


class TestReminders:
    def test_first_the_same_evening_else_two_days_on(self) -> None:
        assert next_step(NOON, ZONE) == datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
        night = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
        assert next_step(night, ZONE) == night + timedelta(days=2)

    def test_without_a_limit_two_four_and_eight_days_on(self) -> None:
        due = steps(NOON, None)
        assert [due.after(NOON + timedelta(days=n)) for n in (0, 2, 4, 8)] == [
            *(NOON + timedelta(days=n) for n in (2, 4, 8)),
            None,
        ]

    def test_the_last_day_to_bill_brings_support_and_billing_forward(self) -> None:
        due = steps(NOON, NOON + timedelta(days=9))
        assert (due.remind_at, due.support_at) == (NOON + timedelta(days=2), NOON + timedelta(days=3))
        assert due.billing_at == NOON + timedelta(days=6)

    def test_with_the_last_day_at_hand_everybody_is_told_at_once(self) -> None:
        due = steps(NOON, NOON + timedelta(days=1))
        assert due.remind_at == due.support_at == due.billing_at == NOON

    def test_a_far_limit_changes_nothing(self) -> None:
        assert steps(NOON, NOON + timedelta(days=90)) == steps(NOON, None)
