"""The practices' rules: may this actor do this now? The one place for them; every command asks here before it changes.

A practice's values come from its file; until it says otherwise the permissive ones hold. A refusal names its rule by a
code, says why, and what the person can do instead. All limits count elapsed time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.errors import Problem, Refused

Scope = Literal["this", "this-and-following", "all-upcoming"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeRules:
    """One practice's values. `grace`: how long after the start a no-show may be recorded at the earliest.

    `may_change_past`: who may still cancel or move a session whose start has passed. `double_booking`: whether one
    provider may have two sessions at a time.
    """

    grace: timedelta = timedelta(0)
    reason_needed: bool = True
    double_booking: bool = False
    may_change_past: frozenset[str] = frozenset({"support", "system", "provider"})


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules of every practice, by its id; the permissive ones for those that set none."""

    practices: Mapping[str, PracticeRules] = field(default_factory=dict)

    def of(self, practice: str) -> PracticeRules:
        """One practice's rules."""
        return self.practices.get(practice, PracticeRules())


PERMISSIVE: Final = Rulebook()


def refuse(code: str, what: str, remedy: str = "", where: str = "") -> Refused:
    """The refusal of a command, to be raised by the caller. `code` is stable and names the rule."""
    return Refused([Problem(what, where, remedy)], code=code)


def check_reason(rules: PracticeRules, reason: str | None) -> None:
    """A change of plans carries its reason."""
    if rules.reason_needed and not (reason or "").strip():
        raise refuse("reason-needed", "a reason is needed", "Say why with --reason")


def check_open(one: Appointment, wish: str) -> None:
    """Only a session that is still to be can be cancelled or moved."""
    if one.status is not AppointmentStatus.SCHEDULED:
        remedy = {
            AppointmentStatus.COMPLETED: "If it took place otherwise, say so to support",
            AppointmentStatus.NO_SHOW: "A no-show stays as it was recorded",
        }.get(one.status, "Book it anew if it is to take place after all")
        raise refuse(f"already-{one.status}", f"it is {one.status} already, so it cannot be {wish}", remedy, one.id)


def check_not_over(rules: PracticeRules, one: Appointment, role: str, now: datetime) -> None:
    """Once a session has started, only those whom the practice names change its time or call it off."""
    if one.span.start_at <= now and role not in rules.may_change_past:
        raise refuse("already-started", "it has started already", "Ask support to change it", one.id)


def check_scope(one: Appointment, scope: Scope | None, allowed: tuple[Scope, Scope]) -> Scope:
    """A member of a series is changed with a word on how many are meant (GT-21); a single session needs none."""
    if one.series is None:
        if scope not in (None, "this"):
            raise refuse("not-a-series", f"it belongs to no series, so {scope!r} means nothing here", where=one.id)
        return "this"
    if scope is None or scope not in allowed:
        raise refuse(
            "scope-needed",
            f"it belongs to series {one.series}",
            f"Say which sessions are meant: --scope {allowed[0]} or --scope {allowed[1]}",
            one.id,
        )
    return scope


def check_cadence(scope: Scope, cadence: str | None) -> None:
    """Another cadence is for all that follow, never for one session (GT-22)."""
    if cadence is not None and scope != "this-and-following":
        raise refuse(
            "cadence-needs-following",
            "a cadence cannot change for one session alone",
            "Use --scope this-and-following",
        )


def check_upcoming_start(rules: PracticeRules, start_at: datetime, role: str, now: datetime) -> None:
    """A session is put into the future, but by those who may correct the past."""
    if start_at <= now and role not in rules.may_change_past:
        raise refuse("in-the-past", "that time is over", "Choose a time that is still to come")


def check_may_complete(one: Appointment, now: datetime) -> None:
    """What has not begun cannot have taken place."""
    if one.status not in (AppointmentStatus.SCHEDULED, AppointmentStatus.COMPLETED):
        raise refuse(f"already-{one.status}", f"it is {one.status} already", "Ask support if it took place", one.id)
    if one.span.start_at > now:
        raise refuse("not-started", "it has not started yet", f"Record it after {_clock(one)}", one.id)


def check_no_show(rules: PracticeRules, one: Appointment, now: datetime) -> None:
    """A client is only missing once the session should have begun, and the grace is over (GT-6)."""
    check_open(one, "a no-show")
    if now < one.span.start_at + rules.grace:
        minutes = int(rules.grace.total_seconds() // 60)
        grace = f" and {minutes} minutes of grace" if minutes else ""
        raise refuse(
            "not-started", "it is too early for that", f"Possible after its start at {_clock(one)}{grace}", one.id
        )


def _clock(one: Appointment) -> str:
    return f"{one.span.start:%a %d %b %Y, %H:%M} ({one.span.zone})"
