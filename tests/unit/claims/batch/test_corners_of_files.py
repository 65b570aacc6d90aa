"""Corners of reading and writing claim files: the small steps, each with what no whole file shows."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from calsync.claims.batch import checking, cleared
from calsync.claims.batch.checking import Form, _identify, read_lines
from calsync.claims.batch.csv_claims import _heading, _rows
from calsync.claims.batch.fhir_claims import _claim_id, _code, _encounter, _prior
from calsync.claims.batch.fhir_cleared import write_bundle, write_ndjson
from calsync.claims.batch.json_stream import bundle_entries, one_value
from calsync.claims.batch.judging import file_refused
from calsync.claims.batch.lines import FileRefused, shown_id
from calsync.claims.batch.x12_claims import component, element
from calsync.claims.reasons import ReasonCode
from calsync.errors import UserError
from tests.unit.claims.batch.sample_world import SampleWorld


class TestTheFile:
    def test_a_form_whose_library_is_missing_names_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(*_: object) -> Any:
            raise ModuleNotFoundError(name="that")

        for name in ("_read_x12", "_read_csv", "_read_fhir"):
            monkeypatch.setattr(checking, name, missing)
        for form, extra in ((Form.X12, "claims"), (Form.CSV, "fhir"), (Form.FHIR, "fhir")):
            with pytest.raises(UserError, match="that is not installed") as problem:
                list(read_lines(SimpleNamespace(form=form, path=Path("x"))))  # type: ignore[arg-type]
            assert f"calsync[{extra}]" in str(problem.value)

    def test_what_cannot_be_opened_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="cannot be opened"):
            _identify(tmp_path, None, 1_000_000)

    def test_a_file_that_changes_while_it_is_read_is_refused(
        self, lite: SampleWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "in.csv"
        path.write_text("appointment,service_date\nA-1001,2026-11-10\n")
        sums = iter(["before", "after"])
        monkeypatch.setattr(checking, "digest", lambda _: next(sums))
        assert lite.check(path) == "file-unreadable"

    def test_what_cannot_be_written_is_named_and_an_older_file_goes(self, tmp_path: Path) -> None:
        target = tmp_path / "out.csv"
        target.write_text("old")
        cleared.withdraw(target)
        assert not target.exists()
        cleared.withdraw(target)

    def test_a_refused_file_has_one_answer_with_or_without_a_place(self) -> None:
        texts = [file_refused(ReasonCode.FILE_UNREADABLE, where).reasons[0].text for where in ("line 3", "")]
        assert "line 3" in texts[0]
        assert "nothing in it fits" in texts[1]

    @pytest.mark.parametrize(
        ("given", "shown"), [(None, None), ("", None), ("A-1", "A-1"), ("A\x1b1", "A\ufffd1"), ("x" * 300, None)]
    )
    def test_a_name_of_the_files_own_is_safe_to_print(self, given: str | None, shown: str | None) -> None:
        told = shown_id(given)
        assert told == shown if shown is not None or not given else len(told or "") < 300


class TestCsv:
    def test_rows_without_anything_are_no_rows(self) -> None:
        rows = list(_rows(iter([["appointment", "service_date"], [], ["A-1", "2026-11-10"], []])))
        assert [(one.number, one.is_sound) for one in rows] == [(1, True)]

    def test_nothing_at_all_is_an_empty_file(self) -> None:
        with pytest.raises(FileRefused) as refusal:
            _heading(iter([]))
        assert refusal.value.code is ReasonCode.FILE_EMPTY


BROKEN_VALUES = ['{"a":1,"a":2}', '{"a":1} {"b":2}', '{"a":[1,2', '{"a":', "", "[1,", "\ud800"]
BROKEN_BUNDLES = ["[]", '{"entry":[1],"entry":[2]}', '{"entry":[{"a":1}', '{"entry":[', '{"a":1} x', '{"a":1}{"b":2}']


class TestJson:
    @pytest.mark.parametrize("text", BROKEN_VALUES)
    def test_one_line_is_one_whole_value(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"no JSON value|more than one"):
            one_value(text)

    @pytest.mark.parametrize("text", BROKEN_BUNDLES)
    def test_a_bundle_is_one_whole_object(self, text: str) -> None:
        with pytest.raises(FileRefused):
            list(bundle_entries(io.BytesIO(text.encode())))

    def test_members_come_one_by_one_and_what_stands_beside_them_last(self) -> None:
        text = b'{"type":"batch","entry":[{"a":[1,[2]]},3],"total":2}'
        assert list(bundle_entries(io.BytesIO(text))) == [{"a": [1, [2]]}, 3, {"type": "batch", "total": 2}]
        assert list(bundle_entries(io.BytesIO(b'{"entry":"none"}'))) == [{}]


class TestFhir:
    def test_the_first_number_with_a_value_is_the_claims_own(self) -> None:
        numbers = [SimpleNamespace(value=""), SimpleNamespace(value="C-1"), SimpleNamespace(value="C-2")]
        assert _claim_id(SimpleNamespace(identifier=numbers, id="X")) == "C-1"  # type: ignore[arg-type]
        assert _claim_id(SimpleNamespace(identifier=None, id="X")) == "X"  # type: ignore[arg-type]
        assert _claim_id(SimpleNamespace(identifier=numbers[:1], id=None)) is None  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("kind", "claim", "prior"),
        [
            ("prior", SimpleNamespace(identifier=SimpleNamespace(value="C-1")), "C-1"),
            ("prior", SimpleNamespace(identifier=SimpleNamespace(value=None)), ""),
            ("prior", SimpleNamespace(identifier=None), ""),
            ("prior", None, ""),
            ("associated", None, None),
        ],
    )
    def test_what_it_replaces(self, kind: str, claim: object, prior: str | None) -> None:
        bare = SimpleNamespace(relationship=None, claim=None)
        other = SimpleNamespace(relationship=SimpleNamespace(coding=None), claim=None)
        one = SimpleNamespace(relationship=SimpleNamespace(coding=[SimpleNamespace(code=kind)]), claim=claim)
        assert _prior(SimpleNamespace(related=[bare, other, one])) == prior  # type: ignore[arg-type]
        assert _prior(SimpleNamespace(related=None)) is None  # type: ignore[arg-type]

    def test_codes_and_references(self) -> None:
        codes = [SimpleNamespace(code=None), SimpleNamespace(code="90834")]
        assert _code(SimpleNamespace(coding=codes)) == "90834"
        assert [_code(None), _code(SimpleNamespace(coding=None)), _code(SimpleNamespace(coding=codes[:1]))] == [
            None
        ] * 3
        told = (None, "Encounter/A-1", "Patient/K-1", "Encounter/", "A-1")
        assert [_encounter(one) for one in told] == [None, "A-1", None, None, None]
        assert _encounter("urn:uuid:7", SimpleNamespace(value=None)) is None

    def test_lines_of_other_resources_and_kept_claims_stay(self) -> None:
        lines = ['{"resourceType":"Claim","id":"1"}', '{"resourceType":"Patient"}', '{"resourceType":"Claim","id":"2"}']
        target = io.StringIO()
        write_ndjson(io.BytesIO("\n".join(lines).encode()), target, lambda number: number == 2)
        assert target.getvalue().splitlines() == lines[1:]

    @pytest.mark.parametrize("total", [None, 9])
    def test_a_bundle_is_written_with_what_stays(self, total: int | None) -> None:
        claims = [{"resource": {"resourceType": "Claim", "id": str(number)}} for number in (1, 2)]
        bundle: dict[str, Any] = {"resourceType": "Bundle", "entry": [*claims, "odd"], "type": "batch"}
        target = io.StringIO()
        write_bundle(
            io.BytesIO(json.dumps(bundle | ({} if total is None else {"total": total})).encode()),
            target,
            lambda number: number == 1,
        )
        expected = {"resourceType": "Bundle", "entry": [claims[0], "odd"], "type": "batch"}
        assert json.loads(target.getvalue()) == expected | ({} if total is None else {"total": 2})

    def test_one_claim_alone_is_written_as_it_is(self) -> None:
        target = io.StringIO()
        write_bundle(io.BytesIO(b'{"resourceType":"Claim","id":"1"}'), target, lambda number: True)
        assert json.loads(target.getvalue()) == {"resourceType": "Claim", "id": "1"}


def _to(text: str) -> SimpleNamespace:
    return SimpleNamespace(reference=text)


def test_elements_and_their_parts_that_are_not_there_are_empty() -> None:
    def of(*values: str) -> SimpleNamespace:
        parts = [SimpleNamespace(value=one) for one in values]
        return SimpleNamespace(elements=parts, format=lambda: ":".join(values))

    segment: Any = SimpleNamespace(elements=[of("472"), of("HC", "90834")])
    assert [element(segment, place) for place in (1, 2, 3)] == ["472", "HC:90834", ""]
    assert [component(segment, *place) for place in ((2, 1), (2, 2), (2, 3), (3, 1))] == ["HC", "90834", "", ""]
