"""Several messages about one session become one piece of news: what stands now, against what was told last. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.notices.facts import NewsKind
from calsync.store.outbox import OutboxItem

SESSION_KINDS: Final = {
    "appointment-booked": NewsKind.BOOKED,
    "series-booked": NewsKind.BOOKED,
    "appointment-rescheduled": NewsKind.CHANGED,
    "series-rescheduled": NewsKind.CHANGED,
    "appointment-cancelled": NewsKind.CANCELLED,
    "reschedule-asked": NewsKind.ASKED,
    "appointment-reminder": NewsKind.REMINDER,
    "no-show-recorded": NewsKind.NO_SHOW,
}
"""The messages about sessions, and what each tells."""

_STILL_NEWS: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Story:
    """What the waiting messages say of one session, the first one first."""

    first: OutboxItem
    kinds: tuple[NewsKind, ...]


def fold(items: Sequence[OutboxItem]) -> dict[str, Story]:
    """What the messages say of each session, by its number, in the order in which they came up."""
    found: dict[str, Story] = {}
    for item in sorted(items, key=lambda one: (one.created_at, one.key)):
        for number in map(str, item.payload.get("appointments", ())):
            before = found.get(number)
            kind = SESSION_KINDS[item.kind]
            found[number] = Story(item, (kind,)) if before is None else Story(before.first, (*before.kinds, kind))
    return found


def net(story: Story, one: Appointment, now: datetime) -> NewsKind | None:
    """What all the messages about one session come to; None if nothing is left to tell."""
    was_told = story.kinds[0] is not NewsKind.BOOKED
    if not one.status.shows_in_calendars:
        is_news = NewsKind.CANCELLED in story.kinds and now < one.span.start_at + _STILL_NEWS
        return NewsKind.CANCELLED if is_news and was_told else None
    if one.status is AppointmentStatus.NO_SHOW:
        return NewsKind.NO_SHOW if NewsKind.NO_SHOW in story.kinds else None
    if one.span.start_at <= now or one.status is not AppointmentStatus.SCHEDULED:
        return None
    return _ahead(story, one) if was_told else NewsKind.BOOKED


def _ahead(story: Story, one: Appointment) -> NewsKind | None:
    kinds = [kind for kind in story.kinds if kind not in (NewsKind.CANCELLED, NewsKind.NO_SHOW)]
    # A later word says it all: who was asked and has chosen reads of the new time only.
    last = NewsKind.CHANGED if NewsKind.CHANGED in kinds else next(reversed(kinds), None)
    return None if last is NewsKind.ASKED and one.pending is None else last
