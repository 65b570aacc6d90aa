"""Rank 1, the trusted session log: who was present together, when, and for how long (claims sheet, 11, rule 3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from calsync.claims.answer import EvidenceItem
from calsync.claims.case import Presence, SessionRow
from calsync.claims.evidence import of_row
from calsync.claims.findings import Bench, Finding
from calsync.claims.neighbours import fits_other
from calsync.claims.policy import ClaimsPolicy
from calsync.claims.readings import Span
from calsync.claims.reasons import AdvisoryCode, ReasonCode

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Visit:
    """Pieces of time together with short gaps between them; `together` does not count the gaps."""

    pieces: tuple[Span, ...]

    @property
    def span(self) -> Span:
        """From the first piece's start to the last one's end."""
        return Span(self.pieces[0].start, self.pieces[-1].end)

    @property
    def together(self) -> timedelta:
        """Time with both present."""
        return sum((piece.length for piece in self.pieces), timedelta())


@dataclass(frozen=True)
class LogWord:
    """What the trusted log says: whether it proves the record's date, and the longest visit if it does."""

    proves: bool = False
    length: timedelta | None = None
    rows: tuple[SessionRow, ...] = ()


def is_trusted(row: SessionRow, policy: ClaimsPolicy) -> bool:
    """True for a row that can prove: its source is named by the practice and it says who was present."""
    return row.source in policy.trusted_evidence and row.who is not None


def readable(rows: Iterable[SessionRow]) -> tuple[SessionRow, ...]:
    """The rows that do not end before they start."""
    return tuple(row for row in rows if row.start <= row.end)


def visits(rows: Iterable[SessionRow], gap: timedelta) -> tuple[Visit, ...]:
    """Time together over all rows, pieces at most `gap` apart joined to one visit.

    A row that does not say who counts as both.
    """
    rows = tuple(rows)
    there = {side: _united(row for row in rows if row.who in (side, Presence.BOTH, None)) for side in _SIDES}
    return tuple(Visit(tuple(pieces)) for pieces in _joined(_common(*there.values()), gap))


_SIDES = (Presence.PROVIDER, Presence.CLIENT)


def _united(rows: Iterable[SessionRow]) -> list[Span]:
    union: list[Span] = []
    for span in sorted(Span(row.start, row.end) for row in rows):
        if union and span.start <= union[-1].end:
            union[-1] = Span(union[-1].start, max(union[-1].end, span.end))
        else:
            union.append(span)
    return union


def _common(ones: list[Span], others: list[Span]) -> list[Span]:
    pairs = ((max(a.start, b.start), min(a.end, b.end)) for a in ones for b in others)
    return [Span(start, end) for start, end in pairs if start < end]


def _joined(pieces: list[Span], gap: timedelta) -> list[list[Span]]:
    groups: list[list[Span]] = []
    for piece in pieces:
        if groups and piece.start - groups[-1][-1].end <= gap:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return groups


def weigh_log(bench: Bench) -> LogWord:
    """Judge the trusted rows; a log that proves strikes out whatever calendars and unanswered edits leave open."""
    rows = readable(row for row in bench.case.evidence if is_trusted(row, bench.policy))
    found = visits(rows, bench.policy.evidence_tolerance)
    if bench.absent:
        _contradict(bench, rows, [visit.span for visit in found])
        return LogWord(rows=rows)
    for visit in found:
        bench.judge_dates((visit.span,), "the session log", of_rows(rows))
    elsewhere = [visit.span for visit in found if bench.off_date((visit.span,))]
    _contradict(bench, rows, elsewhere)
    if not any(_is_session(bench, visit) for visit in found):
        _doubt_attendance(bench, rows, found)
    proving = [visit for visit in found if _is_session(bench, visit) and bench.on_date((visit.span,))]
    if _fits_other(bench, rows, found) or elsewhere or not proving:
        return LogWord(rows=rows)
    _tell_time(bench, rows, found)
    return LogWord(proves=True, length=max(visit.together for visit in proving), rows=rows)


def _is_session(bench: Bench, visit: Visit) -> bool:
    return visit.together >= bench.policy.trusted_overlap and not bench.off_date((visit.span,))


def of_rows(rows: tuple[SessionRow, ...]) -> EvidenceItem:
    """The log's rows as one piece of evidence: the first one's id and start, all ids."""
    first = min(rows, key=lambda row: (row.start, row.id))
    return EvidenceItem(
        kind="session", id=first.id, at=first.start, says=" ".join(["rows", *sorted(row.id for row in rows)])
    )


def source_of(row: SessionRow) -> str:
    """How a sentence names the log that a row comes from."""
    return f"Log {row.source}" if row.source is not None else f"Session record {row.id}"


def contradiction(bench: Bench, row: SessionRow, logged: str) -> Finding:
    """The finding that a log shows something else than the record."""
    facts = {
        "source": source_of(row),
        "logged": logged,
        "start": bench.times.show(bench.record.start),
        "status": bench.record.status,
    }
    return Finding(code=ReasonCode.EVIDENCE_CONTRADICTS, item=of_row(row), facts=facts)


def _contradict(bench: Bench, rows: tuple[SessionRow, ...], spans: list[Span]) -> None:
    for span in spans:
        row = min((row for row in rows if Span(row.start, row.end).overlaps(span)), key=lambda row: (row.start, row.id))
        bench.findings.hold(contradiction(bench, row, bench.span(span)))


def _doubt_attendance(bench: Bench, rows: tuple[SessionRow, ...], found: tuple[Visit, ...]) -> None:
    most = max((visit.together for visit in found if not bench.off_date((visit.span,))), default=timedelta())
    for row in rows:
        span = Span(row.start, row.end)
        if bench.off_date((span,)):
            bench.findings.hold(contradiction(bench, row, bench.span(span)))
            continue
        facts = {"source": source_of(row), "minutes": most // _MINUTE, "least": bench.policy.trusted_overlap // _MINUTE}
        bench.findings.hold(Finding(code=ReasonCode.ATTENDANCE_IN_DOUBT, item=of_row(row), facts=facts))


def _fits_other(bench: Bench, rows: tuple[SessionRow, ...], found: tuple[Visit, ...]) -> bool:
    fitting = [(visit, other) for visit in found if (other := fits_other(bench, visit.span)) is not None]
    for visit, other in fitting:
        facts = {"logged": bench.span(visit.span), "other": other.id}
        bench.findings.hold(Finding(code=ReasonCode.READING_FITS_OTHER, item=of_rows(rows), facts=facts))
    return bool(fitting)


def _tell_time(bench: Bench, rows: tuple[SessionRow, ...], found: tuple[Visit, ...]) -> None:
    for visit in found:
        if bench.times.starts_off(visit.span, bench.policy.evidence_tolerance):
            tell_other_time(bench, source_of(rows[0]), visit.span)


def tell_other_time(bench: Bench, who: str, span: Span) -> None:
    """Say that `who` has another time of the same date."""
    logged, start = bench.span(span), bench.times.show(bench.record.start)
    bench.findings.advise(AdvisoryCode.TIME_DIFFERS, who=who, logged=logged, start=start)
