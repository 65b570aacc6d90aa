"""Fresh histories: seeds that nobody has used, told to the end with each failure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulation import command, fresh, many
from tests.simulation.fresh import FRESH_BELOW, FRESH_FROM, draw, drawn_by, longest_run, run_fresh
from tests.simulation.held import Violation
from tests.simulation.history import Report, run_seed
from tests.simulation.plan import Plan
from tests.simulation.world import Tally


def test_seeds_are_never_those_of_tests_and_hunts() -> None:
    drawn = [draw(300) for _ in range(50)]
    assert all(FRESH_FROM <= seeds[0] < FRESH_BELOW and len(seeds) == 300 for seeds in drawn)
    assert len({seed for seeds in drawn for seed in seeds}) == 50 * 300


def test_another_code_has_other_seeds_and_the_same_has_the_same(tmp_path: Path) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("a = 1\n")
    other.write_text("b = 2\n")
    seeds = drawn_by([other, one], 40)
    assert FRESH_FROM <= seeds[0] < FRESH_BELOW
    assert len(seeds) == 40
    assert drawn_by([one, other], 40) == seeds
    other.write_text("b = 3\n")
    assert drawn_by([one, other], 40) != seeds


@pytest.mark.parametrize(("failed", "longest"), [([], 10), ([20], 9), ([29], 9), ([23, 24], 5), (range(20, 30), 0)])
def test_the_longest_run_lies_between_failures(failed: list[int], longest: int) -> None:
    assert longest_run(range(20, 30), failed) == longest


def test_a_fresh_history_runs_and_can_be_run_again() -> None:
    said: list[str] = []
    seeds = range(FRESH_FROM + 50, FRESH_FROM + 51)
    summary = run_fresh(seeds, 1, said.append)
    assert summary.histories == 1
    assert summary.traces[seeds[0]] == run_seed(seeds[0], trace=True).trace
    assert said[0].startswith(f"1 fresh histories, seeds {seeds[0]} to {seeds[0]};")


def test_a_failure_is_named_and_the_rest_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "run_seed", _fails_at(FRESH_FROM + 7, FRESH_FROM + 31))
    monkeypatch.setattr(many, "traces_hashed_otherwise", lambda seeds: {})
    said: list[str] = []
    summary = run_fresh(range(FRESH_FROM + 1, FRESH_FROM + 41), 1, said.append)
    assert summary.histories == 40
    assert [line for line in said if line.startswith("FAILED")] == [
        f"FAILED seed {FRESH_FROM + 7} I4-differs: shown otherwise",
        f"FAILED seed {FRESH_FROM + 31} I4-differs: shown otherwise",
    ]
    assert said[-1] == "40 fresh histories, 2 failed (5.00%); 23 in a row without a failure"


def test_the_command_fails_where_a_history_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(many, "traces_hashed_otherwise", lambda seeds: {})
    monkeypatch.setattr(command, "draw", lambda count: range(FRESH_FROM + 1, FRESH_FROM + 1 + count))
    monkeypatch.setattr(many, "run_seed", _fails_at(FRESH_FROM + 2))
    assert command.main(["--fresh", "--count", "3", "--jobs", "1"]) == 1
    assert f"FAILED seed {FRESH_FROM + 2} " in capsys.readouterr().out
    monkeypatch.setattr(many, "run_seed", _fails_at())
    assert command.main(["--fresh", "--count", "3", "--jobs", "1"]) == 0


def test_an_interrupted_run_tells_what_it_came_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "run_seed", _interrupted_at(FRESH_FROM + 30))
    said: list[str] = []
    run_fresh(range(FRESH_FROM + 1, FRESH_FROM + 100), 1, said.append)
    assert said[-2:] == ["interrupted", "25 fresh histories, 0 failed (0.00%); 25 in a row without a failure"]
    assert fresh.verdict(many.Summary(), []) == "0 histories"


def _reports(seed: int, *told: str) -> Report:
    failures = [Violation("I4-differs", one) for one in told]
    return Report(Plan(seed, "2026-06-01T08:00:00Z", {}, [], [], []), failures, Counter(), Tally(), 0.0)


def _fails_at(*bad: int) -> Callable[..., Report]:
    def run_one(seed: int, *, trace: bool) -> Report:
        return _reports(seed, *(["shown otherwise"] if seed in bad else []))

    return run_one


def _interrupted_at(last: int) -> Callable[..., Report]:
    def run_one(seed: int, *, trace: bool) -> Report:
        if seed == last:
            raise KeyboardInterrupt
        return _reports(seed)

    return run_one
