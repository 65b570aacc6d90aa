"""Whatever is repeated has one effect; all of it: `./dev storm repeats`, and `--books postgresql`."""

from __future__ import annotations

from pathlib import Path

from tests.endurance.progress import Progress
from tests.endurance.repeated_calls import CASES
from tests.endurance.repeated_events import HOW, ring_all
from tests.endurance.repeats import Told, call_all, town


def test_each_operation_has_one_effect_however_often_it_is_sent(tmp_path: Path) -> None:
    told = Told()
    with town(tmp_path / "town") as here:
        call_all(here, told, Progress(quiet=True), short=True)
        ring_all(here, told, HOW[-1:])
    assert told.problems == []
    assert told.operations == len(CASES) > 20
    assert told.asked > 250
