"""Session records that are not trusted, or do not say who was there (claims sheet, 11, rule 4).

They can contradict the record, excuse an unanswered revert, and shorten the minutes. They prove nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from calsync.claims.case import Presence, SessionRow
from calsync.claims.evidence import of_row
from calsync.claims.findings import Bench
from calsync.claims.log import contradiction, is_trusted, readable, source_of, tell_other_time, visits
from calsync.claims.readings import Span

_NO_GAP = timedelta()


@dataclass(frozen=True)
class SessionsWord:
    """The rows that agree in date and time, and how long each of their sources says that the session lasted."""

    agreeing: tuple[SessionRow, ...] = ()
    lengths: tuple[timedelta, ...] = ()

    @property
    def excuses(self) -> tuple[SessionRow, ...]:
        """The agreeing rows that speak of a session; one side alone does not."""
        return tuple(row for row in self.agreeing if row.who in (None, Presence.BOTH))


def weigh_sessions(bench: Bench, *, log_proves: bool) -> SessionsWord:
    """Judge every row that the trusted log does not own.

    A row that ends before it starts contradicts whatever it meant.
    """
    rows = bench.case.evidence
    for row in set(rows) - set(readable(rows)):
        bench.findings.hold(contradiction(bench, row, "a session that ends before it begins"))
    untrusted = readable(row for row in rows if not is_trusted(row, bench.policy))
    if bench.absent:
        _contradict_absence(bench, untrusted)
        return SessionsWord()
    agreeing = tuple(row for row in untrusted if _agrees(bench, row, log_proves=log_proves))
    return SessionsWord(agreeing, tuple(_lengths(agreeing)))


def _contradict_absence(bench: Bench, rows: tuple[SessionRow, ...]) -> None:
    for visit in visits(rows, _NO_GAP):
        row = min(
            (one for one in rows if Span(one.start, one.end).overlaps(visit.span)), key=lambda one: (one.start, one.id)
        )
        bench.findings.hold(contradiction(bench, row, bench.span(visit.span)))


def _agrees(bench: Bench, row: SessionRow, *, log_proves: bool) -> bool:
    span = Span(row.start, row.end)
    bench.judge_dates((span,), source_of(row), of_row(row))
    if bench.off_date((span,)):
        bench.findings.hold(contradiction(bench, row, bench.span(span)))
        return False
    if not bench.times.starts_off(span, bench.policy.evidence_tolerance):
        return bench.on_date((span,))
    if log_proves:
        tell_other_time(bench, source_of(row), span)
    else:
        bench.findings.hold(contradiction(bench, row, bench.span(span)))
    return False


def _lengths(rows: tuple[SessionRow, ...]) -> Iterable[timedelta]:
    """Per source: the time together where it tells the sides apart, else all the time it logged."""
    for source in dict.fromkeys(row.source for row in rows):
        own = [row for row in rows if row.source == source]
        sides = {row.who for row in own}
        alone = sides in ({Presence.PROVIDER}, {Presence.CLIENT})
        counted = [SessionRow(id=row.id, start=row.start, end=row.end) for row in own] if alone else own
        yield sum((visit.together for visit in visits(counted, _NO_GAP)), timedelta())
