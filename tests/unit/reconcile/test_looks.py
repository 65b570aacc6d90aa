"""What became of each occurrence: measured against what, by which answer, and which story its drift goes on with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase
from calsync.domain.event import Event, OriginalStart, Override
from calsync.domain.marker import Marker
from calsync.domain.span import Span
from calsync.reconcile.case import ConfirmedAbsent, Copy, LinkCase, NothingNew, SeenNow, SentWrite
from calsync.reconcile.looks import Story
from calsync.reconcile.table import Calendar, Record
from tests.properties.pretend import NOW
from tests.unit.reconcile.cases import (
    CUT,
    HERS,
    IN_SLOT,
    LATER,
    MOVED,
    SERIES,
    SINGLE,
    THIRD,
    agreed,
    answered,
    drift,
    last_seen,
    looked,
    looks,
    rest,
    split,
)
from tests.unit.reconcile.scenes import DAY, DAYS, HOUR, seen, single


class TestAnAnswer:
    """What a person let be is left as it is, until a write of ours or another record makes it another question."""

    @pytest.mark.parametrize(
        ("confirmed_at", "holds"), [(None, True), (NOW - 2 * HOUR, True), (NOW - HOUR, True), (NOW, False)]
    )
    def test_holds_until_our_event_was_written_anew(self, confirmed_at: datetime | None, holds: bool) -> None:
        case = last_seen(agreed(SINGLE, MOVED, drifts=(answered(),)), MOVED, confirmed_at=confirmed_at)
        one = looked(case)
        assert (one.answered, one.story) == ((True, Story.PLAIN) if holds else (False, Story.FOUND))
        assert (one.kind, one.reference) == ((None, MOVED.master) if holds else (DriftKind.MOVED, SINGLE.master))

    def test_holds_where_our_write_took_it_along(self) -> None:
        case = last_seen(agreed(MOVED, drifts=(answered(),), expected=SINGLE), None, confirmed_at=NOW)
        assert looked(case).answered

    def test_of_a_drift_without_a_time_of_its_answer_is_no_older_than_any_write(self) -> None:
        case = agreed(SINGLE, MOVED, drifts=(answered(resolved_at=None),))
        assert looked(last_seen(case, MOVED, confirmed_at=NOW)).answered

    def test_ends_with_a_write_that_arrived_while_it_was_given(self) -> None:
        sent = SentWrite("W-1", replace(SINGLE, location="Room 2"), "new")
        sight = SeenNow("2", MOVED, Marker("L1", 1, "new", "place"))
        one = looked(agreed(SINGLE, drifts=(answered(),), sent=(sent,), sight=sight))
        assert (one.answered, one.story, one.kind) == (False, Story.FOUND, DriftKind.MOVED)

    @pytest.mark.parametrize(("hour", "stays"), [(19, True), (20, False)])
    def test_about_what_she_made_her_own_holds_though_the_session_is_cancelled(self, hour: int, stays: bool) -> None:
        # It does as long as she leaves it where it was when that was said.
        there = replace(SINGLE, master=replace(HERS, span=seen(f"2026-12-01T{hour}:00").span))
        one = looked(agreed(SINGLE, there, drifts=(answered(HERS),), expected=None))
        assert (one.hers, one.answered) == (True, stays)
        assert one.record is Record.SAME

    def test_about_an_event_that_is_still_ours_ends_when_the_session_is_cancelled(self) -> None:
        one = looked(agreed(SINGLE, MOVED, drifts=(answered(),), expected=None))
        assert (one.hers, one.answered, one.record) == (False, False, Record.GONE)


class TestAnAnswerAboutARest:
    """A person let the rest of a split be: our own event goes on without it."""

    def case(self, *copies: Copy, about: Drift | None = None, baseline: Event = CUT) -> LinkCase:
        about = about or self.let_be()
        case = agreed(baseline, CUT, drifts=(about,), expected=SERIES, copies=copies)
        return last_seen(case, CUT, confirmed_at=NOW)

    def unwritten(self, *copies: Copy, about: Drift | None = None) -> LinkCase:
        return last_seen(self.case(*copies, about=about, baseline=SERIES), CUT, confirmed_at=None)

    def let_be(self, **changes: object) -> Drift:
        given = {"kind": DriftKind.SPLIT, "copy_id": "c-1", "original_start": THIRD, "expected": IN_SLOT}
        return answered(LATER, **{**given, **changes})

    def test_outlasts_our_writing_of_the_event_without_it(self) -> None:
        one = looked(self.case(rest(told=True)), THIRD)
        assert (one.answered, one.kind, one.story, one.calendar) == (True, None, Story.PLAIN, Calendar.SAME)

    def test_ends_when_our_event_was_written_with_it(self) -> None:
        one = looked(self.case(rest(told=True), baseline=SERIES), THIRD)
        assert (one.answered, one.kind, one.story) == (False, DriftKind.SPLIT, Story.FOUND)

    def test_is_about_that_rest_and_no_other(self) -> None:
        assert looked(self.unwritten(rest(told=True)), THIRD).story is Story.PLAIN
        one = looked(self.unwritten(rest(name="c-2")), THIRD)
        assert (one.kind, one.story, one.shown.copy_id) == (DriftKind.SPLIT, Story.FOUND, "c-2")

    def test_is_about_the_time_that_it_showed_then(self) -> None:
        one = looked(self.case(rest("2026-12-15T16:00")), THIRD)
        assert (one.answered, one.kind, one.story) == (True, DriftKind.SPLIT, Story.FOUND)

    def test_of_another_kind_of_edit_is_none_about_the_rest(self) -> None:
        # The same time, and the same copy is named: but what was let be was no split.
        moved = self.let_be(kind=DriftKind.MOVED)
        one = looked(self.unwritten(rest(), about=moved), THIRD)
        assert (one.answered, one.kind) == (True, DriftKind.SPLIT)
        assert not looked(self.case(rest(), about=moved), THIRD).answered, "our event was written without it"


class TestASplitThatIsOpen:
    """An occurrence was cut off, and its drift waits; its rest may be spoken of or not."""

    def story(self, case: LinkCase) -> Story:
        return looked(case, THIRD).story

    def case(self, *copies: Copy, about: Drift | None = None, shows: Event = CUT, **more: object) -> LinkCase:
        case = agreed(SERIES, shows, drifts=(about or split(),), copies=copies, **more)
        return last_seen(case, CUT)

    def test_stands_as_it_was_while_the_rest_shows_it_so(self) -> None:
        assert self.story(self.case(rest(told=True))) is Story.STILL
        assert self.story(self.case(rest("2026-12-15T16:00"))) is Story.OTHER

    def test_stands_while_the_rest_is_not_mentioned(self) -> None:
        assert self.story(self.case()) is Story.STILL

    def test_is_another_edit_once_the_rest_is_taken_away(self) -> None:
        assert self.story(self.case(gone_copies=frozenset({"c-1"}))) is Story.OTHER

    def test_is_another_edit_once_the_rest_shows_it_no_more(self) -> None:
        short = rest("2026-12-22T14:00", count=1)
        assert self.story(self.case(short, about=split(original_start=THIRD))) is Story.OTHER
        assert self.story(self.case(replace(short, told=True))) is Story.STILL, "that is no news"

    def test_is_another_edit_when_another_copy_goes_on_with_it(self) -> None:
        assert self.story(self.case(rest(name="c-2"))) is Story.OTHER

    def test_is_another_edit_when_our_own_event_showed_it_until_now(self) -> None:
        assert self.story(last_seen(self.case(), SERIES)) is Story.OTHER

    def test_stands_though_our_own_event_shows_it_called_off(self) -> None:
        off = replace(SERIES, overrides=(Override(THIRD, replace(IN_SLOT, cancelled=True)),))
        assert self.story(last_seen(self.case(shows=off), off)) is Story.STILL

    def test_is_undone_once_our_own_event_shows_it_again_as_agreed(self) -> None:
        case = last_seen(self.case(sight=NothingNew()), SERIES)
        assert self.story(case) is Story.BACK

    @pytest.mark.parametrize("changes", [{"kind": DriftKind.MOVED}, {"copy_id": None}])
    def test_what_was_no_rest_of_a_split_is_gone_when_nothing_shows_it(self, changes: dict[str, object]) -> None:
        assert self.story(self.case(about=split(**changes))) is Story.OTHER

    def test_what_was_moved_and_is_cut_off_since_is_another_edit(self) -> None:
        assert self.story(self.case(rest(), about=split(kind=DriftKind.MOVED))) is Story.OTHER

    def test_the_rest_may_show_what_the_record_came_to_say_and_is_an_edit_all_the_same(self) -> None:
        later = replace(SERIES, overrides=(Override(THIRD, LATER),))
        one = looked(replace(self.case(rest(told=True)), expected=later, drifts=()), THIRD)
        assert (one.record, one.calendar) == (Record.CHANGED, Calendar.EDITED)


class TestAnExtraSession:
    """Something shows that nobody agreed on."""

    at = DAYS[1] + DAY
    shown = seen("2026-12-09T10:00")

    def extra(self) -> Event:
        assert SERIES.recurrence is not None
        return replace(SERIES, recurrence=replace(SERIES.recurrence, added=(self.at,)))

    def about(self, **changes: object) -> Drift:
        more = {"original_start": self.at, "expected": None, "kind": DriftKind.RECURRENCE_CHANGED, **changes}
        return replace(drift(), observed=self.shown, **more)  # type: ignore[arg-type]

    def let_be(self, **changes: object) -> Drift:
        return answered(self.shown, original_start=self.at, **{"expected": None, **changes})

    def test_that_was_taken_away_is_undone_however_long_it_is_gone(self) -> None:
        assert looked(agreed(SERIES, drifts=(self.about(),)), self.at).story is Story.BACK

    def test_is_judged_by_its_own_time_also_when_it_is_gone(self) -> None:
        over = self.at + DAY
        gone = agreed(SERIES, drifts=(self.about(),))
        assert looked(gone, self.at, over).phase is Phase.PAST
        there = agreed(SERIES, self.extra())
        assert looked(there, self.at, over).phase is Phase.PAST
        assert looked(there, self.at, self.at - DAY).phase is Phase.UPCOMING

    def test_that_was_let_be_and_goes_is_looked_at_once(self) -> None:
        case = agreed(SERIES, SERIES, drifts=(self.let_be(),))
        one = looked(last_seen(case, self.extra()), self.at)
        assert (one.answered, one.kind, one.calendar) == (True, DriftKind.DELETED, Calendar.AS_RECORDED)
        assert self.at not in looks(case), "it is known to be gone"

    def test_that_the_record_wanted_once_is_nothing_when_it_goes(self) -> None:
        wanted_then = self.let_be(expected=self.shown)
        case = last_seen(agreed(SERIES, SERIES, drifts=(wanted_then,)), self.extra())
        assert self.at not in looks(case)

    def test_that_went_with_a_write_of_ours_leaves_nothing_behind(self) -> None:
        case = last_seen(agreed(SERIES, SERIES, drifts=(self.let_be(),)), self.extra(), confirmed_at=NOW)
        one = looked(case, self.at)
        assert (one.story, one.answered, one.phase) == (Story.PLAIN, False, Phase.UPCOMING)


class TestOurOwnWrite:
    """A write whose answer was lost arrived: what it undid is another story than what shows now."""

    asked = replace(drift(), disposition=Disposition.FLAG)

    def case(
        self, about: Drift, *restores: OriginalStart, wrote: Event = SINGLE, now_shows: Event = SINGLE
    ) -> LinkCase:
        sight = SeenNow("2", now_shows, Marker("L1", 1, "new", "place"))
        sent = (SentWrite("W-1", wrote, "new", restores),)
        return last_seen(agreed(SINGLE, drifts=(about,), sent=sent, sight=sight), MOVED)

    def test_undid_what_policy_puts_back(self) -> None:
        assert looked(self.case(drift())).put_back == drift()

    def test_undid_what_a_person_asked_to_put_back_and_no_other_flag(self) -> None:
        assert looked(self.case(self.asked, None)).put_back == self.asked
        assert looked(self.case(self.asked)).put_back is None
        assert looked(self.case(self.asked, DAYS[0])).put_back is None

    def test_undid_nothing_where_it_wrote_what_was_seen_or_the_record_moved_on(self) -> None:
        as_seen = replace(self.case(drift(), wrote=MOVED), expected=MOVED)
        assert looked(as_seen).put_back is None
        moved_on = replace(self.case(drift()), expected=single("2026-12-01T12:00"))
        assert looked(moved_on).put_back is None

    def test_gave_our_event_back_what_a_rest_showed_at_the_same_time(self) -> None:
        as_it_was = split(observed=IN_SLOT)
        sight = SeenNow("2", SERIES, Marker("L1", 1, "new", "place"))
        sent = (SentWrite("W-1", SERIES, "new"),)
        case = last_seen(agreed(SERIES, drifts=(as_it_was,), sent=sent, sight=sight), CUT)
        assert looked(case, THIRD).put_back == as_it_was
        moved = replace(as_it_was, kind=DriftKind.MOVED)
        assert looked(replace(case, drifts=(moved,)), THIRD).put_back is None


class TestWhatWasRecordedBefore:
    """What is seen again as it was is known."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"title": "Yoga"},
            {"busy": False},
            {"answer": "declined"},
            {"proposed": Span(datetime(2026, 12, 2, 10), datetime(2026, 12, 2, 10, 50), "America/New_York")},
            {"cancelled": True},
        ],
    )
    def test_by_all_that_people_see_of_it(self, changes: dict[str, object]) -> None:
        edited = replace(SINGLE, master=replace(SINGLE.master, **changes))  # type: ignore[arg-type]
        assert looked(last_seen(agreed(SINGLE, edited), edited)).known
        assert not looked(last_seen(agreed(SINGLE, edited), SINGLE)).known
        assert not looked(last_seen(agreed(SINGLE), edited)).known

    def test_that_it_was_called_off_is_not_that_it_was_gone(self) -> None:
        off = replace(SINGLE, master=replace(SINGLE.master, cancelled=True))
        gone = agreed(SINGLE, sight=ConfirmedAbsent())
        assert looked(last_seen(gone, None)).known
        assert not looked(last_seen(gone, off)).known
        assert not looked(last_seen(agreed(SINGLE, off), None)).known

    def test_of_a_rest_where_nothing_became_of_it_nor_of_our_event(self) -> None:
        case = last_seen(agreed(SERIES, CUT, copies=(rest(told=True),)), CUT)
        assert looked(case, THIRD).known
        assert not looked(replace(case, copies=(rest(),)), THIRD).known
        other = rest("2026-12-01T18:00", "c-2", told=True)
        assert not looked(replace(case, copies=(rest(), other)), THIRD).known, "another copy says nothing of it"
        assert not looked(last_seen(case, SERIES), THIRD).known


class TestHers:
    """An event of ours that its person made into another one of her own."""

    def test_of_a_cancelled_series_all_has_to_be_hers(self) -> None:
        one = Override(DAYS[1], replace(seen("2026-12-08T19:00"), title="Choir"))
        case = agreed(SERIES, replace(SERIES, overrides=(one,)), expected=None)
        assert not any(each.hers for each in looks(case).values())

    def test_what_was_let_be_and_written_along_is_measured_against_what_she_edited(self) -> None:
        mine = replace(seen("2026-12-15T19:00"), title="Choir")
        along = replace(SERIES, overrides=(Override(THIRD, mine),))
        about = answered(mine, original_start=THIRD, expected=IN_SLOT)
        case = agreed(along, along, drifts=(about,), expected=CUT)
        assert looked(case, THIRD).hers
        assert not looked(replace(case, drifts=()), THIRD).hers

    def test_what_its_record_moved_after_she_named_it_is_measured_against_what_we_wrote_last(self) -> None:
        about = answered(replace(IN_SLOT, title="Choir"), original_start=THIRD, expected=IN_SLOT)
        moved = seen("2026-12-15T19:00")
        before = replace(SERIES, overrides=(Override(THIRD, moved),))
        shows = replace(SERIES, overrides=(Override(THIRD, replace(moved, title="Choir")),))
        assert not looked(agreed(before, shows, drifts=(about,), expected=CUT), THIRD).hers

    def test_a_title_that_stood_there_before_her_edit_is_no_sign(self) -> None:
        named = replace(IN_SLOT, title="Choir")
        before = replace(SERIES, overrides=(Override(THIRD, named),))
        dragged = replace(seen("2026-12-15T19:00"), title="Choir")
        about = replace(drift(), original_start=THIRD, expected=named, observed=dragged)
        shows = replace(SERIES, overrides=(Override(THIRD, dragged),))
        assert not looked(agreed(before, shows, drifts=(about,), expected=CUT), THIRD).hers
        along = answered(dragged, original_start=THIRD, expected=named)
        assert not looked(agreed(shows, shows, drifts=(along,), expected=CUT), THIRD).hers


class TestTheRecord:
    def test_what_was_agreed_to_be_off_and_is_wanted_is_new(self) -> None:
        off = replace(SERIES, overrides=(Override(THIRD, replace(IN_SLOT, cancelled=True)),))
        assert looked(agreed(off, expected=SERIES), THIRD).record is Record.NEW

    def test_the_phase_is_that_of_what_was_agreed_then_of_what_is_wanted(self) -> None:
        over = SINGLE.master.span.end_at
        later = single("2026-12-05T10:00")
        assert looked(agreed(SINGLE, expected=later), now=over).phase is Phase.PAST
        assert looked(agreed(later, expected=SINGLE), now=over).phase is Phase.UPCOMING
        unknown = agreed(SINGLE, sight=ConfirmedAbsent())
        new = replace(unknown, link=replace(unknown.link, baseline=None, baseline_hash=None))
        assert looked(new, now=over).phase is Phase.PAST

    def test_an_edit_outside_the_window_concerns_only_a_cancelled_series(self) -> None:
        far = datetime(2027, 6, 1, 14, tzinfo=UTC)
        spans = {"expected": seen("2027-06-01T10:00"), "observed": seen("2027-06-01T12:00")}
        about = replace(drift(), original_start=far, **spans)  # type: ignore[arg-type]
        assert far not in looks(agreed(SERIES, drifts=(about,)))
        assert far in looks(agreed(SERIES, drifts=(about,), expected=None))


def test_only_what_is_about_the_time_guards() -> None:
    assert not looked(agreed(SINGLE)).guards
    for changes, guards in (({"answer": "declined"}, False), ({"title": "Yoga"}, False), ({"cancelled": True}, True)):
        edited = replace(SINGLE, master=replace(SINGLE.master, **changes))
        assert looked(agreed(SINGLE, edited)).guards is guards


def test_an_answer_to_the_invitation_is_the_same_edit_only_while_it_is_the_same_answer() -> None:
    declined = replace(SINGLE, master=replace(SINGLE.master, answer="declined"))
    for kind, story in ((DriftKind.DECLINED, Story.STILL), (DriftKind.NEW_TIME_PROPOSED, Story.OTHER)):
        about = replace(drift(kind), observed=SINGLE.master)
        assert looked(agreed(SINGLE, declined, drifts=(about,))).story is story
