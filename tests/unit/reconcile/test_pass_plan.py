"""The plan in words and as data: ids and times, never a title."""

from __future__ import annotations

import json
from dataclasses import replace

from calsync.domain.drift import Disposition
from calsync.domain.event import Override
from calsync.domain.write import Cause
from calsync.reconcile.case import CalendarFacts, Copy, LinkCase, Moment, PastRevert
from calsync.reconcile.pass_plan import describe, make_plan, plan_json
from calsync.reconcile.plan import Plan
from tests.properties.pretend import NOW, POLICY, WINDOW, World
from tests.unit.reconcile.scenes import event

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


def test_of_what_is_gone_the_data_says_that_nothing_was_seen() -> None:
    (found,) = plan_json(planned(case("L1", None)))["decisions"][0]["found"]
    assert (found["kind"], found["observed"]) == ("deleted", None)
    assert found["expected"]["start"] == "2026-12-01T10:00:00"


def test_what_a_release_puts_back_beside_a_new_time_is_a_persons_word() -> None:
    world = World.agreed(event(rule="FREQ=WEEKLY;COUNT=4"))
    world.edit(None)
    moved = Override(event().master.span.start_at, event("2026-12-02T10:00").master)
    world.expected = replace(event(rule="FREQ=WEEKLY;COUNT=4"), overrides=(moved,))
    [decision] = planned(world.case(), facts=replace(FACTS, released="restore")).decisions
    [write] = decision.writes
    assert write.cause is Cause.RESTORE
    assert len(write.reverts) == 3


def beside(name: str) -> LinkCase:
    """A session with three copies, none of them seen before."""
    world = World.agreed(event())
    for number in range(3):
        copied = event(f"2026-12-0{number + 3}T10:00")
        world.copies[f"c-{number}"] = Copy(f"c-{number}", "1", replace(copied, uid=f"u-{number}"))
    made = world.case()
    return replace(made, link=replace(made.link, id=name))


def test_every_line_of_a_plan_says_what_and_when() -> None:
    world = World.agreed(event())
    world.edit(event("2026-12-01T14:00"))
    world.one_pass()
    world.edit(replace(event(), master=replace(event().master, cancelled=True)))
    seen = replace(world.case(), link=replace(world.link, id="L0"))
    told = describe(planned(case("L2", "2026-12-01T10:00"), case("L1", None), seen))
    assert told.splitlines() == [
        "calendar K-1: 3 looked into",
        "  L0 (same/edited)",
        "    drift D0 now 2026-12-01 10:00/10:50 America/New_York cancelled: revert",
        "    update r-1 because of revert, not before 2026-11-22T15:31:30+00:00",
        "  L1 (same/edited)",
        "    deleted 2026-12-01 10:00/10:50 America/New_York -> nothing: revert",
        "    create r-1 because of revert, not before 2026-11-22T15:31:30+00:00",
    ]


def test_a_stop_names_each_event_and_the_limits() -> None:
    plan = planned(case("L2", None), case("L1", "2026-12-09T10:00"), facts=replace(FACTS, upcoming_links=2))
    assert describe(plan).splitlines() == [
        "calendar K-1: STOPPED, nothing is written",
        "  2 of 2 upcoming events (100%) vanished or changed",
        "  the limit is 5 events and 20%",
        "    L1 changed",
        "    L2 vanished",
    ]
    assert plan_json(plan)["decisions"] == []
    many = [case(f"L{n}", "2026-12-09T10:00") for n in range(7)]
    third = plan_json(planned(*many, facts=replace(FACTS, upcoming_links=21)))
    assert (third["stampede"]["share"], third["stampede"]["limit_share"]) == (0.3333, 0.2)


class TestRestoring:
    """A person said that nobody meant it: everything that belongs to the stop goes back, at once."""

    RELEASED = replace(FACTS, released="restore")

    def test_what_vanished_changed_or_was_copied_goes_back_at_once(self) -> None:
        plan = planned(
            case("L1", None), case("L2", "2026-12-09T10:00"), beside("L3"), case("L4", "2026-12-01T10:00"),
            facts=self.RELEASED,
        )  # fmt: skip
        writes = {one.link: [(str(write.kind), str(write.cause)) for write in one.writes] for one in plan.decisions}
        assert writes == {
            "L1": [("create", "restore")],
            "L2": [("update", "restore")],
            "L3": [("delete", "copy")] * 3,
            "L4": [],
        }
        assert {write.not_before for one in plan.decisions for write in one.writes} == {NOW}
        assert [one.restored for one in plan.decisions] == [True, True, True, False]

    def test_though_policy_only_looks_and_edits_were_put_back_before(self) -> None:
        lenient = replace(POLICY, observe_only=True, dispositions=dict.fromkeys(POLICY.dispositions, Disposition.FLAG))
        made = replace(case("L1", None), reverts=tuple(PastRevert(None, NOW, None) for _ in range(3)))
        (decision,) = make_plan([made], self.RELEASED, moment=Moment(NOW, WINDOW), policy=lenient).decisions
        assert [str(one.disposition) for one in decision.found] == ["revert"]
        assert [(str(one.kind), one.not_before) for one in decision.writes] == [("create", NOW)]

    def test_but_a_title_is_the_users(self) -> None:
        world = World.agreed(event())
        world.edit(event("2026-12-09T10:00", title="Yoga"))
        (decision,) = planned(world.case(), facts=self.RELEASED).decisions
        (write,) = decision.writes
        assert decision.restored
        assert write.target is not None
        assert write.target.master.span == event().master.span

    def test_what_is_over_and_gone_goes_back_too_and_what_was_moved_stays_evidence(self) -> None:
        over = event("2026-11-20T10:00")
        gone, moved = World.agreed(over), World.agreed(over)
        gone.edit(None)
        moved.edit(event("2026-11-20T14:00"))
        found = [planned(one.case(), facts=self.RELEASED).decisions[0] for one in (gone, moved)]
        assert [(one.restored, [str(write.kind) for write in one.writes]) for one in found] == [
            (True, ["create"]),
            (False, []),
        ]

    def test_released_as_edits_they_are_edits_like_any_other(self) -> None:
        plan = planned(case("L1", None), facts=replace(FACTS, released="edits"))
        assert [(one.restored, one.writes[0].cause, one.writes[0].not_before) for one in plan.decisions] == [
            (False, "revert", NOW + POLICY.settle)
        ]

    def test_a_change_of_the_record_beside_it_is_the_records(self) -> None:
        made = replace(beside("L1"), expected=event("2026-12-02T10:00"))
        (decision,) = planned(made, facts=self.RELEASED).decisions
        assert {(str(one.kind), str(one.cause)) for one in decision.writes} == {
            ("update", "record"),
            ("delete", "copy"),
        }

    def test_a_name_beside_copies_stays_the_users(self) -> None:
        world = World.agreed(event())
        world.edit(event(title="Yoga"))
        made = replace(beside("L1"), sight=world.sight())
        (decision,) = planned(made, facts=self.RELEASED).decisions
        assert {str(one.kind): str(one.disposition) for one in decision.found} == {
            "retitled": "ignore",
            "duplicated": "revert",
        }
        assert {str(one.kind) for one in decision.writes} == {"delete"}

    def test_two_copies_are_one_more_than_a_pasted_week_has(self) -> None:
        made = beside("L1")
        found = [
            planned(replace(made, copies=made.copies[:count]), facts=self.RELEASED).decisions[0].restored
            for count in (0, 1, 2)
        ]
        assert found == [False, False, True]

    def test_what_was_told_of_before_the_stop_goes_back_as_well(self) -> None:
        world = World.agreed(event())
        world.edit(None)
        world.one_pass()
        (decision,) = planned(world.case(), facts=self.RELEASED).decisions
        assert (decision.found, decision.restored) == ((), True)
        assert [(str(one.kind), str(one.cause), one.not_before) for one in decision.writes] == [
            ("create", "restore", NOW)
        ]

    def test_what_is_gone_because_nobody_wants_it_was_no_part_of_the_stop(self) -> None:
        world = World.agreed(event())
        world.edit(None)
        world.expected = None
        (decision,) = planned(world.case(), facts=self.RELEASED).decisions
        assert (decision.absent, decision.writes, decision.restored) == (True, (), False)
