"""`claims proof`: everything that an answer about one session rests on, in one HTML file that needs no network.

Ids, times, codes and hashes only: no name, no title, no note's text. The audit rows carry the chain's hashes, so that
`calsync audit verify` on the books proves the copy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import Connection

from calsync.claims.answer import Answer
from calsync.claims.gate import Gate, assess_all
from calsync.domain.appointment import SubjectKind
from calsync.domain.drift import Drift
from calsync.domain.event import Appearance
from calsync.store import audit, clearances, drifts, evidence, filings, observations, recalls, records, statements
from calsync.store.known import known_appointment
from calsync.store.recalls import RecallRow


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the proof."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def write_proof(gate: Gate, appointment: str) -> str:
    """The proof of one appointment as an HTML text. Raises NotFoundError."""
    now = gate.clock.now()
    with gate.database.reading() as conn:
        known_appointment(conn, appointment)
        (assessed,) = assess_all(conn, {appointment: None}, gate.rules(), now)
        sections = [_evidence(assessed.answer), *_sections(conn, appointment)]
        verdict = audit.verify(conn)
    chain = (
        f"The whole log was read when this was written: {verdict.rows} rows, each carrying the hash of the one before."
        if verdict.is_whole
        else f"The log is NOT whole: row {verdict.first_bad} is {verdict.problem}."
    )
    answer = assessed.answer
    environment = Environment(
        loader=PackageLoader("calsync.claims", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("proof.html.j2").render(
        appointment=appointment,
        written_at=_text(now),
        headline=f"{answer.verdict}: {answer.sentence}",
        lines=[
            *(f"{one.text} [{one.code}]" for one in answer.reasons),
            *(f"{one.text} [{one.code}]" for one in answer.advisories),
        ],
        sections=sections,
        chain=chain,
    )


def _evidence(answer: Answer) -> Section:
    rows = ((one.kind, one.id, one.at, one.says, one.rule) for one in answer.evidence)
    return _section("What the answer rests on", ("kind", "id", "at", "says", "rule"), rows)


def _sections(conn: Connection, appointment: str) -> list[Section]:
    found = drifts.of_appointments(conn, [appointment]).get(appointment, [])
    recalled = recalls.of_appointments(conn, [appointment]).get(appointment, [])
    subjects = [f"appointment:{appointment}", *(f"drift:{one.id}" for one in found)]
    subjects += [f"recall:{one.id}" for one in recalled]
    return [
        _record(conn, appointment),
        _readings(conn, appointment),
        _session_log(conn, appointment),
        _edits(conn, found),
        _statements(conn, appointment),
        _clearances(conn, appointment),
        _filings(conn, appointment),
        _recalls(recalled),
        _log(conn, subjects),
    ]


def _record(conn: Connection, appointment: str) -> Section:
    rows = (
        (row.at, row.actor, row.action, _plain(row.before), _plain(row.after))
        for row in records.history(conn, SubjectKind.APPOINTMENT, appointment)
    )
    return _section("Record", ("at", "by", "what", "before", "after"), rows)


def _readings(conn: Connection, appointment: str) -> Section:
    rows = (
        (row.calendar, row.read_at, _seen(row.seen), row.version, row.drift, row.linked_at)
        for row in observations.of_appointments(conn, [appointment]).get(appointment, [])
    )
    columns = ("calendar", "read began", "showed", "version", "edit", "event stood since")
    return _section("Readings of calendars", columns, rows)


def _session_log(conn: Connection, appointment: str) -> Section:
    rows = (
        (row.id, row.source, row.who, row.start_at, row.end_at, row.received_at)
        for row in evidence.of_appointments(conn, [appointment]).get(appointment, [])
    )
    return _section("Session log", ("id", "source", "who", "from", "to", "received"), rows)


def _edits(conn: Connection, found: Sequence[Drift]) -> Section:
    answers = drifts.answers(conn, [one.id for one in found])
    rows = (
        (
            *(one.id, one.calendar, one.kind, one.phase, one.detected_at),
            *(_seen(one.expected), _seen(one.observed), one.resolution, answers[one.id].resolved_by),
        )
        for one in found
    )
    columns = ("id", "calendar", "what", "phase", "seen", "expected", "observed", "ended as", "by")
    return _section("Edits in calendars", columns, rows)


def _statements(conn: Connection, appointment: str) -> Section:
    rows = (
        (row.id, row.by, row.at, row.says, row.start, row.end, ", ".join(row.saw))
        for row in statements.of_appointments(conn, [appointment]).get(appointment, [])
    )
    return _section("Statements", ("id", "by", "at", "says", "from", "to", "was shown"), rows)


def _clearances(conn: Connection, appointment: str) -> Section:
    rows = (
        (row.id, row.date, row.code, row.at, row.ended_at, row.fingerprint)
        for row in clearances.of_appointments(conn, [appointment]).get(appointment, [])
    )
    return _section("Clearances", ("id", "date", "code", "at", "ended", "fingerprint"), rows)


def _filings(conn: Connection, appointment: str) -> Section:
    rows = (
        (r.id, r.date, r.code, r.frequency, r.batch, r.claim, r.line, r.filed_at, r.filed_by, r.state)
        for r in filings.of_appointments(conn, [appointment]).get(appointment, [])
    )
    columns = ("id", "date", "code", "frequency", "batch", "claim", "line", "filed", "by", "state")
    return _section("Filed claims", columns, rows)


def _recalls(recalled: Sequence[RecallRow]) -> Section:
    rows = (
        (r.id, r.action, r.old_date, r.new_date, r.version, r.state, r.detected_at, ", ".join(r.reasons))
        for r in recalled
    )
    return _section("Recalls", ("id", "action", "old date", "new date", "version", "state", "found", "reasons"), rows)


def _log(conn: Connection, subjects: Iterable[str]) -> Section:
    log = sorted((row for subject in subjects for row in audit.rows(conn, subject)), key=lambda row: row.seq)
    rows = ((r.seq, r.at, r.actor, r.what, r.subject, _plain(_without_note(r.detail)), r.previous, r.hash) for r in log)
    columns = ("row", "at", "by", "what", "about", "detail", "previous", "hash")
    return _section("Log of decisions and effects", columns, rows)


def _section(title: str, columns: tuple[str, ...], rows: Iterable[Sequence[object]]) -> Section:
    return Section(title, columns, tuple(tuple(_text(cell) for cell in row) for row in rows))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds").replace("+00:00", " UTC")
    return str(value)


def _seen(seen: Appearance | None) -> str:
    if seen is None:
        return "not there"
    off = ", called off" if seen.cancelled else ""
    if seen.span.all_day:
        return f"{seen.span.start:%Y-%m-%d}, all day{off}"
    return f"{seen.span.start:%Y-%m-%d %H:%M} to {seen.span.end:%Y-%m-%d %H:%M} {seen.span.zone}{off}"


def _without_note(detail: dict[str, Any]) -> dict[str, Any]:
    # People write names into notes; the hash proves the row all the same.
    return {name: value for name, value in detail.items() if name not in ("note", "reason")}


def _plain(data: dict[str, Any] | None) -> str:
    return "" if data is None else json.dumps(data, ensure_ascii=False)
