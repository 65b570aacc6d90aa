"""What billing tells: a claim was filed, corrected or voided, and how a recall ended. Each is one transaction.

A filing is a fact about the outside: it is taken down even if the gate had said no, and recalled at once (claims
sheet, 12).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Connection

from calsync.claims.casebook import CaseFile
from calsync.claims.gate import Assessed, Gate, assess_all
from calsync.claims.recalls import keep_standing
from calsync.errors import NotFoundError, Problem, Refused
from calsync.store import audit, claims, clearances, filings, outbox, recalls
from calsync.store.filings import Filing
from calsync.store.recalls import RecallRow


class Frequency(StrEnum):
    """What a filed line is to the payer."""

    ORIGINAL = "1"
    REPLACEMENT = "7"
    VOID = "8"


class CloseReason(StrEnum):
    """How a recall ended, by a person's word."""

    REJECTED_BY_PAYER = "rejected-by-payer"
    ALREADY_RIGHT = "already-right"
    NOT_OURS = "not-ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledLine:
    """One line that was sent. `date` None: the date that the gate gave. `control`: the payer's number of the claim.

    `code` is the code that was billed; the record's own goes before it, so that a later change of that one is noticed.
    """

    appointment: str
    date: date | None = None
    frequency: Frequency = Frequency.ORIGINAL
    claim: str | None = None
    line: str | None = None
    batch: str | None = None
    control: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class _Told:
    """One line with what the gate says of it now, and what stands filed."""

    told: FiledLine
    file: CaseFile
    day: date
    against_gate: bool
    standing: Filing | None


def file_claims(gate: Gate, lines: Iterable[FiledLine], *, by: str, note: str | None = None) -> list[Filing]:
    """Take down what was filed; all of it or nothing.

    Raises Refused with every line that cannot be: an unknown appointment, no date given where the gate gives none, an
    original beside one that stands, a correction of nothing. The same line told twice is taken down once.
    """
    wanted = {one.appointment: one for one in lines}
    now = gate.clock.now()
    with gate.database.transaction() as conn:
        assessed = assess_all(conn, dict.fromkeys(wanted), gate.rules(), now)
        found = {one.file.appointment: one for one in assessed}
        known = filings.of_appointments(conn, list(wanted))
        problems: list[Problem] = []
        told = [_told(one, found[one.appointment], known.get(one.appointment, []), problems) for one in wanted.values()]
        if problems:
            raise Refused(problems, code="cannot-be-filed")
        made = [_file(conn, gate, one, by, (now, note)) for one in told if one is not None]
        _keep(conn, gate, [one.appointment for one in made], now)
    return made


def close_recall(gate: Gate, recall_id: str, reason: CloseReason, *, by: str, note: str) -> RecallRow:
    """End a recall by a person's word. Raises NotFoundError, and Refused if it has ended or no note is given."""
    now = gate.clock.now()
    if not note.strip():
        raise Refused([Problem("a recall is not closed without a note", f"recall {recall_id}", "Add --note")])
    with gate.database.transaction() as conn:
        row = recalls.get(conn, recall_id)
        if row is None:
            raise NotFoundError("recall", recall_id)
        if not row.is_open:
            raise Refused([Problem(f"it is {row.state} already", f"recall {recall_id}")], code="already-ended")
        closed = changed(row, state="closed", closed_at=now, closed_by=by, closed_because=f"{reason.value}: {note}")
        recalls.replace(conn, closed)
        if row.filing is not None:
            _settle_filing(conn, row.filing, reason, now)
        else:
            assert row.clearance is not None
            clearances.end(conn, [row.clearance], now)
        detail = {"appointment": row.appointment, "reason": reason.value, "note": note}
        audit.append(conn, at=now, actor=by, what="recall-closed", subject=f"recall:{row.id}", detail=detail)
        _keep(conn, gate, [row.appointment], now)
    return closed


def _told(line: FiledLine, found: Assessed, known: list[Filing], problems: list[Problem]) -> _Told | None:
    where = f"appointment {line.appointment}"
    standing = next((one for one in known if one.ended_at is None), None)
    if found.file.case.record is None:
        problems.append(Problem("it is not on the books", where))
        return None
    if any(_is_same(line, one) for one in known):
        return None
    is_original = line.frequency is Frequency.ORIGINAL
    if is_original and standing is not None:
        what = f"an original dated {standing.date.isoformat()} was filed already"
        problems.append(Problem(what, where, "File a replacement (--frequency 7), or close it first"))
        return None
    if not is_original and standing is None:
        problems.append(Problem("nothing that could be corrected was filed", where))
        return None
    day = line.date or _default_day(line, found, standing)
    if day is None:
        problems.append(
            Problem("the gate gives no date for it", where, f"Name the date: {line.appointment}=YYYY-MM-DD")
        )
        return None
    against = found.answer.date_of_service != day and line.frequency is not Frequency.VOID and not found.file.observes
    return _Told(line, found.file, day, against, standing)


def _default_day(line: FiledLine, found: Assessed, standing: Filing | None) -> date | None:
    if line.frequency is Frequency.VOID:
        assert standing is not None
        return standing.date
    if found.answer.date_of_service is not None:
        return found.answer.date_of_service
    return found.file.clearance.date if found.file.clearance is not None else None


def _is_same(line: FiledLine, known: Filing) -> bool:
    """Whether this very line was told before."""
    if line.batch is not None and line.claim is not None:
        of_batch = (line.frequency.value, line.batch, line.claim, line.line)
        if of_batch == (known.frequency, known.batch, known.claim, known.line):
            return True
    if line.frequency is Frequency.VOID:
        return known.frequency == Frequency.VOID and line.batch == known.batch
    told = (line.frequency.value, line.date or known.date, line.batch, line.claim, line.line)
    return known.ended_at is None and told == (known.frequency, known.date, known.batch, known.claim, known.line)


def _file(conn: Connection, gate: Gate, told: _Told, by: str, around: tuple[datetime, str | None]) -> Filing:
    now, note = around
    line = told.told
    assert told.file.case.record is not None
    is_void = line.frequency is Frequency.VOID
    filing = Filing(
        id=gate.ids.new_id("filing"),
        appointment=line.appointment,
        date=told.day,
        code=told.file.case.record.code or line.code,
        frequency=line.frequency.value,
        claim=line.claim,
        line=line.line,
        batch=line.batch,
        control=line.control,
        filed_at=now,
        filed_by=by,
        against_gate=told.against_gate,
        state="void" if is_void else "filed",
        ended_at=now if is_void else None,
    )
    if told.standing is not None:
        filings.end(conn, told.standing.id, "void" if is_void else "corrected", now)
        _close_recalls(conn, told.standing, by, now)
    filings.insert(conn, filing)
    if told.file.clearance is not None:
        clearances.end(conn, [told.file.clearance.id], now)
    _note(conn, filing, by, note)
    return filing


def _close_recalls(conn: Connection, standing: Filing, by: str, now: datetime) -> None:
    for row in recalls.of_appointments(conn, [standing.appointment]).get(standing.appointment, []):
        if row.filing == standing.id and row.is_open:
            recalls.replace(conn, changed(row, state="closed", closed_at=now, closed_by=by, closed_because="corrected"))


def _note(conn: Connection, filing: Filing, by: str, note: str | None) -> None:
    subject = f"appointment:{filing.appointment}"
    detail = {
        "filing": filing.id,
        "date": filing.date.isoformat(),
        "frequency": filing.frequency,
        "batch": filing.batch,
        "claim": filing.claim,
        "line": filing.line,
        "against_gate": filing.against_gate,
        "note": note,
    }
    audit.append(conn, at=filing.filed_at, actor=by, what="claim-filed", subject=subject, detail=detail)
    if filing.against_gate:
        key, payload = f"against-gate:{filing.id}", {"filing": filing.id, "appointment": filing.appointment}
        outbox.put(conn, key, "filed-against-gate", "support", payload, now=filing.filed_at, due_at=filing.filed_at)


def _settle_filing(conn: Connection, filing: str, reason: CloseReason, now: datetime) -> None:
    if reason is CloseReason.ALREADY_RIGHT:
        filings.set_state(conn, filing, "filed")
    else:
        # Turned down, or never ours: nothing stands filed any more.
        filings.end(conn, filing, "void", now)


def _keep(conn: Connection, gate: Gate, ids: list[str], now: datetime) -> None:
    """Assess again at once, so that a claim filed against the gate is recalled in the same transaction."""
    for one in assess_all(conn, dict.fromkeys(ids), gate.rules(), now):
        keep_standing(conn, one.file, one.answer, now, gate.ids)
    claims.touch(conn, ids)
