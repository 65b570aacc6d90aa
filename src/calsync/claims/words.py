"""Rank 2, a person's word: what it answers, and where it contradicts the record (claims sheet, 11, rule 5)."""

from dataclasses import dataclass

from calsync.claims.case import Drift, Says, Statement
from calsync.claims.evidence import of_statement
from calsync.claims.findings import Bench, Finding
from calsync.claims.log import tell_other_time
from calsync.claims.neighbours import fits_other
from calsync.claims.readings import Span
from calsync.claims.reasons import ReasonCode

_IT_TOOK_PLACE = frozenset({Says.AS_BOOKED, Says.TOOK_PLACE, Says.ANOTHER_DAY})


@dataclass(frozen=True)
class Words:
    """What people said.

    `answers`: the drifts that they answered, by id, `attested` the timed spans on the record's date (each with all its
    readings), `spans` every attested reading that may lie on that date.
    """

    answers: tuple[tuple[str, Statement], ...] = ()
    attested: tuple[tuple[Span, ...], ...] = ()
    spans: tuple[Span, ...] = ()

    def answer_to(self, drift: Drift) -> Statement | None:
        """The word that answers `drift`, or None."""
        return next((word for drift_id, word in self.answers if drift_id == drift.id), None)


def live(statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """The statements that no later one saw."""
    return tuple(
        one for one in statements if not any(one.id in other.saw and other.at > one.at for other in statements)
    )


def weigh_words(bench: Bench) -> Words:
    """Judge every live statement; what a drift's answer says is judged against the record like any other word."""
    words = live(bench.case.statements)
    for word in words:
        _judge(bench, word)
    # A word of the future was given under a clock that was ahead, perhaps before the edit became what it is now.
    given = [word for word in words if word.at <= bench.now]
    took_place = [(word, _readings(bench, word)) for word in words if word.says is Says.TOOK_PLACE]
    return Words(
        answers=tuple((drift.id, word) for drift in bench.case.drifts for word in given if answers(word, drift)),
        attested=tuple(spans for word, spans in took_place if word.end is not None and bench.on_date(spans)),
        spans=tuple(span for _, spans in took_place if not bench.off_date(spans) for span in spans),
    )


def answers(word: Statement, drift: Drift) -> bool:
    """True when `drift` was on the page, as it is now, when the word was given."""
    seen_since = drift.changed_at or drift.detected_at
    return drift.id in word.saw and seen_since is not None and word.at >= seen_since


def _readings(bench: Bench, word: Statement) -> tuple[Span, ...]:
    return bench.times.read(word.start, word.end)


def _judge(bench: Bench, word: Statement) -> None:
    spans = _readings(bench, word) if word.says is Says.TOOK_PLACE else ()
    bench.judge_dates(spans, f"what {word.by} stated", of_statement(word))
    if _contradicts(bench, word, spans):
        bench.findings.hold(_contradiction(bench, word))
    else:
        _judge_time(bench, word, spans)


def _contradicts(bench: Bench, word: Statement, spans: tuple[Span, ...]) -> bool:
    if bench.absent and word.says in _IT_TOOK_PLACE and word.at >= bench.times.start:
        return True
    if word.says is Says.TOOK_PLACE:
        return bench.off_date(spans)
    if word.says is Says.ANOTHER_DAY:
        return word.date not in bench.times.days
    return word.says is Says.DID_NOT_TAKE_PLACE and bench.record.status == "completed"


def _contradiction(bench: Bench, word: Statement) -> Finding:
    when = (
        bench.times.show(word.start)
        if word.start is not None
        else (word.date.isoformat() if word.date is not None else "")
    )
    facts = {
        "by": word.by,
        "at": bench.times.show(word.at),
        "says": f"{word.says} {when}".strip(),
        "start": bench.times.show(bench.record.start),
        "status": bench.record.status,
    }
    return Finding(code=ReasonCode.STATEMENT_CONTRADICTS, item=of_statement(word), facts=facts)


def _judge_time(bench: Bench, word: Statement, spans: tuple[Span, ...]) -> None:
    for span in spans:
        if not bench.times.distance(span):
            continue
        other = fits_other(bench, span)
        if other is not None:
            facts = {"logged": bench.span(span), "other": other.id}
            bench.findings.hold(Finding(code=ReasonCode.READING_FITS_OTHER, item=of_statement(word), facts=facts))
        elif bench.times.starts_off(span, bench.policy.evidence_tolerance):
            tell_other_time(bench, word.by, span)
