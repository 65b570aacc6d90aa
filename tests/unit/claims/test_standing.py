"""Edges of what an assessment means for what already went out, and who acts (claims sheet, 11 "Who acts", and 12)."""

import pytest

from tests.unit.claims.cases import FILED, codes, drift, judge, judged, other, overlaid, read, row, rules, word

DELETED = drift(
    kind="deleted", phase="claimed", detected_at="2026-11-12T10:00:00Z", observed_start=None, observed_end=None
)
ISSUED = {"date": "2026-11-10", "code": "90834", "id": "C-1"}
GONE = [read("10T16:05"), read("12T10:00", "absent", drift="D-1")]


def asks(at: str = "12T10:10", about: str = "D-1", who: str = "provider", **more: object) -> dict[str, object]:
    return {"about": about, "who": who, "at": f"2026-11-{at}:00Z", **more}


def recall(**given: object) -> tuple[str, object, object]:
    answer = judge(**given)
    found = answer.recall
    return answer.state, found and found.action, found and (str(found.old), found.new and str(found.new))


@pytest.mark.parametrize(("now", "state"), [("17T09:59:59", "review"), ("17T10:00:00", "recalled")])
def test_without_a_question_silence_counts_from_the_discovery(now: str, state: str) -> None:
    assert judge(filed=FILED, drifts=[DELETED], observations=GONE, now=f"2026-11-{now}Z").state == state


def test_the_first_question_starts_the_time() -> None:
    given = {"filed": FILED, "drifts": [DELETED], "observations": GONE, "now": "2026-11-17T10:10:00Z"}
    assert judge(**given, asks=[asks("14T10:00"), asks()]).state == "recalled"
    assert judge(**given, asks=[asks("14T10:00")]).state == "review"
    assert judge(**given, asks=[asks("14T10:00", about="drift-open")]).state == "review"
    assert judge(**given, asks=[asks("14T10:00", about="D-9")]).state == "recalled"


def test_an_edit_of_unknown_discovery_has_no_time_left() -> None:
    answer = judge(filed=FILED, drifts=[{**DELETED, "detected_at": None}], now="2026-11-12T12:00:00Z")
    assert (answer.state, "silence" in rules(answer)) == ("recalled", True)


def test_the_question_that_runs_out_first_decides() -> None:
    late = {**DELETED, "id": "D-2", "detected_at": "2026-11-16T10:00:00Z"}
    assert judge(filed=FILED, drifts=[DELETED, late], now="2026-11-17T10:00:00Z").state == "recalled"


def test_an_unexplained_difference_counts_from_its_read() -> None:
    given = {"filed": FILED, "observations": [read("10T16:05"), read("12T10:00", "differs")]}
    assert judge(**given, now="2026-11-17T09:59:59Z").state == "review"
    assert judge(**given, now="2026-11-17T10:00:00Z").state == "recalled"


def test_silence_ends_three_days_before_the_payers_limit() -> None:
    given = {
        "filed": FILED,
        "drifts": [DELETED],
        "observations": GONE,
        "asks": [asks()],
        "policy": {"correction_limit_days": 7},
    }
    assert judge(**given, now="2026-11-14T05:59:59Z").state == "review"
    assert judge(**given, now="2026-11-14T06:00:00Z").state == "recalled"


def test_after_silence_billing_acts() -> None:
    answer = judge(filed=FILED, drifts=[DELETED], observations=GONE, asks=[asks()], now="2026-11-20T00:00:00Z")
    assert ({one.waiting_on for one in answer.reasons}, answer.waiting_on) == ({"billing"}, "billing")
    assert "2026-11-12 10:10" in answer.sentence


def test_an_open_shortening_of_a_filed_session_is_a_question() -> None:
    shortened = drift(kind="resized", observed_start="2026-11-10T09:00", observed_end="2026-11-10T09:30")
    given = {"filed": FILED, "now": "2026-11-12T12:00:00Z"}
    assert judge(**given, drifts=[shortened]).state == "review"
    assert recall(**given, drifts=[shortened], record={"end": "2026-11-10T09:31"})[:2] == ("recalled", "review")


def test_calendars_that_disagree_are_a_question() -> None:
    rows = [read("10T16:05"), read("11T10:00", "differs", "cal-2")]
    assert judge(filed=FILED, observations=rows).state == "review"


def test_a_question_beside_any_other_reason_is_recalled_at_once() -> None:
    answer = judge(filed=FILED, drifts=[DELETED], record={"pending": "reschedule"}, now="2026-11-12T12:00:00Z")
    assert (answer.state, "recall-at-once" in rules(answer)) == ("recalled", True)


def test_a_claim_filed_against_the_gate_is_recalled_at_once() -> None:
    given = {"drifts": [DELETED], "observations": GONE, "now": "2026-11-12T12:00:00Z"}
    assert recall(filed=FILED, **given)[0] == "review"
    assert recall(filed={**FILED, "against_gate": True}, **given)[:2] == ("recalled", "review")
    assert recall(filed={**FILED, "against_gate": True})[0] == "filed"


def test_what_was_only_asked_moves_no_state_and_hides_no_recall() -> None:
    moved = {"record": {"start": "2026-11-11T09:00", "end": "2026-11-11T09:45"}, "observations": [read("12T10:00")]}
    given = {**moved, "now": "2026-11-12T12:00:00Z", "asked": "2026-11-10"}
    assert recall(filed=FILED, **given) == ("recalled", "replace", ("2026-11-10", "2026-11-11"))
    assert recall(issued=ISSUED, asked="2026-11-09") == ("held", None, None)


def test_a_code_that_is_not_known_is_no_other_code() -> None:
    assert recall(filed={**FILED, "code": None})[0] == "filed"
    assert recall(filed=FILED, record={"code": None})[0] == "filed"
    assert recall(filed=FILED, record={"code": "90832"})[1] == "replace"


def test_an_issued_clearance_is_stopped_at_once_whatever_the_reason() -> None:
    assert recall(issued=ISSUED) == ("cleared", None, None)
    assert recall(issued=ISSUED, drifts=[DELETED])[:2] == ("held", "stop")
    assert recall(issued=ISSUED, record={"status": "no-show"}) == ("not-billable", "stop", ("2026-11-10", None))
    assert recall(issued={**ISSUED, "date": "2026-11-09"}) == ("cleared", "stop", ("2026-11-09", "2026-11-10"))
    assert recall(issued={**ISSUED, "code": "90837"})[1] == "stop"


def test_what_was_filed_goes_before_what_was_issued() -> None:
    assert recall(filed=FILED, issued={**ISSUED, "date": "2026-11-09"})[0] == "filed"


def test_a_filed_claim_for_an_unknown_appointment_is_recalled() -> None:
    assert recall(record=None, filed=FILED)[:2] == ("recalled", "review")


def test_an_unknown_appointment_is_named_as_asked() -> None:
    answer = judge(record=None, appointment="A-99")
    assert (answer.appointment, "A-99" in answer.sentence) == ("A-99", True)


def test_reasons_stand_in_the_order_of_who_acts() -> None:
    answer = judge(
        record={"pending": "reschedule"},
        observations=[read("10T15:00")],
        drifts=[drift()],
        others=[other(None, None, code="90834")],
    )
    assert [one.waiting_on for one in answer.reasons] == ["provider", "billing", "system", "nobody"]
    assert answer.sentence.endswith("And 3 more.")


def test_one_reason_per_code_and_none_lost() -> None:
    answer = judge(drifts=[drift(), drift(id="D-2")])
    assert [one.code for one in answer.reasons] == ["drift-open"]
    assert "D-1" in answer.reasons[0].text
    assert "D-2" in answer.reasons[0].text


def test_asked_and_next_step_belong_to_who_must_act() -> None:
    questions = [
        asks("11T09:00", who="billing", next_at="2026-11-11T13:00:00Z"),
        asks("11T10:00", next_at="2026-11-11T11:00:00Z"),
        asks("11T10:30", next_at="2026-11-12T11:00:00Z"),
        asks("11T10:40", about="drift-open", next_at="2026-11-13T11:00:00Z"),
        asks("11T08:00", about="D-9", next_at="2026-11-11T12:30:00Z"),
    ]
    answer = judge(drifts=[drift()], asks=questions).to_json()
    assert (answer["asked_at"], answer["next_step_at"]) == ("2026-11-11T08:00:00Z", "2026-11-11T12:30:00Z")
    reason = answer["reasons"][0]
    assert (reason["asked_at"], reason["next_step_at"]) == ("2026-11-11T10:00:00Z", "2026-11-12T11:00:00Z")


def test_the_system_waits_for_the_last_read_that_is_due() -> None:
    rows = [read("10T15:00"), read("10T15:00", calendar="cal-2"), read("10T16:05", calendar="cal-3")]
    due = {"cal-1": "2026-11-11T13:00:00Z", "cal-2": "2026-11-11T14:00:00Z", "cal-3": "2026-11-11T15:00:00Z"}
    assert judge(observations=rows, next_reads=due).to_json()["next_step_at"] == "2026-11-11T14:00:00Z"


def test_before_the_end_the_end_and_settle_come_next() -> None:
    answer = judge(now="2026-11-10T15:00:00Z", policy={"settle": "2m"}, evidence=[row("10T15:00", "10T15:45")])
    assert (codes(answer), answer.to_json()["next_step_at"]) == ({"session-not-over"}, "2026-11-10T15:47:00Z")


def test_file_by_is_said_on_held_rows_only_and_counts_from_the_earliest_date() -> None:
    late = {"start": "2026-11-10T23:30", "end": "2026-11-11T00:15"}
    limit = {"timely_filing_days": 30}
    assert str(judge(record=late, policy=limit).file_by) == "2026-12-10"
    assert judge(policy=limit).file_by is None
    assert judge(record=late).file_by is None
    assert judge(record=None, policy=limit).file_by is None


def test_nothing_is_waited_for_when_cleared() -> None:
    answer = judge(asks=[asks()])
    assert (answer.waiting_on, answer.asked_at, answer.next_step_at) == (None, None, None)
    assert answer.sentence == "Cleared for 2026-11-10."


def test_an_answered_question_gives_the_claim_back() -> None:
    answered = word("as-booked", "12T20:00", ("D-1",))
    assert (
        recall(filed=FILED, drifts=[DELETED], observations=GONE, statements=[answered], now="2026-11-13T00:00:00Z")[0]
        == "filed"
    )


def test_the_date_never_leaves_unless_cleared() -> None:
    assert judged(overlaid({"asked": "2026-11-11"})).date_of_service is None


def test_the_system_waits_for_the_last_read_over_all_its_reasons() -> None:
    rows = [read(None, "never"), read("10T17:00", "differs", "cal-2")]
    due = {"cal-1": "2026-11-11T13:00:00Z", "cal-2": "2026-11-11T14:00:00Z"}
    assert judge(observations=rows, next_reads=due).to_json()["next_step_at"] == "2026-11-11T14:00:00Z"


def test_silence_is_said_of_the_question_and_not_of_what_was_asked() -> None:
    given = {"filed": FILED, "drifts": [DELETED], "observations": GONE, "asked": "2026-11-09"}
    answer = judge(**given, asks=[asks()], now="2026-11-20T00:00:00Z")
    silent = {str(one.code) for one in answer.reasons if "without an answer" in one.text}
    assert silent == {"drift-open", "event-differs"}


def test_an_answer_of_nobody_is_said_to_be_missing_since_the_first_question() -> None:
    given = {"filed": FILED, "drifts": [DELETED], "observations": GONE, "now": "2026-11-20T00:00:00Z"}
    late = asks("13T10:00")
    for questions, when in (
        ([asks(), late], "2026-11-12 10:10 UTC"),
        ([late, asks()], "2026-11-12 10:10 UTC"),
        ([], "never"),
    ):
        texts = [one.text for one in judge(**given, asks=questions).reasons]
        assert any(when in one for one in texts)


def test_a_step_of_this_very_moment_is_not_to_come() -> None:
    soon = [asks("11T10:00", next_at=f"2026-11-11T12:00:0{second}Z") for second in (0, 1)]
    answer = judge(drifts=[drift()], asks=soon).to_json()
    assert (answer["next_step_at"], answer["reasons"][0]["next_step_at"]) == ("2026-11-11T12:00:01Z",) * 2


def test_of_two_who_must_act_on_one_reason_the_first_is_asked() -> None:
    backfilled = read("10T16:05", confirmed_at="2026-11-10T16:00:00Z")
    answer = judge(observations=[backfilled, read("10T15:00", calendar="cal-2")])
    assert [(str(one.code), one.waiting_on) for one in answer.reasons] == [("observation-stale", "support")]
