"""The plan in words and as data: ids and times, never a title."""

from __future__ import annotations

import json
from dataclasses import replace

from calsync.domain.event import Override
from calsync.domain.write import Cause
from calsync.reconcile.case import CalendarFacts, LinkCase, Moment
from calsync.reconcile.pass_plan import describe, make_plan, plan_json
from calsync.reconcile.plan import Plan
from tests.properties.pretend import NOW, POLICY, WINDOW, World
from tests.unit.reconcile.test_decide import event

FACTS = CalendarFacts("K-1", "America/New_York", 20)


def case(name: str, edited: str | None) -> LinkCase:
    world = World.agreed(event(title="Very Private"))
    world.edit(None if edited is None else event(edited, title="Very Private"))
    made = world.case()
    return replace(made, link=replace(made.link, id=name))


def planned(*cases: LinkCase, facts: CalendarFacts = FACTS) -> Plan:
    return make_plan(cases, facts, moment=Moment(NOW, WINDOW), policy=POLICY)


def test_decisions_are_sorted_by_link() -> None:
    plan = planned(case("L2", None), case("L1", "2026-12-01T14:00"))
    assert [one.link for one in plan.decisions] == ["L1", "L2"]


def test_a_plan_reads_as_sentences_without_titles() -> None:
    told = describe(planned(case("L1", "2026-12-01T14:00"), case("L2", None), case("L3", "2026-12-01T10:00")))
    assert "moved 2026-12-01 10:00/10:50 America/New_York -> 2026-12-01 14:00/14:50 America/New_York: revert" in told
    assert "-> nothing: revert" in told
    assert "update r-1 because of revert, not before 2026-11-22T15:31:30+00:00" in told
    assert "L3 (" not in told
    assert "Private" not in told


def test_changes_and_adoptions_are_told() -> None:
    world = World.agreed(event())
    world.edit(event("2026-12-01T14:00"))
    world.one_pass()
    world.expected = event("2026-12-01T14:00")
    told = describe(planned(world.case()))
    assert "drift D0 now 2026-12-01 14:00/14:50 America/New_York: revert, record-corrected" in told
    assert "take what is there as agreed" in told


def test_an_ignored_one_says_so() -> None:
    world = World.agreed(event())
    world.edit(event(title="Yoga"))
    assert describe(planned(world.case())).endswith(": ignore, ignored")


def test_a_stop_is_told_with_its_numbers() -> None:
    plan = planned(case("L1", None), case("L2", "2026-12-09T10:00"), facts=replace(FACTS, upcoming_links=2))
    assert plan.decisions == ()
    told = describe(plan)
    assert "STOPPED" in told
    assert "2 of 2 upcoming events (100%)" in told
    assert ("L1 vanished" in told, "L2 changed" in told) == (True, True)


def test_the_data_can_be_stored() -> None:
    plan = planned(case("L1", "2026-12-01T14:00"))
    text = json.dumps(plan_json(plan))
    assert "Private" not in text
    assert json.loads(text)["decisions"][0]["writes"][0]["reverts"] == [None]


def test_what_a_release_puts_back_beside_a_new_time_is_a_persons_word() -> None:
    world = World.agreed(event(rule="FREQ=WEEKLY;COUNT=4"))
    world.edit(None)
    moved = Override(event().master.span.start_at, event("2026-12-02T10:00").master)
    world.expected = replace(event(rule="FREQ=WEEKLY;COUNT=4"), overrides=(moved,))
    [decision] = planned(world.case(), facts=replace(FACTS, released="restore")).decisions
    [write] = decision.writes
    assert write.cause is Cause.RESTORE
    assert len(write.reverts) == 3
