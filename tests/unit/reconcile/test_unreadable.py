"""An event of ours that is there and cannot be understood: every session of it is in doubt, and nothing is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Event, OriginalStart
from calsync.domain.write import Cause, WriteKind
from calsync.reconcile.case import Copy, DecisionPolicy, LinkCase, Moment, SentWrite, Slot, UnreadableNow
from calsync.reconcile.compare import standing
from calsync.reconcile.decide import decide
from calsync.reconcile.plan import Decision, DriftChange
from calsync.reconcile.unreadable import decide_unreadable
from tests.properties.pretend import NOW, POLICY, World
from tests.unit.reconcile.cases import drift
from tests.unit.reconcile.histories import WINDOW, weekly
from tests.unit.reconcile.scenes import single

WEEK = timedelta(days=7)
FIRST = datetime(2026, 12, 1, 15, tzinfo=UTC)
SLOTS = [FIRST + n * WEEK for n in range(3)]
ASKED_BACK = replace(drift(), resolved_by="support:ada")


def case(event: Event, *drifts: Drift, **more: object) -> LinkCase:
    known = World.agreed(event).case()
    return replace(known, sight=UnreadableNow("9", "rule-nobody-knows"), drifts=drifts, **more)  # type: ignore[arg-type]


def decided(about: LinkCase, now: datetime = NOW, policy: DecisionPolicy = POLICY) -> Decision:
    return decide_unreadable(about, Moment(now, WINDOW), policy)


def told(about: LinkCase) -> list[OriginalStart]:
    return [one.original_start for one in decided(about).found]


def test_each_session_inside_the_window_is_in_doubt() -> None:
    decision = decided(case(weekly(count=30)))
    inside = [FIRST + n * WEEK for n in range(4)]
    assert [one.original_start for one in decision.found] == inside
    assert {(one.kind, one.observed, one.scope, one.mixed) for one in decision.found} == {
        (DriftKind.UNREADABLE, None, Scope.SERIES, False)
    }
    assert [one.expected and one.expected.span.start_at for one in decision.found] == inside
    assert [one.appointment for one in decision.found] == [f"A-{at}" for at in inside]
    assert (decision.link, decision.cell, decision.writes, decision.changed) == ("L1", "unreadable", (), ())


def test_what_is_in_doubt_is_told_in_the_order_of_time() -> None:
    early = FIRST - timedelta(days=2)
    event = weekly()
    assert event.recurrence is not None
    added = replace(event, recurrence=replace(event.recurrence, added=(FIRST + 5 * WEEK / 2, early)))
    assert told(case(added)) == sorted(told(case(added)), key=lambda at: at or NOW)
    assert told(case(added))[0] == early


def test_a_single_session_is_in_doubt_by_itself() -> None:
    (found,) = decided(case(single())).found
    assert (found.original_start, found.scope, found.appointment) == (None, Scope.OCCURRENCE, "A-None")
    assert (found.expected, found.disposition, found.ended) == (single().master, Disposition.FLAG, None)


def test_it_is_measured_against_what_was_agreed_and_else_against_what_is_wanted() -> None:
    moved = single("2026-12-01T14:00")
    agreed = case(single(), expected=moved)
    (found,) = decided(agreed).found
    assert found.expected == single().master
    (found,) = decided(replace(agreed, link=replace(agreed.link, baseline=None))).found
    assert found.expected == moved.master
    nothing = replace(agreed, link=replace(agreed.link, baseline=None), expected=None)
    assert decided(nothing).found == ()


@pytest.mark.parametrize(
    ("now", "claimed", "phase"),
    [
        (NOW, False, Phase.UPCOMING),
        (FIRST, False, Phase.STARTED),
        (FIRST + timedelta(hours=1), False, Phase.PAST),
        (FIRST + timedelta(hours=1), True, Phase.CLAIMED),
    ],
)
def test_the_phase_is_that_of_the_session(now: datetime, claimed: bool, phase: Phase) -> None:
    about = case(single(), slots={None: Slot("A-1", claimed=claimed)})
    assert [one.phase for one in decided(about, now).found] == [phase]
    asked = decided(replace(about, drifts=(ASKED_BACK,)), now, only_flagged(phase)).changed
    assert [one.disposition for one in asked] == [Disposition.WOULD_FLAG]


def only_flagged(phase: Phase) -> DecisionPolicy:
    """A policy that says something of this phase alone."""
    return replace(POLICY, dispositions={(DriftKind.UNREADABLE, phase): Disposition.WOULD_FLAG})


def test_a_session_that_the_record_does_not_know_has_no_appointment() -> None:
    unknown = case(single(), slots={})
    assert [one.appointment for one in decided(unknown).found] == [None]
    (change,) = decided(replace(unknown, drifts=(ASKED_BACK,))).changed
    assert change.disposition is Disposition.FLAG


def test_a_practice_that_lets_it_be_has_no_open_question() -> None:
    lets_be = {(DriftKind.UNREADABLE, phase): Disposition.IGNORE for phase in Phase}
    easy = replace(POLICY, dispositions=lets_be)
    (found,) = decided(case(single()), policy=easy).found
    assert (found.disposition, found.ended) == (Disposition.IGNORE, Resolution.IGNORED)


@pytest.mark.parametrize(
    ("kind", "resolution", "is_told"),
    [
        (DriftKind.UNREADABLE, Resolution.OPEN, True),
        (DriftKind.UNREADABLE, Resolution.IGNORED, True),
        (DriftKind.MOVED, Resolution.OPEN, True),
        (DriftKind.MOVED, Resolution.ACKNOWLEDGED, False),
        (DriftKind.DUPLICATED, Resolution.OPEN, False),
    ],
)
def test_what_is_asked_about_already_is_not_asked_twice(kind: DriftKind, resolution: Resolution, is_told: bool) -> None:
    second = replace(drift(kind, resolution), original_start=SLOTS[1])
    rest = [at for at in SLOTS if at != SLOTS[1] or not is_told]
    assert told(case(weekly(), second)) == rest


class TestPutBackAtAWord:
    """A person said that an edit is to be put back, and it was made into something nobody understands since."""

    def test_it_is_asked_about_anew(self) -> None:
        decision = decided(case(single(), ASKED_BACK))
        assert decision.changed == (DriftChange("D-1", None, DriftKind.UNREADABLE, Disposition.FLAG),)
        assert decision.found == ()

    def test_unless_the_practice_lets_such_things_be(self) -> None:
        lets_be = replace(POLICY, dispositions={(DriftKind.UNREADABLE, phase): Disposition.IGNORE for phase in Phase})
        (change,) = decided(case(single(), ASKED_BACK), policy=lets_be).changed
        assert (change.disposition, change.ended) == (Disposition.IGNORE, Resolution.IGNORED)

    @pytest.mark.parametrize("kind", [DriftKind.UNREADABLE, DriftKind.DUPLICATED])
    def test_but_not_where_that_is_known_or_it_is_about_a_copy(self, kind: DriftKind) -> None:
        assert decided(case(single(), replace(ASKED_BACK, kind=kind))).changed == ()

    def test_an_edit_that_nobody_answered_stays_as_it_is(self) -> None:
        assert decided(case(single(), drift())).changed == ()


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_a_copy_beside_it_is_told_of_whether_or_not_our_create_was_confirmed(is_confirmed: bool) -> None:
    known = case(single())
    if not is_confirmed:
        known = replace(known, link=replace(known.link, baseline=None, baseline_hash=None))
    copy = Copy("c-1", "1", replace(single("2026-12-01T07:00"), uid="u-c"))
    decision = decide(replace(known, copies=(copy,)), Moment(NOW, WINDOW), POLICY)
    assert [str(one.kind) for one in decision.found] == ["unreadable", "duplicated"]


def test_a_copy_beside_it_is_measured_against_what_we_wrote_last() -> None:
    written = single("2026-12-01T14:00")
    moved = replace(case(written), expected=single())
    copy = Copy("c-1", "1", replace(written, uid="u-c"))
    decision = decide(replace(moved, copies=(copy,)), Moment(NOW, WINDOW), POLICY)
    assert [one.expected for one in decision.found if one.kind is DriftKind.DUPLICATED] == [written.master]


class TestRestored:
    """A person said that it is to be as booked again, whatever stands there: the one write over what nobody reads."""

    series = weekly(count=3)

    def asked(self, key: OriginalStart = None, **changes: object) -> Drift:
        known = {"id": f"D-{key}", "original_start": key, "observed": None, "resolved_by": "support:ada", **changes}
        return replace(drift(DriftKind.UNREADABLE), disposition=Disposition.FLAG, **known)  # type: ignore[arg-type]

    def moved(self, **changes: object) -> Drift:
        """The second session stands at two o'clock, and nobody answered that."""
        there = replace(self.series.master, span=single("2026-12-08T14:00").master.span)
        known = {"id": "D-2", "original_start": SLOTS[1], "observed": there, "disposition": Disposition.FLAG, **changes}
        return replace(drift(), **known)  # type: ignore[arg-type]

    def shows(self, *drifts: Drift, **more: object) -> list[str]:
        """When the sessions stand once it is written."""
        (write,) = decided(case(self.series, *drifts, **more)).writes
        assert write.target is not None
        return [f"{one.span.start:%d %H}" for one in standing(write.target, WINDOW).values()]

    def test_it_is_written_as_the_record_has_it_now_over_just_what_was_seen(self) -> None:
        wanted = single("2026-12-01T14:00")
        (write,) = decided(case(single(), self.asked(), expected=wanted)).writes
        assert (write.kind, write.target, write.version) == (WriteKind.UPDATE, wanted, "9")
        assert (write.cause, write.not_before, write.reverts) == (Cause.RESTORE, NOW, (None,))

    def test_it_is_removed_where_the_session_was_called_off(self) -> None:
        for drifts in ([self.asked(SLOTS[0])], [self.asked(SLOTS[0]), self.moved()]):
            (write,) = decided(case(self.series, *drifts, expected=None)).writes
            assert (write.kind, write.target) == (WriteKind.DELETE, None)

    @pytest.mark.parametrize(
        "changes",
        [{"resolved_by": None}, {"resolution": Resolution.ACKNOWLEDGED}, {"kind": DriftKind.MOVED}],
        ids=["nobody said so", "it was answered otherwise", "it was said of another edit"],
    )
    def test_nothing_is_written_without_that_word(self, changes: dict[str, Any]) -> None:
        assert decided(case(single(), self.asked(**changes))).writes == ()

    def test_nor_over_what_has_no_version(self) -> None:
        unknown = replace(case(single(), self.asked()), sight=UnreadableNow(None, "rule-nobody-knows"))
        assert decided(unknown).writes == ()

    @pytest.mark.parametrize(
        ("changes", "kept"),
        [
            ({}, True),
            ({"disposition": Disposition.REVERT}, False),
            ({"resolved_by": "support:ada"}, False),
            ({"resolution": Resolution.ACKNOWLEDGED}, False),
            ({"kind": DriftKind.DUPLICATED, "copy_id": "c-1"}, False),
            ({"kind": DriftKind.UNREADABLE, "observed": None}, False),
        ],
        ids=["a question", "to be put back", "asked back", "answered", "of a copy", "in doubt"],
    )
    def test_only_what_is_an_open_question_by_itself_stays(self, changes: dict[str, object], kept: bool) -> None:
        assert self.shows(self.asked(SLOTS[0]), self.moved(**changes)) == [
            "01 10",
            "08 14" if kept else "08 10",
            "15 10",
        ]

    @pytest.mark.parametrize(("name", "there"), [("c-1", ["01 10", "15 10"]), ("c-2", ["01 10", "08 14", "15 10"])])
    def test_what_the_rest_of_a_split_shows_is_left_to_it(self, name: str, there: list[str]) -> None:
        goes_on = Copy(name, "1", replace(single("2026-12-08T14:00"), uid="u-c"))
        cut_off = self.moved(kind=DriftKind.SPLIT, copy_id="c-1")
        assert self.shows(self.asked(SLOTS[0]), cut_off, copies=(goes_on,)) == there

    @pytest.mark.parametrize(
        ("sent", "waits"),
        [
            ({}, True),
            ({"version": "8"}, False),
            ({"restores": ()}, False),
            ({"given_up": True}, False),
        ],
        ids=["over this", "over what stood there before", "of another kind", "given up"],
    )
    def test_one_that_was_refused_is_tried_again_a_minute_later(self, sent: dict[str, object], waits: bool) -> None:
        before = SentWrite("W-1", single(), "hash", restores=(None,), version="9")
        other = replace(before, key="W-2", version="7")
        tried = (other, replace(before, **sent))  # type: ignore[arg-type]
        (write,) = decided(case(single(), self.asked(), sent=tried)).writes
        assert write.not_before == NOW + timedelta(minutes=waits)
