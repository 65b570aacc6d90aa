"""A claim file from its first byte to its last answer: what it is, how large it may be, and what is kept of it."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from calsync.claims.batch.checking import Batch, Form, read_batch
from calsync.claims.batch.cleared import write_cleared
from calsync.claims.batch.lines import FileRefused
from calsync.claims.reasons import ReasonCode
from calsync.store import audit
from tests.unit.claims.batch.sample_world import SAMPLES
from tests.unit.claims.gate_world import GateWorld, in_memory

HEADING = "claim_id,line,appointment,provider,client,service_date,code,frequency,payer_claim_control"
GOOD = "C-1,1,A-1,P-1,C-1,2026-11-10,90834,1,"
WRONG = "C-2,1,A-1,P-1,C-1,2026-11-11,90834,7,ICN-1"
FHIR = (SAMPLES / "f01-good.json").read_text()
X12 = (SAMPLES / "v01-one-claim-one-line.x12").read_text("latin-1")

Put = Callable[..., Path]


@pytest.fixture
def world() -> GateWorld:
    return in_memory()


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(*rows: str, name: str = "in.csv", text: str | None = None) -> Path:
        path = tmp_path / name
        path.write_text("".join(f"{one}\n" for one in (HEADING, *rows)) if text is None else text, encoding="utf-8")
        return path

    return write


def form_of(world: GateWorld, path: Path, form: Form | None = None) -> Form:
    with read_batch(world.gate, path, form) as batch:
        return batch.file.form


def test_every_cell_of_a_line_reaches_its_answer(world: GateWorld, put: Put) -> None:
    with read_batch(world.gate, put(WRONG)) as batch:
        assert (batch.claims, batch.lines) == (1, 1)
        ((line,),) = batch.spool.claims()
    assert (line.claim, line.place, line.claim_id, line.line, line.stated) == (1, "row 1", "C-2", "1", "A-1")
    assert (line.provider, line.client, line.day, line.code) == ("P-1", "C-1", "2026-11-11", "90834")
    assert (line.frequency, line.control, line.problems, line.appointment) == ("7", "ICN-1", "", "A-1")


def test_all_that_is_wrong_with_a_line_reaches_its_answer_and_nothing_of_it_stays(world: GateWorld, put: Put) -> None:
    with read_batch(world.gate, put("C-2,1,A-1,P-1,C-1,,90834,6,")) as batch:
        ((line,),) = batch.spool.claims()
    assert line.problems == "date-missing row-unreadable"
    with pytest.raises(sqlite3.ProgrammingError):
        list(batch.spool.claims())


def test_what_was_asked_and_answered_is_in_the_log(world: GateWorld, put: Put) -> None:
    path = put(GOOD, "C-2,1,A-9,P-1,C-1,2026-11-11,90834,1,", "C-2,2,A-9,P-1,C-1,,90834,1,")
    with read_batch(world.gate, path) as batch:
        claims = list(batch.check(world.gate, "billing:b"))
        assert [str(one.verdict) for one in claims] == ["cleared", "held"]
        assert [batch.may_send(number) for number in range(4)] == [False, True, False, False]
        assert (batch.cleared, batch.all_cleared) == (1, False)
    name = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    with world.db.reading() as conn:
        (row,) = audit.rows(conn, name)
    assert (row.actor, row.what) == ("billing:b", "claims-checked")
    assert row.detail == {"size": path.stat().st_size, "claims": 2, "lines": 3, "cleared": 1, "held": 1}


def test_a_file_may_be_sent_as_it_is_when_all_of_it_is_cleared(world: GateWorld, put: Put) -> None:
    with read_batch(world.gate, put(GOOD)) as batch:
        list(batch.check(world.gate, "billing:b"))
        assert batch.all_cleared


def test_rows_of_one_claim_are_answered_together_wherever_they_stand(world: GateWorld, put: Put) -> None:
    path = put(GOOD, "C-3,1,A-9,,,2026-11-10,,,", "C-1,2,A-9,,,2026-11-10,,,")
    with read_batch(world.gate, path) as batch:
        found = [[str(line.answer.verdict) for line in one.lines] for one in batch.check(world.gate, "billing:b")]
        assert (batch.claims, batch.lines) == (2, 3)
    assert found == [["cleared", "held"], ["held"]]


@pytest.mark.parametrize("more", [0, 1])
def test_a_file_may_be_as_large_as_the_installation_says(world: GateWorld, put: Put, more: int) -> None:
    path = put(GOOD)
    world.configure(max_batch_bytes=path.stat().st_size - more)
    if not more:
        assert form_of(world, path) is Form.CSV
        return
    with pytest.raises(FileRefused) as refusal:
        form_of(world, path)
    size = path.stat().st_size
    assert (refusal.value.code, refusal.value.where) == (
        ReasonCode.FILE_TOO_LARGE,
        f"{size} bytes, at most {size - 1}",
    )


def test_an_empty_file_is_refused(world: GateWorld, put: Put) -> None:
    with pytest.raises(FileRefused) as refusal:
        form_of(world, put(text=""))
    assert refusal.value.code is ReasonCode.FILE_EMPTY


ONE_LINE = '{"resourceType":"Patient"}\n'


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("in.CSV", f"{HEADING}\n{GOOD}\n", Form.CSV),
        ("in.txt", f"\ufeff{HEADING}\n{GOOD}\n", Form.CSV),
        ("in", f" \r\n\t{HEADING}\n{GOOD}\n", None),
        ("in.json", FHIR, Form.FHIR),
        ("in", f"\n  {FHIR}", Form.FHIR),
        ("in.x12", X12, Form.X12),
        ("in.edi", X12, Form.X12),
        ("in", X12, Form.X12),
        ("in", " \n", None),
    ],
)
def test_what_a_file_is_shows_in_its_name_or_else_in_its_beginning(
    world: GateWorld, put: Put, name: str, text: str, form: Form | None
) -> None:
    path = put(name=name, text=text)
    if form is not None:
        assert form_of(world, path) is form
    else:
        with pytest.raises(FileRefused):
            form_of(world, path)


@pytest.mark.parametrize("heading", ["service_date", "appointment", "claim_id"])
def test_without_both_columns_it_is_read_as_the_form_that_most_files_have(
    world: GateWorld, put: Put, heading: str
) -> None:
    with pytest.raises(FileRefused) as refusal:
        form_of(world, put(name="in", text=f"{heading}\nA-1\n"))
    assert refusal.value.where.startswith("interchange 1")


@pytest.mark.parametrize("name", ["in.ndjson", "in.jsonl"])
def test_a_file_of_lines_is_known_by_its_name(world: GateWorld, put: Put, name: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        form_of(world, put(name=name, text=ONE_LINE * 2))
    assert refusal.value.code is ReasonCode.FILE_NO_CLAIMS


def test_a_form_that_is_said_goes_before_the_name(world: GateWorld, put: Put) -> None:
    path = put(GOOD, name="in.json")
    assert form_of(world, path, Form.CSV) is Form.CSV
    with pytest.raises(FileRefused):
        form_of(world, path)


class TestWriting:
    def test_the_rows_that_may_be_sent_are_written_as_they_stood_and_nothing_else_is_left(
        self, world: GateWorld, put: Put, tmp_path: Path
    ) -> None:
        path = put("C-2,1,A-9,,,2026-11-10,,,", f'"C-1",{GOOD[4:]}')
        with read_batch(world.gate, path) as batch:
            list(batch.check(world.gate, "billing:b"))
            assert write_cleared(batch, tmp_path / "out.csv")
        assert (tmp_path / "out.csv").read_text() == f"{HEADING}\n{GOOD}\n"
        assert sorted(one.name for one in tmp_path.iterdir()) == ["in.csv", "out.csv"]

    def test_rows_are_written_whatever_column_comes_first(self, world: GateWorld, put: Put, tmp_path: Path) -> None:
        text = "appointment,service_date\nA-9,2026-11-10\nA-1,2026-11-10\n"
        with read_batch(world.gate, put(text=text)) as batch:
            list(batch.check(world.gate, "billing:b"))
            assert write_cleared(batch, tmp_path / "out.csv")
        assert (tmp_path / "out.csv").read_text() == text.replace("A-9,2026-11-10\n", "")

    def test_a_bundle_is_written_as_one_whatever_its_name(self, world: GateWorld, put: Put, tmp_path: Path) -> None:
        world.book("A-1001", client="C-9")
        world.link(number="A-1001")
        world.read(number="A-1001")
        with read_batch(world.gate, put(name="in", text=FHIR)) as batch:
            assert [str(one.verdict) for one in batch.check(world.gate, "billing:b")] == ["cleared", "held", "held"]
            assert write_cleared(batch, tmp_path / "out.json")
        assert (tmp_path / "out.json").read_text().startswith('{"resourceType":"Bundle"')

    def test_what_does_not_hold_as_many_claims_as_were_cleared_is_not_written(
        self, world: GateWorld, put: Put, tmp_path: Path
    ) -> None:
        with read_batch(world.gate, put(GOOD, "C-2,1,A-9,,,2026-11-10,,,")) as batch:
            list(batch.check(world.gate, "billing:b"))
            told = Batch(batch.file, batch.spool, batch.claims, batch.lines, batch.verdicts, bytearray([0, 1, 1]))
            with pytest.raises(FileRefused):
                write_cleared(told, tmp_path / "out.csv")
        assert [one.name for one in tmp_path.iterdir()] == ["in.csv"]
