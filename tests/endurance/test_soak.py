"""A short soak with the same code; `./dev soak` takes an hour."""

from __future__ import annotations

from pathlib import Path

from tests.endurance.drawing import draw
from tests.endurance.progress import Progress
from tests.endurance.soak import Plan, soak

# A worker warms up in its first minutes and edits come in threes, so a short look is a coarse one.
COARSE = 1.0
SHORT = Plan(
    seconds=16, calendars=12, poll="2s", lives=2, edits_a_second=3, fault_share=0.02, tolerance=COARSE, sample_every=0.5
)


def test_nothing_grows(tmp_path: Path) -> None:
    told = soak(tmp_path, SHORT, Progress(quiet=True))
    assert told.problems == []
    assert told.samples[-1].drifts > 15
    draw(told, tmp_path / "charts" / "soak.svg")
    assert "open files" in (tmp_path / "charts" / "soak.svg").read_text(encoding="utf-8")
