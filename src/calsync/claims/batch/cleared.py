"""A file of the claims that may be sent, in the form of the file that was checked.

It is written beside its place, read back, and moved there whole: a billing job that finds it may send it. Where nothing
may be sent there is no file, not an old one either.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import zip_longest
from pathlib import Path
from typing import TextIO

from calsync.claims.batch.checking import Batch, Form, digest, read_lines
from calsync.claims.batch.lines import BatchLine, FileRefused
from calsync.claims.reasons import ReasonCode
from calsync.errors import UserError
from calsync.store.claim_spool import SpooledLine


def write_cleared(batch: Batch, target: Path) -> bool:
    """Write the cleared claims of a batch whose every claim was answered; whether there is a file now.

    An older one was withdrawn before the file was read, so that a check that is cut short leaves none.
    Raises FileRefused if the checked file is not what it was, and UserError when the target cannot be written.
    """
    try:
        if not batch.cleared:
            return False
        part = Path(_new_file(target))
        try:
            _WRITERS[batch.file.form](batch, part)
            _prove(batch, part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as problem:
        raise UserError.of(f"it cannot be written ({problem.strerror})", where=target.name) from problem
    return True


def withdraw(target: Path) -> None:
    """Take an older file from the place: what it says may no longer hold. UserError if it cannot be removed."""
    try:
        target.unlink(missing_ok=True)
    except OSError as problem:
        raise UserError.of(f"it cannot be removed ({problem.strerror})", where=target.name) from problem


def _new_file(target: Path) -> str:
    # Made private: it holds everything that a claim does.
    number, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(number)
    return name


def _prove(batch: Batch, part: Path) -> None:
    """Read back what was written, line by line, and see that what it was copied from is still what was checked."""
    written = (_told(line) for line in read_lines(replace(batch.file, path=part)))
    wanted = (_told(line) for line in batch.spool.in_file_order() if batch.may_send(line.claim))
    same = sum(batch.sendable) == batch.cleared and all(one == other for one, other in zip_longest(written, wanted))
    if not same or digest(batch.file.path) != batch.file.sha256:
        raise FileRefused(ReasonCode.FILE_UNREADABLE, "it changed while it was read")
    descriptor = os.open(part, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _told(line: BatchLine | SpooledLine) -> tuple[str | None, ...]:
    day = line.day.isoformat() if isinstance(line.day, date) else line.day
    named = (line.claim_id, line.line, line.stated, line.provider, line.client)
    return (*named, day, line.code, line.frequency, line.control)


def _write_x12(batch: Batch, part: Path) -> None:
    from calsync.claims.batch.x12_cleared import write_x12  # noqa: PLC0415 - see `checking`

    with (
        batch.file.path.open(encoding="latin-1", newline="") as source,
        part.open("w", encoding="latin-1", newline="") as target,
    ):
        write_x12(source, target, batch.may_send)


def _write_csv(batch: Batch, part: Path) -> None:
    from calsync.claims.batch.csv_claims import read_heading, read_rows  # noqa: PLC0415 - see `checking`

    with (
        batch.file.path.open(encoding="utf-8-sig", newline="") as source,
        part.open("w", encoding="utf-8", newline="") as target,
    ):
        writer = csv.writer(_EndedByLf(target), lineterminator="\r\n")
        writer.writerow(read_heading(source))
        source.seek(0)
        for row, line in zip(read_rows(source), batch.spool.in_file_order(), strict=True):
            if batch.may_send(line.claim):
                writer.writerow(row.values)


class _EndedByLf:
    """Writes rows that end in CR LF with LF alone. The csv module quotes only the line ends that it writes itself."""

    def __init__(self, target: TextIO) -> None:
        self._target = target

    def write(self, row: str) -> int:
        """One row, whole."""
        return self._target.write(row.removesuffix("\r\n") + "\n")


def _write_fhir(batch: Batch, part: Path) -> None:
    from calsync.claims.batch.fhir_cleared import write_bundle, write_ndjson  # noqa: PLC0415 - see `checking`

    write = write_ndjson if batch.file.form is Form.FHIR_LINES else write_bundle
    with batch.file.path.open("rb") as source, part.open("w", encoding="utf-8", newline="\n") as target:
        write(source, target, batch.may_send)


_WRITERS: dict[Form, Callable[[Batch, Path], None]] = {
    Form.X12: _write_x12,
    Form.CSV: _write_csv,
    Form.FHIR: _write_fhir,
    Form.FHIR_LINES: _write_fhir,
}
