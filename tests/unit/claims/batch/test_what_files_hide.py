"""Claims, dates and names where nobody looks for them: a file that says two things is not believed in either."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from calsync.claims.batch.checking import read_batch
from calsync.claims.batch.cleared import write_cleared
from calsync.claims.batch.lines import FileRefused
from tests.unit.claims.batch.sample_world import SAMPLES, SampleWorld, codes

GOOD: dict[str, Any] = json.loads((SAMPLES / "f01-good.json").read_text())["entry"][0]["resource"]
ELSEWHERE = {"encounter": [{"reference": "Encounter/A-1102"}], "servicedDate": "2026-12-25"}
UNSEEN = {**GOOD, "id": "X-1", "item": [GOOD["item"][0] | ELSEWHERE]}
X12 = (SAMPLES / "v01-one-claim-one-line.x12").read_text()
DATE = "DTP*472*D8*20261110~\n"


def bundle(*entries: Any, **beside: Any) -> str:
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": list(entries), **beside})


def claim(**changes: Any) -> dict[str, Any]:
    """The good claim, changed; `encounter` and dates are its item's."""
    item = {**GOOD["item"][0], **{key: value for key, value in changes.items() if key in ("encounter", "servicedDate")}}
    return {**GOOD, **{key: value for key, value in changes.items() if key not in item}, "item": [item]}


def put(tmp_path: Path, text: str, name: str = "claims.json") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def of_line(lite: SampleWorld, path: Path) -> set[str]:
    (line,) = lite.lines(path)
    return codes(line)


@pytest.mark.parametrize(
    "text",
    [
        bundle({"resource": GOOD}, {"resource": {"resourceType": "Bundle", "entry": [{"resource": UNSEEN}]}}),
        bundle({"resource": GOOD}, {"resource": {"resourceType": "Parameters", "parameter": [{"resource": UNSEEN}]}}),
        bundle({"resource": GOOD, "response": {"outcome": UNSEEN}}),
        bundle({"resource": GOOD}, [UNSEEN]),
        bundle({"resource": GOOD}, contained=[UNSEEN]),
    ],
    ids=["bundle", "parameters", "response", "list", "beside"],
)
def test_a_claim_inside_something_else_refuses_the_file(lite: SampleWorld, tmp_path: Path, text: str) -> None:
    assert lite.check(put(tmp_path, text)) == "file-unreadable"


def test_a_claim_inside_a_claim_holds_both(lite: SampleWorld, tmp_path: Path) -> None:
    assert of_line(lite, put(tmp_path, bundle({"resource": claim(contained=[UNSEEN])}))) == {"claim-unreadable"}


def test_a_claim_in_other_letters_is_not_sent_along(lite: SampleWorld, tmp_path: Path) -> None:
    source = put(tmp_path, bundle({"resource": GOOD}, {"resource": {**UNSEEN, "resourceType": "claim"}}))
    with read_batch(lite.gate, source) as batch:
        list(batch.check(lite.gate, "support:b"))
        assert write_cleared(batch, tmp_path / "out.json")
    assert "X-1" not in (tmp_path / "out.json").read_text()


def test_the_version_of_an_encounter_is_not_its_name(lite: SampleWorld, tmp_path: Path) -> None:
    lite.book("3", "K-1", "2026-11-10T11:00", "2026-11-10T11:45")
    (line,) = lite.lines(put(tmp_path, json.dumps(claim(encounter=[{"reference": "Encounter/A-1001/_history/3"}]))))
    assert line.answer.appointment == "A-1001"


def test_an_encounter_is_known_by_its_identifier_as_well(lite: SampleWorld, tmp_path: Path) -> None:
    (line,) = lite.lines(put(tmp_path, json.dumps(claim(encounter=[{"identifier": {"value": "A-1102"}}]))))
    assert line.answer.appointment == "A-1102"


@pytest.mark.parametrize(
    ("start", "end", "held"),
    [
        ("2026-11-12", "2026-11-12", True),
        ("2026-11-01", "2026-11-09", True),
        ("2026-11-01", "2026-11-30", False),
        ("2026-11-10", "2026-11-10", False),
    ],
)
def test_a_date_outside_the_claims_own_period_is_a_second_date(
    lite: SampleWorld, tmp_path: Path, start: str, end: str, *, held: bool
) -> None:
    path = put(tmp_path, json.dumps({**GOOD, "billablePeriod": {"start": start, "end": end}}))
    assert of_line(lite, path) == ({"date-repeated"} if held else set())


@pytest.mark.parametrize(
    ("segments", "found"),
    [
        (DATE + "DTP* 472*D8*20261225~\n", {"date-repeated"}),
        ("DTP*472*D8*20261110*20261225~\n", {"date-unreadable"}),
    ],
)
def test_a_second_date_in_odd_writing_is_seen(
    lite: SampleWorld, tmp_path: Path, segments: str, found: set[str]
) -> None:
    text = X12.replace(DATE, segments).replace("SE*26", f"SE*{25 + segments.count('~')}")
    assert of_line(lite, put(tmp_path, text, "claims.x12")) == found


@pytest.mark.parametrize(("day", "found"), [("20261225", {"date-repeated"}), ("20261110", set())])
def test_a_date_of_the_whole_claim_must_be_its_lines(
    lite: SampleWorld, tmp_path: Path, day: str, found: set[str]
) -> None:
    text = X12.replace("HI*ABK", f"DTP*472*D8*{day}~\nHI*ABK").replace("SE*26", "SE*27")
    assert of_line(lite, put(tmp_path, text, "claims.x12")) == found


@pytest.mark.parametrize(
    ("period", "found"),
    [
        ("434*D8*20261110", set()),
        ("434*RD8*20261101-20261130", set()),
        ("434*RD8*20261111-20261130", {"date-repeated"}),
        ("434*D8*20261225", {"date-repeated"}),
        ("434*D8*november", {"date-repeated"}),
        ("435*D8*20261225", set()),
    ],
)
def test_the_period_of_a_whole_claim_must_hold_its_lines_days(
    lite: SampleWorld, tmp_path: Path, period: str, found: set[str]
) -> None:
    text = X12.replace("HI*ABK", f"DTP*{period}~\nHI*ABK").replace("SE*26", "SE*27")
    assert of_line(lite, put(tmp_path, text, "claims.x12")) == found


@pytest.mark.parametrize(
    ("sold", "found"),
    [
        ("UN*1", set()),
        ("UN*1.0", set()),
        ("UN*", set()),
        ("UN*99", {"units-not-single"}),
        ("UN*0", {"units-not-single"}),
        ("UN*many", {"claim-unreadable"}),
        ("MJ*45", {"claim-unreadable"}),
    ],
)
def test_a_session_is_billed_once(lite: SampleWorld, tmp_path: Path, sold: str, found: set[str]) -> None:
    text = X12.replace("*UN*1*", f"*{sold}*")
    assert of_line(lite, put(tmp_path, text, "claims.x12")) == found


@pytest.mark.parametrize(("units", "found"), [(1, set()), (2, {"units-not-single"})])
def test_so_it_is_in_fhir(lite: SampleWorld, tmp_path: Path, units: int, found: set[str]) -> None:
    item = {**GOOD["item"][0], "quantity": {"value": units}}
    assert of_line(lite, put(tmp_path, json.dumps({**GOOD, "item": [item]}))) == found


def test_of_a_code_that_nobody_here_knows_any_number_may_be_billed(lite: SampleWorld, tmp_path: Path) -> None:
    text = X12.replace("HC:90834:95", "HC:H0004").replace("*UN*1*", "*UN*4*")
    assert of_line(lite, put(tmp_path, text, "claims.x12")) == set()


@pytest.mark.parametrize("gone", ["HI*ABK", "NM1*82"])
def test_a_diagnosis_is_none_of_the_gates_business(lite: SampleWorld, tmp_path: Path, gone: str) -> None:
    kept = [one for one in X12.splitlines() if not one.startswith(gone)]
    text = "\n".join(kept).replace("SE*26", "SE*25").replace("DTP*472*D8", "PWK*OZ*EL~\nDTP*472*D8")
    assert of_line(lite, put(tmp_path, text.replace("SE*25", "SE*26"), "claims.x12")) == set()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (X12, "claims.x12"),
        (X12 + "\ufeff" + X12.replace("A-1001", "A-9"), "claims.x12"),
        (json.dumps(GOOD), "claims.json"),
        (json.dumps(GOOD), "claims.ndjson"),
        (json.dumps(GOOD), "claims"),
    ],
    ids=["x12", "joined", "json", "ndjson", "unnamed"],
)
def test_the_mark_before_utf_8_is_no_part_of_a_file(lite: SampleWorld, tmp_path: Path, text: str, name: str) -> None:
    plain, marked = tmp_path / name, tmp_path / f"marked-{name}"
    plain.write_bytes(text.encode())
    marked.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert [codes(one) for one in lite.lines(marked)] == [codes(one) for one in lite.lines(plain)]
    with read_batch(lite.gate, marked) as batch:
        assert all(list(batch.check(lite.gate, "support:billing")))
        write_cleared(batch, tmp_path / "out")
    assert (tmp_path / "out").read_bytes()[:1] in (b"I", b"{")


@pytest.mark.parametrize("writing", ["utf-16", "utf-16-be"])
@pytest.mark.parametrize("name", ["claims.x12", "claims.csv", "claims.json"])
def test_a_file_in_utf_16_is_refused_by_name(lite: SampleWorld, tmp_path: Path, writing: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(("" if writing == "utf-16" else "\ufeff").encode(writing) + X12.encode(writing))
    with pytest.raises(FileRefused, match="UTF-16; save it as UTF-8"), read_batch(lite.gate, path):
        pass


@pytest.mark.parametrize("planned", [None, "90834"])
def test_a_duplicate_in_the_next_file_is_known_by_the_code_that_was_cleared(
    lite: SampleWorld, tmp_path: Path, planned: str | None
) -> None:
    for number, start, end in (("X-1", "09:00", "10:00"), ("X-2", "14:00", "15:00")):
        lite.book(number, "K-9", f"2026-11-10T{start}", f"2026-11-10T{end}", code=planned)
    head = "appointment,service_date,code\n"
    assert of_line(lite, put(tmp_path, f"{head}X-1,2026-11-10,90837\n", "first.csv")) == set()
    second = put(tmp_path, f"{head}X-2,2026-11-10,90837\n", "second.csv")
    assert of_line(lite, second) == {"same-day-same-code"}
    assert of_line(lite, put(tmp_path, f"{head}X-2,2026-11-10,90832\n", "other.csv")) == set()
    lite.file("X-1", date(2026, 11, 10), "ICN-9")
    assert of_line(lite, second) == {"same-day-same-code"}


def test_what_a_file_bills_now_goes_before_what_was_cleared_earlier(lite: SampleWorld, tmp_path: Path) -> None:
    for number, start, end in (("X-1", "09:00", "10:00"), ("X-2", "14:00", "15:00")):
        lite.book(number, "K-9", f"2026-11-10T{start}", f"2026-11-10T{end}")
    head = "appointment,service_date,code\n"
    assert of_line(lite, put(tmp_path, f"{head}X-1,2026-11-10,90837\n", "first.csv")) == set()
    lines = lite.lines(put(tmp_path, f"{head}X-1,2026-11-10,90834\nX-2,2026-11-10,90837\n", "both.csv"))
    assert [codes(one) for one in lines] == [set(), set()]
    lines = lite.lines(put(tmp_path, f"{head}X-1,2026-11-10,\nX-2,2026-11-10,90834\n", "uncoded.csv"))
    assert [codes(one) for one in lines] == [set(), {"same-day-same-code"}]


def test_two_sessions_of_a_provider_at_the_same_time_are_not_both_sent(lite: SampleWorld, tmp_path: Path) -> None:
    for number, client in (("X-1", "K-9"), ("X-2", "K-9"), ("X-3", "K-8")):
        lite.book(number, client, "2026-11-10T12:00", "2026-11-10T13:00")
    head = "appointment,service_date\n"
    for other in ("X-2", "X-3"):
        lines = lite.lines(put(tmp_path, f"{head}X-1,2026-11-10\n{other},2026-11-10\n", "in.csv"))
        assert [codes(one) for one in lines] == [{"sessions-overlap"}, {"sessions-overlap"}]
    assert of_line(lite, put(tmp_path, f"{head}X-1,2026-11-10\n", "in.csv")) == set()


@pytest.mark.parametrize(
    ("units", "found"),
    [("", set()), ("1", set()), (" 1.0 ", set()), ("2", {"units-not-single"}), ("two", {"claim-unreadable"})],
)
def test_so_it_is_in_a_table(lite: SampleWorld, tmp_path: Path, units: str, found: set[str]) -> None:
    head = "appointment,service_date,code,units\n"
    assert of_line(lite, put(tmp_path, f"{head}A-1001,2026-11-10,90834,{units}\n", "in.csv")) == found
