"""The last day on which a session in question can be billed, as the practice knows its payers' limits."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from calsync.domain.drift import Drift
from calsync.domain.span import instant, wall_time
from calsync.errors import NotFoundError
from calsync.settings.claims import days_of_payer
from calsync.settings.model import Settings
from calsync.store import records
from calsync.store.providers import ProviderRow


def last_day(conn: Connection, settings: Settings, drift: Drift, provider: ProviderRow) -> date | None:
    """Return the last day to bill it, counted from the earlier of the two days; None where no limit is known."""
    one = records.appointment(conn, drift.appointment) if drift.appointment is not None else None
    if one is None:
        return None
    try:
        claims = settings.claims_for(provider.practice)
    except NotFoundError:
        claims = settings.claims
    allowed = days_of_payer(claims.timely_filing_days, one.payer)
    if allowed is None:
        return None
    days = [one.span.start.date()]
    if drift.observed is not None:
        days.append(wall_time(drift.observed.span.start_at, one.span.zone).date())
    return min(days) + timedelta(days=allowed)


def last_moment(conn: Connection, settings: Settings, drift: Drift, provider: ProviderRow) -> datetime | None:
    """The first instant of that day on the provider's clock."""
    day = last_day(conn, settings, drift, provider)
    return None if day is None else instant(datetime.combine(day, time()), provider.zone)
