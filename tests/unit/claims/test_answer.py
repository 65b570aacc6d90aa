"""The answer's canonical form, its fingerprints, and its evidence (claims sheet, 13; face)."""

import json

import pytest

from calsync.claims.answer import facts_fingerprint, fingerprint
from calsync.claims.case_json import case_from_json, duration, instant, policy_from_json
from calsync.claims.policy import ClaimsPolicy
from calsync.claims.reasons import ADVISORIES, REASONS, AdvisoryCode, ReasonCode
from tests.unit.claims.cases import drift, judge, overlaid, read, row, word

KEYS = {
    "appointment", "verdict", "state", "date_of_service", "reasons", "advisories", "evidence", "recall", "waiting_on",
    "asked_at", "next_step_at", "file_by", "sentence", "code", "minutes",
}  # fmt: skip


def test_the_json_has_every_key_and_survives_a_round_trip() -> None:
    answer = judge(drifts=[drift()])
    data = answer.to_json()
    assert set(data) == KEYS
    assert json.loads(answer.canonical()) == data
    assert set(data["reasons"][0]) == {"code", "text", "waiting_on", "asked_at", "next_step_at"}
    assert {frozenset(one) for one in data["evidence"]} == {frozenset({"kind", "id", "at", "says", "rule"})}


def test_the_order_of_rows_changes_nothing() -> None:
    rows = [read("10T16:05"), read("10T17:00", calendar="cal-2"), read(None, "never", "cal-3")]
    logs = [row("10T15:00", "10T15:45", "provider"), row("10T15:01", "10T15:44", "client")]
    drifts = [drift(), drift(id="D-2", kind="deleted")]
    one = judge(observations=rows, evidence=logs, drifts=drifts)
    other = judge(observations=rows[::-1], evidence=logs[::-1], drifts=drifts[::-1])
    assert fingerprint(one) == fingerprint(other)


def test_the_facts_stay_the_same_when_only_time_passes() -> None:
    early, late = (judge(drifts=[drift()], now=f"2026-11-1{day}T12:00:00Z") for day in (1, 2))
    assert facts_fingerprint(early) == facts_fingerprint(late)
    assert facts_fingerprint(early) != facts_fingerprint(judge())


def test_every_input_and_every_reason_is_in_the_evidence() -> None:
    answer = judge(
        drifts=[drift()], evidence=[row("10T15:00", "10T15:45", source="desk")], statements=[word("as-booked")]
    )
    assert {one.kind for one in answer.evidence} >= {
        "record",
        "policy",
        "dates",
        "code",
        "observation",
        "drift",
        "session",
        "statement",
    }
    assert {one.code for one in answer.reasons} <= {one.rule for one in answer.evidence}


def test_what_decided_something_is_not_listed_as_idle_too() -> None:
    items = [(one.kind, one.id, one.at) for one in judge().evidence]
    assert len(items) == len(set(items))


def test_every_code_has_its_sentence() -> None:
    assert (set(REASONS), set(ADVISORIES)) == (set(ReasonCode), set(AdvisoryCode))


def test_texts_of_a_declaration_stay_in() -> None:
    answer = judge(
        observations=[], provider={"calendars": "none", "reason": "Jo Doe uses paper", "since": "2026-01-05"}
    )
    assert b"Jo Doe" not in answer.canonical()


def test_a_policy_fingerprint_follows_every_key() -> None:
    assert ClaimsPolicy().fingerprint() == ClaimsPolicy().fingerprint()
    prints = {
        policy_from_json(one).fingerprint()
        for one in ({}, {"settle": "3m"}, {"trusted_evidence": ["x"]}, {"unlinked": "clear"})
    }
    assert len(prints) == 4


@pytest.mark.parametrize("text", ["2026-11-10T09:00:00", "soon"])
def test_an_instant_needs_an_offset(text: str) -> None:
    with pytest.raises(ValueError, match=r"offset|isoformat"):
        instant(text)


@pytest.mark.parametrize("text", ["5", "m", "-5m", "1.5h", "5 m"])
def test_a_duration_is_a_number_and_a_unit(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        duration(text)


@pytest.mark.parametrize(
    "given",
    [
        {"observations": [{"calendar": "cal-1", "read_at": None, "result": "maybe"}]},
        {"statements": [word("perhaps")]},
        {"evidence": [row("10T15:00", "10T15:45", "nobody")]},
    ],
)
def test_words_that_nobody_knows_do_not_become_a_case(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        case_from_json(overlaid(given))


def test_an_unknown_policy_key_is_refused() -> None:
    with pytest.raises(TypeError, match="setle"):
        policy_from_json({"setle": "2m"})
