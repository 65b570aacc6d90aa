"""Histories that no run before had: their seeds follow from the code, so that every change of it is met by new ones."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.simulation.fresh import drawn_by
from tests.simulation.many import Summary, run_seeds

ROOT = Path(__file__).parents[2]
HISTORIES = 600
# What random histories may still find after a change; docs/track-record.md tells how often they do. More is a break.
MOST_FAILURES = HISTORIES // 100
# Of the two gravest kinds, a wrong date cleared and a person's own event touched, not one is let be.
NEVER = ("I1", "I3")


def code() -> list[Path]:
    """What decides about a history: calsync, and the simulation without its tests."""
    simulation = [path for path in (ROOT / "tests" / "simulation").glob("*.py") if not path.name.startswith("test_")]
    return [*(ROOT / "src" / "calsync").rglob("*.py"), *simulation]


@cache
def histories() -> Summary:
    """Run once, judged by both tests; `./dev simulate --seed N --shrink` shows one that failed."""
    return run_seeds(drawn_by(code(), HISTORIES))


def test_hardly_any_fails() -> None:
    assert histories().histories == HISTORIES
    assert len(histories().failures) <= MOST_FAILURES, histories().failures


def test_none_clears_a_wrong_date_or_touches_what_is_not_ours() -> None:
    assert [one for one in histories().failures if one[1].startswith(NEVER)] == []
