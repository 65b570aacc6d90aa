"""A practice that only observes is told what the gate would have held, and held by nothing but its own books."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from calsync.claims.answer import Answer
from calsync.claims.case_json import case_from_json, instant, policy_from_json
from calsync.claims.casebook import CaseFile
from calsync.claims.gate import judge
from tests.unit.claims.cases import FILED, drift, other, overlaid, read


def observed(asked: str | None = None, *, observes: bool = True, **given: Any) -> Answer:
    data = overlaid(given)
    file = CaseFile("A-1", case_from_json(data), policy_from_json(data["policy"]), observes)
    return judge(file, instant(data["now"]), None if asked is None else date.fromisoformat(asked))


def test_what_would_be_held_is_cleared_and_told() -> None:
    given: dict[str, Any] = {
        "drifts": [drift()],
        "others": [other("09:20", "10:00", client="K-2")],
        "asks": [{"about": "D-1", "who": "provider", "at": "2026-11-10T19:00:00Z", "next_at": "2026-11-12T09:00:00Z"}],
        "policy": {"timely_filing_days": 30},
    }
    held, answer = observed(observes=False, **given), observed(**given)
    assert (held.verdict, answer.verdict, answer.state, str(answer.date_of_service)) == (
        "held", "cleared", "cleared", "2026-11-10",
    )  # fmt: skip
    assert answer.reasons == ()
    assert (answer.waiting_on, answer.asked_at, answer.next_step_at, answer.file_by) == (None, None, None, None)
    assert None not in (held.waiting_on, held.asked_at, held.next_step_at, held.file_by)
    assert [(str(one.code), one.text) for one in answer.advisories] == [
        ("drift-open", f"Would be held: {held.reasons[0].text}"),
        ("overlapping-session", held.advisories[0].text),
    ]
    assert answer.sentence == f"Observing only: the gate would have held it. {held.sentence}"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"record": None, "appointment": "A-1"}, "unknown-appointment"),
        ({"record": {"zone": "Mars/Olympus"}}, "zone-unknown"),
        ({"record": {"start": "2026-03-08T02:15", "end": "2026-03-08T03:15"}}, "local-time-gap"),
        ({"record": {"client_zone": "Asia/Tokyo"}}, "date-depends-on-zone"),
        ({"now": "2026-11-10T15:30:00Z"}, "session-not-over"),
        ({"record": {"status": "scheduled"}}, "not-completed"),
        ({"record": {"pending": "reschedule"}}, "reschedule-pending"),
        ({"others": [other(None, None, code="90834")]}, "same-day-same-code"),
        ({"others": [{**other("09:20", "10:00", client="K-2"), "state": "filed"}]}, "sessions-overlap"),
        ({"asked": "2026-11-12"}, "date-mismatch"),
        ({"asked": "2026-11-10", "filed": FILED}, "already-filed"),
        ({"record": {"start": "2026-11-10T23:30", "end": "2026-11-11T00:15"}}, "crosses-midnight"),
    ],
)
def test_what_the_books_themselves_say_holds_and_the_rest_is_told(given: dict[str, Any], code: str) -> None:
    given = {"drifts": [drift()], **given}
    asked = given.pop("asked", None)
    answer = observed(asked, **given)
    assert {str(one.code) for one in answer.reasons} == {code}
    assert (answer.verdict, answer.date_of_service, answer.recall) == ("held", None, None)
    assert answer.sentence == " ".join(one.text for one in answer.reasons)
    held = observed(asked, observes=False, **given)
    would_be = {str(one.code) for one in answer.advisories if one.text.startswith("Would be held")}
    assert would_be == {str(one.code) for one in held.reasons} - {code}


def test_without_one_date_what_would_hold_is_not_passed() -> None:
    given: dict[str, Any] = {
        "record": {"start": "2026-11-10T23:30", "end": "2026-11-11T00:15"},
        "policy": {"midnight": "end"},
        "observations": [read("11T08:00", "differs")],
    }
    assert str(observed(**given).date_of_service) == "2026-11-11"
    zones: dict[str, Any] = {
        "record": {"client_zone": "Asia/Tokyo"},
        "policy": {"date_zone": "client"},
        "drifts": [drift()],
    }
    assert str(observed(**zones).date_of_service) == "2026-11-11"
    zones["record"] = {}
    unnamed = observed(**zones)
    assert (unnamed.verdict, unnamed.date_of_service) == ("held", None), "the zone that decides was not stored"


def test_all_that_the_books_say_is_said_in_one_sentence() -> None:
    given: dict[str, Any] = {"record": {"status": "scheduled", "pending": "reschedule"}, "drifts": [drift()]}
    answer = observed(**given)
    assert {str(one.code) for one in answer.reasons} == {"not-completed", "reschedule-pending"}
    assert answer.sentence == f"{answer.reasons[0].text} {answer.reasons[1].text}"


@pytest.mark.parametrize("given", [{}, {"record": {"status": "no-show"}}, {"record": {"payer": "self"}}])
def test_what_is_not_held_is_told_as_it_is_but_recalls_nothing(given: dict[str, Any]) -> None:
    sent = {**FILED, "date": "2026-11-09"}
    answer, gate = observed(issued=sent, **given), observed(observes=False, issued=sent, **given)
    assert gate.recall is not None
    assert (answer.recall, answer.verdict, answer.reasons, answer.sentence) == (
        None, gate.verdict, gate.reasons, gate.sentence,
    )  # fmt: skip


def test_a_claim_that_went_out_keeps_its_state_and_recalls_nothing() -> None:
    answer = observed(filed=FILED, drifts=[drift()])
    assert (answer.verdict, answer.state, answer.recall) == ("cleared", "recalled", None)
