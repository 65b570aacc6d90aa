"""Everything that is put around a connector's calendar, in one place and in one order.

    Retrying > Budgeted > Logged > Counted > the connector's calendar

so that each attempt draws on the budget, is logged and is counted, and a connector needs no loop of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from calsync.connector.around import Around, Counts
from calsync.connector.budgeted import Budget, Budgeted, BudgetHook
from calsync.connector.counted import Counted
from calsync.connector.logged import Logged
from calsync.connector.protocol import Calendar
from calsync.connector.retrying import Retrying, RetryPolicy
from calsync.ports import Clock, Ids, Sleep, Stop

__all__ = [
    "Around",
    "Budget",
    "BudgetHook",
    "Budgeted",
    "Counted",
    "Counts",
    "Logged",
    "RetryPolicy",
    "Retrying",
    "WrapPorts",
    "wrap",
]


@dataclass(frozen=True, slots=True)
class WrapPorts:
    """The ports that wrappers need. With `stop`, waiting ends when the process is asked to."""

    clock: Clock
    ids: Ids
    sleep: Sleep
    stop: Stop | None = None


def wrap(
    calendar: Calendar,
    calendar_id: str,
    *,
    ports: WrapPorts,
    budget: BudgetHook | None = None,
    retries: RetryPolicy | None = None,
) -> Around:
    """Return the calendar as the worker uses it. Its `counts` tell what it has cost since."""
    wrapped: Around = Logged(Counted(calendar), calendar_id, ports.clock)
    if budget is not None:
        wrapped = Budgeted(wrapped, budget, clock=ports.clock, sleep=ports.sleep)
    return Retrying(wrapped, ids=ports.ids, sleep=ports.sleep, policy=retries, stop=ports.stop)
