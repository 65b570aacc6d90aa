"""The one write that an event needs: what it puts back, pushes and keeps, when it is due, and when none is needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from calsync.domain.drift import Disposition, Drift, DriftKind
from calsync.domain.event import Event, Override
from calsync.domain.marker import Marker
from calsync.domain.notation import content_hash
from calsync.domain.write import Cause, WriteKind
from calsync.reconcile import decide as module
from calsync.reconcile.case import ConfirmedAbsent, DecisionPolicy, LinkCase, Moment, SeenNow, SentWrite
from calsync.reconcile.compare import standing
from calsync.reconcile.decide import decide
from calsync.reconcile.plan import Decision, WantedWrite
from tests.properties.pretend import NOW, POLICY
from tests.unit.reconcile.cases import (
    BETWEEN,
    CUT,
    DECLINED,
    DRAGGED,
    HERS,
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
from tests.unit.reconcile.histories import LENIENT, WINDOW, weekly
from tests.unit.reconcile.scenes import DAYS, HOUR, seen

ROOM_2 = replace(SERIES, location="Room 2")
FLAGGING_SPLITS = allowing(Disposition.FLAG, DriftKind.SPLIT)


def decided(case: LinkCase, now: datetime = NOW, policy: DecisionPolicy = POLICY) -> Decision:
    return decide(case, Moment(now, WINDOW), policy)


def written(case: LinkCase, now: datetime = NOW, policy: DecisionPolicy = POLICY) -> WantedWrite:
    """The write to our own event."""
    (write,) = [one for one in decided(case, now, policy).writes if one.remote_id == case.link.remote_id]
    return write


def shows(write: WantedWrite) -> dict[datetime, str]:
    """When the sessions stand by their original start, once it is written."""
    assert write.target is not None
    there = standing(write.target, WINDOW)
    return {key: f"{one.span.start:%m-%d %H}" for key, one in there.items() if key is not None}


def moved(number: int, **changes: object) -> Drift:
    """The open drift of an occurrence that was put to two o'clock on its own."""
    day = f"{DAYS[number]:%Y-%m-%d}"
    given = {"id": f"D-{number}", "original_start": DAYS[number], "expected": seen(f"{day}T10:00"), **changes}
    return replace(drift(), observed=seen(f"{day}T14:00"), **given)  # type: ignore[arg-type]


class TestWhenItIsDue:
    def test_what_is_flagged_holds_nothing_up(self) -> None:
        flagged = moved(1, disposition=Disposition.FLAG, changed_at=NOW)
        quiet = moved(2, changed_at=NOW - HOUR)
        there = at_slots(SERIES, 1, 2, start="14:00")
        write = written(last_seen(agreed(SERIES, there, drifts=(flagged, quiet)), there))
        assert (write.not_before, write.reverts, write.cause) == (NOW, (THIRD,), Cause.REVERT)

    def test_an_edit_that_is_not_quiet_stays_with_all_that_goes_back_with_it(self) -> None:
        # The record's own change is not kept waiting: it goes round the edit.
        write = written(agreed(SERIES, DRAGGED, expected=ROOM_2), BETWEEN)
        assert (write.not_before, write.reverts, write.cause) == (BETWEEN, (), Cause.RECORD)
        assert set(shows(write).values()) == {"12-01 14", "12-08 14", "12-15 14", "12-22 14"}

    def test_what_a_person_asked_to_put_back_goes_with_it(self) -> None:
        asked = moved(2, disposition=Disposition.FLAG, resolved_by="support:ada", changed_at=NOW)
        there = at_slots(SERIES, 2, start="14:00")
        write = written(last_seen(agreed(SERIES, there, drifts=(asked,), expected=ROOM_2), there))
        assert (write.not_before, write.reverts) == (NOW, (THIRD,))
        assert shows(write)[THIRD] == "12-15 10"


class TestAtAWord:
    """A person said that it is to be put back: the write is theirs only where nothing else is put back by it."""

    def write(self, *drifts: Drift) -> WantedWrite:
        there = at_slots(
            SERIES, *(DAYS.index(one.original_start) for one in drifts if one.original_start), start="14:00"
        )
        return written(last_seen(agreed(SERIES, there, drifts=drifts), there))

    asked = moved(1, disposition=Disposition.FLAG, resolved_by="support:ada")

    def test_it_restores(self) -> None:
        assert self.write(self.asked).cause is Cause.RESTORE

    def test_it_reverts_where_policy_puts_something_back_as_well(self) -> None:
        assert self.write(self.asked, moved(2)).cause is Cause.REVERT

    def test_an_event_of_her_own_goes_by_her_word(self) -> None:
        hers = replace(SINGLE, master=HERS)
        about = replace(drift(), observed=HERS, disposition=Disposition.FLAG)
        case = last_seen(agreed(SINGLE, hers, drifts=(about,), expected=None), hers)
        assert decided(case).writes == ()
        told = replace(case, drifts=(replace(about, expected=None, resolved_by="support:ada"),))
        assert [one.kind for one in decided(told).writes] == [WriteKind.DELETE]

    def test_an_answer_to_the_invitation_cannot_be_put_back(self) -> None:
        about = replace(drift(DriftKind.DECLINED), observed=DECLINED.master, disposition=Disposition.FLAG)
        case = agreed(SINGLE, DECLINED, drifts=(replace(about, resolved_by="support:ada"),))
        assert decided(last_seen(case, DECLINED)).writes == ()


class TestWhatIsKept:
    """What is let be stays in our event, wherever it showed."""

    @pytest.mark.parametrize(("most", "writes"), [(2, 1), (1, 0)])
    def test_the_record_waits_where_too_much_is_kept(
        self, monkeypatch: pytest.MonkeyPatch, most: int, writes: int
    ) -> None:
        monkeypatch.setattr(module, "MAX_KEPT", most)
        there = at_slots(SERIES, 1, 2, start="14:00")
        assert len(decided(agreed(SERIES, there, expected=ROOM_2), policy=LENIENT).writes) == writes

    def test_of_a_rest_that_goes_it_is_what_the_rest_shows_now(self) -> None:
        # The third session goes back; the second has been moved once more, and waits for a person.
        again = Override(DAYS[1] + 4 * HOUR, seen("2026-12-08T16:00"))
        copy = rest("2026-12-08T14:00")
        copy = replace(copy, event=replace(copy.event, overrides=(again,)))
        second = moved(1, kind=DriftKind.SPLIT, copy_id="c-1")
        short, cut = weekly(count=3), weekly(count=1)
        case = agreed(short, cut, drifts=(second, split()), copies=(copy,))
        write = written(last_seen(case, cut), policy=FLAGGING_SPLITS)
        assert (write.reverts, shows(write)[DAYS[1]], shows(write)[THIRD]) == ((THIRD,), "12-08 16", "12-15 10")

    def test_of_a_rest_that_goes_for_what_it_shows_besides_ours_takes_over_what_is_let_be(self) -> None:
        # The third session was called off since: a person said that it is to go from the rest as well.
        asked = moved(2, kind=DriftKind.DUPLICATED, copy_id="c-1", resolved_by="support:ada")
        second = moved(1, kind=DriftKind.SPLIT, copy_id="c-1", disposition=Disposition.FLAG)
        copy = rest("2026-12-08T14:00", told=True)
        short, cut = weekly(count=2), weekly(count=1)
        case = last_seen(agreed(short, cut, drifts=(second, asked), copies=(copy,)), cut)
        decision = decided(case, policy=FLAGGING_SPLITS)
        assert [(one.remote_id, one.kind) for one in decision.writes] == [
            (case.link.remote_id, WriteKind.UPDATE),
            ("c-1", WriteKind.DELETE),
        ]
        assert shows(decision.writes[0]) == {DAYS[0]: "12-01 10", DAYS[1]: "12-08 14"}
        assert {one.kind for one in decision.found} == {DriftKind.MARKER_LOST}, "the rest is on the books already"

    @pytest.mark.parametrize(("resolved_by", "goes"), [(None, False), ("support:ada", True)])
    def test_a_rest_that_a_question_keeps_keeps_what_is_let_be_but_at_a_word(
        self, resolved_by: str | None, goes: bool
    ) -> None:
        # The third session goes back; the second is let be, and the rest shows a fourth that nobody booked.
        def about(number: int, kind: DriftKind, **changes: object) -> Drift:
            there = seen(f"{DAYS[number]:%Y-%m-%d}T09:00")
            return replace(moved(number, kind=kind, copy_id="c-1", **changes), observed=there)

        flagged = {"disposition": Disposition.FLAG}
        third = about(2, DriftKind.SPLIT, resolved_by=resolved_by)
        known = (about(1, DriftKind.SPLIT, **flagged), third, about(3, DriftKind.DUPLICATED, **flagged))
        short, cut, copy = weekly(count=3), weekly(count=1), rest("2026-12-08T09:00", count=3, told=True)
        case = last_seen(agreed(short, cut, drifts=known, copies=(copy,)), cut)
        decision = decided(case, policy=FLAGGING_SPLITS)
        assert [(one.remote_id, one.kind) for one in decision.writes[1:]] == [("c-1", WriteKind.DELETE)] * goes
        assert shows(decision.writes[0]).get(DAYS[1]) == ("12-08 09" if goes else None)
        assert shows(decision.writes[0])[THIRD] == "12-15 10"

    def test_what_was_moved_again_and_is_let_be_is_kept_as_it_shows_now(self) -> None:
        there = at_slots(SERIES, 2, start="14:00")
        there = replace(there, overrides=(*there.overrides, Override(DAYS[1], seen("2026-12-08T16:00"))))
        flagged = moved(1, disposition=Disposition.FLAG)
        case = agreed(SERIES, there, drifts=(flagged, moved(2, changed_at=NOW - HOUR)))
        write = written(last_seen(case, there), policy=LENIENT)
        assert (shows(write)[DAYS[1]], shows(write)[THIRD]) == ("12-08 16", "12-15 10")

    def gone(self, about: Drift, **more: object) -> LinkCase:
        """The rest is there no more; our event was not written since it was cut."""
        short = weekly(count=3)
        return last_seen(agreed(short, CUT, drifts=(about,), **more), CUT)

    flagged = split(disposition=Disposition.FLAG)

    def test_what_went_with_its_rest_is_written_into_our_event(self) -> None:
        write = written(self.gone(self.flagged), policy=FLAGGING_SPLITS)
        assert (write.kind, write.cause, shows(write)[THIRD]) == (WriteKind.UPDATE, Cause.RECORD, "12-15 14")

    def test_what_was_called_off_in_its_rest_needs_no_writing(self) -> None:
        off = replace(self.flagged, observed=replace(LATER, cancelled=True))
        assert decided(self.gone(off), policy=FLAGGING_SPLITS).writes == ()

    def test_what_a_person_took_away_stays_away(self) -> None:
        taken = self.gone(self.flagged, gone_copies=frozenset({"c-1"}))
        flagging = allowing(Disposition.FLAG, DriftKind.SPLIT, DriftKind.DELETED)
        assert decided(taken, policy=flagging).writes == ()


class TestWhatIsWrittenAlready:
    """Services keep our words in their own way: only a text that we have not written yet is a reason to write."""

    named = replace(SINGLE, master=replace(SINGLE.master, title="Session S-1"))

    def case(self, wrote: Event, expected: Event, *, baseline: Event = SINGLE, **more: object) -> LinkCase:
        case = agreed(baseline, baseline, expected=expected, **more)
        return replace(case, link=replace(case.link, baseline_hash=content_hash(wrote)))

    def test_a_title_that_the_service_keeps_otherwise_is_written_once(self) -> None:
        assert decided(self.case(self.named, self.named)).writes == ()
        assert written(self.case(SINGLE, self.named)).target == self.named

    def test_nor_does_it_hurry_the_writing_back_of_an_edit(self) -> None:
        case = replace(self.case(self.named, self.named), sight=SeenNow("2", MOVED))
        write = written(case)
        assert (write.cause, write.not_before) == (Cause.REVERT, NOW + POLICY.settle)

    def test_so_is_one_beside_what_is_kept(self) -> None:
        there = at_slots(SERIES, 2, start="14:00")
        wanted = replace(SERIES, master=replace(SERIES.master, title="Session S-1"))
        flagged = moved(2, disposition=Disposition.FLAG)
        case = last_seen(self.case(SERIES, wanted, baseline=SERIES, drifts=(flagged,)), there)
        case = replace(case, sight=SeenNow("2", there))
        write = written(case)
        assert write.target is not None
        done = replace(case, link=replace(case.link, baseline_hash=content_hash(write.target)))
        assert decided(done).writes == ()

    def test_a_record_that_went_back_while_a_write_was_unanswered_is_written_again(self) -> None:
        sight = SeenNow("3", self.named, Marker("L1", 1, content_hash(self.named), "place"))
        sent = (SentWrite("W-2", self.named, content_hash(self.named)),)
        write = written(self.case(SINGLE, SINGLE, sent=sent, sight=sight))
        assert (write.target, write.cause) == (SINGLE, Cause.RECORD)

    def test_a_new_name_for_one_session_is_written(self) -> None:
        named = replace(seen("2026-12-15T10:00"), title="Session S-1")
        wanted = replace(SERIES, overrides=(Override(THIRD, named),))
        write = written(agreed(SERIES, expected=wanted))
        assert write.target == wanted

    def test_but_not_for_one_that_was_let_be(self) -> None:
        there = at_slots(SERIES, 2, start="14:00")
        named = replace(seen("2026-12-15T10:00"), title="Session S-1")
        wanted = replace(SERIES, overrides=(Override(THIRD, named),))
        let_be = answered(seen("2026-12-15T14:00"), original_start=THIRD, expected=seen("2026-12-15T10:00"))
        assert decided(last_seen(agreed(SERIES, there, expected=wanted, drifts=(let_be,)), there)).writes == ()


class TestWhatIsAgreedFromNowOn:
    def test_where_one_was_let_be_only_what_both_sides_say_is(self) -> None:
        before = at_slots(SERIES, 2, start="14:00")
        both = at_slots(SERIES, 1, 2, start="14:00")
        let_be = answered(seen("2026-12-15T14:00"), original_start=THIRD, expected=seen("2026-12-15T10:00"))
        wanted = at_slots(SERIES, 1, start="14:00")
        decision = decided(last_seen(agreed(before, both, expected=wanted, drifts=(let_be,)), before))
        assert decision.writes == ()
        assert decision.adopt is not None
        assert decision.adopt.baseline == both

    def test_what_somebody_made_public_is_remembered_until_it_is_private_again(self) -> None:
        public = replace(SINGLE, public=True)
        assert decided(agreed(SINGLE, public)).remember == public
        assert decided(agreed(public)).remember is None

    def test_a_cancelled_session_that_is_gone_leaves_nothing(self) -> None:
        decision = decided(agreed(SINGLE, sight=ConfirmedAbsent(), expected=None))
        assert decision.adopt is not None
        assert (decision.adopt.baseline, decision.adopt.version) == (None, None)


class TestForTheBrakes:
    def test_what_is_told_of_a_vanished_event_is_in_the_order_of_time(self) -> None:
        last = Override(DAYS[0], seen("2026-12-21T10:00"))
        case = agreed(replace(SERIES, overrides=(last,)), sight=ConfirmedAbsent())
        days = [f"{at:%m-%d}" for at in decided(case).starts]
        assert days == ["12-08", "12-15", "12-21", "12-22"]

    def test_nor_is_a_session_told_of_that_was_off_already(self) -> None:
        off = Override(THIRD, replace(IN_SLOT, cancelled=True))
        case = agreed(replace(SERIES, overrides=(off,)), sight=ConfirmedAbsent())
        assert THIRD not in decided(case).starts
        assert len(decided(case).starts) == 3

    def test_what_she_made_her_own_is_no_sign_of_a_stampede(self) -> None:
        hers = replace(SINGLE, master=HERS)
        assert decided(agreed(SINGLE, hers)).changed_wholly
        assert not decided(agreed(SINGLE, hers, expected=None)).changed_wholly
