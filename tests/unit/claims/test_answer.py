"""The answer's canonical form, its fingerprints, and its evidence (claims sheet, 13; face)."""

import hashlib
import json

import pytest

from calsync.claims.answer import canonical_text, facts_fingerprint, fingerprint
from calsync.claims.case import Provider
from calsync.claims.case_json import case_from_json, duration, instant, policy_from_json
from calsync.claims.codes import read_codes
from calsync.claims.policy import ClaimsPolicy
from calsync.claims.reasons import ADVISORIES, REASONS, AdvisoryCode, ReasonCode
from tests.unit.claims.cases import FILED, drift, judge, other, overlaid, read, row, word

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


def test_a_fingerprint_is_the_hash_of_the_one_byte_form() -> None:
    answer = judge(drifts=[drift()])
    assert fingerprint(answer) == hashlib.sha256(answer.canonical()).hexdigest()
    assert canonical_text({"b": "Zoë", "a": {"d": 1, "c": None}}) == '{"a":{"c":null,"d":1},"b":"Zoë"}'.encode()


def test_facts_keep_their_fingerprint_over_versions_of_calsync() -> None:
    """What changes it makes every recall that is open anew."""
    answer = judge(
        record={"pending": "reschedule", "status": "scheduled"},
        filed=FILED,
        asked="2026-11-12",
        drifts=[drift()],
        observations=[read("10T16:05", "differs"), read(None, "never", "cal-2"), read(None, "failed", "cal-3")],
        others=[other(None, None, code="90834")],
    )
    assert len(answer.reasons) > 6
    assert facts_fingerprint(answer) == "486e5a113fbeaaa63125d733350fa8477a07fc04a07561f655ef7bbbe8e42fef"


def test_a_policy_is_the_same_in_whatever_order_it_is_written() -> None:
    names = [f"log-{number}" for number in range(40)]
    tables = [f"[codes.{number}]\nfloor = {number}" for number in range(1, 9)]
    one, other_way = (
        ClaimsPolicy(trusted_evidence=frozenset(written), codes=read_codes("\n".join(rules)))
        for written, rules in ((names, tables), (names[::-1], tables[::-1]))
    )
    assert list(one.trusted_evidence) != list(other_way.trusted_evidence)
    assert one.fingerprint() == other_way.fingerprint()


def test_evidence_says_what_was_there() -> None:
    saw = [f"D-{number}" for number in range(9)]
    answer = judge(
        record={"version": "7"},
        provider={"calendars": "none", "reason": "paper"},
        statements=[word("as-booked", saw=saw)],
        observations=[read("10T16:05"), read(None, "never")],
    )
    says = [(one.kind, one.id, one.says) for one in answer.evidence]
    assert ("record", "A-1", "2026-11-10T09:00:00/2026-11-10T09:45:00 America/Chicago completed version 7") in says
    assert ("declaration", None, "calendars none since no date") in says
    assert ("statement", "W-1", f"provider as-booked saw {' '.join(saw)}") in says
    assert [one.at is None for one in answer.evidence if one.kind == "observation"] == [True, False]


def test_of_a_case_only_what_is_known_need_be_said() -> None:
    case = case_from_json({"record": None, "appointment": "A-99"})
    assert (case.provider, case.next_reads, case.drifts) == (Provider(), (), ())
