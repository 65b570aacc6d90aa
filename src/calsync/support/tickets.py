"""Texts for tickets, in three voices: what to tell a provider, a colleague at support, the billing office. Pure.

Plain sentences, the time first, no codes, no names: only the session's number and its slot. What counts now, what
happens next, what to do and until when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from calsync.claims.answer import Answer
from calsync.claims.reasons import Party, Verdict
from calsync.domain.appointment import Appointment
from calsync.domain.drift import Disposition, Drift, Phase, Resolution
from calsync.notices.wording import long_day
from calsync.support.words import PHASES, booked, happened, moment_text, span_text, standing

_ACTS: Final = {
    Party.PROVIDER: "the provider must answer",
    Party.SUPPORT: "support must act",
    Party.BILLING: "billing must act",
    Party.SYSTEM: "nothing to do; it is looked at again by itself",
    Party.NOBODY: "only time will tell",
}


class Voice(StrEnum):
    """Whom the text is for."""

    PROVIDER = "provider"
    SUPPORT = "support"
    BILLING = "billing"


@dataclass(frozen=True, slots=True)
class Matter:
    """What a ticket is about. `answer` None: the gate was not asked, or the session is still to come."""

    appointment: Appointment
    drifts: Sequence[Drift]
    answer: Answer | None
    asked_at: datetime | None
    now: datetime


def ticket_text(matter: Matter, voice: Voice) -> str:
    """The text, ready to be pasted."""
    sentences = {Voice.PROVIDER: _provider, Voice.SUPPORT: _support, Voice.BILLING: _billing}[voice](matter)
    return "\n".join(one for one in sentences if one)


def candidate_dates(matter: Matter) -> list[date]:
    """The days on which the session may have been, the booked one first: for whoever may decide between them."""
    seen = [one.observed for one in matter.drifts if one.observed is not None and _is_asked(one)]
    days = [(one.proposed or one.span).local_date for one in seen]
    return list(dict.fromkeys([matter.appointment.span.local_date, *days]))


def _provider(matter: Matter) -> list[str]:
    one, zone = matter.appointment, matter.appointment.span.zone
    lines = [f"Your session on {span_text(one.span, zone)} (no. {one.id}):"]
    if not one.status.shows_in_calendars:
        lines.append("It is cancelled. If an event of it is still in your calendar, it will be taken away.")
    asked = [drift for drift in matter.drifts if _is_asked(drift)]
    for drift in asked:
        lines += _told_provider(drift, zone)
    if asked:
        lines.append("Please use the buttons in our mail, or tell us which time is right.")
        if matter.answer is not None and matter.answer.verdict is Verdict.HELD:
            until = f" The last day to bill it is {long_day(matter.answer.file_by)}." if matter.answer.file_by else ""
            lines.append(f"Until then it is not billed.{until}")
    elif one.status.shows_in_calendars:
        lines.append("It stands as booked, and nothing is needed from you.")
    return lines


def _told_provider(drift: Drift, zone: str) -> list[str]:
    """What happened, and what counts now."""
    when = moment_text(drift.detected_at, zone)
    lines = [f"On {when} we saw that it had been {happened(drift, zone)} in your calendar."]
    if drift.phase is not Phase.UPCOMING:
        lines.append("We changed nothing. The bill must carry the day on which you really met.")
    elif drift.resolution is Resolution.REVERTED:
        lines.append(
            "A change in the calendar does not tell your client or the practice, so it is still booked as before, and "
            "your calendar shows that time again. That is why it seemed to jump back."
        )
    elif drift.disposition is Disposition.FLAG:
        lines.append("It is still booked as before. We left your calendar as it is, and ask you which time is right.")
    else:
        lines.append("It is still booked as before. Your calendar will show that time again in a moment.")
    return lines


def _support(matter: Matter) -> list[str]:
    one, zone = matter.appointment, matter.appointment.span.zone
    lines = [f"Session {one.id} of provider {one.provider}: {span_text(one.span, zone)} ({zone}), {one.status}."]
    lines += [_told_support(drift, zone) for drift in matter.drifts]
    if not matter.drifts:
        lines.append("Nobody has changed it in a calendar.")
    if matter.asked_at is not None:
        lines.append(f"The provider was asked {moment_text(matter.asked_at, zone)}.")
    if matter.answer is not None:
        lines.append(_claim(matter.answer, zone))
    return lines


def _told_support(drift: Drift, zone: str) -> str:
    seen = f"{happened(drift, zone)} in calendar {drift.calendar}, {PHASES[drift.phase]}"
    when = moment_text(drift.detected_at, zone)
    return f"{when}: {seen}; booked {booked(drift, zone)}. Now: {standing(drift)}."


def _billing(matter: Matter) -> list[str]:
    one, zone, answer = matter.appointment, matter.appointment.span.zone, matter.answer
    lines = [f"Session {one.id}, booked {span_text(one.span, zone)}:"]
    if answer is None:
        lines.append("It is not over yet; there is nothing to bill.")
        return lines
    lines.append(_claim(answer, zone))
    asked = [drift for drift in matter.drifts if _is_asked(drift)]
    lines += [f"What we saw: {happened(drift, zone)} ({PHASES[drift.phase]})." for drift in asked]
    if answer.verdict is Verdict.HELD:
        days = candidate_dates(matter)
        if len(days) > 1:
            lines.append(f"It is one of these days: {', '.join(f'{day:%a %d %b %Y}' for day in days)}.")
        asked_at = f"Asked {moment_text(matter.asked_at, zone)}." if matter.asked_at else "Nobody has been asked yet."
        lines.append(asked_at)
        lines.append(
            "It is released when the provider answers, when a log of the session arrives, or when somebody "
            "of billing records a decision with a reason."
        )
    return lines


def _claim(answer: Answer, zone: str) -> str:
    if answer.verdict is Verdict.CLEARED:
        return f"Its claim may go out, with date {answer.date_of_service}."
    if answer.verdict is not Verdict.HELD:
        return f"It is not billed: {answer.sentence}"
    acts = f" Now {_ACTS[answer.waiting_on]}." if answer.waiting_on is not None else ""
    until = f" Last day to file: {answer.file_by:%a %d %b %Y}." if answer.file_by is not None else ""
    step = f" Next step by itself: {moment_text(answer.next_step_at, zone)}." if answer.next_step_at else ""
    return f"Its claim waits. {answer.sentence}{acts}{step}{until}"


def _is_asked(drift: Drift) -> bool:
    return drift.resolution in (Resolution.OPEN, Resolution.REVERTED) and drift.disposition is not Disposition.IGNORE
