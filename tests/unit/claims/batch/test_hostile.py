"""Claim files as other programs get them wrong: held or refused with a code, in little time and memory."""

from __future__ import annotations

import json
import time
import tracemalloc
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from calsync.claims.batch.checking import Form
from calsync.claims.reasons import Verdict
from tests.unit.claims.batch.sample_world import SAMPLES, SampleWorld, codes

GOOD = (SAMPLES / "v01-one-claim-one-line.x12").read_text("latin-1")
TWO = (SAMPLES / "g03-duplicate-line.x12").read_text("latin-1")
CSV_HEAD = "claim_id,line,appointment,service_date,code,frequency,payer_claim_control\n"


def counted(text: str) -> str:
    """The file with a segment count that fits."""
    start = text.index("ST*837")
    end = text.index("SE*")
    head, _, rest = text[end:].partition("~")
    number = text[start:end].count("~") + 1
    return text[:end] + f"SE*{number}*" + head.split("*")[2] + "~" + rest


@pytest.fixture
def put(tmp_path: Path) -> Any:
    def write(text: str | bytes, name: str = "in.x12") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode("latin-1"))
        return path

    return write


X12_REFUSED = {
    "nothing but blanks": (" \r\n\t", "file-empty"),
    "no ISA": ("GS" + GOOD[106:], "file-unreadable"),
    "an ISA of 105": (GOOD[:50] + GOOD[51:], "file-unreadable"),
    "lower case": (GOOD.lower(), "file-unreadable"),
    "lower case inside": (GOOD.replace("LX*1~", "lx*1~"), "file-unreadable"),
    "version 4010": (GOOD.replace("*00501*", "*00401*").replace("005010X222A1", "004010X098A1"), "file-not-837p"),
    "an 835": (GOOD.replace("ST*837", "ST*835"), "file-not-837p"),
    "another group": (GOOD.replace("GS*HC", "GS*HP"), "file-not-837p"),
    "one letter for two separators": (GOOD[:104] + "*" + GOOD[105:], "file-unreadable"),
    "a letter as separator": (GOOD.replace("*", "Q"), "file-unreadable"),
    "an SE too many": (GOOD.replace("GE*1", "SE*1*0001~GE*1"), "file-counts-wrong"),
    "no SE": (GOOD.replace(GOOD[GOOD.index("SE*") : GOOD.index("GE*")], ""), "file-counts-wrong"),
    "no IEA": (GOOD[: GOOD.index("IEA")], "file-incomplete"),
    "another control number": (GOOD.replace("IEA*1*000000001", "IEA*1*000000002"), "file-counts-wrong"),
    "a claim outside a set": (GOOD.replace("GE*1", "CLM*A-1001*1***11:B:1~GE*1"), "file-unreadable"),
    "a line outside a claim": (counted(GOOD.replace("CLM*A-1001", "K3*A-1001")), "file-unreadable"),
    "an institutional line": (counted(GOOD.replace("SV1*HC:90834:95", "SV2*0900*HC:90834")), "file-not-837p"),
    "text behind the end": (GOOD + "and more", "file-unreadable"),
    "an empty segment": (GOOD.replace("LX*1~", "LX*1~~"), "file-incomplete"),
    "a segment of 1 MB": (GOOD.replace("LX*1~", "NTE*ADD*" + "x" * 1_000_000 + "~LX*1~"), "file-incomplete"),
    "no terminator at all": (GOOD[:106] + "x" * 5_000_000, "file-incomplete"),
    "no claim": (counted(GOOD[: GOOD.index("CLM*")] + GOOD[GOOD.index("SE*") :]), "file-no-claims"),
    "binary": (bytes(range(256)) * 400, "file-unreadable"),
    "ISA and binary": (GOOD[:106].encode() + bytes(range(256)) * 40, "file-unreadable"),
}


@pytest.mark.parametrize("what", X12_REFUSED)
def test_an_x12_file_that_cannot_be_believed_is_refused_whole(what: str, lite: SampleWorld, put: Any) -> None:
    text, code = X12_REFUSED[what]
    assert lite.check(put(text)) == code


X12_HELD = {
    "30 February": (GOOD.replace("20261110", "20260230", 2).replace("*20260230*", "*20261110*"), "date-unreadable"),
    "seven digits": (GOOD.replace("D8*20261110", "D8*2026111"), "date-unreadable"),
    "Arabic digits": (GOOD.replace("D8*20261110", "D8*2026111\u0661".encode().decode("latin-1")), "date-unreadable"),
    "a date with a time": (GOOD.replace("D8*20261110", "DT*202611100900"), "date-unreadable"),
    "the end of a range only": (GOOD.replace("D8*20261110", "RD8*-20261110"), "date-unreadable"),
    "two days": (GOOD.replace("D8*20261110", "RD8*20261110-20261111"), "date-range-not-single"),
    "another qualifier": (GOOD.replace("DTP*472", "DTP*471"), "date-missing"),
    "the reference twice": (counted(GOOD.replace("REF*6R*A-1001~", "REF*6R*A-1001~REF*6R*A-1005~")), "ambiguous-match"),
    "a reference of two parts": (
        GOOD.replace("REF*6R*A-1001", "REF*6R*A-1001:X").replace("CLM*A-1001", "CLM*C-1"), "no-matching-appointment"),
    "NUL in the reference": (
        GOOD.replace("REF*6R*A-1001", "REF*6R*A-\0001001").replace("CLM*A-1001", "CLM*C-1"), "no-matching-appointment"),
    "no service": (counted(GOOD.replace("SV1*HC:90834:95*150*UN*1***1~", "")), "claim-unreadable"),
    "two services": (
        counted(GOOD.replace("DTP*472", "SV1*HC:90834*1*UN*1***1~DTP*472")), "claim-unreadable"),
    "a frequency of nobody": (GOOD.replace(":B:1*", ":B:6*"), "claim-unreadable"),
    "a void of nothing": (counted(GOOD.replace(":B:1*Y*A*Y*Y~", ":B:8*Y*A*Y*Y~REF*F8*ICN1~")), "correction-of-unfiled"),
    "a replacement of nothing": (
        counted(GOOD.replace(":B:1*Y*A*Y*Y~", ":B:7*Y*A*Y*Y~REF*F8*ICN1~")), "correction-of-unfiled"),
}  # fmt: skip


@pytest.mark.parametrize("what", X12_HELD)
def test_a_line_with_a_doubt_is_held(what: str, lite: SampleWorld, put: Any) -> None:
    text, code = X12_HELD[what]
    assert text != GOOD
    (line,) = lite.lines(put(text))
    assert (codes(line), line.answer.verdict, line.answer.date_of_service) == ({code}, Verdict.HELD, None)


def test_another_payers_number_is_no_reference_of_ours(lite: SampleWorld, put: Any) -> None:
    text = (SAMPLES / "v10-other-payer-f8-and-573.x12").read_text("latin-1")
    (line,) = lite.lines(put(text.replace(":B:1*", ":B:7*")))
    assert codes(line) == {"correction-without-reference"}


def test_other_references_of_a_line_say_nothing(lite: SampleWorld, put: Any) -> None:
    text = counted(GOOD.replace("REF*6R*A-1001~", "REF*G1*A-1005~REF*6R*A-1001~REF*F8*ICN1~"))
    (line,) = lite.lines(put(text))
    assert (line.line.appointment, line.line.control, str(line.answer.verdict)) == ("A-1001", None, "cleared")


def test_a_claim_without_lines_does_not_vanish(lite: SampleWorld, put: Any) -> None:
    text = GOOD[: GOOD.index("LX*1")] + GOOD[GOOD.index("SE*") :]
    (line,) = lite.lines(put(counted(text)))
    assert codes(line) == {"claim-unreadable"}


def test_blanks_before_between_and_after_interchanges_are_nothing(lite: SampleWorld, put: Any) -> None:
    other = (SAMPLES / "g01-wrong-date.x12").read_text("latin-1")
    lines = lite.lines(put(" \r\n" + GOOD + "\r\n\r\n  " + other + "\n\n"))
    assert [str(one.answer.verdict) for one in lines] == ["held", "held"]


def test_another_control_number_than_the_books_have(lite: SampleWorld, put: Any) -> None:
    text = (SAMPLES / "v03-many-claims-two-st.x12").read_text("latin-1")
    lines = lite.lines(put(text.replace("ICN20260001", "ICN20269999")))
    assert codes(lines[3]) == {"correction-reference-mismatch"}
    lines = lite.lines(put(text.replace("D8*20261106", "D8*20261107")))
    assert codes(lines[4]) == {"date-mismatch"}, "a void repeats the date that was filed"


def test_an_id_in_other_letters_matches_with_a_note_if_only_one_fits(lite: SampleWorld, put: Any) -> None:
    text = GOOD.replace("REF*6R*A-1001", "REF*6R*a-1001").replace("CLM*A-1001", "CLM*C-1")
    (line,) = lite.lines(put(text))
    assert (line.line.appointment, str(line.answer.verdict)) == ("A-1001", "cleared")
    assert [str(one.code) for one in line.answer.advisories] == ["matched-in-other-letters"]
    lite.book("B-1", "K-9", "2026-11-10T17:00", "2026-11-10T17:45")
    lite.book("b-1", "K-8", "2026-11-11T17:00", "2026-11-11T17:45")
    (line,) = lite.lines(put(text.replace("a-1001", "B-1").replace("C-1", "C-2")))
    assert line.line.appointment == "B-1", "the same letters go first"
    lite.book("x-Y", "K-9", "2026-11-12T17:00", "2026-11-12T17:45")
    lite.book("X-y", "K-8", "2026-11-13T17:00", "2026-11-13T17:45")
    (line,) = lite.lines(put(text.replace("a-1001", "X-Y").replace("C-1", "C-3")))
    assert codes(line) == {"ambiguous-match"}


def test_a_claims_own_id_is_its_appointments_only_with_one_line(lite: SampleWorld, put: Any) -> None:
    (line,) = lite.lines(put(counted(GOOD.replace("REF*6R*A-1001~", ""))))
    assert (line.line.appointment, str(line.answer.verdict)) == ("A-1001", "cleared")
    no_reference = TWO.replace("REF*6R*A-1001~", "").replace("CLM*C-2002", "CLM*A-1001")
    assert {code for one in lite.lines(put(counted(no_reference))) for code in codes(one)} == {
        "no-matching-appointment"
    }


def test_two_claims_for_one_day_and_code_are_duplicates_by_what_the_file_bills(lite: SampleWorld, put: Any) -> None:
    lite.book("A-1002", "K-1", "2026-11-10T13:00", "2026-11-10T13:45")
    rows = "C-1,1,A-1001,2026-11-10,90834,1,\nC-2,1,A-1002,2026-11-10,{},1,\n"
    lines = lite.lines(put(CSV_HEAD + rows.format("90834"), "in.csv"))
    assert [codes(one) for one in lines] == [{"same-day-same-code"}, {"same-day-same-code"}]
    lines = lite.lines(put(CSV_HEAD + rows.format("90832"), "in.csv"))
    assert [codes(one) for one in lines] == [set(), set()]


def test_known_providers_and_clients_must_fit_unknown_ones_say_nothing(lite: SampleWorld, put: Any) -> None:
    head = "appointment,service_date,provider,client\n"
    lines = lite.lines(put(head + "A-1001,2026-11-10,1234567893,MEM1\n", "in.csv"))
    assert codes(lines[0]) == set()
    lines = lite.lines(put(head + "A-1001,2026-11-10,P-1,K-2\n", "in.csv"))
    assert codes(lines[0]) == {"client-mismatch"}


def test_place_of_service_and_overlap_are_said_and_hold_nothing(lite: SampleWorld, put: Any) -> None:
    lite.book("V-1", "K-7", "2026-11-10T09:30", "2026-11-10T10:15", format="video")
    text = GOOD.replace("A-1001", "V-1").replace("10:B:1", "11:B:1").replace("SV1*HC:90834:95*150*UN*1***1",
                                                                            "SV1*HC:90834:95*150*UN*1***1")  # fmt: skip
    (line,) = lite.lines(put(text))
    assert str(line.answer.verdict) == "cleared"
    assert [str(one.code) for one in line.answer.advisories] == ["overlapping-session", "place-of-service"]
    (line,) = lite.lines(put(GOOD.replace("A-1001", "V-1")))
    assert [str(one.code) for one in line.answer.advisories] == ["overlapping-session"]


CSV_REFUSED = {
    "semicolons": ("claim_id;appointment;service_date\nC;A-1001;2026-11-10\n", "file-unreadable"),
    "a column twice": ("appointment,service_date,appointment\nA-1001,2026-11-10,A-1005\n", "file-unreadable"),
    "a quote that does not end": ('appointment,service_date\n"A-1001,2026-11-10\n', "file-unreadable"),
    "a cell of 200,000": ("appointment,service_date\n" + "x" * 200_000 + ",2026-11-10\n", "file-unreadable"),
    "UTF-16": ("appointment,service_date\nA-1001,2026-11-10\n".encode("utf-16"), "file-unreadable"),
    "only a heading": ("appointment,service_date\n", "file-no-claims"),
    "no heading": ("A-1001,2026-11-10\n", "file-unreadable"),
}


@pytest.mark.parametrize("what", CSV_REFUSED)
def test_a_csv_file_that_cannot_be_believed_is_refused_whole(what: str, lite: SampleWorld, put: Any) -> None:
    text, code = CSV_REFUSED[what]
    assert lite.check(put(text, "in.csv")) == code


@pytest.mark.parametrize(
    "day", ["01/02/2026", "20261110", "2026-W46-2", "2026-11-10T00:00", "2026-02-30", " 2026-11-10", "0000-00-00"]
)
def test_a_date_is_never_guessed(day: str, lite: SampleWorld, put: Any) -> None:
    (line,) = lite.lines(put(CSV_HEAD + f"C-1,1,A-1001,{day},90834,1,\n", "in.csv"))
    assert codes(line) == {"date-unreadable"}


def bundle(*claims: dict[str, Any]) -> str:
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in claims]})


def claim(**item: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((SAMPLES / "f01-good.json").read_text())["entry"][0]["resource"]
    made["item"][0] |= item
    return made


DOUBLED = bundle(claim()).replace(
    '"servicedDate": "2026-11-10"', '"servicedDate": "2026-11-10", "servicedDate": "2026-11-11"'
)
FHIR_REFUSED = {
    "a key twice": (DOUBLED, "file-unreadable"),
    "too deep": (
        '{"resourceType":"Bundle","entry":[' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "]}",
        "file-unreadable",
    ),
    "a list": ("[]", "file-unreadable"),
    "something behind it": (bundle(claim()) + "{}", "file-unreadable"),
    "NaN": (bundle(claim()).replace('"sequence": 1', '"sequence": NaN'), "file-unreadable"),
    "another resource": ('{"resourceType":"Patient"}', "file-unreadable"),
    "an entry that is no list": ('{"resourceType":"Bundle","entry":{}}', "file-no-claims"),
    "UTF-16": (bundle(claim()).encode("utf-16"), "file-unreadable"),
}


@pytest.mark.parametrize("what", FHIR_REFUSED)
def test_a_fhir_file_that_cannot_be_believed_is_refused_whole(what: str, lite: SampleWorld, put: Any) -> None:
    text, code = FHIR_REFUSED[what]
    assert lite.check(put(text, "in.json")) == code


FHIR_HELD: dict[str, tuple[dict[str, Any], str]] = {
    "a period of days": (
        claim(servicedDate=None, servicedPeriod={"start": "2026-11-10", "end": "2026-11-11"}), "date-range-not-single"),
    "a period without an end": (claim(servicedDate=None, servicedPeriod={"start": "2026-11-10"}), "date-unreadable"),
    "two encounters": (
        claim(encounter=[{"reference": "Encounter/A-1001"}, {"reference": "Encounter/A-1005"}]), "ambiguous-match"),
    "a draft": (claim() | {"status": "draft"}, "claim-unreadable"),
    "a preauthorisation": (claim() | {"use": "preauthorization"}, "claim-unreadable"),
    "no item": (claim() | {"item": []}, "claim-unreadable"),
    "a replacement that names nothing": (
        claim() | {"related": [{"relationship": {"coding": [{"code": "prior"}]}}]}, "correction-without-reference"),
}  # fmt: skip


@pytest.mark.parametrize("what", FHIR_HELD)
def test_a_fhir_claim_with_a_doubt_is_held(what: str, lite: SampleWorld, put: Any) -> None:
    resource, code = FHIR_HELD[what]
    resource = {key: value for key, value in resource.items() if value is not None}
    for item in resource["item"]:
        for key in [key for key, value in item.items() if value is None]:
            del item[key]
    lines = lite.lines(put(bundle(resource), "in.json"))
    assert code in {one for line in lines for one in codes(line)}
    assert {line.answer.verdict for line in lines} == {Verdict.HELD}


def test_one_claim_alone_and_one_a_line_are_fhir_too(lite: SampleWorld, put: Any) -> None:
    assert [str(one.answer.verdict) for one in lite.lines(put(json.dumps(claim()), "in.json"))] == ["cleared"]
    text = json.dumps(claim()) + "\n\n" + json.dumps({"resourceType": "Patient"})
    assert [str(one.answer.verdict) for one in lite.lines(put(text, "in.ndjson"))] == ["cleared"]
    assert lite.check(put(text + "\n{", "in.ndjson")) == "file-unreadable"


def test_what_a_file_is_shows_in_its_name_or_its_beginning(lite: SampleWorld, put: Any) -> None:
    assert len(lite.lines(put("\ufeff".encode() + (SAMPLES / "c01-good.csv").read_bytes(), "claims.txt"))) == 4
    assert len(lite.lines(put((SAMPLES / "f01-good.json").read_bytes(), "claims"))) == 4
    assert len(lite.lines(put(GOOD, "claims.dat"))) == 1
    assert len(lite.lines(put(GOOD, "claims.csv"), Form.X12)) == 1


def test_a_file_beyond_the_limit_is_not_read(lite: SampleWorld, put: Any) -> None:
    claims = lite.settings.claims.model_copy(update={"max_batch_bytes": 500})
    lite.settings = lite.settings.model_copy(update={"claims": claims})
    assert lite.check(put(GOOD)) == "file-too-large"


def test_nothing_is_cleared_on_the_books_for_a_line_that_is_held(samples: SampleWorld, put: Any) -> None:
    samples.check(put(CSV_HEAD + "C-1,1,A-1001,11/10/2026,90834,1,\n", "in.csv"))
    with samples.db.reading() as conn:
        from calsync.store import clearances  # noqa: PLC0415

        assert clearances.of_appointments(conn, ["A-1001"]) == {}
    samples.check("v01-one-claim-one-line.x12")
    with samples.db.reading() as conn:
        (kept,) = clearances.of_appointments(conn, ["A-1001"])["A-1001"]
    assert (kept.date, kept.code, kept.ended_at) == (date(2026, 11, 10), "90834", None)


@pytest.mark.parametrize("what", ["a segment of 1 MB", "no terminator at all", "too deep"])
def test_hostile_files_cost_little(what: str, lite: SampleWorld, put: Any) -> None:
    text, _ = (X12_REFUSED | FHIR_REFUSED)[what]
    path = put(text, "in.json" if what == "too deep" else "in.x12")
    lite.check(path)
    tracemalloc.start()
    began = time.process_time()
    lite.check(path)
    spent, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert spent < 2
    assert peak < 64 * 1024 * 1024
