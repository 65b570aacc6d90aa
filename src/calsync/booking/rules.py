"""The practices' rules: may this actor do this now? The one place for them; every command asks here before it changes.

The values stand in the practice's file (`calsync.settings.practice`) and are asked for in `calsync.booking.rulebook`.
A refusal names its rule by a code, says why, and what the person can do instead. All limits count elapsed time.
`calsync.booking.conditions` weighs what a cancellation costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

from calsync.booking.rulebook import PracticeRules, Rulebook
from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.domain.span import wall_time
from calsync.errors import Problem, Refused
from calsync.settings.lifecycle import Act, CausedBy, Reason, Role, Roles

Scope = Literal["this", "this-and-following", "all-upcoming"]

_DOING: Final[Mapping[str, str]] = {
    "book": "book a session",
    "cancel": "cancel this session",
    "reschedule": "move this session",
    "ask-to-reschedule": "ask the client for another time",
    "no-show": "record a no-show",
    "complete": "record that a session took place",
    "pause": "pause bookings",
    "resume": "take up bookings again",
    "block": "block a provider's time",
    "set-availability": "set working times",
    "waive-fee": "waive a fee",
    "change-fee": "change a fee",
    "confirm": "confirm a booking",
}
_NAMED: Final = 10


def refuse(code: str, what: str, remedy: str, where: str = "") -> Refused:
    """The refusal of a command, to be raised by the caller. `code` is stable and names the rule.

    `remedy` is what the person can do instead: there always is something.
    """
    return Refused([Problem(what, where, remedy)], code=code)


def check_owner(rulebook: Rulebook, ids: Iterable[str]) -> None:
    """Refuse to change records that belong to another platform, and name the page where they are changed (R-29)."""
    if rulebook.elsewhere is None:
        return
    problems = []
    for one in list(ids)[:_NAMED]:
        page = rulebook.elsewhere.page_of(one)
        remedy = "Change it on the platform" + (f": {page}" if page is not None else "")
        problems.append(Problem("sessions belong to the platform that they are read from", one, remedy))
    raise Refused(problems or [Problem("sessions belong to another platform")], code="records-elsewhere")


# --- who ----------------------------------------------------------------------------------------------------------


def check_who(rules: PracticeRules, allowed: Roles, act: str, actor: str, where: str = "") -> None:
    """Only the roles that the practice names do this (code `who-may-…`)."""
    role = actor.partition(":")[0]
    if role in allowed:
        return
    contact = rules.policy.policy.contact
    remedy = f"Please contact {contact}" if role == "client" else f"Ask {_people(allowed)}"
    raise refuse(f"who-may-{act}", f"{_article(role)} cannot {_DOING[act]} at this practice", remedy, where)


def check_own(actor: str, provider: str, client: str | None = None, where: str = "") -> None:
    """Providers and clients act on their own sessions only (code `not-yours`)."""
    role, _, key = actor.partition(":")
    if (role == "provider" and key != provider) or (role == "client" and client is not None and key != client):
        raise refuse("not-yours", "it is somebody else's", "Ask support to do it", where)


def check_notice(rules: PracticeRules, act: Act, one: Appointment, actor: str, now: datetime) -> None:
    """A client acts alone only until so long before the start; exactly that is in time (code `client-notice`)."""
    notice = rules.notice(act)
    if not actor.startswith("client:") or one.span.start_at - now >= notice:
        return
    if act == "cancel" and rules.policy.cancel.client_late == "fee" and one.span.start_at > now:
        return
    limit = f"{_clock(one.span.start_at - notice, one)}, {_hours(notice)} before it starts"
    raise refuse(
        "client-notice",
        f"clients {'cancel' if act == 'cancel' else 'move'} it on their own until {limit}",
        f"Please contact {rules.policy.policy.contact}",
        one.id,
    )


# --- why ----------------------------------------------------------------------------------------------------------


def check_reason(rules: PracticeRules, act: Act, role: str, reason: str | None) -> Reason | None:
    """A change of plans carries its reason (codes `reason-needed`, `reason-unknown`); the list's entry, or None."""
    need = rules.reason_need(act, role)
    given = (reason or "").strip()
    listed = rules.reasons(act, role)
    found = next((one for one in listed if given.casefold() in (one.code.casefold(), one.text.casefold())), None)
    choices = ", ".join(one.code for one in listed)
    if need != "none" and not given:
        remedy = f"Choose one with --reason: {choices}" if need == "list" else "Say why with --reason"
        raise refuse("reason-needed", "a reason is needed", remedy)
    if need == "list" and found is None:
        raise refuse("reason-unknown", f"{given[:60]!r} is no reason of this practice for it", f"Choose: {choices}")
    return found


def caused_by(reason: Reason | None, role: str) -> CausedBy:
    """Whose doing a change is: as the reason on the list says, else that of whoever makes it."""
    if reason is not None:
        return reason.caused_by
    return "client" if role == "client" else "provider" if role == "provider" else "practice"


def check_answers(reason: Reason | None, answers: Mapping[str, str]) -> None:
    """The reason's questions are answered (code `answer-needed`), and no others are (`answer-unknown`)."""
    asked = {one.id: one for one in reason.questions} if reason is not None else {}
    missing = [one for one in asked.values() if one.required and not answers.get(one.id, "").strip()]
    if missing:
        problems = [Problem(one.text, one.id, f"Answer with --answer {one.id}=…") for one in missing]
        raise Refused(problems, code="answer-needed")
    if unknown := sorted(set(answers) - set(asked)):
        raise refuse("answer-unknown", f"nothing was asked under the name {unknown[0]!r}", "Leave it out")


# --- when, and which ----------------------------------------------------------------------------------------------


def check_open(one: Appointment, wish: str) -> None:
    """Only a session that is still to be can be cancelled or moved."""
    if one.status is not AppointmentStatus.SCHEDULED:
        remedy = {
            AppointmentStatus.COMPLETED: "If it took place otherwise, say so to support",
            AppointmentStatus.NO_SHOW: "A no-show stays as it was recorded",
        }.get(one.status, "Book it anew if it is to take place after all")
        raise refuse(f"already-{one.status}", f"it is {one.status} already, so it cannot be {wish}", remedy, one.id)


def check_not_over(allowed: Roles, one: Appointment, role: str, now: datetime) -> None:
    """Once a session has started, only those whom the practice names change its time or call it off."""
    if one.span.start_at <= now and role not in allowed:
        raise refuse("already-started", "it has started already", "Ask support to change it", one.id)


def check_scope(one: Appointment, scope: Scope | None, allowed: tuple[Scope, Scope]) -> Scope:
    """A member of a series is changed with a word on how many are meant (GT-21); a single session needs none."""
    if one.series is None:
        if scope not in (None, "this"):
            raise refuse(
                "not-a-series", f"it belongs to no series, so {scope!r} means nothing here", "Leave --scope out", one.id
            )
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


def check_format(rules: PracticeRules, wanted: str | None) -> None:
    """A session has one of the practice's formats (code `format-unknown`)."""
    known = rules.policy.reschedule.formats
    if wanted is not None and known and wanted not in known:
        raise refuse("format-unknown", f"{wanted[:60]!r} is no format of this practice", f"Choose: {', '.join(known)}")


def check_upcoming_start(allowed: Roles, start_at: datetime, role: str, now: datetime) -> None:
    """A session is put into the future, but by those who may correct the past."""
    if start_at <= now and role not in allowed:
        raise refuse("in-the-past", "that time is over", "Choose a time that is still to come")


def check_may_complete(one: Appointment, now: datetime) -> None:
    """What has not begun cannot have taken place."""
    if one.status not in (AppointmentStatus.SCHEDULED, AppointmentStatus.COMPLETED):
        raise refuse(f"already-{one.status}", f"it is {one.status} already", "Ask support if it took place", one.id)
    if one.span.start_at > now:
        raise refuse(
            "not-started", "it has not started yet", f"Record it after {_clock(one.span.start_at, one)}", one.id
        )


def check_no_show(rules: PracticeRules, one: Appointment, now: datetime) -> None:
    """A client is only missing once the session should have begun, and the grace is over (GT-6)."""
    check_open(one, "a no-show")
    grace = rules.policy.no_show.grace
    if now < one.span.start_at + grace:
        minutes = int(grace.total_seconds() // 60)
        told = f" and {minutes} minutes of grace" if minutes else ""
        begins = _clock(one.span.start_at, one)
        raise refuse("not-started", "it is too early for that", f"Possible after its start at {begins}{told}", one.id)


def _clock(at: datetime, one: Appointment) -> str:
    return f"{wall_time(at, one.span.zone):%a %d %b %Y, %H:%M} ({one.span.zone})"


def _hours(length: timedelta) -> str:
    hours, rest = divmod(int(length.total_seconds()), 3600)
    return f"{hours} hours" if not rest else f"{int(length.total_seconds()) // 60} minutes"


def _article(role: str) -> str:
    return {"client": "clients", "provider": "a provider", "support": "support"}.get(role, "the system")


def _people(allowed: tuple[Role, ...]) -> str:
    people = [role for role in ("support", "provider") if role in allowed]
    return (
        {"support": "support", "provider": "the provider"}[people[0]]
        if people
        else "whoever keeps the practice's rules"
    )
