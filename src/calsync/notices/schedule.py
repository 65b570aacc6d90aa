"""When a mail may go: bursts, three a day, the evening digest, reminders that end (R-18). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Protocol

from calsync.domain.span import instant, wall_time

BURST: Final = timedelta(minutes=10)
"""How long after the first of several messages to one person the others may join it."""
MAILS_A_DAY: Final = 3
"""Mails to one person on one of their days, the evening digest not counted."""
EVENING: Final = time(18, 30)
"""When the digest goes, on the person's clock."""
MORNING: Final = time(7, 0)
"""When what came up after the digest goes, on the next day."""
SOON: Final = timedelta(hours=2)
"""A session that begins within this is told about at once, whatever else was told that day."""
REMIND_AFTER: Final = timedelta(days=2)
"""When a question that nobody answered is asked again."""
SUPPORT_AFTER: Final = timedelta(days=4)
"""When support is told of it."""
BILLING_AFTER: Final = timedelta(days=8)
"""When billing is; after that nobody is reminded any more."""

_SUPPORT_BEFORE: Final = timedelta(days=6)
_BILLING_BEFORE: Final = timedelta(days=3)
"""How long before the last day to bill somebody must know at the latest."""


class Waiting(Protocol):
    """What this module needs to know of a message."""

    @property
    def created_at(self) -> datetime:
        """When it came up."""

    @property
    def due_at(self) -> datetime:
        """Before when it must not go."""


@dataclass(frozen=True, slots=True)
class Day:
    """One of a person's days: aware instants of its start, its evening and the next morning."""

    start: datetime
    evening: datetime
    next_morning: datetime

    @classmethod
    def of(cls, now: datetime, zone: str) -> Day:
        """The day that the person's calendar shows at an instant."""
        today = wall_time(now, zone).date()
        return cls(
            start=instant(datetime.combine(today, time()), zone),
            evening=instant(datetime.combine(today, EVENING), zone),
            next_morning=instant(datetime.combine(today + timedelta(days=1), MORNING), zone),
        )


def burst_ends(waiting: Sequence[Waiting]) -> datetime:
    """When everything of the burst that the oldest message opened may go together. `waiting` is not empty."""
    opened = min(one.created_at for one in waiting)
    together = [one for one in waiting if one.created_at <= opened + BURST]
    return max(opened + BURST, *(one.due_at for one in together))


def held_until(begun: Sequence[datetime], now: datetime, zone: str) -> datetime | None:
    """Until when a person's mail must wait because of the ones begun before; None if it may go now."""
    day = Day.of(now, zone)
    if sum(1 for at in begun if at >= day.start) < MAILS_A_DAY:
        return None
    if now < day.evening:
        return day.evening
    return day.next_morning if any(at >= day.evening for at in begun) else None


@dataclass(frozen=True, slots=True)
class Steps:
    """What becomes of a question that nobody answers, after the day sheet of the same evening (R-18)."""

    remind_at: datetime
    support_at: datetime
    billing_at: datetime

    def after(self, now: datetime) -> datetime | None:
        """When the next step is due; None: all are taken."""
        return next((at for at in (self.remind_at, self.support_at, self.billing_at) if at > now), None)


def steps(asked_at: datetime, last_day: datetime | None) -> Steps:
    """Return when each step is due: sooner than usual where the last day to bill (its first instant) is near (P-9)."""
    remind_at, support_at, billing_at = (asked_at + after for after in (REMIND_AFTER, SUPPORT_AFTER, BILLING_AFTER))
    if last_day is not None:
        billing_at = max(asked_at, min(billing_at, last_day - _BILLING_BEFORE))
        support_at = max(asked_at, min(support_at, last_day - _SUPPORT_BEFORE))
    return Steps(min(remind_at, support_at), support_at, billing_at)


def next_step(asked_at: datetime, zone: str) -> datetime:
    """When a question that was just sent has its next step: the same evening, or two days on."""
    evening = Day.of(asked_at, zone).evening
    return evening if asked_at < evening else asked_at + REMIND_AFTER
