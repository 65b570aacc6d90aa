"""Edges of the books: status, requests, siblings, and what was asked (claims sheet, 11, rules 9, 11 and 12)."""

from typing import Any

import pytest

from tests.unit.claims.cases import FILED, advised, codes, drift, judge, judged, other, overlaid, read, row, word


@pytest.mark.parametrize(
    ("now", "held"), [("2026-11-10T15:44:59Z", {"session-not-over"}), ("2026-11-10T15:45:00Z", set())]
)
def test_the_session_is_over_at_its_end(now: str, held: set[str]) -> None:
    lax = {"require_observation_after_session": False}
    assert codes(judge(now=now, policy=lax, observations=[read("10T15:00")])) == held


@pytest.mark.parametrize("status", ["scheduled", "", "Completed", "shown"])
def test_any_status_but_completed_is_not_completed(status: str) -> None:
    assert codes(judge(record={"status": status})) == {"not-completed"}


READ_EARLY = {"completed_by_person": False, "read_at": "2026-11-10T15:45:00Z"}


@pytest.mark.parametrize(
    ("record", "held"),
    [
        (READ_EARLY, {"not-completed"}),
        ({**READ_EARLY, "read_at": "2026-11-10T15:45:01Z"}, set()),
        ({**READ_EARLY, "read_at": None}, set()),
        ({**READ_EARLY, "completed_by_person": True}, set()),
    ],
    ids=["read at its end", "read since", "told by the platform itself", "a person said so"],
)
def test_a_table_that_was_not_read_since_the_end_says_nothing_of_attendance(
    record: dict[str, Any], held: set[str]
) -> None:
    assert codes(judge(record=record)) == held


def test_it_is_told_since_when_the_table_was_not_read_and_the_log_can_stand_in() -> None:
    (reason,) = judge(record=READ_EARLY).reasons
    assert "was last read" in reason.text
    assert str(reason.waiting_on) == "system"
    logged = {"evidence": [row("10T15:00", "10T15:44")], "policy": {"trusted_evidence": ["telehealth-log"]}}
    assert codes(judge(record=READ_EARLY, **logged)) == set()


def test_any_open_request_is_pending_until_it_lapses() -> None:
    answer = judge(record={"pending": "other", "pending_until": "2026-11-12T09:00:00Z"})
    assert (codes(answer), answer.to_json()["next_step_at"]) == ({"reschedule-pending"}, "2026-11-12T09:00:00Z")


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"payer": "self"}, "self-pay"),
        ({"kind": "self-pay"}, "self-pay"),
        ({"status": "cancelled", "payer": "self"}, "cancelled"),
    ],
)
def test_self_pay_is_not_billable(record: dict[str, str], code: str) -> None:
    answer = judge(record=record)
    assert (codes(answer), answer.verdict, answer.waiting_on) == ({code}, "not-billable", "nobody")


def test_internal_codes_are_not_billable() -> None:
    assert codes(judge(record={"code": "NOSHOW"}, policy={"internal_codes": ["NOSHOW"]})) == {"internal-code"}


def test_an_absence_needs_no_other_reason_and_no_other_advice() -> None:
    answer = judge(record={"status": "no-show", "end": "2026-11-10T10:30", "pending": "reschedule"}, observations=[])
    assert (codes(answer), advised(answer), answer.file_by) == ({"no-show"}, set(), None)
    assert not {one.rule for one in answer.evidence} & {"no-linked-calendar", "reschedule-pending"}


def test_an_absence_in_doubt_by_a_word_is_held_with_both() -> None:
    answer = judge(
        record={"status": "cancelled"},
        statements=[word("took-place", start="2026-11-10T09:00", end="2026-11-10T09:45")],
    )
    assert (codes(answer), answer.verdict) == ({"cancelled", "statement-contradicts"}, "held")


def test_an_unanswered_revert_does_not_put_an_absence_in_doubt() -> None:
    assert codes(judge(record={"status": "no-show"}, drifts=[drift(phase="upcoming", resolution="reverted")])) == {
        "no-show"
    }


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({}, True),
        ({"date": None, "start": "2026-11-10T14:00", "end": "2026-11-10T14:45"}, True),
        ({"date": "2026-11-11"}, False),
        ({"date": None}, False),
        ({"provider": "P-2"}, False),
        ({"client": "K-2"}, False),
        ({"code": "90837"}, False),
        ({"state": "not-billable"}, False),
        ({"state": "filed"}, True),
        ({"code": None, "cleared_codes": ["90837", "90834"]}, True),
        ({"code": "90837", "cleared_codes": ["90832"]}, False),
    ],
)
def test_a_duplicate_shares_provider_client_date_and_code(changed: dict[str, object], same: bool) -> None:
    answer = judge(others=[{**other(None, None, code="90834"), **changed}])
    assert ("same-day-same-code" in codes(answer)) is same


def test_a_person_may_say_that_two_sessions_are_distinct() -> None:
    ruling = {"id": "R-1", "by": "b", "at": "2026-11-11T08:00:00Z", "about": "same-day-same-code", "says": "A-7"}
    twin = other(None, None, code="90834")
    assert codes(judge(others=[twin], decisions=[ruling])) == set()
    assert codes(judge(others=[twin], decisions=[{**ruling, "says": "A-8"}])) == {"same-day-same-code"}
    assert codes(judge(others=[twin], decisions=[{**ruling, "about": "other"}])) == {"same-day-same-code"}


def test_without_a_code_there_is_no_duplicate() -> None:
    assert codes(judge(record={"code": None}, others=[other(None, None, code=None)])) == set()


@pytest.mark.parametrize(
    ("code", "state", "session", "held"),
    [
        ("90847", "filed", "X-1", True),
        ("90847", "recalled", "X-1", True),
        ("90847", "cleared", "X-1", False),
        ("90847", "filed", "X-2", False),
        ("90853", "filed", "X-1", False),
    ],
)
def test_a_shared_session_is_billed_once_but_for_groups(code: str, state: str, session: str, held: bool) -> None:
    partner = other(None, None, client="K-2", code=code, state=state, session=session)
    answer = judge(record={"code": code, "session": "X-1"}, others=[partner])
    assert ("session-already-billed" in codes(answer)) is held


def test_sessions_without_a_session_id_are_not_shared() -> None:
    assert codes(judge(others=[other(None, None, client="K-2", state="filed")])) == set()


def test_a_correction_may_be_asked_for_although_filed() -> None:
    data = overlaid({"filed": FILED, "asked": "2026-11-10"})
    assert codes(judged(data)) == {"already-filed"}
    assert codes(judged(data, correction=True)) == set()
    assert codes(judged({**data, "asked": "2026-11-09"}, correction=True)) == {"date-mismatch"}


def test_the_mismatch_names_both_dates() -> None:
    text = judge(asked="2026-11-11").reasons[0].text
    assert "2026-11-11" in text
    assert "2026-11-10" in text


def test_a_date_that_is_only_one_of_two_is_not_cleared() -> None:
    late = {"start": "2026-11-10T23:30", "end": "2026-11-11T00:15"}
    given = {"record": late, "observations": [read("11T08:00")]}
    assert codes(judge(**given, asked="2026-11-10")) == {"crosses-midnight"}
    assert codes(judge(**given, asked="2026-11-12")) == {"crosses-midnight", "date-mismatch"}


def ruling(about: str, says: str, **more: object) -> dict[str, object]:
    return {"id": "R-1", "by": "b", "at": "2026-11-11T08:00:00Z", "about": about, "says": says, **more}


LATE = {"record": {"start": "2026-11-10T23:30", "end": "2026-11-11T00:15"}, "observations": [read("11T08:00")]}
TOKYO = {"record": {"client_zone": "Asia/Tokyo"}}


@pytest.mark.parametrize(
    ("given", "about", "says", "rule"),
    [
        (LATE, "crosses-midnight", "end", "midnight-rule"),
        (LATE, "crosses-midnight", "record", None),
        (LATE, "date-depends-on-zone", "end", None),
        (LATE, "same-day-same-code", "end", None),
        (TOKYO, "date-depends-on-zone", "client", "zone-rule"),
        (TOKYO, "date-depends-on-zone", "end", None),
        (TOKYO, "same-day-same-code", "client", None),
    ],
)
def test_a_ruling_says_something_about_its_own_question_only(
    given: dict[str, Any], about: str, says: str, rule: str | None
) -> None:
    answer = judge(**given, decisions=[ruling(about, says)])
    (item,) = (one for one in answer.evidence if one.kind == "decision")
    assert (item.rule, item.says) == (rule, f"b {about} {says}")
    assert str(answer.date_of_service) == ("None" if rule is None else "2026-11-11")


def test_the_latest_ruling_counts_in_whatever_order_they_come() -> None:
    later = ruling("crosses-midnight", "start", id="R-2", at="2026-11-11T09:00:00Z")
    for rulings in ([ruling("crosses-midnight", "end"), later], [later, ruling("crosses-midnight", "end")]):
        assert str(judge(**LATE, decisions=rulings).date_of_service) == "2026-11-10"


@pytest.mark.parametrize(
    ("zones", "whose"),
    [({"zone": "Mars/X"}, "record"), ({"provider_zone": "Mars/X"}, "provider"), ({"client_zone": "Mars/X"}, "client")],
)
def test_it_is_said_whose_zone_is_none(zones: dict[str, str], whose: str) -> None:
    (reason,) = judge(record=zones).reasons
    assert f"{whose} zone is missing or not an IANA zone" in reason.text


# Ten days in zones of three dates: six dates in all, so that no order of a set is right by chance.
LONG = {
    "record": {
        "start": "2026-11-10T10:30",
        "end": "2026-11-20T10:30",
        "zone": "UTC",
        "provider_zone": "Pacific/Pago_Pago",
        "client_zone": "Pacific/Kiritimati",
    },
    "now": "2026-11-30T12:00:00Z",
}
SIX = ["2026-11-09", "2026-11-10", "2026-11-11", "2026-11-19", "2026-11-20", "2026-11-21"]


def test_dates_are_told_in_their_order() -> None:
    answer = judge(**LONG, asked="2026-12-01")
    texts = {str(one.code): one.text for one in answer.reasons}
    assert all(", ".join(SIX) in texts[code] for code in ("date-mismatch", "crosses-midnight", "date-depends-on-zone"))
    says = {one.says for one in answer.evidence if one.kind == "dates"}
    assert f"asked 2026-12-01, verified {', '.join(SIX)}" in says
    assert any(one.startswith(f"{' '.join(SIX)} from ") for one in says)


def test_what_is_no_service_anyway_is_told_by_its_status() -> None:
    assert codes(judge(record={"status": "no-show", "code": "NOSHOW"}, policy={"internal_codes": ["NOSHOW"]})) == {
        "no-show"
    }


@pytest.mark.parametrize(
    ("record", "changed", "told"),
    [
        ({}, {}, True),
        ({}, {"provider": "P-2"}, False),
        ({}, {"state": "not-billable"}, False),
        ({}, {"start": "2026-11-10T09:45", "end": "2026-11-10T10:30"}, False),
        ({}, {"start": "2026-11-10T08:15", "end": "2026-11-10T09:00"}, False),
        ({"session": "X-1"}, {"session": "X-1"}, False),
        ({"session": "X-1"}, {"session": "X-2"}, True),
        ({"session": "X-1"}, {"session": None}, True),
        ({"code": "90853"}, {}, False),
        ({"status": "no-show"}, {}, False),
    ],
)
def test_a_session_at_the_same_time_is_told_unless_it_explains_itself(
    record: dict[str, object], changed: dict[str, object], told: bool
) -> None:
    answer = judge(record=record, others=[{**other("09:30", "10:15", client="K-2"), **changed}])
    assert ("overlapping-session" in advised(answer)) is told


@pytest.mark.parametrize("state", ["in-batch", "filed", "review", "recalled", "corrected"])
def test_of_two_sessions_at_the_same_time_only_one_is_billed_until_a_person_rules(state: str) -> None:
    beside = {**other("09:30", "10:15", client="K-2"), "state": state}
    assert codes(judge(others=[beside])) == {"sessions-overlap"}
    ruling = {"id": "R-1", "by": "b", "at": "2026-11-11T08:00:00Z", "about": "same-day-same-code", "says": "A-9"}
    assert codes(judge(others=[beside], decisions=[{**ruling, "says": beside["id"]}])) == set()
    assert codes(judge(others=[{**beside, "state": "held"}])) == set()
    assert codes(judge(others=[beside], filed={"id": "F-1", "date": "2026-11-10"})) == set()
    assert codes(judge(others=[{**beside, "start": "2026-11-10T09:45", "end": "2026-11-10T10:30"}])) == set()


def test_a_duplicate_at_the_same_time_is_told_as_that_alone() -> None:
    twin = {**other("09:00", "09:45", code="90834"), "state": "filed"}
    assert codes(judge(others=[twin])) == {"same-day-same-code"}


def test_a_shared_session_without_a_code_is_billed_once_too() -> None:
    partner = other(None, None, client="K-2", state="filed", session="X-1")
    assert codes(judge(record={"code": None, "session": "X-1"}, others=[partner])) == {"session-already-billed"}


def test_an_absence_overlaps_nothing_though_somebody_doubts_it() -> None:
    said = word("took-place", start="2026-11-10T09:00", end="2026-11-10T09:45")
    answer = judge(record={"status": "no-show"}, statements=[said], others=[other("09:30", "10:15", client="K-2")])
    assert (answer.verdict, advised(answer)) == ("held", set())
