"""The audit log: append-only, each row carrying the hash of the one before, so that a changed or missing row shows.

Details hold ids, codes and times, never names. Called by whatever decides or has an effect, in that transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from calsync.domain.notation import canonical_text
from calsync.store import late
from calsync.store.columns import to_micros
from calsync.store.dialect import Upsert
from calsync.store.late import Note
from calsync.store.rows import stream
from calsync.store.schema_effects import audit, audit_head

START: Final = "0" * 64
"""What the first row carries as the hash of the one before."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry: the `seq`-th decision or effect."""

    seq: int
    at: datetime
    actor: str
    what: str
    subject: str
    detail: dict[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What verifying came to: how many rows were read in good order and, if not all is well, the first wrong one.

    `problem` is "edited", "missing", "reordered" or "truncated" (rows at the end are gone, or the chain's recorded end
    was changed).
    """

    rows: int
    first_bad: int | None = None
    problem: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every row is there and as it was written."""
        return self.problem is None


def append(conn: Connection, *, at: datetime, actor: str, what: str, subject: str, detail: dict[str, Any]) -> None:
    """Note a decision or effect. It joins the chain when the caller's transaction ends, and only if that commits."""
    late.of(conn).notes.append(Note(at, actor, what, subject, detail))


def append_many(conn: Connection, notes: Iterable[Note]) -> None:
    """Like `append`, for many, in this order."""
    late.of(conn).notes.extend(notes)


def write_notes(conn: Connection) -> None:
    """Chain up what `append` was told. Called at the end of every transaction; locks the end of the chain."""
    notes = late.of(conn).notes
    if not notes:
        return
    _ADD_HEAD.run(conn, {"one": 1, "seq": 0, "hash": START})
    seq, previous = conn.execute(_LOCK_HEAD).one()
    rows = []
    for note in notes:
        seq += 1
        digest = _hash(previous, (seq, to_micros(note.at), note.actor, note.what, note.subject, note.detail))
        rows.append(
            {
                "seq": seq,
                "at": note.at,
                "actor": note.actor,
                "what": note.what,
                "subject": note.subject,
                "detail": note.detail,
                "previous": previous,
                "hash": digest,
            }
        )
        previous = digest
    conn.execute(_ADD, rows)
    conn.execute(_MOVE_HEAD, {"to_seq": seq, "to_hash": previous})
    notes.clear()


def rows(conn: Connection, subject: str | None = None) -> Iterator[AuditRow]:
    """The log, or what it says about one subject (`drift:ID`, `calendar:ID` …), in order."""
    query = _ALL if subject is None else _OF_SUBJECT
    parameters = {} if subject is None else {"the_subject": subject}
    for row in stream(conn, query, parameters):
        yield AuditRow(*tuple(row))


def verify(conn: Connection) -> AuditVerdict:
    """Read the whole chain and name the first row that is not as it was written."""
    seq, previous = 0, START
    with closing(stream(conn, _ALL)) as rows_in_order:
        for row in rows_in_order:
            problem = _problem(row, seq, previous)
            if problem is not None:
                return AuditVerdict(seq, seq + 1, problem)
            seq, previous = row.seq, row.hash
    head = conn.execute(_HEAD).first()
    if (head is None and seq > 0) or (head is not None and (head.seq, head.hash) != (seq, previous)):
        return AuditVerdict(seq, seq + 1, "truncated")
    return AuditVerdict(seq)


def _problem(row: Row[Any], seq: int, previous: str) -> str | None:
    if row.seq != seq + 1:
        return "missing"
    told = (row.seq, to_micros(row.at), row.actor, row.what, row.subject, row.detail)
    is_itself = _hash(row.previous, told) == row.hash
    if row.previous != previous:
        return "edited" if is_itself else "reordered"
    return None if is_itself else "edited"


def _hash(previous: str, told: tuple[Any, ...]) -> str:
    return sha256(f"{previous}\n{canonical_text(list(told))}".encode("utf-8", "surrogatepass")).hexdigest()


_ALL = select(*audit.c).order_by(audit.c.seq)
_OF_SUBJECT = select(*audit.c).where(audit.c.subject == bindparam("the_subject")).order_by(audit.c.seq)
_ADD = insert(audit)
_HEAD = select(audit_head.c.seq, audit_head.c.hash)
_LOCK_HEAD = _HEAD.with_for_update()
_MOVE_HEAD = update(audit_head).values(seq=bindparam("to_seq"), hash=bindparam("to_hash"))
_ADD_HEAD = Upsert(audit_head, [audit_head.c.one])
