"""Collects from the books what a mail is about.

What a person has settled meanwhile is left out, and so is whatever a practice that only observes would not do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from calsync.domain.drift import COSMETIC, Disposition, Drift, Phase, Resolution
from calsync.domain.event import Appearance
from calsync.domain.link import LinkState
from calsync.domain.span import Span
from calsync.errors import NotFoundError
from calsync.notices.facts import CalendarFacts, EditedSession, EditFacts, Fact, Fate, FleetStopped, MailsHeld
from calsync.notices.filing_limit import last_day
from calsync.notices.office_news import OFFICE_KINDS, tell_office
from calsync.settings.model import Settings
from calsync.store import calendars, drifts, edits, installation, links, owed_writes, providers, records, stops
from calsync.store.outbox import OutboxItem
from calsync.store.providers import ProviderRow

REMINDS = "edit-reminder"
"""The message that asks about an edit again."""
EDIT_KINDS = frozenset({"edit-reverted", "edit-after-start", REMINDS})
CALENDAR_KINDS = frozenset({"calendar-needs-reconnect", "calendar-stopped", "calendar-read-only", "write-rejected"})

_ASKED = frozenset({Disposition.REVERT, Disposition.FLAG, Disposition.REVERT_AND_FLAG})
_UNANSWERED = frozenset({Resolution.OPEN, Resolution.REVERTED})
# The state that a calendar must still be in for the message about it to be news.
_STILL = {
    "calendar-needs-reconnect": "needs-reconnect",
    "calendar-stopped": "stopped",
    "calendar-read-only": "read-only",
}

AnswerUrl = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Reads what messages are about. `answer_url` makes the address under which an edit can be answered."""

    settings: Settings
    answer_url: AnswerUrl

    def fact(self, conn: Connection, item: OutboxItem) -> Fact | None:
        """What this message tells now; None if there is nothing to tell any more."""
        if item.kind in EDIT_KINDS:
            found = self.edit(conn, str(item.payload.get("edit")))
            if found is None or item.kind != REMINDS:
                return found
            # Of what is left to its person she is told once.
            left = all(one.fate is Fate.CANCELLED for one in found.sessions)
            return None if left else replace(found, reminds=True)
        if item.kind in OFFICE_KINDS:
            return tell_office(conn, item)
        if item.kind in CALENDAR_KINDS:
            return _calendar(conn, item)
        if item.kind == "fleet-stopped":
            return FleetStopped(str(item.payload["because"])) if installation.fleet_stop(conn) is not None else None
        return MailsHeld(int(item.payload["limit"])) if item.kind == "mails-held" else None

    def edit(self, conn: Connection, edit_id: str) -> EditFacts | None:
        """The sessions of an edit that still need an answer; None if none does, or its practice only observes."""
        edit = edits.get(conn, edit_id)
        known = providers.get(conn, edit.provider) if edit is not None else None
        if edit is None or known is None or self._observes(known):
            return None
        wanted = [one for one in drifts.of_edit(conn, edit_id) if waits_for_answer(one)]
        # One that a person wants put back stays open until the calendar has it, and is answered all the same.
        told = drifts.answers(conn, [one.id for one in wanted])
        open_ones = [one for one in wanted if one.id not in told or told[one.id].resolved_by is None]
        if not open_ones:
            return None
        calendar = calendars.get(conn, edit.calendar)
        known_ones = records.appointments_by_ids(conn, [one.appointment for one in open_ones if one.appointment])
        standing = {name for name, one in known_ones.items() if one.status.shows_in_calendars}
        shown = links.by_ids(conn, {one.link for one in open_ones})
        ended = {link.id for link in shown if link.state is LinkState.RETIRED}
        return EditFacts(
            edit=edit_id,
            service=calendar.connector if calendar is not None else "",
            detected_at=edit.detected_at,
            sessions=tuple(_session(one, standing, ended=one.link in ended) for one in open_ones),
            answer_url=self.answer_url(edit_id),
            last_day=min(filter(None, (last_day(conn, self.settings, one, known) for one in open_ones)), default=None),
        )

    def _observes(self, known: ProviderRow) -> bool:
        try:
            return self.settings.mode_for(known.practice) == "observe"
        except NotFoundError:
            # Its practice left the configuration: nobody has said that this provider may be written to.
            return True


def waits_for_answer(drift: Drift) -> bool:
    """Whether the provider is asked about it, as far as the drift itself says."""
    return (
        drift.kind not in COSMETIC
        and drift.disposition in _ASKED
        and drift.resolution in _UNANSWERED
        and not drift.accepted
    )


def _session(drift: Drift, standing: Collection[str], *, ended: bool) -> EditedSession:
    return EditedSession(
        drift=drift.id,
        appointment=drift.appointment,
        kind=drift.kind,
        phase=drift.phase,
        fate=_fate(drift, standing, ended=ended),
        expected=_span(drift.expected),
        observed=_span(drift.observed),
    )


def _fate(drift: Drift, standing: Collection[str], *, ended: bool) -> Fate:
    if drift.resolution is Resolution.REVERTED:
        return Fate.RESTORED
    flagged = drift.disposition is Disposition.FLAG and drift.appointment is not None
    if flagged and drift.appointment not in standing:
        return Fate.CANCELLED
    if drift.phase is not Phase.UPCOMING:
        return Fate.PAST
    if ended:
        return Fate.GONE
    return Fate.RESTORING if drift.disposition.reverts else Fate.LEFT


def _span(seen: Appearance | None) -> Span | None:
    if seen is None:
        return None
    return seen.proposed or seen.span


def _calendar(conn: Connection, item: OutboxItem) -> CalendarFacts | None:
    calendar = calendars.get(conn, str(item.payload.get("calendar")))
    if calendar is None or calendar.removed_at is not None:
        return None
    wanted = _STILL.get(item.kind)
    if wanted is not None and calendar.state != wanted:
        return None
    if item.kind == "write-rejected" and links.link(conn, str(item.payload.get("link"))) is None:
        return None
    stop = stops.standing(conn, calendar.id) if wanted == "stopped" else None
    numbers = stop.evidence if stop is not None and "changed" in stop.evidence else None
    return CalendarFacts(
        trouble=item.kind,
        calendar=calendar.id,
        provider=calendar.provider,
        service=calendar.connector,
        since=_since(item),
        because=str(item.payload.get("because") or item.payload.get("reason") or ""),
        waiting=owed_writes.count_owed(conn, calendar.id),
        numbers=numbers,
    )


def _since(item: OutboxItem) -> datetime:
    """When the trouble began: a reminder is younger than that."""
    told = item.payload.get("since")
    return datetime.fromisoformat(told) if isinstance(told, str) else item.created_at
