"""Whether a time could belong to another appointment of the same client (claims sheet, 11, rule 3)."""

from collections.abc import Iterator

from calsync.claims.case import Other
from calsync.claims.findings import Bench
from calsync.claims.readings import Span


def of_client(bench: Bench) -> Iterator[Other]:
    """The other appointments that are, or could be, this client's."""
    return (one for one in bench.case.others if one.client is None or one.client == bench.record.client)


def fits_other(bench: Bench, span: Span) -> Other | None:
    """The first other appointment that `span` fits as well, or None.

    A span that starts near ours fits another that it starts at least as near to; any other span fits one that it
    starts near to or overlaps. An appointment without known times lies anywhere on its date.
    """
    return next((one for one in of_client(bench) if _fits(bench, span, one)), None)


def overlaps_other(bench: Bench, readings: tuple[Span, ...]) -> bool:
    """True when a reading runs into another appointment of that client, or might."""
    return any(_may_touch(bench, span, one) for span in readings for one in of_client(bench))


def _fits(bench: Bench, span: Span, other: Other) -> bool:
    theirs = bench.times.read(other.start, other.end)
    if not theirs:
        return _same_date(bench, span, other)
    ours, nearest = bench.times.distance(span), min(abs(span.start - one.start) for one in theirs)
    if ours <= bench.policy.evidence_tolerance:
        return nearest <= ours
    return nearest <= bench.policy.evidence_tolerance or any(span.overlaps(one) for one in theirs)


def _may_touch(bench: Bench, span: Span, other: Other) -> bool:
    theirs = bench.times.read(other.start, other.end)
    return any(span.overlaps(one) for one in theirs) if theirs else _same_date(bench, span, other)


def _same_date(bench: Bench, span: Span, other: Other) -> bool:
    return other.date is None or other.date in bench.times.dates.of((span,))
