"""What becomes of an edit: by its kind and its phase, by the practice's policy, and once the world moves on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution
from calsync.domain.event import Appearance
from calsync.domain.span import Span
from calsync.reconcile.case import DecisionPolicy
from calsync.reconcile.disposition import (
    DEFAULT_DISPOSITIONS,
    _default,
    disposition_of,
    disposition_once_undone,
    overtaken_as,
    phase_of,
    standing_disposition,
)
from tests.properties.pretend import POLICY
from tests.unit.reconcile.cases import drift

IGNORE, REVERT, FLAG, BOTH = Disposition.IGNORE, Disposition.REVERT, Disposition.FLAG, Disposition.REVERT_AND_FLAG
WOULD_REVERT, WOULD_FLAG = Disposition.WOULD_REVERT, Disposition.WOULD_FLAG
UPCOMING, STARTED, PAST, CLAIMED = Phase
SHOWN = Appearance(Span(datetime(2026, 12, 1, 10), datetime(2026, 12, 1, 11), "UTC"))
BEGIN, END = datetime(2026, 12, 1, 10, tzinfo=UTC), datetime(2026, 12, 1, 11, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def saying(disposition: Disposition, *, observe: bool = False, later: Disposition | None = None) -> DecisionPolicy:
    """A policy that says the same of every edit; with `later` something else of those that are not upcoming."""
    told = {
        (kind, phase): disposition if later is None or phase is UPCOMING else later
        for kind in DriftKind
        for phase in Phase
    }
    return replace(POLICY, dispositions=told, observe_only=observe)


def edit(disposition: Disposition, kind: DriftKind = DriftKind.MOVED) -> Drift:
    return replace(drift(kind), disposition=disposition)


@pytest.mark.parametrize("kind", DriftKind)
def test_a_practice_that_says_nothing_puts_back_what_is_guarded_and_to_come(kind: DriftKind) -> None:
    told = [_default(kind, phase) for phase in Phase]
    if kind == "made-public":
        assert told == [REVERT] * 4
    elif kind in ("retitled", "marked-free", "marker-lost"):
        assert told == [IGNORE] * 4
    elif kind in ("unreadable", "declined", "new-time-proposed"):
        assert told == [FLAG] * 4
    else:
        assert told == [REVERT, FLAG, FLAG, FLAG]
    assert [DEFAULT_DISPOSITIONS[kind, phase] for phase in Phase] == told


@pytest.mark.parametrize(
    ("said", "done", "undoable", "observed"),
    [
        (IGNORE, IGNORE, IGNORE, IGNORE),
        (REVERT, REVERT, FLAG, WOULD_REVERT),
        (BOTH, BOTH, FLAG, WOULD_REVERT),
        (FLAG, FLAG, FLAG, WOULD_FLAG),
    ],
)
def test_policy_decides_but_for_what_no_write_can_undo(
    said: Disposition, done: Disposition, undoable: Disposition, observed: Disposition
) -> None:
    assert disposition_of(DriftKind.MOVED, UPCOMING, saying(said)) is done
    assert disposition_of(DriftKind.DECLINED, UPCOMING, saying(said)) is undoable
    assert disposition_of(DriftKind.MOVED, UPCOMING, saying(said, observe=True)) is observed


@pytest.mark.parametrize(
    ("was", "phase", "policy", "holds"),
    [
        (REVERT, UPCOMING, saying(FLAG), REVERT),
        (FLAG, UPCOMING, saying(REVERT), FLAG),
        (FLAG, PAST, saying(REVERT), FLAG),
        (IGNORE, PAST, saying(REVERT), IGNORE),
        (REVERT, STARTED, saying(REVERT, later=FLAG), FLAG),
        (REVERT, PAST, saying(REVERT, later=IGNORE), FLAG),
        (REVERT, PAST, saying(REVERT), REVERT),
        (BOTH, PAST, saying(REVERT), REVERT),
        (REVERT, UPCOMING, saying(FLAG, observe=True), WOULD_FLAG),
        (WOULD_REVERT, UPCOMING, saying(FLAG), FLAG),
        (WOULD_FLAG, UPCOMING, saying(REVERT), REVERT),
        (WOULD_REVERT, UPCOMING, saying(FLAG, observe=True), WOULD_REVERT),
        (WOULD_REVERT, PAST, saying(FLAG, observe=True), WOULD_REVERT),
    ],
)
def test_what_was_decided_holds_until_the_session_begins_or_the_mode_changes(
    was: Disposition, phase: Phase, policy: DecisionPolicy, holds: Disposition
) -> None:
    assert standing_disposition(edit(was), phase, policy) is holds


@pytest.mark.parametrize(
    ("was", "policy", "holds"),
    [
        (REVERT, saying(REVERT), FLAG),
        (FLAG, saying(REVERT), FLAG),
        (IGNORE, saying(REVERT), IGNORE),
        (WOULD_REVERT, saying(REVERT, observe=True), WOULD_REVERT),
    ],
)
def test_of_what_somebody_undid_after_the_start_nothing_is_left_to_put_back(
    was: Disposition, policy: DecisionPolicy, holds: Disposition
) -> None:
    assert disposition_once_undone(edit(was), PAST, policy) is holds


def test_a_session_begins_and_ends_at_its_very_moments() -> None:
    moments = (BEGIN - MOMENT, BEGIN, END - MOMENT, END)
    assert [phase_of(SHOWN, at, claimed=False) for at in moments] == [UPCOMING, STARTED, STARTED, PAST]
    assert {phase_of(shown, at, claimed=True) for shown in (SHOWN, None) for at in moments} == {CLAIMED}
    assert phase_of(None, END, claimed=False) is UPCOMING


@pytest.mark.parametrize(
    ("expected", "phase", "now", "guarded", "asks"),
    [
        (SHOWN, PAST, END, True, True),
        (SHOWN, STARTED, BEGIN, True, True),
        (SHOWN, CLAIMED, END, True, True),
        (SHOWN, PAST, END, False, False),
        (SHOWN, UPCOMING, END, True, False),
        (SHOWN, PAST, BEGIN - MOMENT, True, False),
        (SHOWN, CLAIMED, BEGIN - MOMENT, True, False),
        (None, PAST, END, True, False),
    ],
)
def test_an_edit_that_the_record_overtook_asks_where_the_session_is_over_by_both(
    expected: Appearance | None, phase: Phase, now: datetime, guarded: bool, asks: bool
) -> None:
    found = overtaken_as(expected, phase, now, guarded=guarded)
    assert found is (Resolution.REVERTED if asks else Resolution.SUPERSEDED)
