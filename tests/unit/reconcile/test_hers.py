"""Is an event that carries our marker still ours? Only what has another title and another time is a person's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calsync.domain.event import Appearance, Event, Override
from calsync.reconcile.hers import is_her_own, is_wholly_her_own
from tests.unit.reconcile.histories import weekly
from tests.unit.reconcile.scenes import single

OURS = single()
LATER = single("2026-12-01T14:00").master
SECOND = single("2026-12-08T10:00").master


@pytest.mark.parametrize(
    ("seen", "hers"),
    [
        (replace(LATER, title="Yoga"), True),
        (replace(OURS.master, title="Yoga"), False),
        (replace(SECOND, title="Yoga"), False),
        (LATER, False),
        (replace(LATER, title=""), False),
    ],
)
def test_it_is_hers_by_title_and_time_next_to_all_that_is_ours(seen: Appearance, hers: bool) -> None:
    assert is_her_own(seen, (None, OURS), (OURS.master, None, SECOND)) is hers


def test_a_title_of_a_single_occurrence_is_one_of_ours_too() -> None:
    known = replace(weekly(), overrides=(Override(SECOND.span.start_at, replace(SECOND, title="Yoga")),))
    assert not is_her_own(replace(LATER, title="Yoga"), (known,), ())


def test_a_copy_is_hers_when_all_of_it_is_and_next_to_nothing_none_is() -> None:
    hers = replace(LATER, title="Yoga")
    copy = Event("u-2", hers)
    assert is_wholly_her_own(copy, (None, OURS))
    assert not is_wholly_her_own(copy, (None,))
    assert not is_wholly_her_own(copy, ())
    mixed = replace(copy, overrides=(Override(SECOND.span.start_at, SECOND),))
    assert not is_wholly_her_own(mixed, (OURS,))
