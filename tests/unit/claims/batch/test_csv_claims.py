"""What is read from a CSV file, row by row: cells as they stand, and a doubt wherever one is."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import pytest

from calsync.claims.batch.csv_claims import OPTIONAL, REQUIRED, read_csv, read_heading, read_rows
from calsync.claims.batch.lines import BatchLine, FileRefused
from calsync.claims.reasons import ReasonCode

KNOWN = (*REQUIRED, *OPTIONAL)
CELLS = {
    "appointment": "A-1",
    "service_date": "2026-11-10",
    "claim_id": "C-1",
    "line": "2",
    "provider": "P-1",
    "client": "K-1",
    "code": "90834",
    "frequency": "7",
    "payer_claim_control": "ICN-1",
}
GOOD = BatchLine(
    claim=1,
    place="row 1",
    claim_id="C-1",
    line="2",
    stated="A-1",
    provider="P-1",
    client="K-1",
    day=date(2026, 11, 10),
    code="90834",
    frequency="7",
    control="ICN-1",
)


def text(*rows: dict[str, str]) -> str:
    names = list(rows[0])
    return "\n".join([",".join(names), *(",".join(row[name] for name in names) for row in rows)]) + "\n"


def read(content: str) -> list[BatchLine]:
    return list(read_csv(io.StringIO(content, newline="")))


def one(**changes: str) -> BatchLine:
    (found,) = read(text(CELLS | changes))
    return found


def refused(content: str) -> tuple[str, str]:
    with pytest.raises(FileRefused) as refusal:
        read(content)
    return str(refusal.value.code), refusal.value.where


def test_a_row_is_read_with_all_its_cells() -> None:
    assert one() == GOOD
    bare = {"appointment": "A-1", "service_date": "2026-11-10"}
    assert read(text(bare)) == [BatchLine(claim=1, place="row 1", stated="A-1", day=date(2026, 11, 10))]
    assert read("appointment , service_date\nA-1,2026-11-10\n")[0].stated == "A-1"


@pytest.mark.parametrize(
    ("first", "last", "day", "problem"),
    [
        ("2026-11-10", "", date(2026, 11, 10), None),
        ("2026-11-10", "2026-11-10", date(2026, 11, 10), None),
        ("2026-11-10", "2026-11-11", None, "date-range-not-single"),
        ("2026-11-10", "2026-11-09", None, "date-unreadable"),
        ("2026-11-10", "soon", None, "date-unreadable"),
        ("20261110", "", None, "date-unreadable"),
        ("", "2026-11-10", None, "date-missing"),
        ("", "", None, "date-missing"),
    ],
)
def test_a_date_is_one_day(first: str, last: str, day: date | None, problem: str | None) -> None:
    found = one(service_date=first, service_date_end=last)
    assert (found.day, found.problems) == (day, () if problem is None else (ReasonCode(problem),))


@pytest.mark.parametrize(
    ("told", "frequency", "problems"),
    [
        ("", "1", ()),
        (" 7 ", "7", ()),
        ("1", "1", ()),
        ("8", "8", ()),
        ("6", "1", (ReasonCode.ROW_UNREADABLE,)),
        ("17", "1", (ReasonCode.ROW_UNREADABLE,)),
    ],
)
def test_a_frequency_is_one_that_is_known(told: str, frequency: str, problems: tuple[ReasonCode, ...]) -> None:
    found = one(frequency=told)
    assert (found.frequency, found.problems) == (frequency, problems)


def test_neighbouring_rows_of_one_claim_id_are_one_claim() -> None:
    ids = ["C-1", "C-1", "C-2", "", "", "C-2", "C-1"]
    lines = read(text(*(CELLS | {"claim_id": one} for one in ids)))
    assert [one.claim for one in lines] == [1, 1, 2, 3, 4, 5, 6]
    assert [one.claim_id for one in lines] == [one or None for one in ids]
    assert [one.place for one in lines] == [f"row {number}" for number in range(1, 8)]


@pytest.mark.parametrize(
    "row", ["C-1,2,A-1", "C-1,2,A-1,2026-11-10,more", "C-1,2,A-1,2026-11\0-10", "C-1,2,A\0,2026-11-10"]
)
def test_of_a_row_that_is_not_whole_only_its_claim_is_known(row: str) -> None:
    sound = "C-1,1,A-1,2026-11-10"
    first, second, third = read(f"claim_id,line,appointment,service_date\n{sound}\n{row}\n{sound}\n")
    assert second == BatchLine(claim=1, place="row 2", claim_id="C-1", line="2", problems=(ReasonCode.ROW_UNREADABLE,))
    assert (first.problems, third) == ((), replace(first, place="row 3"))


def test_rows_are_told_as_they_stand() -> None:
    rows = list(read_rows(io.StringIO('appointment,service_date\r\n" A-1","=1,2"\r\n\r\nA-2\r\n', newline="")))
    assert [(one.number, one.values, one.is_sound) for one in rows] == [
        (1, [" A-1", "=1,2"], True),
        (2, ["A-2"], False),
    ]
    assert read_heading(io.StringIO(" appointment,service_date\n")) == [" appointment", "service_date"]


@pytest.mark.parametrize(
    ("content", "code", "where"),
    [
        ("", "file-empty", ""),
        ("appointment,service_date\n", "file-no-claims", ""),
        ("appointment,day\nA-1,2026-11-10\n", "file-unreadable", "there is no column service_date"),
        ("a,b\n1,2\n", "file-unreadable", "there is no column appointment or service_date"),
        (
            "appointment;code,service_day\n1;2,3\n",
            "file-unreadable",
            "there is no column appointment or service_date; is it separated by semicolons?",
        ),
        (",".join([*KNOWN, *KNOWN]), "file-unreadable", f"a column twice: {', '.join(sorted(KNOWN))}"),
        (
            ",".join([*REQUIRED, *map(str.upper, OPTIONAL)]),
            "file-unreadable",
            f"a column is written otherwise than {' and '.join(sorted(OPTIONAL))}",
        ),
        ('appointment,service_date\n"A-1,2026-11-10\n', "file-unreadable", "a quote or a cell that does not end"),
    ],
)
def test_a_file_whose_shape_cannot_be_trusted_says_why(content: str, code: str, where: str) -> None:
    assert refused(content) == (code, where)


def test_other_columns_may_stand_twice_and_there_may_be_many_of_them() -> None:
    names = [*KNOWN, *(["note"] * (200 - len(KNOWN)))]
    row = ["A-1", "2026-11-10", *([""] * 198)]
    assert read(f"{','.join(names)}\n{','.join(row)}\n")[0].stated == "A-1"
    assert refused(f"{','.join([*names, 'note'])}\n{','.join([*row, ''])}\n") == ("file-unreadable", "columns")


def test_other_bytes_than_utf_8_refuse_the_file() -> None:
    source = io.TextIOWrapper(io.BytesIO(b"appointment,service_date\nA-\xff,2026-11-10\n"), encoding="utf-8-sig")
    with pytest.raises(FileRefused, match="it is not UTF-8"):
        list(read_csv(source))
