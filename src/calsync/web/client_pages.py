"""What clients do from their mails: look at a session, move it, cancel it (PB-1 to PB-8, GT-3, GT-9, GT-27).

Policy, limit, fee, and whether this very cancellation would be late, stand on the page before anything is confirmed.
What the practice does not let clients do is not offered, and the page says whom to contact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from fastapi.responses import Response
from sqlalchemy import Connection

from calsync.booking.booking_links import Sealer, booking_token
from calsync.booking.command import Command, rules_for
from calsync.booking.commands import Cancellation, Move, Outcome, cancel, reschedule
from calsync.booking.rulebook import PracticeRules
from calsync.booking.rules import Scope
from calsync.booking.slots import SlotQuery
from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.domain.span import Span
from calsync.errors import NotFoundError
from calsync.notices import wording
from calsync.settings.lifecycle import Act
from calsync.store import clients, providers, records
from calsync.web.policy_words import policy_for
from calsync.web.slot_choice import Chooser, read_stamp, stamp
from calsync.web.visit import Unclear, Visit

_SURE: Final = "Please tick the box to confirm. Nothing was changed."
_WHY: Final = "Please say why. Nothing was changed."
_WHEN: Final = "Please choose a time. Nothing was changed."


@dataclass(frozen=True, slots=True)
class ManagesSessions:
    """What a link of kind `manage` shows and does: one session, or a choice among several."""

    def show(self, visit: Visit) -> Response | None:
        """The session with what can be done; the list where the link is about several."""
        with visit.site.database.reading() as conn:
            sessions = _sessions(conn, visit)
            if not sessions:
                return None
            one = _chosen(sessions, visit.wish("session"))
            if one is None:
                zone = zone_of(conn, sessions[0])
                rows = [{"when": when(each, zone), "url": f"?session={each.id}"} for each in sessions]
                return visit.show("client-list", sessions=rows)
            view = {"cancel": _cancel_view, "move": _move_view}.get(visit.wish("do"), _session_view)
            return view(conn, visit, one)

    def act(self, visit: Visit) -> Response | None:
        """Cancel or move the session; the link of one session is used up with it."""
        with visit.site.database.transaction() as conn:
            sessions = _sessions(conn, visit)
            one = _chosen(sessions, visit.wish("session"))
            step = {"cancel": _cancel, "move": _move}.get(visit.given.get("do", ""))
            if one is None or step is None or visit.given.get("version") != str(one.version):
                return None
            if len(sessions) == 1:
                visit.use(conn)
            return step(conn, visit, one)


# --- looking --------------------------------------------------------------------------------------------------------


def _session_view(conn: Connection, visit: Visit, one: Appointment) -> Response:
    zone = zone_of(conn, one)
    return visit.show("client-session", **session_facts(conn, one, zone), policy=_policy(conn, visit, one, zone))


def _cancel_view(conn: Connection, visit: Visit, one: Appointment) -> Response:
    zone = zone_of(conn, one)
    policy = _policy(conn, visit, one, zone)
    if policy.cannot_cancel:
        return _session_view(conn, visit, one)
    rules = rules_for(conn, visit.command(), one.provider)
    return visit.show(
        "client-cancel",
        **session_facts(conn, one, zone),
        policy=policy,
        reasons=reason_facts(rules, "cancel", visit.command()),
        is_series=one.series is not None,
        said=visit.given.get("reason", ""),
    )


def _move_view(conn: Connection, visit: Visit, one: Appointment) -> Response:
    zone = zone_of(conn, one)
    policy = _policy(conn, visit, one, zone)
    if policy.cannot_move:
        return _session_view(conn, visit, one)
    rules = rules_for(conn, visit.command(), one.provider)
    at, wanted = read_stamp(visit.wish("at")), visit.wish("format") or one.format or ""
    keep = {"do": "move", "session": one.id, "format": visit.wish("format")}
    chooser = Chooser(visit.command(), zone, keep)
    facts = session_facts(conn, one, zone)
    if at is None or visit.problem:
        query = move_query(one, visit.now, wanted)
        formats = [
            {"name": wording.format_words(each), "url": chooser.address(format=each), "is_on": each == wanted}
            for each in rules.policy.reschedule.formats
        ]
        same = one.span.start_at if wanted == (one.format or "") else None
        choice = chooser.choice(conn, query, visit.wish("from"), same)
        return visit.show("client-move", **facts, choice=choice, formats=formats, contact=policy.contact)
    return visit.show(
        "client-move-confirm",
        **facts,
        new=wording.long_span(moved(one, at), zone),
        at=stamp(at),
        format=wanted,
        format_words=wording.format_words(wanted) if wanted != (one.format or "") else "",
        reasons=reason_facts(rules, "reschedule", visit.command()),
        back=chooser.address(),
    )


def _policy(conn: Connection, visit: Visit, one: Appointment, zone: str) -> Any:
    return policy_for(conn, visit.command(), one, zone)


# --- doing ----------------------------------------------------------------------------------------------------------


def _cancel(conn: Connection, visit: Visit, one: Appointment) -> Response:
    rules = rules_for(conn, visit.command(), one.provider)
    reason = said_reason(visit, rules, "cancel")
    scope = visit.given.get("scope", "")
    if one.series is not None and scope not in ("this", "all-upcoming"):
        raise Unclear("Please choose whether only this session is meant, or all of them. Nothing was changed.")
    if visit.given.get("sure") != "yes":
        raise Unclear(_SURE)
    wish = Cancellation(scope=cast("Scope", scope) if one.series is not None else None)
    outcome = cancel(conn, visit.command(reason), one.id, wish)
    return _cancelled(conn, visit, one, outcome)


def _cancelled(conn: Connection, visit: Visit, one: Appointment, outcome: Outcome) -> Response:
    zone = zone_of(conn, one)
    kept = records.appointments_by_ids(conn, outcome.refused)
    buttons = []
    if outcome.rebook and (url := booking_path(conn, visit, one)) is not None:
        buttons.append(("Book another time", url))
    count = len(outcome.appointments)
    return visit.told(
        "Cancelled" if count == 1 else f"{count} sessions are cancelled",
        f"Your session on {when(one, zone)} is cancelled. You and your provider get a mail."
        if count == 1
        else "You and your provider get a mail with the list.",
        buttons=buttons,
        items=[f"{when(each, zone)} stays booked: {outcome.refused[each.id]}" for each in kept.values()],
        resources=outcome.resources,
    )


def _move(conn: Connection, visit: Visit, one: Appointment) -> Response:
    at = read_stamp(visit.given.get("at", ""))
    if at is None:
        raise Unclear(_WHEN)
    rules = rules_for(conn, visit.command(), one.provider)
    reason = said_reason(visit, rules, "reschedule")
    if visit.given.get("sure") != "yes":
        raise Unclear(_SURE)
    wanted = visit.given.get("format") or None
    scope: Scope | None = None if one.series is None else "this"
    move = Move(span=moved(one, at), scope=scope, format=wanted if wanted != one.format else None)
    reschedule(conn, visit.command(reason), one.id, move)
    zone = zone_of(conn, one)
    text = f"Your session is now on {wording.long_span(move.span, zone)} ({wording.zone_words(zone)})."
    return visit.told("Your session has a new time", f"{text} You and your provider get a mail.")


def said_reason(visit: Visit, rules: PracticeRules, act: Act) -> str | None:
    """The reason that was chosen or written, where the practice wants one; `Unclear` if it is missing."""
    need = rules.reason_need(act, visit.command().role)
    reason = visit.given.get("reason", "").strip()[:500]
    if need != "none" and not reason:
        raise Unclear(_WHY)
    return reason or None


# --- what both need -------------------------------------------------------------------------------------------------


def _sessions(conn: Connection, visit: Visit) -> list[Appointment]:
    """The sessions that the link is about and that are still to come, if they are still this client's."""
    wanted = [str(number) for number in visit.link.payload.get("appointments", ())]
    found = records.appointments_by_ids(conn, wanted).values()
    fit = [one for one in found if one.client == visit.person and one.status is AppointmentStatus.SCHEDULED]
    return sorted((one for one in fit if one.span.start_at > visit.now), key=lambda one: one.span.start_at)


def _chosen(sessions: Sequence[Appointment], number: str) -> Appointment | None:
    if len(sessions) == 1 and number in ("", sessions[0].id):
        return sessions[0]
    return next((one for one in sessions if one.id == number), None)


def zone_of(conn: Connection, one: Appointment) -> str:
    """The zone in which a client reads a session's times."""
    client = clients.get(conn, one.client)
    return (client.zone if client is not None else None) or one.client_zone or one.span.zone


def when(one: Appointment, zone: str) -> str:
    """A session's time for a client."""
    return wording.long_span(one.span, zone)


def moved(one: Appointment, at: datetime) -> Span:
    """The session's span at another start, as long as it is."""
    return Span.between(at, at + one.span.length, one.span.zone)


def move_query(one: Appointment, now: datetime, wanted: str) -> SlotQuery:
    """What is asked of the provider's free times for moving a session."""
    return SlotQuery(
        provider=one.provider, since=now, until=now, length=one.span.length, format=wanted or None, leaving=[one.id]
    )


def session_facts(conn: Connection, one: Appointment, zone: str) -> dict[str, Any]:
    """What every page about one session shows of it."""
    provider = providers.get(conn, one.provider)
    return {
        "when": when(one, zone),
        "zone": wording.zone_words(zone),
        "with_whom": wording.on_one_line(provider.name) if provider is not None else "",
        "format_now": wording.format_words(one.format),
        "session": one.id,
        "version": one.version,
    }


def reason_facts(rules: PracticeRules, act: Act, command: Command) -> dict[str, Any]:
    """How a reason is asked for: not at all, in words, or by a list."""
    return {
        "need": rules.reason_need(act, command.role),
        "list": [(one.code, one.text) for one in rules.reasons(act, command.role)],
    }


def booking_path(conn: Connection, visit: Visit, one: Appointment) -> str | None:
    """The path of the client's page for booking with the same provider."""
    try:
        sealer = Sealer(visit.site.keys(), visit.site.ids)
        return f"/a/{booking_token(conn, visit.command(), sealer, one.client, one.provider)}"
    except NotFoundError:
        return None
