"""A time that the clocks repeat may be either of its readings, and so may be that of another appointment as well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from calsync.claims.case import Case, Other, Record
from calsync.claims.findings import Bench, Findings
from calsync.claims.neighbours import fits_other, overlaps_other
from calsync.claims.policy import ClaimsPolicy
from calsync.claims.readings import Dates, Span, Times, spans, zone_named

ZONE = "America/Chicago"
"""On 1 November 2026 its clocks show 01:00 to 02:00 twice: from 06:00 and from 07:00 UTC."""
NOW = datetime(2026, 11, 2, tzinfo=UTC)
OTHER = Other(
    id="A-7",
    provider="P-1",
    client="C-1",
    code="90847",
    state="held",
    start=datetime(2026, 11, 1, 1, 10),
    end=datetime(2026, 11, 1, 1, 50),
)


def at(hour: int, minute: int) -> datetime:
    return datetime(2026, 11, 1, hour, minute, tzinfo=UTC)


def bench(start: datetime) -> Bench:
    """A session of an hour from `start` (wall time), with that other one beside it, and a tolerance of ten minutes."""
    zone = zone_named(ZONE)
    assert zone is not None
    end = start + timedelta(hours=1)
    record = Record(
        id="A-1",
        provider="P-1",
        client="C-1",
        start=start,
        end=end,
        zone=ZONE,
        kind="follow-up",
        status="completed",
        code="90834",
    )
    times = Times(zone, Dates((zone,), "hold"), spans(start, end, zone))
    policy = ClaimsPolicy(evidence_tolerance=timedelta(minutes=10))
    return Bench(Case(record=record, others=(OTHER,)), record, NOW, policy, times, Findings())


@pytest.mark.parametrize(("began", "fits"), [(at(6, 5), True), (at(7, 25), True), (at(9, 0), False), (at(5, 0), False)])
def test_a_span_fits_another_session_at_either_of_its_readings(began: datetime, fits: bool) -> None:
    found = fits_other(bench(datetime(2026, 11, 1, 18)), Span(began, began + timedelta(minutes=20)))
    assert (found is OTHER) is fits


@pytest.mark.parametrize(("began", "fits"), [(at(7, 12), True), (at(7, 9), True), (at(7, 16), False)])
def test_a_span_near_ours_fits_another_that_it_is_as_near_to_by_either_reading(began: datetime, fits: bool) -> None:
    # Ours begins at 07:18 UTC, or at 06:18; the other one at 07:10, or at 06:10.
    found = fits_other(bench(datetime(2026, 11, 1, 1, 18)), Span(began, began + timedelta(minutes=20)))
    assert (found is OTHER) is fits


@pytest.mark.parametrize(
    ("began", "runs_into"), [(at(6, 20), True), (at(7, 20), True), (at(5, 50), False), (at(7, 50), False)]
)
def test_a_reading_runs_into_another_session_at_either_of_its_readings(began: datetime, runs_into: bool) -> None:
    readings = (Span(began, began + timedelta(minutes=20)),)
    assert overlaps_other(bench(datetime(2026, 11, 1, 18)), readings) is runs_into
