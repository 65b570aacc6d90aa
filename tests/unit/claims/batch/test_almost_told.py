"""Codes, columns and cells that are almost what they should be: passed over, they would let a claim go unjudged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calsync.claims.batch.checking import digest, read_batch
from calsync.claims.batch.cleared import write_cleared
from calsync.claims.batch.csv_claims import read_heading, read_rows
from calsync.claims.batch.lines import FileRefused
from tests.unit.claims.batch.sample_world import SAMPLES, SampleWorld, codes

X12 = (SAMPLES / "v01-one-claim-one-line.x12").read_text()
FHIR: dict[str, Any] = json.loads((SAMPLES / "f01-good.json").read_text())["entry"][0]["resource"]
CPT, SNOMED = "http://www.ama-assn.org/go/cpt", "http://snomed.info/sct"
CODED = "appointment,service_date,code\nA-1001,2026-11-10,{}\n"
TURNED = [{"url": "https://example.org/refuted", "valueBoolean": True}]


def put(tmp_path: Path, text: str, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def fhir(item: dict[str, Any] | None = None, **more: Any) -> str:
    return json.dumps({**FHIR, **more, "item": [{**FHIR["item"][0], **(item or {})}]})


def billed(*codings: tuple[str, str]) -> dict[str, Any]:
    return {"productOrService": {"coding": [{"system": system, "code": code} for system, code in codings]}}


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("blank.csv", CODED.format("90837 "), "minutes-below-code"),
        ("blank.x12", X12.replace("HC:90834:", "HC:90837 :"), "minutes-below-code"),
        ("modifier.csv", CODED.format("90837-95"), "row-unreadable"),
        ("number.csv", CODED.format("90837.0"), "row-unreadable"),
        ("formula.csv", CODED.format('"=""90837"""'), "row-unreadable"),
        ("no-break.csv", CODED.format("9\u200b0837"), "row-unreadable"),
        ("repeated.x12", X12.replace("HC:90834:", "HC:90834^90837:"), "claim-unreadable"),
        ("two-systems.json", fhir(billed((SNOMED, "76168009"), (CPT, "90837"))), "minutes-below-code"),
        ("two-codes.json", fhir(billed((CPT, "90834"), (CPT, "90837"))), "claim-unreadable"),
        ("words.json", fhir({"productOrService": {"text": "90837"}}), "claim-unreadable"),
        ("turned.json", fhir(modifierExtension=TURNED), "claim-unreadable"),
        ("turned-line.json", fhir({"modifierExtension": TURNED}), "claim-unreadable"),
    ],
)  # fmt: skip
def test_the_code_that_is_billed_is_judged_or_held(
    lite: SampleWorld, tmp_path: Path, name: str, text: str, why: str
) -> None:
    # The session of 45 minutes is too short for 90837.
    (line,) = lite.lines(put(tmp_path, text, name))
    assert codes(line) == {why}


@pytest.mark.parametrize("name", ["Service_Date_End", "service date end", "service_date_end\u200b", "Frequency"])
def test_a_column_that_is_almost_called_so_refuses_the_file(lite: SampleWorld, tmp_path: Path, name: str) -> None:
    path = put(tmp_path, f"appointment,service_date,{name}\nA-1001,2026-11-10,\n", "in.csv")
    with pytest.raises(FileRefused, match="a column is written otherwise than"), read_batch(lite.gate, path):
        pass


@pytest.mark.parametrize("number", ["1" * 5000, "0." + "1" * 5000, "1e99999999999999999999"])
@pytest.mark.parametrize("name", ["in.json", "in.ndjson"])
def test_a_number_beyond_all_bounds_refuses_the_file(lite: SampleWorld, tmp_path: Path, name: str, number: str) -> None:
    # Where the parser reads ahead, and where the number is cut by the end of what it reads at once.
    for before in (0, 64 * 1024 - 100):
        text = json.dumps({"resourceType": "Bundle", "note": "x" * before})[:-1] + f', "total": {number}}}'
        assert lite.check(put(tmp_path, text, name)) == "file-unreadable"


def test_a_carriage_return_in_a_cell_is_no_end_of_a_row(lite: SampleWorld, tmp_path: Path) -> None:
    text = 'claim_id,appointment,service_date,note\nC-1,A-1001,2026-11-10,"one\rC-1"\n'
    with read_batch(lite.gate, put(tmp_path, text, "in.csv")) as batch:
        list(batch.check(lite.gate, "support:b"))
        assert write_cleared(batch, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as written:
        assert read_heading(written) == ["claim_id", "appointment", "service_date", "note"]
        written.seek(0)
        assert [row.values for row in read_rows(written)] == [["C-1", "A-1001", "2026-11-10", "one\rC-1"]]


def test_what_was_written_is_compared_line_by_line(lite: SampleWorld, tmp_path: Path) -> None:
    whole = (SAMPLES / "c01-good.csv").read_text()
    path = put(tmp_path, whole, "in.csv")
    with read_batch(lite.gate, path) as batch:
        list(batch.check(lite.gate, "support:b"))
        # Another file stands there while it is copied; as many claims, and what was checked is back for the last look.
        other = _Swapped(path, whole.replace("2026-11-13", "2026-12-24"), whole)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("calsync.claims.batch.cleared.digest", other.back)
            with pytest.raises(FileRefused):
                write_cleared(batch, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


class _Swapped:
    """Puts another text into a file, and the first one back once it is looked at again."""

    def __init__(self, path: Path, text: str, first: str) -> None:
        self._first = first
        path.write_text(text)

    def back(self, path: Path) -> str:
        path.write_text(self._first)
        return digest(path)
