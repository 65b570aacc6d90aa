"""How much may be asked of a service, counted over all workers: per project, and per user's mailbox.

A process takes a handful of requests at a time from the shared budget, so that the books are asked once for many. A
service's "not before" blocks the user's budget for everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from calsync.connector.budgeted import BudgetHook
from calsync.ports import Clock
from calsync.store import budgets
from calsync.store.budgets import Rate
from calsync.store.calendars import CalendarRow
from calsync.store.database import Database


@dataclass(frozen=True, slots=True)
class Limit:
    """One of a service's limits. `scope`: "project" for all calendars together, "user" for one account."""

    scope: str
    rate: Rate
    handful: float = 5.0


# Four fifths of what the services allow, since they count by windows of their own: Google 10,000 requests a minute and
# project, 600 a minute and user (its quota guide); Graph 10,000 in ten minutes for one app and mailbox (its throttling
# limits).
LIMITS: Final[Mapping[str, tuple[Limit, ...]]] = {
    "google": (Limit("project", Rate(133.0, 1000.0), 20.0), Limit("user", Rate(8.0, 60.0))),
    "outlook": (Limit("user", Rate(13.0, 400.0)),),
}
# What was taken and not used by then is given up, rather than used in a burst much later.
_KEPT_FOR: Final = timedelta(seconds=10)


@dataclass(slots=True)
class SharedBudgets:
    """All budgets of the installation, as one process sees them."""

    database: Database
    clock: Clock

    def hook(self, row: CalendarRow) -> BudgetHook | None:
        """What a calendar draws on; None where its service has no limits that we know."""
        limits = LIMITS.get(row.connector)
        if limits is None:
            return None
        names = {"project": f"{row.connector}:project", "user": f"{row.connector}:{row.connection or row.provider}"}
        drawn = tuple(_Drawn(names[limit.scope], limit) for limit in limits)
        return BudgetHook(CalendarBudget(self, drawn), names["user"])

    def take(self, key: str, limit: Limit) -> tuple[float, float]:
        """Take a handful, or one: how many were granted, or none and the seconds after which to ask again."""
        with self.database.transaction() as conn:
            now = self.database.now(conn, self.clock)
            if budgets.take(conn, key, now, limit.rate, limit.handful) is None:
                return limit.handful, 0.0
            until = budgets.take(conn, key, now, limit.rate, 1.0)
        return (1.0, 0.0) if until is None else (0.0, max(0.001, (until - now).total_seconds()))

    def block(self, key: str, seconds: float) -> None:
        """Let nobody take from this budget for so long."""
        with self.database.transaction() as conn:
            now = self.database.now(conn, self.clock)
            budgets.block(conn, key, now + timedelta(seconds=seconds), now)


@dataclass(slots=True)
class _Drawn:
    """What one calendar has left of one budget."""

    key: str
    limit: Limit
    left: float = 0.0
    until: datetime | None = None


@dataclass(slots=True)
class CalendarBudget:
    """One calendar's view of its budgets; used by one thread at a time. See `calsync.connector.budgeted.Budget`."""

    shared: SharedBudgets
    drawn: tuple[_Drawn, ...] = field(default=())

    def wait_time(self, key: str, now: datetime) -> float:
        """Return 0 and take one call from each budget, or the seconds after which to ask again."""
        del key
        for one in self.drawn:
            if one.left < 1 or one.until is None or not now <= one.until <= now + _KEPT_FOR:
                one.left, seconds = self.shared.take(one.key, one.limit)
                one.until = now + _KEPT_FOR
                if one.left < 1:
                    return seconds
        for one in self.drawn:
            one.left -= 1
        return 0.0

    def block_until(self, key: str, until: datetime) -> None:
        """Let nobody draw on the user's budget before an instant."""
        for one in self.drawn:
            one.left = 0.0
        self.shared.block(key, (until - self.shared.clock.now()).total_seconds())
