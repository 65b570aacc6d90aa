"""Asks the fleet's brakes from time to time, and lets or keeps a calendar from being written to (R-14)."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import Connection

from calsync.domain.drift import COSMETIC
from calsync.reconcile.fleet import FleetBrake, FleetFacts, FleetLimits, check_fleet, is_released
from calsync.settings.model import Fleet
from calsync.store import audit, fleet, installation, outbox
from calsync.store.database import Database

_log = structlog.get_logger(__name__)


def watch(database: Database, limits: Fleet, now: datetime) -> FleetBrake | None:
    """Stop all writes if one of the shares is exceeded; returns why, once. May be repeated without harm.

    The settle time of edits is longer than the time between two looks, so that a wave is seen before it is answered.
    """
    with database.transaction() as conn:
        if installation.fleet_stop(conn) is not None:
            return None
        brake = check_fleet(_facts(conn, limits, now), _limits(limits))
        if brake is None or not installation.stop_writes(conn, str(brake), now):
            return None
        tell(conn, str(brake), "system", now)
    _log.error("fleet_stopped", because=str(brake))
    return brake


def tell(conn: Connection, because: str, by: str, now: datetime) -> None:
    """Put the stop into the log of decisions, and one alarm on its way."""
    audit.append(conn, at=now, actor=by, what="fleet-stopped", subject="installation", detail={"because": because})
    key = f"fleet-stopped:{now.isoformat()}"
    outbox.put(conn, key, "fleet-stopped", "support", {"because": because}, now=now, due_at=now)


def may_write(conn: Connection, calendar: str) -> bool:
    """Tell whether the fleet's stop, if there is one, lets this calendar be written to."""
    stop = installation.fleet_stop(conn)
    return stop is None or is_released(calendar, stop.released)


def _facts(conn: Connection, limits: Fleet, now: datetime) -> FleetFacts:
    since = now - limits.period
    released_at = installation.shares_counted_from(conn)
    since = since if released_at is None else max(since, released_at)
    return FleetFacts(
        calendars=fleet.mirrors(conn),
        drifting=fleet.drifting(conn, since, [kind.value for kind in COSMETIC]),
        reconnecting=fleet.reconnecting(conn, since),
    )


def _limits(limits: Fleet) -> FleetLimits:
    return FleetLimits(
        drifting=limits.max_share_drifting, reconnecting=limits.max_share_reconnect, floor=limits.min_calendars
    )
