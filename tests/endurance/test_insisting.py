"""Who insists, and what changes all at once; in full: `./dev storm insisting` and `./dev storm mass-change`."""

from __future__ import annotations

from tests.endurance import insisting, mass_change
from tests.endurance.progress import Progress


def test_who_insists_for_a_week_is_let_be() -> None:
    told = insisting.insist(insisting.SHORT, Progress(quiet=True))
    assert told.problems == []
    assert told.most == insisting.LIMIT
    assert told.left > 0


def test_nothing_is_written_after_a_mass_change_until_a_person_looked() -> None:
    told = mass_change.change(mass_change.SHORT, Progress(quiet=True))
    assert told.problems == []
    assert told.written == 0
    assert told.stops == 4
