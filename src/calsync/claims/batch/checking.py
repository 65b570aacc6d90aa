"""A claim file from its first byte to its last answer. Called by the CLI and the API.

The file is read twice at most: once for its lines, and again for what may be sent of it. Both readings must see the
same bytes. Nothing of it is kept on the books but its hash, its size, and what was answered.
"""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from calsync.claims.batch.judging import CheckedClaim, judge_claims
from calsync.claims.batch.lines import BatchLine, FileRefused
from calsync.claims.batch.matching import match_lines
from calsync.claims.gate import Gate
from calsync.claims.reasons import ReasonCode, Verdict
from calsync.errors import UserError
from calsync.store import audit
from calsync.store.claim_spool import ClaimSpool

_PART: Final = 1024 * 1024
_LOOK: Final = 4096
_BY_SUFFIX: Final = {".csv": "csv", ".ndjson": "fhir-lines", ".jsonl": "fhir-lines", ".json": "fhir"}


class Form(StrEnum):
    """What a claim file is."""

    X12 = "x12"
    CSV = "csv"
    FHIR = "fhir"
    FHIR_LINES = "fhir-lines"


@dataclass(frozen=True, slots=True)
class ClaimFile:
    """A file and what it is. `sha256` is that of the bytes that were read."""

    path: Path
    form: Form
    size: int
    sha256: str

    @property
    def batch(self) -> str:
        """The name by which the books know it."""
        return f"sha256:{self.sha256}"


@dataclass(slots=True)
class Batch:
    """A file whose every line was read and tied to its appointment, or to none. Made by `read_batch`."""

    file: ClaimFile
    spool: ClaimSpool
    claims: int
    lines: int
    verdicts: Counter[str] = field(default_factory=Counter)
    sendable: bytearray = field(default_factory=bytearray)

    def check(self, gate: Gate, actor: str) -> Iterator[CheckedClaim]:
        """Answer every claim, by number. The audit log says that it was asked, once all are answered."""
        self.sendable = bytearray(1)
        for claim in judge_claims(gate, self.spool):
            self.verdicts[claim.verdict] += 1
            self.sendable += bytes(claim.number + 1 - len(self.sendable))
            self.sendable[claim.number] = claim.verdict is Verdict.CLEARED
            yield claim
        detail = {"size": self.file.size, "claims": self.claims, "lines": self.lines, **self.verdicts}
        with gate.database.transaction() as conn:
            now = gate.clock.now()
            audit.append(conn, at=now, actor=actor, what="claims-checked", subject=self.file.batch, detail=detail)

    def may_send(self, claim: int) -> bool:
        """Whether the claim of that number was cleared."""
        return claim < len(self.sendable) and bool(self.sendable[claim])

    @property
    def cleared(self) -> int:
        """How many claims may be sent."""
        return self.verdicts[Verdict.CLEARED]

    @property
    def all_cleared(self) -> bool:
        """Whether the file may be sent as it is."""
        return self.cleared == self.claims


@contextmanager
def read_batch(gate: Gate, path: Path, form: Form | None = None) -> Iterator[Batch]:
    """Read a file whole; its lines are gone at the end of the block.

    Raises FileRefused when nothing in it may be trusted, UserError when it cannot be opened.
    """
    file = _identify(path, form, gate.settings.claims.max_batch_bytes)
    spool = ClaimSpool()
    try:
        for line in read_lines(file):
            spool.add(_values(line))
        spool.close_file(claims_by_id=file.form is Form.CSV)
        if digest(path) != file.sha256:
            raise FileRefused(ReasonCode.FILE_UNREADABLE, "it changed while it was read")
        with gate.database.reading() as conn:
            match_lines(conn, spool, gate.settings.claims.join)
        claims, lines = spool.counts()
        yield Batch(file, spool, claims, lines)
    finally:
        spool.close()


def read_lines(file: ClaimFile) -> Iterator[BatchLine]:
    """The lines of a file by its form. Raises FileRefused; UserError where the form's library is not installed."""
    try:
        if file.form is Form.X12:
            yield from _read_x12(file.path)
        elif file.form is Form.CSV:
            yield from _read_csv(file.path)
        else:
            yield from _read_fhir(file)
    except ModuleNotFoundError as missing:
        extra = "claims" if file.form is Form.X12 else "fhir"
        raise UserError.of(
            f"files of the form {file.form.value} cannot be read: {missing.name} is not installed",
            remedy=f"Install calsync with the extra: calsync[{extra}]",
        ) from missing


# Each form's library is loaded only for a file of that form: they are extras.
def _read_x12(path: Path) -> Iterator[BatchLine]:
    from calsync.claims.batch.x12_claims import read_x12  # noqa: PLC0415

    # Names may be in any script; they are passed over, and no byte of them must stop the reading.
    with path.open(encoding="latin-1", newline="") as source:
        yield from read_x12(source)


def _read_csv(path: Path) -> Iterator[BatchLine]:
    from calsync.claims.batch.csv_claims import read_csv  # noqa: PLC0415

    with path.open(encoding="utf-8-sig", newline="") as source:
        yield from read_csv(source)


def _read_fhir(file: ClaimFile) -> Iterator[BatchLine]:
    from calsync.claims.batch.fhir_claims import read_fhir  # noqa: PLC0415

    with file.path.open("rb") as source:
        yield from read_fhir(source, by_lines=file.form is Form.FHIR_LINES)


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as source:
        while part := source.read(_PART):
            found.update(part)
    return found.hexdigest()


def _identify(path: Path, form: Form | None, most_bytes: int) -> ClaimFile:
    try:
        size = path.stat().st_size
        if size > most_bytes:
            raise FileRefused(ReasonCode.FILE_TOO_LARGE, f"{size} bytes, at most {most_bytes}")
        with path.open("rb") as source:
            head = source.read(_LOOK)
        if not head:
            raise FileRefused(ReasonCode.FILE_EMPTY)
        if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            raise FileRefused(ReasonCode.FILE_UNREADABLE, "it is written in UTF-16; save it as UTF-8")
        return ClaimFile(path, form or _form_of(path, head), size, digest(path))
    except OSError as problem:
        raise UserError.of(f"it cannot be opened ({problem.strerror})", where=path.name) from problem


def _form_of(path: Path, head: bytes) -> Form:
    """What the name says; what it does not say, the first bytes do."""
    known = _BY_SUFFIX.get(path.suffix.lower())
    if known is not None:
        return Form(known)
    begin = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if begin[:1] == b"{":
        return Form.FHIR
    heading = begin.splitlines()[0] if begin.splitlines() else b""
    return Form.CSV if b"service_date" in heading and b"appointment" in heading else Form.X12


def _values(line: BatchLine) -> tuple[object, ...]:
    return (
        line.claim,
        line.place,
        line.claim_id,
        line.line,
        line.stated,
        line.provider,
        line.client,
        None if line.day is None else line.day.isoformat(),
        line.code,
        line.where,
        line.frequency,
        line.control,
        " ".join(line.problems),
    )
