"""Service lines of a CSV file: one row a line, columns `appointment` and `service_date` at least (claims sheet, 10).

A row that cannot be read is held by itself; only a file whose shape cannot be trusted is refused.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TextIO

from calsync.claims.batch.lines import (
    BatchLine,
    FileRefused,
    ServiceDate,
    iso_date,
    one_day,
    read_code,
    shown_id,
    units_problem,
    usable_id,
)
from calsync.claims.reasons import ReasonCode

REQUIRED: Final = ("appointment", "service_date")
OPTIONAL: Final = (
    "claim_id",
    "line",
    "provider",
    "client",
    "service_date_end",
    "code",
    "modifiers",
    "units",
    "frequency",
    "payer_claim_control",
)
_FREQUENCIES: Final = ("1", "7", "8")
_NAMES: Final = frozenset({"claim_id", "line"})
_MOST_COLUMNS: Final = 200

Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A row by its number, the first below the heading being 1; `values` are its cells as they stand.

    Unless it `is_sound` it has other cells than the heading, or unprintable ones, and `cells` tells names at best.
    """

    number: int
    values: list[str]
    cells: Cells
    is_sound: bool


def read_csv(file: TextIO) -> Iterator[BatchLine]:
    """The lines of the file, in its order. Raises FileRefused.

    `file` must be opened as `utf-8-sig` with `newline=""`. Neighbouring rows with one claim id are one claim.
    """
    claim, last_id = 0, None
    for row in read_rows(file):
        claim_id = row.cells.get("claim_id") or None
        if claim_id is None or claim_id != last_id:
            claim += 1
        last_id = claim_id
        yield _line(claim, row)
    if not claim:
        raise FileRefused(ReasonCode.FILE_NO_CLAIMS)


def read_rows(file: TextIO) -> Iterator[CsvRow]:
    """All rows. Raises FileRefused for a heading without the required columns, for quotes or bytes out of order."""
    try:
        yield from _rows(csv.reader(file, strict=True))
    except UnicodeDecodeError:
        raise FileRefused(ReasonCode.FILE_UNREADABLE, "it is not UTF-8") from None
    except csv.Error:
        raise FileRefused(ReasonCode.FILE_UNREADABLE, "a quote or a cell that does not end") from None


def read_heading(file: TextIO) -> list[str]:
    """The heading as it stands. Raises FileRefused."""
    return _heading(csv.reader(file, strict=True))


def _rows(reader: Iterator[list[str]]) -> Iterator[CsvRow]:
    names = [name.strip() for name in _heading(reader)]
    _check_heading(names)
    number = 0
    for values in reader:
        if values:
            number += 1
            is_sound = len(values) == len(names) and not any("\0" in value for value in values)
            # Of a row that is no whole one only its own name is read, so that the rest of its claim waits with it.
            told = names if is_sound else [name if name in _NAMES else "" for name in names]
            yield CsvRow(number, values, dict(zip(told, values, strict=False)), is_sound)


def _heading(reader: Iterator[list[str]]) -> list[str]:
    heading = next(reader, None)
    if heading is None:
        raise FileRefused(ReasonCode.FILE_EMPTY)
    return heading


def _check_heading(names: list[str]) -> None:
    known = [name for name in names if name in (*REQUIRED, *OPTIONAL)]
    missing = [name for name in REQUIRED if name not in names]
    almost = sorted({_ALIKE[_letters(name)] for name in names if name not in known and _letters(name) in _ALIKE})
    doubled = sorted({name for name in known if known.count(name) > 1})
    if missing:
        hint = "; is it separated by semicolons?" if any(";" in name for name in names) else ""
        raise FileRefused(ReasonCode.FILE_UNREADABLE, f"there is no column {' or '.join(missing)}{hint}")
    if almost:
        # Passed over, an end of the dates or a void would be taken for none.
        raise FileRefused(ReasonCode.FILE_UNREADABLE, f"a column is written otherwise than {' and '.join(almost)}")
    if doubled or len(names) > _MOST_COLUMNS:
        raise FileRefused(ReasonCode.FILE_UNREADABLE, f"a column twice: {', '.join(doubled)}" if doubled else "columns")


def _letters(name: str) -> str:
    return "".join(one for one in name.casefold() if one.isalnum())


_ALIKE: Final = {_letters(name): name for name in (*REQUIRED, *OPTIONAL)}


def _line(claim: int, row: CsvRow) -> BatchLine:
    cells = row.cells
    day = _date(cells) if row.is_sound else ServiceDate()
    frequency = cells.get("frequency", "").strip() or "1"
    problems = [] if day.problem is None else [day.problem]
    code, is_code = read_code(cells.get("code"))
    if not row.is_sound or frequency not in _FREQUENCIES or not is_code:
        problems.append(ReasonCode.ROW_UNREADABLE)
    if (odd := units_problem(code, cells.get("units", "").strip())) is not None:
        problems.append(odd)
    return BatchLine(
        claim=claim,
        place=f"row {row.number}",
        claim_id=shown_id(cells.get("claim_id")),
        line=shown_id(cells.get("line")),
        stated=usable_id(cells.get("appointment")),
        provider=usable_id(cells.get("provider")),
        client=usable_id(cells.get("client")),
        day=day.day,
        code=code,
        frequency=frequency if frequency in _FREQUENCIES else "1",
        control=usable_id(cells.get("payer_claim_control")),
        problems=tuple(problems),
    )


def _date(cells: Cells) -> ServiceDate:
    first, last = cells["service_date"], cells.get("service_date_end") or None
    if not first:
        return ServiceDate(problem=ReasonCode.DATE_MISSING)
    try:
        start = iso_date(first)
        return one_day(start, start if last is None else iso_date(last))
    except ValueError:
        return ServiceDate(problem=ReasonCode.DATE_UNREADABLE)
