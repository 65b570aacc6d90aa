"""Edges of session records that are not trusted (claims sheet, 11, rule 4)."""

import pytest

from tests.unit.claims.cases import advised, codes, judge, move, read, row, rules

LATER = [read("10T23:00")]


def desk(start: str, end: str, who: str | None = None, **more: object) -> dict[str, object]:
    return row(start, end, who, source="front-desk", **more)


@pytest.mark.parametrize(
    ("start", "held"),
    [("10T15:30", set()), ("10T15:30:01", {"evidence-contradicts"}), ("10T14:29", {"evidence-contradicts"})],
)
def test_agrees_within_the_tolerance_either_way(start: str, held: set[str]) -> None:
    answer = judge(record={"code": None}, evidence=[desk(start, "10T16:00")], observations=LATER)
    assert codes(answer) == held


def test_another_time_beside_a_proving_log_is_only_said() -> None:
    rows = [row("10T15:00", "10T15:45"), desk("10T17:00", "10T17:45")]
    answer = judge(evidence=rows, observations=LATER)
    assert (codes(answer), advised(answer)) == (set(), {"time-differs"})


def test_another_date_holds_beside_a_proving_log() -> None:
    rows = [row("10T15:00", "10T15:45"), desk("11T15:00", "11T15:45")]
    answer = judge(evidence=rows, observations=[read("12T10:00")], now="2026-11-13T12:00:00Z")
    assert codes(answer) == {"evidence-contradicts"}


def test_one_side_alone_excuses_no_revert() -> None:
    dragged = move("14:00", "14:45", observed_start="2026-11-11T09:00", observed_end="2026-11-11T09:45")
    both, alone = desk("10T15:00", "10T15:45", "both"), desk("10T15:00", "10T15:45", "provider")
    assert rules(judge(drifts=[dragged], evidence=[both])) >= {"evidence-excuses-revert"}
    assert codes(judge(drifts=[dragged], evidence=[alone])) == {"drift-unacknowledged"}


def test_an_agreeing_record_excuses_no_open_edit() -> None:
    answer = judge(drifts=[move("14:00", "14:45", resolution="open")], evidence=[desk("10T15:00", "10T15:45")])
    assert codes(answer) == {"drift-open"}


def test_an_agreeing_record_only_shortens() -> None:
    record = {"end": "2026-11-10T09:50", "code": "90837"}
    assert codes(judge(record=record, evidence=[desk("10T15:00", "10T15:55")])) == {"minutes-below-code"}


def test_the_pieces_of_one_source_are_taken_together() -> None:
    pieces = [desk("10T15:00", "10T15:20"), desk("10T15:25", "10T15:45")]
    assert judge(evidence=pieces).to_json()["minutes"] == 40
    assert codes(judge(evidence=[pieces[0], {**pieces[1], "source": "paper"}])) == {"minutes-below-code"}


def test_sides_that_never_met_leave_no_minutes() -> None:
    apart = [desk("10T15:00", "10T15:20", "provider"), desk("10T15:20", "10T15:45", "client")]
    assert judge(evidence=apart).to_json()["minutes"] == 0


def test_a_record_over_midnight_holds() -> None:
    late = {"start": "2026-11-10T23:00", "end": "2026-11-10T23:45"}
    answer = judge(record=late, evidence=[desk("11T05:05", "11T06:10")], observations=[read("11T07:00")])
    assert codes(answer) == {"crosses-midnight"}


def test_an_absence_is_contradicted_by_a_session_and_not_by_one_side() -> None:
    no_show = {"status": "no-show"}
    assert codes(judge(record=no_show, evidence=[desk("10T15:00", "10T15:20", "client")])) == {"no-show"}
    assert codes(judge(record=no_show, evidence=[desk("10T15:00", "10T15:20")])) == {"no-show", "evidence-contradicts"}


def test_a_record_over_midnight_excuses_nothing() -> None:
    late = {"start": "2026-11-10T23:00", "end": "2026-11-10T23:45"}
    dragged = move("x", "x", observed_start="2026-11-12T09:00", observed_end="2026-11-12T09:45")
    given = {"record": late, "drifts": [dragged], "observations": [read("11T07:00")]}
    assert codes(judge(**given, evidence=[desk("11T05:05", "11T06:10")])) == {
        "crosses-midnight",
        "drift-unacknowledged",
    }


def test_it_is_said_that_a_record_ends_before_it_begins() -> None:
    (reason,) = judge(evidence=[desk("10T15:45", "10T15:00")]).reasons
    assert "a session that ends before it begins" in reason.text


DRAGGED = move("x", "x", observed_start="2026-11-11T09:00", observed_end="2026-11-11T09:45")


@pytest.mark.parametrize(("start", "end"), [("11T15:00", "11T15:45"), ("10T18:00", "10T18:45")])
def test_a_record_that_contradicts_excuses_nothing(start: str, end: str) -> None:
    given = {"observations": [read("12T10:00")], "now": "2026-11-13T12:00:00Z"}
    answer = judge(drifts=[DRAGGED], evidence=[desk(start, end)], **given)
    assert codes(answer) == {"evidence-contradicts", "drift-unacknowledged"}


def test_a_record_of_another_time_beside_a_proving_log_shortens_nothing() -> None:
    rows = [row("10T15:00", "10T15:45"), desk("10T17:00", "10T17:10")]
    answer = judge(evidence=rows, observations=LATER)
    assert (codes(answer), answer.to_json()["minutes"]) == (set(), 45)
