"""Rows of a CSV or JSON lines file, read strictly: what is not plainly a row of known columns is refused by its number.

Never guesses a separator, an encoding or a missing quote. Called by every import of this package.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from calsync.errors import Problem, Refused
from calsync.records.findings import Findings
from calsync.records.json_lines import read_json_line

MAX_BYTES: Final = 256 * 1024 * 1024
MAX_LINE: Final = 1024 * 1024
MAX_CELL: Final = 2000
_SAVE_AS: Final = 'Save the file again as "CSV UTF-8 (comma separated)"'


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a spreadsheet counts (the header is 1), and its cells; a column not said is not there."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a file must and may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """All of them."""
        return self.required + self.optional


@dataclass(frozen=True, slots=True)
class RowsTaken:
    """How many rows were read, and how many of them are new."""

    rows: int
    new: int


def read_rows(path: Path, columns: Columns, findings: Findings) -> list[Row]:
    """Return the sound rows of a file; what is wrong goes to `findings`. `Refused` if it cannot be read at all."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Refused([Problem(f"larger than {MAX_BYTES >> 20} MiB", str(path), "Split it")], code="import-refused")
        with path.open("rb") as file:
            return _rows(file, columns, findings)
    except OSError as problem:
        raise Refused(
            [Problem(f"cannot be read: {problem.strerror}", str(path), "Check the name and who may read it")],
            code="import-refused",
        ) from problem


def _rows(file: BinaryIO, columns: Columns, findings: Findings) -> list[Row]:
    if not _is_utf8(file, findings):
        return []
    lines = _Lines(file, findings)
    first = next((line for line in lines if line.strip()), "")
    if first.lstrip().startswith("["):
        findings.add(
            None, "a JSON array", remedy="Write one object a line, with no brackets and no commas between them"
        )
        return []
    if first.lstrip().startswith("{"):
        return list(_json_rows(first, lines, columns, findings))
    return list(_csv_rows(first, lines, columns, findings))


def _is_utf8(file: BinaryIO, findings: Findings) -> bool:
    start = file.read(4)
    file.seek(0)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or (len(start) == 4 and b"\0" in (start[0:1], start[1:2])):
        findings.add(None, "the file is written in UTF-16", remedy=_SAVE_AS)
        return False
    return True


class _Lines:
    """The lines of a file, with the number of the last one; ends early, with a finding, where it is no text."""

    def __init__(self, file: BinaryIO, findings: Findings) -> None:
        self._file, self._findings = file, findings
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_LINE + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > MAX_LINE:
            self._findings.add(self.number, f"longer than {MAX_LINE >> 20} MiB: this is no row")
            raise StopIteration
        try:
            return line.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError:
            self._findings.add(self.number, "not UTF-8 text", remedy=_SAVE_AS)
            raise StopIteration from None


def _csv_rows(first: str, lines: _Lines, columns: Columns, findings: Findings) -> Iterator[Row]:
    header = _header(first, lines.number, columns, findings)
    if header is None:
        return
    reader = csv.reader(lines, strict=True)
    while True:
        number = lines.number + 1
        try:
            cells = next(reader, None)
        except csv.Error as problem:
            findings.add(number, _csv_problem(problem), remedy="Nothing after this row could be checked")
            return
        if cells is None:
            return
        if not cells or (len(cells) == 1 and not cells[0].strip()):
            continue
        if len(cells) != len(header):
            findings.add(number, f"{len(cells)} cells under {len(header)} columns", remedy=_cells_remedy(cells, header))
            continue
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        if _is_plain(number, row, findings):
            yield Row(number, row)


def _header(first: str, number: int, columns: Columns, findings: Findings) -> list[str] | None:
    if not first.strip():
        findings.add(None, "the file is empty", remedy=f"Its first row names the columns: {','.join(columns.required)}")
        return None
    try:
        names = [name.strip() for name in next(csv.reader([first], strict=True))]
    except csv.Error as problem:
        findings.add(number, _csv_problem(problem))
        return None
    for separator, word in ((";", "semicolons (;)"), ("\t", "tabs"), ("|", "bars (|)")):
        if separator in first and len(names) == 1:
            findings.add(
                number, f"the columns are separated by {word}", remedy="Save the file with commas between them"
            )
            return None
    before = findings.rows()
    _check_names(names, number, columns, findings)
    return None if number in findings.rows() - before else names


def _check_names(names: list[str], number: int, columns: Columns, findings: Findings) -> None:
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            findings.add(number, f"two columns are called {name[:40]!r}", remedy="Keep one of them")
        elif name not in columns.known:
            findings.add(number, f"unknown column {name[:40]!r}", remedy=_nearest(name, columns))
    missing = [name for name in columns.required if name not in names]
    if missing:
        findings.add(number, f"missing columns: {', '.join(missing)}", remedy="Add them to the first row")


def _json_rows(first: str, lines: _Lines, columns: Columns, findings: Findings) -> Iterator[Row]:
    line: str | None = first
    while line is not None:
        number = lines.number
        if line.strip():
            row = _json_row(line, number, columns, findings)
            if row is not None and _is_plain(number, row, findings):
                yield Row(number, row)
        line = next(lines, None)


def _json_row(line: str, number: int, columns: Columns, findings: Findings) -> dict[str, str] | None:
    try:
        row = read_json_line(line)
    except ValueError as problem:
        findings.add(number, str(problem))
        return None
    unknown = [name for name in row if name not in columns.known]
    for name in unknown:
        findings.add(number, f"unknown key {name[:40]!r}", remedy=_nearest(name, columns))
    missing = [name for name in columns.required if name not in row]
    if missing:
        findings.add(number, f"missing keys: {', '.join(missing)}")
    return None if unknown or missing else row


def _is_plain(number: int, row: Mapping[str, str], findings: Findings) -> bool:
    sound = True
    for name, cell in row.items():
        why = _why_not_plain(cell)
        if why:
            findings.add(number, why, column=name)
            sound = False
    return sound


def _why_not_plain(cell: str) -> str:
    if len(cell) > MAX_CELL:
        return f"longer than {MAX_CELL} characters"
    if "\n" in cell or "\r" in cell:
        return "runs over the end of its line: perhaps a quote is not closed"
    if not cell.isprintable():
        return "holds a control character, or one that is not shown"
    return ""


def _csv_problem(problem: csv.Error) -> str:
    text = str(problem)
    if "unexpected end" in text:
        return "a quote is opened and never closed"
    if "expected after" in text:
        return "something follows a closing quote: perhaps a quote before it was never closed"
    if "field larger" in text:
        return "a cell is longer than 131072 characters: perhaps a quote is not closed"
    if "new-line character" in text:
        return "rows end in the manner of old Macs (a bare carriage return)"
    return f"not CSV ({text})"


def _cells_remedy(cells: Iterable[str], header: Iterable[str]) -> str:
    many = len(list(cells)) > len(list(header))
    return "Put a cell that holds a comma in quotes" if many else "Write empty cells with their commas"


def _nearest(name: str, columns: Columns) -> str:
    near = difflib.get_close_matches(name.lower(), columns.known, n=1, cutoff=0.7) if len(name) <= 40 else []
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(columns.known)}"
