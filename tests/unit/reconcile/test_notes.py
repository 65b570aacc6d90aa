"""What is noted of an event as a whole: that somebody made it public is told once, and not fought over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from calsync.domain.drift import Disposition, Drift, DriftKind, Resolution
from calsync.reconcile.case import ConfirmedAbsent, DecisionPolicy, LinkCase, Moment
from calsync.reconcile.ground import survey
from calsync.reconcile.judge import judge
from calsync.reconcile.looks import look
from calsync.reconcile.notes import Notes, take_notes
from tests.properties.pretend import NOW, POLICY
from tests.unit.reconcile.cases import MOVED, SINGLE, agreed, allowing, drift
from tests.unit.reconcile.histories import WINDOW
from tests.unit.reconcile.scenes import HOUR

PUBLIC = replace(SINGLE, public=True)
PERIOD = POLICY.revert_limit_period
SECOND = timedelta(seconds=1)


def noted(case: LinkCase, policy: DecisionPolicy = POLICY) -> Notes:
    ground = survey(case, Moment(NOW, WINDOW), policy)
    return take_notes(ground, judge(ground, look(ground)))


def told(at: datetime, disposition: Disposition = Disposition.REVERT) -> Drift:
    """That it was public is on the books."""
    known = drift(DriftKind.MADE_PUBLIC, Resolution.IGNORED, accepted=True)
    return replace(known, id=f"D-{at}", observed=SINGLE.master, detected_at=at, disposition=disposition)


def again(*drifts: Drift, written_at: datetime | None) -> LinkCase:
    """It is public, and was told to be so before."""
    case = agreed(SINGLE, PUBLIC, drifts=drifts)
    return replace(case, link=replace(case.link, confirmed_at=written_at))


def dispositions(notes: Notes) -> list[str]:
    return [str(one.disposition) for one in notes.found if one.kind is DriftKind.MADE_PUBLIC]


def test_that_it_is_public_is_told_and_ended_and_undone() -> None:
    notes = noted(agreed(SINGLE, PUBLIC))
    # It was read without a marker besides.
    assert [(one.kind, one.disposition, one.ended) for one in notes.found] == [
        (DriftKind.MARKER_LOST, Disposition.IGNORE, Resolution.IGNORED),
        (DriftKind.MADE_PUBLIC, Disposition.REVERT, Resolution.IGNORED),
    ]
    assert notes.private


@pytest.mark.parametrize(
    "case",
    [
        agreed(SINGLE),
        agreed(PUBLIC),
        agreed(SINGLE, PUBLIC, expected=None),
        agreed(SINGLE, sight=ConfirmedAbsent()),
    ],
    ids=["private", "public by our own write", "of a session that was called off", "gone"],
)
def test_of_all_else_nothing_is(case: LinkCase) -> None:
    notes = noted(case)
    assert (dispositions(notes), notes.private) == ([], False)


def test_an_edit_of_another_kind_is_not_that_it_was_told() -> None:
    let_be = replace(drift(), resolution=Resolution.IGNORED, accepted=True)
    case = agreed(SINGLE, replace(MOVED, public=True), drifts=(let_be,))
    assert dispositions(noted(case)) == ["revert"]


class TestToldBefore:
    @pytest.mark.parametrize("written_at", [None, NOW - HOUR, NOW - HOUR - SECOND])
    def test_what_was_not_written_since_is_no_news_and_still_undone(self, written_at: datetime | None) -> None:
        notes = noted(again(told(NOW - HOUR), written_at=written_at))
        assert (dispositions(notes), notes.private) == ([], True)

    def test_it_stays_as_it_was_decided_then(self) -> None:
        left = told(NOW - HOUR, Disposition.FLAG)
        assert not noted(again(left, written_at=None)).private

    @pytest.mark.parametrize(("ago", "disposition"), [(PERIOD - SECOND, "flag"), (PERIOD, "revert")])
    def test_who_makes_it_public_again_soon_means_it(self, ago: timedelta, disposition: str) -> None:
        notes = noted(again(told(NOW - ago), written_at=NOW - ago + SECOND))
        assert (dispositions(notes), notes.private) == ([disposition], disposition == "revert")

    def test_what_policy_lets_be_is_let_be_however_often(self) -> None:
        case = again(told(NOW - HOUR), written_at=NOW)
        notes = noted(case, allowing(Disposition.IGNORE, DriftKind.MADE_PUBLIC))
        assert (dispositions(notes), notes.private) == (["ignore"], False)

    def test_of_several_times_the_last_counts(self) -> None:
        times = (told(NOW - HOUR), told(NOW - 9 * PERIOD))
        for drifts in (times, times[::-1]):
            assert dispositions(noted(again(*drifts, written_at=NOW))) == ["flag"]
