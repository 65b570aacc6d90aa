"""What becomes of each copy beside our event: by a person's word, by its drifts, by its session's phase, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Appearance, Event, OriginalStart, Override, Recurrence
from calsync.domain.write import Cause, WriteKind
from calsync.reconcile.case import Copy, DecisionPolicy, LinkCase, Moment, PastRevert
from calsync.reconcile.copies import CopiesDecision, judge_copies, rest_of
from calsync.reconcile.ground import survey
from calsync.reconcile.judge import judge
from calsync.reconcile.looks import look
from calsync.reconcile.plan import DriftChange
from tests.properties.pretend import NOW, POLICY
from tests.unit.reconcile.cases import (
    BETWEEN,
    CUT,
    LATER,
    SERIES,
    SINGLE,
    THIRD,
    agreed,
    allowing,
    drift,
    last_seen,
    looked,
    rest,
    split,
)
from tests.unit.reconcile.histories import WINDOW, weekly
from tests.unit.reconcile.scenes import DAYS, HOUR, seen

BESIDE = seen("2026-12-03T10:00")
AGAIN = seen("2026-12-04T10:00")
OVER = SINGLE.master.span.end_at + HOUR
SETTLED = NOW + POLICY.settle
NOON = DAYS[0] + 2 * HOUR
EAGER = allowing(Disposition.REVERT, DriftKind.DUPLICATED)
BESIDE_OURS = DAYS[3] + HOUR  # when nothing of ours began


def copy(shows: Appearance | Event = BESIDE, name: str = "c-1", **more: object) -> Copy:
    event = Event("u-copy", shows) if isinstance(shows, Appearance) else replace(shows, uid="u-copy")
    return Copy(name, "7", event, **more)  # type: ignore[arg-type]


def about(observed: Appearance | None = BESIDE, key: OriginalStart = None, **changes: object) -> Drift:
    """The open drift of a copy, recorded a moment ago."""
    given = {"kind": DriftKind.DUPLICATED, "copy_id": "c-1", "original_start": key, **changes}
    return replace(drift(), observed=observed, **given)  # type: ignore[arg-type]


def judged(case: LinkCase, now: datetime = NOW, policy: DecisionPolicy = POLICY) -> CopiesDecision:
    ground = survey(case, Moment(now, WINDOW), policy)
    return judge_copies(ground, judge(ground, look(ground)))


def case(*copies: Copy, drifts: tuple[Drift, ...] = (), event: Event = SINGLE, **more: object) -> LinkCase:
    return agreed(event, copies=copies, drifts=drifts, **more)  # type: ignore[arg-type]


def gone(*drifts: Drift) -> LinkCase:
    """The copy was taken away."""
    return case(drifts=drifts, gone_copies=frozenset({"c-1"}))


class TestACopyOfOneSession:
    def test_is_told_whole_and_goes_when_it_is_quiet(self) -> None:
        decision = judged(case(copy()))
        (found,), (write,) = decision.found, decision.writes
        assert (found.original_start, found.kind, found.copy_id) == (None, DriftKind.DUPLICATED, "c-1")
        assert (found.expected, found.observed) == (SINGLE.master, BESIDE)
        assert (found.phase, found.scope, found.mixed) == (Phase.UPCOMING, Scope.OCCURRENCE, False)
        assert (found.disposition, found.ended, found.appointment) == (Disposition.REVERT, None, None)
        assert (write.kind, write.remote_id, write.version, write.target) == (WriteKind.DELETE, "c-1", "7", None)
        assert (write.cause, write.not_before, write.reverts) == (Cause.COPY, SETTLED, (None,))

    def test_waits_until_it_was_left_alone(self) -> None:
        quiet = replace(about(), changed_at=NOW - HOUR)
        assert [one.not_before for one in judged(case(copy(), drifts=(quiet,))).writes] == [NOW]
        assert [one.not_before for one in judged(case(copy(AGAIN), drifts=(quiet,))).writes] == [SETTLED]

    def test_that_shows_something_else_is_told_anew(self) -> None:
        decision = judged(case(copy(AGAIN), drifts=(about(),)))
        assert decision.changed == (DriftChange("D-1", AGAIN, DriftKind.DUPLICATED, Disposition.REVERT),)
        assert judged(case(copy(), drifts=(about(),))).changed == ()

    def test_of_a_session_that_is_over_is_asked_about_and_stays(self) -> None:
        decision = judged(case(copy(seen("2026-12-01T12:00"))), OVER)
        assert [one.disposition for one in decision.found] == [Disposition.FLAG]
        assert decision.writes == ()

    def test_that_nobody_minds_is_noted_and_stays(self) -> None:
        decision = judged(case(copy()), policy=allowing(Disposition.IGNORE, DriftKind.DUPLICATED))
        assert [one.ended for one in decision.found] == [Resolution.IGNORED]
        assert decision.writes == ()

    @pytest.mark.parametrize("resolution", [Resolution.ACKNOWLEDGED, Resolution.IGNORED])
    def test_that_was_let_be_is_as_it_was_until_it_shows_something_else(self, resolution: Resolution) -> None:
        let_be = about(resolution=resolution, accepted=True)
        assert judged(case(copy(), drifts=(let_be,))) == CopiesDecision()
        assert [one.observed for one in judged(case(copy(AGAIN), drifts=(let_be,))).found] == [AGAIN]

    def test_is_not_known_by_the_drift_of_another_copy(self) -> None:
        other = about(copy_id="c-2")
        moved = about(kind=DriftKind.MOVED)
        for one in (other, moved, about(resolution=Resolution.WITHDRAWN)):
            assert len(judged(case(copy(), drifts=(one,))).found) == 1


class TestAtAWord:
    """A person said that the copy is to go."""

    asked = about(disposition=Disposition.FLAG, resolved_by="support:ada")

    def test_it_goes_without_waiting_for_quiet(self) -> None:
        (write,) = judged(case(copy(), drifts=(self.asked,))).writes
        assert (write.remote_id, write.not_before, write.reverts) == ("c-1", NOW, (None,))

    def test_it_goes_though_something_else_of_it_was_flagged(self) -> None:
        key = DAYS[0]
        asked = replace(self.asked, original_start=key, observed=seen("2026-12-01T12:00"))
        other = about(seen("2026-12-08T12:00"), DAYS[1], id="D-2", disposition=Disposition.FLAG)
        beside = copy(weekly("2026-12-01T12:00", 2))
        (write,) = judged(case(beside, drifts=(asked, other), event=CUT)).writes
        assert (write.reverts, write.not_before) == ((key,), NOW)
        unasked = replace(asked, resolved_by=None)
        assert judged(case(beside, drifts=(unasked, other), event=CUT)).writes == ()

    def test_what_policy_takes_away_of_it_goes_along(self) -> None:
        asked = replace(self.asked, original_start=DAYS[0], observed=seen("2026-12-01T12:00"))
        going = about(seen("2026-12-08T12:00"), DAYS[1], id="D-2")
        flagged = about(seen("2026-12-15T12:00"), THIRD, id="D-3", disposition=Disposition.FLAG)
        beside = copy(weekly("2026-12-01T12:00"))
        decision = judged(case(beside, drifts=(asked, going, flagged), event=weekly()))
        assert (decision.changed, [one.reverts for one in decision.writes]) == ((), [tuple(DAYS[:2])])

    def test_of_a_series_whose_session_is_no_more_one_that_still_shows_is_enough(self) -> None:
        asked = replace(self.asked, original_start=THIRD, observed=seen("2026-12-15T12:00"))
        (write,) = judged(case(copy(weekly("2026-12-01T12:00")), drifts=(asked,))).writes
        assert THIRD in write.reverts

    def test_what_it_shows_since_is_another_question(self) -> None:
        flagging = allowing(Disposition.FLAG, DriftKind.DUPLICATED)
        decision = judged(case(copy(AGAIN), drifts=(self.asked,)), policy=flagging)
        assert (decision.writes, [one.observed for one in decision.changed]) == ((), [AGAIN])

    def test_it_goes_though_its_session_is_nowhere_agreed_any_more(self) -> None:
        far = seen("2027-06-01T10:00")
        asked = replace(self.asked, original_start=DAYS[0], observed=far)
        (write,) = judged(case(copy(far), drifts=(asked,), event=SERIES)).writes
        assert (write.remote_id, write.not_before, write.reverts) == ("c-1", NOW, (DAYS[0],))
        moved_on = replace(asked, observed=BESIDE)
        decision = judged(case(copy(far), drifts=(moved_on,), event=SERIES))
        assert (decision.writes, [one.observed for one in decision.changed]) == ((), [far])

    def test_what_was_taken_away_meanwhile_is_answered(self) -> None:
        assert judged(gone(self.asked)).changed == (
            DriftChange("D-1", BESIDE, DriftKind.DUPLICATED, Disposition.FLAG, Resolution.ACKNOWLEDGED),
        )


class TestTakenAway:
    def test_before_its_session_nothing_is_left_to_ask(self) -> None:
        assert judged(gone(about())).changed == (
            DriftChange("D-1", None, DriftKind.DUPLICATED, Disposition.REVERT, Resolution.WITHDRAWN),
        )

    def test_after_its_session_it_stays_a_question(self) -> None:
        assert judged(gone(about()), OVER).changed == (
            DriftChange("D-1", BESIDE, DriftKind.DUPLICATED, Disposition.FLAG),
        )
        assert judged(gone(about(disposition=Disposition.FLAG)), OVER).changed == ()

    def test_only_its_own_open_drifts_end(self) -> None:
        for other in (about(copy_id="c-2"), about(kind=DriftKind.MOVED), about(resolution=Resolution.ACKNOWLEDGED)):
            assert judged(gone(other)).changed == ()


class TestNotUnderstood:
    """A copy that stands and cannot be read is left to people: to remove it would be to write blindly."""

    def test_what_was_to_be_taken_away_is_asked_about(self) -> None:
        decision = judged(case(copy(unreadable=True), drifts=(about(),)))
        assert decision.changed == (DriftChange("D-1", BESIDE, DriftKind.DUPLICATED, Disposition.FLAG),)
        assert (decision.found, decision.writes) == ((), ())

    @pytest.mark.parametrize(
        "changes",
        [
            {"copy_id": "c-2"},
            {"kind": DriftKind.MOVED},
            {"resolution": Resolution.WITHDRAWN},
            {"disposition": Disposition.FLAG},
        ],
    )
    def test_nothing_else_is(self, changes: dict[str, object]) -> None:
        assert judged(case(copy(unreadable=True), drifts=(about(**changes),))).changed == ()  # type: ignore[arg-type]

    def test_the_next_copy_is_judged_all_the_same(self) -> None:
        decision = judged(case(copy(unreadable=True), copy(AGAIN, "c-2")))
        assert [one.remote_id for one in decision.writes] == ["c-2"]


class TestWhoseSessionIsNoMore:
    """A copy still stands, and the session beside which it was made is not agreed any more."""

    far = seen("2027-06-01T10:00")
    known = about(key=DAYS[0])

    def case(self, shows: Appearance | Event, *drifts: Drift, **more: object) -> LinkCase:
        return case(copy(shows), drifts=drifts or (self.known,), event=SERIES, **more)

    def test_dragged_to_where_none_of_ours_lies_it_is_told_before_it_goes(self) -> None:
        decision = judged(self.case(self.far))
        assert decision.changed == (DriftChange("D-1", self.far, DriftKind.DUPLICATED, Disposition.REVERT),)
        assert [one.not_before for one in decision.writes] == [SETTLED]

    def test_that_is_told_once(self) -> None:
        told = replace(self.known, observed=self.far, changed_at=NOW - HOUR)
        decision = judged(self.case(self.far, told))
        assert (decision.changed, [one.not_before for one in decision.writes]) == ((), [NOW])

    def test_a_series_of_copies_is_not_told_as_one(self) -> None:
        assert judged(self.case(weekly("2027-06-01T10:00"))).changed == ()

    def test_a_flag_stays_one_though_the_practice_acts_from_now_on(self) -> None:
        watched = replace(self.known, original_start=THIRD, disposition=Disposition.WOULD_FLAG)
        assert judged(case(copy(), drifts=(watched,))).writes == ()
        would = replace(watched, disposition=Disposition.WOULD_REVERT)
        assert len(judged(case(copy(), drifts=(would,))).writes) == 1

    def test_what_is_over_there_is_a_question(self) -> None:
        over = case(copy(), drifts=(about(key=THIRD),))
        assert judged(over, OVER).writes == ()
        assert len(judged(over, OVER, EAGER).writes) == 1, "but where policy puts back what is over as well"

    def test_what_is_over_and_was_taken_out_of_it_is_a_question_whatever_policy_says(self) -> None:
        shows = replace(weekly("2026-12-01T12:00", 4), recurrence=Recurrence("FREQ=WEEKLY;COUNT=4", excluded=(NOON,)))
        known = about(seen("2026-12-01T12:00"), DAYS[0])
        (change,) = judged(self.case(shows, known), BETWEEN, EAGER).changed
        assert (change.drift, change.disposition, change.ended) == ("D-1", Disposition.FLAG, None)

    def test_it_is_over_by_what_was_expected_of_it(self) -> None:
        nowhere = replace(self.known, original_start=DAYS[0] + 24 * HOUR)
        assert [one.disposition for one in judged(self.case(self.far, nowhere), OVER).changed] == [Disposition.FLAG]
        cancelled = judged(case(copy(AGAIN), expected=None), OVER)
        assert [one.phase for one in cancelled.found] == [Phase.PAST]

    def test_only_its_own_open_drifts_tell_of_it(self) -> None:
        for other in ({"copy_id": "c-2"}, {"kind": DriftKind.MOVED}, {"resolution": Resolution.WITHDRAWN}):
            decision = judged(self.case(self.far, replace(self.known, **other)))
            assert [one for one in decision.writes if one.remote_id == "c-1"] == []


class TestACopiedSeries:
    """A copy can only be taken away whole."""

    later = weekly("2026-12-01T12:00", 4)

    def test_is_told_in_the_order_of_time_and_goes_with_what_is_over(self) -> None:
        decision = judged(case(copy(self.later), event=SERIES), BETWEEN)
        assert [one.original_start for one in decision.found] == DAYS
        assert {(one.scope, one.mixed) for one in decision.found} == {(Scope.SERIES, True)}
        assert [one.disposition for one in decision.found] == [Disposition.FLAG, *[Disposition.REVERT] * 3]
        assert [one.reverts for one in decision.writes] == [tuple(DAYS[1:])]

    def test_stays_whole_where_one_upcoming_session_is_a_question(self) -> None:
        flagged = about(seen("2026-12-08T12:00"), DAYS[1], disposition=Disposition.FLAG, scope=Scope.SERIES)
        decision = judged(case(copy(self.later), drifts=(flagged,), event=SERIES))
        assert decision.writes == ()
        assert {one.disposition for one in decision.found} == {Disposition.FLAG}

    def test_what_would_have_gone_and_stays_waits_for_a_person(self) -> None:
        flagged = about(seen("2026-12-08T12:00"), DAYS[1], disposition=Disposition.FLAG)
        going = about(seen("2026-12-15T12:00"), THIRD, id="D-3")
        decision = judged(case(copy(self.later), drifts=(flagged, going), event=SERIES))
        assert decision.changed == (DriftChange("D-3", going.observed, DriftKind.DUPLICATED, Disposition.FLAG),)

    def test_what_was_edited_as_well_is_told_as_it_is_now(self) -> None:
        flagged = about(seen("2026-12-08T12:00"), DAYS[1], disposition=Disposition.FLAG)
        edited = about(seen("2026-12-15T16:00"), THIRD, id="D-3")
        decision = judged(case(copy(self.later), drifts=(flagged, edited), event=SERIES))
        told = DriftChange("D-3", seen("2026-12-15T12:00"), DriftKind.DUPLICATED, Disposition.FLAG)
        assert decision.changed == (told,)

    def test_only_news_is_insisted_on(self) -> None:
        again = (PastRevert(DAYS[1], NOW - HOUR, seen("2026-12-08T12:00")),)
        known = about(seen("2026-12-08T12:00"), DAYS[1])
        decision = judged(case(copy(self.later), drifts=(known,), event=SERIES, reverts=again))
        assert {one.disposition for one in decision.found} == {Disposition.REVERT}
        decision = judged(case(copy(self.later, told=True), event=weekly(), reverts=again))
        assert {one.disposition for one in decision.found} <= {Disposition.REVERT}

    def test_what_was_told_and_moved_again_is_insisted_on_like_news(self) -> None:
        again = (PastRevert(DAYS[1], NOW - HOUR, seen("2026-12-08T12:00")),)
        flagged = about(seen("2026-12-08T11:00"), DAYS[1], disposition=Disposition.FLAG)
        (changed,) = judged(case(copy(self.later), drifts=(flagged,), event=SERIES, reverts=again)).changed
        assert changed == DriftChange("D-1", seen("2026-12-08T12:00"), DriftKind.DUPLICATED, Disposition.FLAG)

    def test_while_observing_only_what_would_be_done_is_said(self) -> None:
        again = (PastRevert(DAYS[1], NOW - HOUR, seen("2026-12-08T12:00")),)
        observing = replace(POLICY, observe_only=True)
        decision = judged(case(copy(self.later), event=SERIES, reverts=again), policy=observing)
        assert {one.disposition for one in decision.found} == {Disposition.WOULD_REVERT}

    def test_insisted_on_once_is_insisted_on_whole(self) -> None:
        again = PastRevert(DAYS[1], NOW - HOUR, seen("2026-12-08T12:00"))
        decision = judged(case(copy(self.later), event=SERIES, reverts=(again,)))
        assert {one.disposition for one in decision.found} == {Disposition.FLAG}
        over = replace(again, original_start=DAYS[0], observed=seen("2026-12-01T12:00"), at=BETWEEN - HOUR)
        decision = judged(case(copy(self.later), event=SERIES, reverts=(over,)), BETWEEN)
        assert len(decision.writes) == 1, "nobody puts back what is over"

    def test_that_was_told_shows_no_news_when_ours_is_edited(self) -> None:
        known = about(seen("2026-12-01T12:00"), DAYS[0], resolution=Resolution.ACKNOWLEDGED, accepted=True)
        assert judged(case(copy(self.later, told=True), drifts=(known,), event=SERIES)).found == ()
        assert len(judged(case(copy(self.later), drifts=(known,), event=SERIES)).found) == 3
        assert len(
            judged(case(copy(self.later, told=True), drifts=(replace(known, copy_id="c-2"),), event=SERIES)).found
        )


class TestTheRestOfASplit:
    """What goes on beside our event that was cut."""

    flagging = allowing(Disposition.FLAG, DriftKind.SPLIT)

    def cut(self, *copies: Copy, drifts: tuple[Drift, ...] = (), **more: object) -> LinkCase:
        short = weekly(count=3)
        return last_seen(agreed(short, CUT, copies=copies, drifts=drifts, **{"expected": short, **more}), CUT)

    def test_goes_with_what_it_took_along(self) -> None:
        quiet = split(changed_at=NOW - HOUR)
        (write,) = judged(self.cut(rest(count=1, told=True), drifts=(quiet,))).writes
        assert (write.remote_id, write.not_before, write.reverts) == ("c-1", NOW, ())
        (fresh,) = judged(self.cut(rest(count=1))).writes
        assert fresh.not_before == SETTLED

    def test_stays_where_it_is_let_be(self) -> None:
        assert judged(self.cut(rest(count=1)), policy=self.flagging) == CopiesDecision()

    def kept(self, wanted: Event, goes_on: Copy, *more: Drift) -> CopiesDecision:
        """The second session was cut off, and a person let it be: its rest stays."""
        series = weekly(count=3)
        second = self.of_rest(1, disposition=Disposition.FLAG)
        cut = weekly(count=1)
        about = agreed(series, cut, copies=(goes_on,), drifts=(second, *more), expected=wanted)
        return judged(last_seen(about, cut), policy=self.flagging)

    def of_rest(self, number: int, **changes: object) -> Drift:
        day = f"{DAYS[number]:%Y-%m-%d}"
        times = {"expected": seen(f"{day}T10:00"), "observed": seen(f"{day}T14:00"), "original_start": DAYS[number]}
        return split(id=f"D-{number}", **{**times, **changes})

    @pytest.mark.parametrize("wanted", [CUT, replace(weekly(count=3), overrides=(Override(THIRD, AGAIN),))])
    def test_that_stays_is_told_where_the_record_wants_something_else(self, wanted: Event) -> None:
        (found,) = self.kept(wanted, rest("2026-12-08T14:00")).found
        assert (found.kind, found.original_start, found.observed) == (DriftKind.DUPLICATED, THIRD, LATER)
        assert found.disposition is Disposition.FLAG

    def test_that_is_told_once(self) -> None:
        known = about(LATER, THIRD, disposition=Disposition.FLAG)
        assert self.kept(CUT, rest("2026-12-08T14:00"), known).found == ()

    def test_what_it_shows_as_called_off_is_not_told(self) -> None:
        off = Override(THIRD + 4 * HOUR, replace(LATER, cancelled=True))
        goes_on = rest("2026-12-08T14:00")
        goes_on = replace(goes_on, event=replace(goes_on.event, overrides=(off,)))
        assert self.kept(CUT, goes_on).found == ()

    def test_that_goes_on_for_longer_than_ours_is_told(self) -> None:
        (found,) = self.kept(weekly(count=3), rest("2026-12-08T10:00", count=3)).found
        assert (found.kind, found.observed) == (DriftKind.DUPLICATED, seen("2026-12-22T10:00"))

    def test_of_two_that_it_shows_under_one_name_one_is_told(self) -> None:
        # The third session was told a week later than it is, and now something else stands in its slot.
        moved = replace(weekly(count=3), overrides=(Override(THIRD, AGAIN),))
        flagged = {"disposition": Disposition.FLAG}
        second = self.of_rest(1, observed=seen("2026-12-08T10:00"), **flagged)
        third = self.of_rest(2, observed=seen("2026-12-22T10:00"), **flagged)
        goes_on, cut = rest("2026-12-08T10:00", count=3, told=True), weekly(count=1)
        about = agreed(weekly(count=3), cut, copies=(goes_on,), drifts=(second, third), expected=moved)
        (found,) = judged(last_seen(about, cut), policy=self.flagging).found
        assert (found.original_start, found.observed) == (THIRD, seen("2026-12-22T10:00"))

    def test_of_two_rests_each_is_told_of_for_itself(self) -> None:
        series, cut = weekly(count=3), weekly(count=1)
        both = (rest("2026-12-08T10:00", count=1), rest("2026-12-15T10:00", "c-2"))
        decision = judged(last_seen(agreed(series, cut, copies=both), cut), policy=self.flagging)
        assert [(one.copy_id, one.original_start) for one in decision.found] == [("c-2", DAYS[3])]

    def test_what_is_known_of_another_copy_is_not_known_of_it(self) -> None:
        fourth = seen("2026-12-22T10:00")
        for name, news in (("c-1", []), ("c-2", [fourth])):
            known = about(fourth, BESIDE_OURS, copy_id=name, disposition=Disposition.FLAG)
            found = self.kept(weekly(count=3), rest("2026-12-08T10:00", count=3), known).found
            assert [one.observed for one in found] == news

    def test_that_is_let_be_goes_at_a_word_about_what_it_shows_besides(self) -> None:
        asked = about(LATER, THIRD, disposition=Disposition.FLAG, resolved_by="support:ada")
        decision = self.kept(CUT, rest("2026-12-08T14:00"), asked)
        assert [(one.remote_id, one.reverts, one.not_before) for one in decision.writes] == [("c-1", (THIRD,), NOW)]
        assert decision.changed == ()

    def test_that_goes_at_a_word_is_told_of_whole_before(self) -> None:
        asked = about(seen("2026-12-15T10:00"), THIRD, disposition=Disposition.FLAG, resolved_by="support:ada")
        decision = self.kept(CUT, rest("2026-12-08T10:00", count=3), asked)
        assert [one.original_start for one in decision.found] == [DAYS[3]]
        assert [one.reverts for one in decision.writes] == [(THIRD, DAYS[3])]

    def test_that_is_told_just_so_is_told_of_what_our_own_event_shows_again(self) -> None:
        # The second session was cut off with the third, which its record called off since; now ours shows it, too.
        second = self.of_rest(1, observed=seen("2026-12-08T10:00"), disposition=Disposition.FLAG)
        third = about(seen("2026-12-15T10:00"), THIRD, disposition=Disposition.FLAG)
        goes_on = rest("2026-12-08T10:00", told=True)
        again = agreed(weekly(count=2), weekly(count=2), copies=(goes_on,), drifts=(second, third))
        found = judged(last_seen(again, weekly(count=2)), policy=self.flagging).found
        assert [(one.kind, one.original_start) for one in found] == [(DriftKind.DUPLICATED, DAYS[1])]

    def test_that_shows_a_question_besides_stays_and_is_told_of_what_ours_takes_back(self) -> None:
        question = about(self.of_rest(1).observed, DAYS[1], disposition=Disposition.FLAG)
        known = (question, self.of_rest(2))
        decision = judged(self.cut(rest("2026-12-08T14:00", told=True), drifts=known))
        assert decision.writes == ()
        assert [(one.original_start, one.disposition) for one in decision.found] == [(THIRD, Disposition.FLAG)]

    def test_of_a_series_that_is_called_off_as_a_whole_goes_at_once(self) -> None:
        (write,) = judged(self.cut(rest(count=1), expected=None)).writes
        assert (write.remote_id, write.not_before) == ("c-1", NOW)

    @pytest.mark.parametrize("title", ["Session 1", "Choir"])
    def test_that_shows_a_session_which_ours_has_taken_back_is_told_of_that(self, title: str) -> None:
        # Whatever it is called: it goes on with sessions of ours.
        known = self.of_rest(1).observed
        goes_on = rest("2026-12-08T14:00", told=True)
        master = replace(goes_on.event.master, title=title)
        goes_on = replace(goes_on, event=replace(goes_on.event, master=master))
        reverts = (PastRevert(DAYS[1], NOW - HOUR, known),)
        decision = judged(self.cut(goes_on, drifts=(self.of_rest(2),), reverts=reverts))
        assert [(one.original_start, one.disposition) for one in decision.found] == [(DAYS[1], Disposition.REVERT)]

    def left_over(self, *drifts: Drift, told: bool = True, put_back: int = 1) -> CopiesDecision:
        """Our event has taken both sessions back, and the removal of their rest was refused."""
        known = self.of_rest(put_back).observed
        reverts = (PastRevert(DAYS[put_back], NOW - HOUR, known),)
        goes_on = replace(rest("2026-12-08T14:00"), told=told)
        return judged(case(goes_on, drifts=drifts, event=weekly(count=3), reverts=reverts))

    def test_that_was_left_over_when_ours_was_put_back_goes_without_being_told_again(self) -> None:
        decision = self.left_over(self.of_rest(2))
        assert (decision.found, [one.not_before for one in decision.writes]) == ((), [NOW])

    def test_of_which_something_was_never_told_is_told(self) -> None:
        assert [one.original_start for one in self.left_over().found] == [THIRD]
        other = self.of_rest(2, copy_id="c-2")
        assert [one.original_start for one in self.left_over(other).found] == [THIRD]
        moved = self.of_rest(2, kind=DriftKind.MOVED)
        assert [one.original_start for one in self.left_over(moved).found] == [THIRD]

    def test_that_a_person_made_double_by_mending_ours_is_told(self) -> None:
        about = case(
            rest("2026-12-08T14:00", told=True), drifts=(self.of_rest(1), self.of_rest(2)), event=weekly(count=3)
        )
        assert [one.original_start for one in judged(about).found] == DAYS[1:3]

    def test_while_observing_it_stays(self) -> None:
        known = self.of_rest(1).observed
        about = case(rest("2026-12-08T14:00", told=True), drifts=(self.of_rest(2),), event=weekly(count=3))
        about = replace(about, reverts=(PastRevert(DAYS[1], NOW - HOUR, known),))
        assert judged(about, policy=replace(POLICY, observe_only=True)).writes == ()

    def test_of_which_something_goes_back_goes_when_that_is_quiet(self) -> None:
        going = self.of_rest(2, changed_at=NOW - HOUR)
        flagged = self.of_rest(1, disposition=Disposition.FLAG)
        series, cut = weekly(count=3), weekly(count=1)
        about = agreed(series, cut, copies=(rest("2026-12-08T14:00", told=True),), drifts=(flagged, going))
        (write,) = judged(last_seen(about, cut)).writes
        assert (write.remote_id, write.not_before) == ("c-1", NOW)

    def test_that_was_edited_since_is_told(self) -> None:
        assert [one.original_start for one in self.left_over(self.of_rest(2), told=False).found] == DAYS[1:3]

    def test_is_named_by_what_shows_it_and_after_it_went_by_its_drift(self) -> None:
        def named(case: LinkCase) -> str | None:
            return rest_of(survey(case, Moment(NOW, WINDOW), POLICY), looked(case, THIRD))

        assert named(self.cut(rest(count=1, told=True), drifts=(split(),))) == "c-1"
        assert named(self.cut(drifts=(split(),))) == "c-1"
        assert named(self.cut(drifts=(split(kind=DriftKind.MOVED),))) is None
        assert named(self.cut()) is None
        elsewhere = rest("2027-06-01T18:00", count=1, told=True)
        assert named(self.cut(elsewhere, drifts=(split(),))) is None, "it stands, and shows this no more"
        whole = agreed(weekly(count=3), drifts=(split(),))
        assert named(whole) is None, "our own event shows it"


class TestHers:
    """A copy that a person made into an event of her own is asked about, also where that is only said."""

    hers = replace(seen("2026-12-05T19:00"), title="Choir")
    observing = replace(POLICY, observe_only=True)

    def test_it_is_asked_about_from_the_first(self) -> None:
        decision = judged(case(copy(self.hers)), policy=self.observing)
        assert [one.disposition for one in decision.found] == [Disposition.WOULD_FLAG]

    def test_what_policy_lets_be_of_a_series_does_not_keep_it(self) -> None:
        own = Override(DAYS[1] + 2 * HOUR, replace(seen("2026-12-08T19:00"), title="Choir"))
        shows = replace(weekly("2026-12-01T12:00", 4), overrides=(own,))
        for resolution, goes in ((Resolution.IGNORED, True), (Resolution.ACKNOWLEDGED, False)):
            known = about(own.appearance, DAYS[1], resolution=resolution, accepted=True)
            assert bool(judged(case(copy(shows), drifts=(known,), event=SERIES)).writes) is goes

    def test_it_is_once_she_has_named_it(self) -> None:
        known = about(self.hers, disposition=Disposition.WOULD_REVERT)
        decision = judged(case(copy(self.hers), drifts=(known,)), policy=self.observing)
        assert [one.disposition for one in decision.changed] == [Disposition.WOULD_FLAG]


def test_the_claim_of_a_session_tells_its_phase() -> None:
    slots = {None: replace(case().slots[None], claimed=True)}
    decision = judged(case(copy(), slots=slots))
    assert [one.phase for one in decision.found] == [Phase.CLAIMED]
