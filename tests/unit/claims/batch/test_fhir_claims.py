"""What is read from FHIR claims, item by item: plain dates and own names, and a doubt wherever one is."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from calsync.claims.batch.fhir_claims import ndjson_lines, read_fhir
from calsync.claims.batch.lines import MOST_LINES, BatchLine, FileRefused
from calsync.claims.reasons import ReasonCode
from tests.unit.claims.batch.sample_world import SAMPLES

CLAIM: dict[str, Any] = json.loads((SAMPLES / "f01-good.json").read_text())["entry"][0]["resource"]
ITEM: dict[str, Any] = CLAIM["item"][0]
GOOD = BatchLine(
    claim=1,
    place="the claim, item 1",
    claim_id="A-1001",
    line="1",
    stated="A-1001",
    day=date(2026, 11, 10),
    code="90834",
)
UNREADABLE = (ReasonCode.CLAIM_UNREADABLE,)
PRIOR = {"relationship": {"coding": [{"code": "prior"}]}}
PATIENT = {"resourceType": "Patient", "id": "K-1"}


def without_none(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if value is not None}


def claim(**changes: Any) -> dict[str, Any]:
    return without_none(CLAIM | changes)


def item(**changes: Any) -> dict[str, Any]:
    return claim(item=[without_none(ITEM | changes)])


def read(value: Any, *, by_lines: bool = False) -> list[BatchLine]:
    text = value if isinstance(value, str) else json.dumps(value)
    return list(read_fhir(io.BytesIO(text.encode()), by_lines=by_lines))


def one(value: Any) -> BatchLine:
    (found,) = read(value)
    return found


def bundle(*entries: Any, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": list(entries), **more}


def refused(value: Any, *, by_lines: bool = False) -> tuple[str, str]:
    with pytest.raises(FileRefused) as refusal:
        read(value, by_lines=by_lines)
    return str(refusal.value.code), refusal.value.where


def test_an_item_is_read_with_all_that_is_asked_of_it() -> None:
    assert one(CLAIM) == GOOD


def test_items_are_told_by_their_places_in_whatever_form() -> None:
    two = claim(id="C-2", identifier=None, item=[ITEM, ITEM | {"sequence": 7}])
    entries = [{"resource": PATIENT}, {"resource": CLAIM}, {"resource": two}]
    first = replace(GOOD, claim=2, claim_id="C-2")
    assert read(bundle(*entries)) == [
        replace(GOOD, place="entry 2, item 1"),
        replace(first, place="entry 3, item 1"),
        replace(first, place="entry 3, item 7", line="7"),
    ]
    lines = "\n".join(json.dumps(one) for one in (PATIENT, CLAIM))
    assert read(f"\n{lines}\n \n", by_lines=True) == [replace(GOOD, place="row 3, item 1")]


class TestDates:
    @pytest.mark.parametrize(
        ("told", "day", "problem"),
        [
            ({"servicedDate": "2026-11-10"}, date(2026, 11, 10), None),
            ({"servicedDate": "2026-11"}, None, "date-unreadable"),
            ({"servicedDate": None}, None, "date-missing"),
            ({"servicedPeriod": {"start": "2026-11-10", "end": "2026-11-10"}}, date(2026, 11, 10), None),
            ({"servicedPeriod": {"start": "2026-11-10", "end": "2026-11-11"}}, None, "date-range-not-single"),
            ({"servicedPeriod": {"start": "2026-11-10"}}, None, "date-unreadable"),
            ({"servicedPeriod": {"end": "2026-11-10"}}, None, "date-unreadable"),
            ({"servicedPeriod": {"start": "2026-11-10T09:00:00Z", "end": "2026-11-10"}}, None, "date-unreadable"),
            ({"servicedPeriod": {"start": "2026-11-10", "end": "2026-11-10T09:00:00Z"}}, None, "date-unreadable"),
        ],
    )
    def test_one_plain_day(self, told: dict[str, Any], day: date | None, problem: str | None) -> None:
        found = one(item(**{"servicedDate": None, **told}))
        assert (found.day, found.problems) == (day, () if problem is None else (ReasonCode(problem),))

    @pytest.mark.parametrize(
        ("period", "fits"),
        [
            ({"start": "2026-11-10", "end": "2026-11-10"}, True),
            ({"start": "2026-11-01"}, True),
            ({"end": "2026-11-30"}, True),
            ({"start": "2026-11-11"}, False),
            ({"end": "2026-11-09"}, False),
            ({"start": "2026-12-01", "end": "2026-12-31"}, False),
            ({"start": "2026-10-01", "end": "2026-10-31"}, False),
        ],
    )
    def test_it_lies_in_the_claims_own_period(self, period: dict[str, str], fits: bool) -> None:
        found = one(claim(billablePeriod=period))
        assert found == (GOOD if fits else replace(GOOD, day=None, problems=(ReasonCode.DATE_REPEATED,)))

    def test_without_a_day_the_period_says_nothing(self) -> None:
        told = item(servicedDate=None) | {"billablePeriod": {"start": "2026-11-10", "end": "2026-11-10"}}
        assert one(told).problems == (ReasonCode.DATE_MISSING,)


class TestNames:
    @pytest.mark.parametrize(
        ("encounter", "stated"),
        [
            ([{"reference": "Encounter/A-1"}], "A-1"),
            ([{"reference": "https://ehr.example.org/fhir/Encounter/A-1/_history/3"}], "A-1"),
            ([{"identifier": {"value": "A-1"}}], "A-1"),
            ([{"reference": "urn:uuid:1", "identifier": {"value": "A-1"}}], "A-1"),
            ([{"reference": "Encounter/A-2", "identifier": {"value": "A-1"}}], "A-2"),
            ([{"reference": "Encounter/A-1"}, {"reference": "Encounter/A-1"}], "A-1"),
            ([{"reference": "Encounter/A-1"}, {"display": "a visit"}], "A-1"),
            ([{"reference": "urn:uuid:1"}], None),
            (None, None),
        ],
    )
    def test_an_item_names_its_encounter(self, encounter: list[dict[str, Any]] | None, stated: str | None) -> None:
        found = one(item(encounter=encounter))
        assert (found.stated, found.problems) == (stated, ())

    def test_two_encounters_are_a_doubt(self) -> None:
        found = one(item(encounter=[{"reference": "Encounter/A-2"}, {"reference": "Encounter/A-1"}]))
        assert (found.stated, found.problems) == (None, (ReasonCode.AMBIGUOUS_MATCH,))

    @pytest.mark.parametrize(
        ("told", "name"),
        [
            ({"identifier": [{"value": "N-1"}, {"value": "N-2"}]}, "N-1"),
            ({"identifier": [{"system": "urn:x"}, {"value": "N-2"}]}, "N-2"),
            ({"identifier": None}, "A-1001"),
            ({"identifier": None, "id": None}, None),
        ],
    )
    def test_a_claim_is_known_by_its_number_or_its_id(self, told: dict[str, Any], name: str | None) -> None:
        assert one(claim(**told)).claim_id == name

    def test_codes_are_those_that_say_anything(self) -> None:
        coded = {"coding": [{"display": "none"}, {"code": "90837"}]}
        found = one(item(productOrService=coded, locationCodeableConcept={"coding": [{"code": "11"}]}))
        assert (found.code, found.where) == ("90837", "11")
        assert one(item(productOrService={"text": "a session"})).code is None
        spelt = one(item(productOrService={"coding": [{"code": "90834-95"}]}))
        assert (spelt.code, spelt.problems) == ("90834-95", UNREADABLE)


class TestWhatItIs:
    @pytest.mark.parametrize(
        ("status", "related", "frequency", "control"),
        [
            ("active", None, "1", None),
            ("active", [PRIOR | {"claim": {"identifier": {"value": "N-1"}}}], "7", "N-1"),
            ("active", [{"relationship": {"coding": [{"code": "associated"}]}}], "1", None),
            ("active", [PRIOR], "7", None),
            ("cancelled", [PRIOR | {"claim": {"identifier": {"value": "N-1"}}}], "8", "N-1"),
            ("cancelled", None, "8", None),
        ],
    )
    def test_it_is_an_original_a_replacement_or_a_void(
        self, status: str, related: list[dict[str, Any]] | None, frequency: str, control: str | None
    ) -> None:
        found = one(claim(status=status, related=related))
        assert (found.frequency, found.control, found.problems) == (frequency, control, ())

    @pytest.mark.parametrize(
        "told",
        [
            {"status": "draft"},
            {"status": "entered-in-error"},
            {"use": "preauthorization"},
            {"use": "predetermination"},
            {"created": "yesterday"},
            {"contained": [{**CLAIM, "id": "C-9"}]},
        ],
    )
    def test_one_that_is_none_to_be_sent_is_held_with_what_it_names(self, told: dict[str, Any]) -> None:
        assert one(claim(**told)) == replace(GOOD, day=None, code=None, problems=UNREADABLE)

    def test_one_with_more_items_than_any_has_is_held(self) -> None:
        many = [ITEM | {"sequence": number + 1} for number in range(MOST_LINES)]
        assert {line.problems for line in read(claim(item=many))} == {()}
        lines = read(claim(item=[*many, ITEM]))
        assert (len(lines), {line.problems for line in lines}) == (MOST_LINES, {UNREADABLE})


class TestUnreadable:
    @pytest.mark.parametrize(
        ("told", "expected"),
        [
            ({"item": None}, replace(GOOD, stated=None)),
            ({"item": "odd"}, replace(GOOD, stated=None)),
            ({"item": []}, replace(GOOD, stated=None)),
            ({"item": [7]}, replace(GOOD, stated=None)),
            ({"item": [{"sequence": 4}]}, replace(GOOD, line="4", place="the claim, item 1", stated=None)),
            ({"item": [{"sequence": "4", "encounter": [{"reference": "Encounter/A-1"}]}]}, replace(GOOD, stated="A-1")),
            ({"item": [{"encounter": [{"reference": "Encounter/A-1"}, {"reference": "Encounter/A-2"}]}]},
             replace(GOOD, stated=None)),
            ({"item": [{"encounter": [{"reference": 7}]}]}, replace(GOOD, stated=None)),
            ({"item": [{"encounter": [{"reference": ["Encounter/A-1"]}]}]}, replace(GOOD, stated=None)),
            ({"item": [{"encounter": ["odd"]}]}, replace(GOOD, stated=None)),
            ({"item": [{"encounter": "odd"}]}, replace(GOOD, stated=None)),
        ],
    )  # fmt: skip
    def test_of_one_that_does_not_fit_the_model_only_names_are_told(
        self, told: dict[str, Any], expected: BatchLine
    ) -> None:
        assert one(claim(use="odd", **told)) == replace(expected, day=None, code=None, problems=UNREADABLE)

    @pytest.mark.parametrize(
        ("told", "name"),
        [
            ({"identifier": [{"value": "N-1"}]}, "N-1"),
            ({"identifier": []}, "A-1001"),
            ({"identifier": "odd"}, "A-1001"),
            ({"identifier": {"value": "N-1"}}, "A-1001"),
            ({"identifier": ["odd"]}, "A-1001"),
            ({"identifier": [{"value": 7}]}, None),
            ({"identifier": None, "id": 7}, None),
        ],
    )
    def test_its_number_is_told_where_it_is_one(self, told: dict[str, Any], name: str | None) -> None:
        assert one(claim(use="odd", **told)).claim_id == name

    def test_each_of_its_items_is_held(self) -> None:
        lines = read(claim(use="odd", item=[{"sequence": 3}, {"sequence": 5}, {}]))
        assert [(one.place, one.line) for one in lines] == [
            ("the claim, item 1", "3"),
            ("the claim, item 2", "5"),
            ("the claim, item 3", "3"),
        ]


class TestTheFile:
    @pytest.mark.parametrize(
        ("value", "code", "where"),
        [
            (PATIENT, "file-unreadable", "neither a Bundle nor a Claim"),
            (bundle(), "file-no-claims", ""),
            (bundle({"resource": PATIENT}), "file-no-claims", ""),
            (bundle("odd"), "file-no-claims", ""),
            (bundle(contained=[CLAIM]), "file-unreadable", "beside the entries, a claim inside another resource"),
            (bundle([CLAIM]), "file-unreadable", "entry 1, a claim inside another resource"),
            (bundle([PATIENT, [CLAIM, 7]]), "file-unreadable", "entry 1, a claim inside another resource"),
            (bundle({"response": {"outcome": CLAIM}}), "file-unreadable", "entry 1, a claim inside another resource"),
            (
                bundle({"resource": CLAIM}, {"resource": PATIENT | {"contained": [CLAIM]}}),
                "file-unreadable",
                "entry 2, a claim inside another resource",
            ),
        ],
    )
    def test_what_is_no_claim_and_what_hides_one_are_refused(self, value: Any, code: str, where: str) -> None:
        assert refused(value) == (code, where)

    @pytest.mark.parametrize("name", ["claim", " Claim ", "CLAIM"])
    def test_a_claim_in_other_letters_is_one_that_is_held(self, name: str) -> None:
        assert one(claim(resourceType=name)).problems == UNREADABLE

    def test_lines_are_objects_of_a_bearable_length(self) -> None:
        row = json.dumps(CLAIM)
        longest = row + " " * (1024 * 1024 - len(row) - 1) + "\n"
        assert list(ndjson_lines(io.BytesIO(longest.encode()))) == [(1, longest)]
        for text in (f"{row}\n[]\n", f"{row}\n7\n", f"{row}\n{{\n", f"{row}\n" + " " + longest):
            assert refused(text, by_lines=True) == ("file-unreadable", "row 2")
        with pytest.raises(FileRefused):
            list(ndjson_lines(io.BytesIO(b'{"a":"\xff"}\n')))
