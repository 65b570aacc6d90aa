"""The brake on records: one reading that changes too much of what is known is a fault somewhere, not news (R-14)."""

from __future__ import annotations

from typing import Final

from calsync.records.import_plan import Plan

FEWEST: Final = 5
"""Fewer changes than this are never a flood."""
FEWEST_BY_HAND: Final = 10
"""The same where somebody imports a file and sees what becomes of it."""


def changed_of(plan: Plan) -> list[str]:
    """Appointments on the books whose time or provider a plan changes, or that it takes off or puts on again.

    That sessions took place, or did not, is what becomes of all of them, however many.
    """
    return [
        one.before.id
        for one in plan.changes
        if one.before is not None
        and (
            not one.before.span.same_time_as(one.after.span)
            or one.before.status.shows_in_calendars != one.after.status.shows_in_calendars
            or one.before.provider != one.after.provider
        )
    ]


def doubted_of(plan: Plan) -> list[str]:
    """Appointments on the books of which a plan says anything else: while it waits, nobody knows which is right."""
    return [one.before.id for one in plan.changes if one.before is not None]


def is_flood(changed: int, known: int, share: float, fewest: int = FEWEST) -> bool:
    """Whether so many changes among so many known records are more than one reading may bring."""
    return changed >= fewest and changed > share * known
