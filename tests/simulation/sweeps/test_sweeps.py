"""Every scenario as it is, and the core ones struck at a part of their ports; `./dev sweep` strikes all at each."""

from __future__ import annotations

import re
from itertools import islice

import pytest

from tests.lifecycle.test_every_rule import RULES
from tests.simulation.sweeps.ports import LEAVING_A_MARK, crashes, failing_statements, pairs
from tests.simulation.sweeps.runner import run_all, tasks_of, under, undisturbed
from tests.simulation.sweeps.scenarios import Scenario, scenarios

ALL = scenarios()
CORE = [one for one in ALL if one.core]
# Rules that only show or look something up, or say who may not: there is nothing that a crash could leave half done.
SHOWS_ONLY = {"GT-7", "GT-8", "PB-2", "PB-7", "HT-8", "ALL-2"}
# Where the rule is that the second attempt is refused.
REFUSED = {"asked-and-answered": 1, "credit-goes-back-once": 1}
# So many ports apart: a part that takes a few seconds, another one of each scenario.
APART = 31


def test_every_rule_that_writes_is_played() -> None:
    assert len(ALL) >= 40
    assert len(CORE) == 10
    played = {rule for one in ALL for rule in re.findall(r"(?:GT|PB|HT|ALL)-\d+", one.rule)}
    wanted = {f"{house.upper()}-{number}" for house, numbers in RULES.items() for number in numbers}
    assert wanted - played == SHOWS_ONLY


@pytest.mark.parametrize("scenario", ALL, ids=lambda one: one.name)
def test_it_comes_to_rest_undisturbed(scenario: Scenario) -> None:
    report = undisturbed(scenario)
    assert report.violations == []
    assert report.marks["refused"] == REFUSED.get(scenario.name, 0)


def test_crashes_at_a_part_of_the_ports_break_nothing() -> None:
    histories = []
    for number, one in enumerate(CORE):
        asked = undisturbed(one).tally.ports
        dying = [[fault] for fault in crashes(asked) if fault["kind"] in LEAVING_A_MARK]
        refused = [[fault] for fault in failing_statements(asked["sql"])]
        histories.append((one, [*dying[number % APART :: APART], *islice(refused, 31 * number, None, 400)]))
    rows = run_all([task for one, faults in histories for task in tasks_of(one, faults)], jobs=1)
    assert [str(one) for row in rows.values() for one in row.failures] == []
    assert sum(row.fired for row in rows.values()) == sum(row.histories for row in rows.values()) >= 30


def test_two_crashes_in_one_history_break_nothing() -> None:
    one = next(one for one in CORE if one.name == "dragged")
    those = list(pairs(undisturbed(one).tally.ports))
    assert len(those) > 500
    for faults in those[:: len(those) // 8]:
        assert under(one, faults).violations == []
