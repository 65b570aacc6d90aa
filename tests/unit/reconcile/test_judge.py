"""What the occurrences that one edit touched call for: a person's word, a fight, a series half over, and evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from calsync.domain.drift import Disposition, Drift, DriftKind, Resolution, Scope
from calsync.domain.event import Event, OriginalStart, Override, Recurrence
from calsync.domain.marker import Marker
from calsync.domain.notation import content_hash
from calsync.reconcile.case import ConfirmedAbsent, DecisionPolicy, LinkCase, Moment, PastRevert, SeenNow, SentWrite
from calsync.reconcile.ground import survey
from calsync.reconcile.judge import Verdict, judge
from calsync.reconcile.looks import look
from calsync.reconcile.plan import DriftChange
from tests.properties.pretend import NOW, POLICY, World
from tests.unit.reconcile.cases import (
    BETWEEN,
    CUT,
    DECLINED,
    DRAGGED,
    IN_SLOT,
    LATER,
    MOVED,
    SERIES,
    SINGLE,
    THIRD,
    agreed,
    allowing,
    answered,
    at_slots,
    drift,
    last_seen,
    rest,
    split,
)
from tests.unit.reconcile.histories import EDITS, LENIENT, WINDOW, weekly
from tests.unit.reconcile.scenes import DAY, DAYS, seen, single

BEGUN = SINGLE.master.span.start_at


def judged(case: LinkCase, now: datetime = NOW, policy: DecisionPolicy = POLICY) -> dict[OriginalStart, Verdict]:
    ground = survey(case, Moment(now, WINDOW), policy)
    return {one.look.key: one for one in judge(ground, look(ground))}


def verdict(case: LinkCase, now: datetime = NOW, policy: DecisionPolicy = POLICY) -> Verdict:
    """What is judged of a single session."""
    (one,) = judged(case, now, policy).values()
    return one


class TestAtAWord:
    """A person said that what still shows is to be put back, whatever policy says of it."""

    asked = replace(drift(), disposition=Disposition.FLAG, resolved_by="support:ada")

    def case(self, shows: Event = MOVED, about: Drift = asked) -> LinkCase:
        return last_seen(agreed(SINGLE, shows, drifts=(about,)), MOVED)

    def test_it_goes_back_without_waiting_for_quiet(self) -> None:
        one = verdict(self.case())
        assert (one.reverts, one.by_word, one.keep, one.changes) == (True, True, False, ())
        assert one.quiet_since == NOW - POLICY.settle

    def test_it_goes_back_though_the_session_has_begun(self) -> None:
        one = verdict(self.case(about=replace(self.asked, disposition=Disposition.REVERT)), BEGUN)
        assert (one.reverts, one.by_word, one.changes) == (True, True, ())

    def test_what_was_edited_again_since_is_another_question(self) -> None:
        again = single("2026-12-01T16:00")
        one = verdict(self.case(again), policy=LENIENT)
        assert (one.reverts, one.by_word, one.keep) == (False, False, True)
        assert one.changes == (DriftChange("D-1", again.master, DriftKind.MOVED, Disposition.FLAG),)

    def test_what_somebody_undid_meanwhile_is_answered(self) -> None:
        one = verdict(self.case(SINGLE))
        assert one.changes == (
            DriftChange("D-1", MOVED.master, DriftKind.MOVED, Disposition.FLAG, Resolution.ACKNOWLEDGED),
        )

    def test_a_series_takes_what_is_over_along(self) -> None:
        open_ones = tuple(
            replace(
                self.asked,
                id=f"D-{n}",
                original_start=at,
                expected=seen(f"{at:%Y-%m-%d}T10:00"),
                observed=seen(f"{at:%Y-%m-%d}T14:00"),
                scope=Scope.SERIES,
                resolved_by="support:ada" if n else None,
            )
            for n, at in enumerate(DAYS)
        )
        case = last_seen(agreed(SERIES, DRAGGED, drifts=open_ones), DRAGGED)
        found = judged(case, BETWEEN, LENIENT)
        assert [(one.reverts, one.along, one.keep) for one in found.values()] == [
            (False, True, False),
            *[(True, False, False)] * 3,
        ]
        unasked = replace(case, drifts=tuple(replace(one, resolved_by=None) for one in open_ones))
        assert all(one.keep for one in judged(unasked, BETWEEN, LENIENT).values())


class TestAnEditOfTheSeries:
    """One edit, judged as a whole: what is over goes back with the rest, and stays evidence (R-9)."""

    def test_that_spans_past_and_future_is_mixed(self) -> None:
        found = judged(agreed(SERIES, DRAGGED), BETWEEN)
        assert [one.found and one.found.mixed for one in found.values()] == [True] * 4
        assert [(one.along, one.reverts) for one in found.values()] == [(True, False), *[(False, True)] * 3]

    def test_what_its_record_called_off_since_is_no_part_of_it(self) -> None:
        known = tuple(
            replace(
                drift(),
                id=f"D-{at:%d}",
                original_start=at,
                expected=seen(f"{at:%Y-%m-%d}T10:00"),
                observed=seen(f"{at:%Y-%m-%d}T14:00"),
                scope=Scope.SERIES,
            )
            for at in DAYS[1:]
        )
        off = replace(SERIES, recurrence=Recurrence("FREQ=WEEKLY;COUNT=4", excluded=tuple(DAYS[1:])))
        found = judged(agreed(SERIES, DRAGGED, drifts=known, expected=off), BETWEEN)
        assert [one.found and one.found.mixed for one in found.values()] == [False, None, None, None]

    def test_what_policy_puts_back_though_it_is_over_goes_by_itself(self) -> None:
        found = judged(agreed(SERIES, DRAGGED), BETWEEN, allowing(Disposition.REVERT, DriftKind.MOVED))
        assert [(one.along, one.reverts) for one in found.values()] == [(False, True)] * 4

    def test_what_was_moved_on_its_own_and_is_over_stays(self) -> None:
        found = judged(agreed(SERIES, at_slots(CUT, 0, start="17:00")), BETWEEN)
        assert [found[at].reverts for at in DAYS] == [False, False, True, True]
        assert (found[DAYS[0]].along, found[DAYS[0]].keep) == (False, True)
        assert not any(one.found and one.found.mixed for one in found.values()), "these are two edits"

    def test_one_that_was_moved_on_its_own_is_no_part_of_it(self) -> None:
        # The series begins a week later and ends a week earlier.
        shows = at_slots(weekly("2026-12-08T10:00", 2), 1, start="17:00")
        found = judged(agreed(SERIES, shows), BETWEEN)
        mixed = [one.found and one.found.mixed for one in found.values()]
        assert mixed == [True, False, None, True]

    def test_where_the_record_moves_what_is_to_come_only_the_past_was_edited(self) -> None:
        wanted = at_slots(SERIES, 1, 2, 3, start="18:00")
        found = judged(agreed(SERIES, DRAGGED, expected=wanted), BETWEEN)
        assert [one.found and one.found.mixed for one in found.values()] == [False] * 4

    def test_what_she_cut_off_as_the_record_did_puts_nothing_back(self) -> None:
        cut = weekly("2026-12-01T14:00", 2)
        found = judged(agreed(SERIES, cut, expected=CUT), DAYS[1] + DAY)
        assert [(found[at].along, found[at].keep) for at in DAYS[:2]] == [(False, True)] * 2


class TestAFight:
    """The same thing again after we put it back: a person means it, and the whole edit waits for an answer (R-12)."""

    def put_back(self, shows: Event) -> LinkCase:
        """Our revert arrived without an answer, and then this was seen."""
        same = content_hash(SINGLE)
        location = replace(SINGLE, location="Room 2")
        sight = SeenNow("3", shows, Marker("L1", 1, content_hash(location), "place"))
        sent = (SentWrite("W-1", location, content_hash(location)),)
        assert same != content_hash(location)
        return last_seen(agreed(SINGLE, sight=sight, sent=sent, drifts=(drift(),), expected=location), MOVED)

    def test_the_same_again_is_meant_though_the_answer_to_our_write_was_lost(self) -> None:
        one = verdict(self.put_back(MOVED))
        assert one.found is not None
        assert (one.found.disposition, one.reverts, one.keep) == (Disposition.FLAG, False, True)
        assert [change.ended for change in one.changes] == [Resolution.REVERTED]

    def test_something_else_is_a_new_edit(self) -> None:
        one = verdict(self.put_back(single("2026-12-01T16:00")))
        assert one.found is not None
        assert (one.found.disposition, one.reverts) == (Disposition.REVERT, True)

    def test_what_turned_out_to_be_put_back_counts_towards_the_limit(self) -> None:
        shows = single("2026-12-01T16:00")
        told = [verdict(self.put_back(shows), policy=replace(POLICY, revert_limit=n)).found for n in (1, 2)]
        assert [one and one.disposition for one in told] == [Disposition.FLAG, Disposition.REVERT]

    def insisted(self, *numbers: int) -> tuple[PastRevert, ...]:
        return tuple(PastRevert(DAYS[n], NOW - DAY / 24, seen(f"{DAYS[n]:%Y-%m-%d}T14:00")) for n in numbers)

    @pytest.mark.parametrize("number", [0, 3])
    def test_about_one_session_blocks_the_whole_edit(self, number: int) -> None:
        found = judged(agreed(SERIES, DRAGGED, reverts=self.insisted(number)))
        assert {one.found and one.found.disposition for one in found.values()} == {Disposition.FLAG}

    def test_leaves_alone_what_is_let_be_anyway(self) -> None:
        renamed = Override(DAYS[2] + timedelta(hours=4), replace(seen("2026-12-15T10:00"), title="Yoga"))
        shows = replace(DRAGGED, overrides=(renamed,))
        found = judged(agreed(SERIES, shows, reverts=self.insisted(0)))
        told = [one.found and one.found.disposition for one in found.values()]
        assert told == [Disposition.FLAG, Disposition.FLAG, Disposition.IGNORE, Disposition.FLAG]

    def test_is_none_about_what_nobody_puts_back(self) -> None:
        past = replace(self.insisted(0)[0], at=BETWEEN - DAY / 24)
        found = judged(agreed(SERIES, DRAGGED, reverts=(past,)), BETWEEN)
        told = [one.found and one.found.disposition for one in found.values()]
        assert told == [Disposition.FLAG, *[Disposition.REVERT] * 3]


class TestAnOpenDrift:
    """What stands as it was keeps what is on the books of it; only what becomes of it may change."""

    def changes(self, case: LinkCase, key: OriginalStart, now: datetime) -> tuple[DriftChange, ...]:
        return judged(case, now)[key].changes

    def test_that_the_event_went_to_another_calendar_is_remembered(self) -> None:
        about = replace(drift(DriftKind.RELOCATED), observed=None)
        case = last_seen(agreed(SINGLE, sight=ConfirmedAbsent(), drifts=(about,)), None)
        assert self.changes(case, None, BEGUN) == (DriftChange("D-1", None, DriftKind.RELOCATED, Disposition.FLAG),)

    def test_about_a_rest_that_is_not_mentioned_keeps_what_it_showed(self) -> None:
        case = last_seen(agreed(SERIES, CUT, drifts=(split(),)), CUT)
        assert self.changes(case, THIRD, THIRD) == (DriftChange("D-1", LATER, DriftKind.SPLIT, Disposition.FLAG),)

    def test_about_a_rest_that_shows_the_same_stays_about_that_rest(self) -> None:
        case = last_seen(agreed(SERIES, CUT, drifts=(split(),), copies=(rest(told=True),)), CUT)
        assert self.changes(case, THIRD, THIRD) == (DriftChange("D-1", LATER, DriftKind.SPLIT, Disposition.FLAG),)

    def test_that_is_let_be_is_ended(self) -> None:
        about = replace(drift(), disposition=Disposition.IGNORE)
        (change,) = self.changes(last_seen(agreed(SINGLE, MOVED, drifts=(about,)), MOVED), None, NOW)
        assert change.ended is Resolution.IGNORED

    def test_an_extra_session_that_was_let_be_goes_with_its_series(self) -> None:
        extra = DAYS[0] + 2 * DAY
        assert SERIES.recurrence is not None
        shows = replace(SERIES, recurrence=replace(SERIES.recurrence, added=(extra,)))
        about = replace(
            answered(seen("2026-12-03T10:00"), original_start=extra), kind=DriftKind.RECURRENCE_CHANGED, expected=None
        )
        for wanted, ended in ((None, None), (SERIES, Resolution.WITHDRAWN)):
            case = agreed(shows, drifts=(about,), expected=wanted, sight=ConfirmedAbsent())
            found = judged(last_seen(case, shows))[extra].found
            assert (found and found.ended) == ended

    def test_about_a_rest_is_not_put_right_by_the_records_saying_the_same(self) -> None:
        wanted = replace(SERIES, overrides=(Override(THIRD, LATER),))
        case = agreed(SERIES, CUT, drifts=(split(),), copies=(rest(told=True),), expected=wanted)
        (change,) = self.changes(last_seen(case, CUT), THIRD, NOW)
        assert change.ended is Resolution.SUPERSEDED
        shown = replace(SERIES, overrides=(Override(THIRD, LATER),))
        about = replace(split(kind=DriftKind.MOVED), copy_id=None, expected=IN_SLOT)
        case = agreed(SERIES, shown, drifts=(about,), expected=wanted)
        (change,) = self.changes(last_seen(case, shown), THIRD, NOW)
        assert change.ended is Resolution.RECORD_CORRECTED

    def test_that_the_record_overtook_is_kept_as_it_stood_last(self) -> None:
        about = replace(split(kind=DriftKind.DELETED), copy_id=None, observed=None)
        wanted = replace(SERIES, overrides=(Override(THIRD, seen("2026-12-16T15:00")),))
        case = agreed(SERIES, CUT, drifts=(about,), copies=(rest(),), expected=wanted)
        (change,) = self.changes(last_seen(case, CUT), THIRD, NOW)
        assert (change.kind, change.copy_id, change.observed) == (DriftKind.SPLIT, rest().remote_id, LATER)
        assert change.ended is Resolution.SUPERSEDED
        gone = replace(SERIES, overrides=(Override(THIRD, replace(IN_SLOT, cancelled=True)),))
        about = replace(about, kind=DriftKind.MOVED, observed=LATER)
        case = agreed(SERIES, gone, drifts=(about,), expected=wanted)
        (change,) = self.changes(last_seen(case, gone), THIRD, NOW)
        assert change.kind is DriftKind.CANCELLED


class TestEvidence:
    """An edit that the record's own change overtook is told once, and asks only where it may say when it was."""

    over = SINGLE.master.span.end_at + timedelta(minutes=30)
    by_minutes = single("2026-12-01T10:05")

    @pytest.mark.parametrize(
        ("shows", "policy", "ended"),
        [
            (MOVED, POLICY, Resolution.REVERTED),
            (DECLINED, POLICY, Resolution.SUPERSEDED),
            (MOVED, allowing(Disposition.IGNORE, DriftKind.MOVED), Resolution.SUPERSEDED),
        ],
    )
    def test_of_a_session_that_is_over_asks_about_its_time(
        self, shows: Event, policy: DecisionPolicy, ended: Resolution
    ) -> None:
        found = verdict(agreed(SINGLE, shows, expected=self.by_minutes), self.over, policy).found
        assert found is not None
        assert found.ended is ended

    @pytest.mark.parametrize("name", ["moved", "declined", "proposed", "zone"])
    def test_is_told_once_while_our_write_waits(self, name: str) -> None:
        world = World.agreed(SINGLE)
        world.edit(EDITS[name](SINGLE))
        world.expected = single("2026-12-01T12:00")
        for _ in range(3):
            decision = world.decide()
            assert decision.writes
            world.record(decision)
        assert len(world.drifts) == 1
