"""Asking a client for another time instead of cancelling: the request, its answer, and its end by time (GT-23 to 26).

The session stays in force, marked as pending, until the client answers or the request lapses.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from calsync.booking.blocks import block_old_time
from calsync.booking.charges import give_back_credit
from calsync.booking.command import Command, Outcome, note, rules_for, tell, write
from calsync.booking.rescheduling import Move, move_to
from calsync.booking.rulebook import PracticeRules, Rulebook
from calsync.booking.rules import (
    Scope,
    caused_by,
    check_answers,
    check_open,
    check_own,
    check_reason,
    check_who,
    refuse,
)
from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.domain.span import Span
from calsync.ports import Ids
from calsync.settings.lifecycle import Reason
from calsync.store import action_links, plan_changes, records, requests
from calsync.store.action_links import ActionLink
from calsync.store.database import Database
from calsync.store.known import known_appointment
from calsync.store.plan_changes import PlanChange
from calsync.store.requests import Request

_TOKEN_BYTES: Final = 32

ANSWER_REQUEST: Final = "answer-request"
"""The kind of link by which a client answers; its payload is `{"request": ID, "appointment": ID}`."""

PENDING: Final = "reschedule"
"""What an appointment's `pending` says while a request is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request. `token` is fresh and unguessable: it stands in the client's link. `block`: block the old time."""

    token: str
    block: bool = False
    answers: dict[str, str] | None = None


def ask_to_reschedule(conn: Connection, command: Command, appointment_id: str, ask: Ask) -> Outcome:
    """Ask the client to choose another time; the session stands until then.

    The request lapses after the practice's time, or when the session starts. Refused: `who-may-ask-to-reschedule`,
    `not-yours`, `already-…`, `already-started`, `already-asked`, `reason-…`, `answer-needed`, `block-not-offered`.
    """
    one = known_appointment(conn, appointment_id)
    rules = rules_for(conn, command, one.provider)
    reason = _check_ask(rules, command, one, ask)
    expires_at = min(command.now + rules.policy.ask_to_reschedule.answer_within, one.span.start_at)
    block = block_old_time(conn, command, rules, one) if ask.block else None
    write(conn, command, "asked-to-reschedule", [replace(one, pending=PENDING)], pending_until=expires_at)
    known = records.appointments_by_ids(conn, [one.id])[one.id]
    request = Request(
        id=f"{one.id}.ask-{known.version}",
        appointment=one.id,
        state="open",
        asked_at=command.now,
        asked_by=command.actor,
        reason=command.reason,
        expires_at=expires_at,
        block=block,
    )
    requests.insert(conn, request)
    put_link(conn, request, one, ask.token)
    _note_change(conn, command, known, reason, ask)
    note(
        conn,
        command,
        "asked-to-reschedule",
        f"appointment:{one.id}",
        {"request": request.id, "until": expires_at.isoformat(), "block": block},
    )
    told = {"reason": reason.code} if reason is not None else {}
    tell(conn, command, "reschedule-asked", [one], request=request.id, **told)
    return Outcome(
        appointments=(one.id,),
        blocks=() if block is None else (block,),
        resources=tuple((each.text, each.url) for each in (reason.resources if reason is not None else ())),
    )


def new_token(ids: Ids) -> str:
    """A fresh, unguessable text for a client's link; it never looks like an option of a command."""
    return "r" + urlsafe_b64encode(ids.token_bytes(_TOKEN_BYTES)).rstrip(b"=").decode("ascii")


def put_link(conn: Connection, request: Request, one: Appointment, token: str) -> None:
    """Put a link on the books by which the client answers a request; several may lead to the same one."""
    link = ActionLink(
        hash=action_links.hash_of(token),
        kind=ANSWER_REQUEST,
        recipient=f"client:{one.client}",
        payload={"request": request.id, "appointment": one.id},
        created_at=request.asked_at,
        expires_at=request.expires_at,
    )
    action_links.insert(conn, link)


def find_request(conn: Connection, token: str) -> Request:
    """Return the open request that a client's link is for.

    Refused: `link-unknown`, `request-answered`, `request-expired`, `request-withdrawn`.
    """
    link = action_links.get(conn, action_links.hash_of(token))
    found = requests.get(conn, str(link.payload.get("request"))) if link and link.kind == ANSWER_REQUEST else None
    if found is None or link is None or link.revoked_at is not None:
        raise refuse(
            "link-unknown", "this link leads nowhere", "Take the newest one from your mail, or ask your provider"
        )
    return found


def respond(conn: Connection, token: str, start: datetime, command: Command) -> Outcome:
    """Answer a request by the client's link: the session moves to `start` (naive, in its zone), and keeps its length.

    The client acts, whoever `command` names. Refused: as `find_request` and moving a session are; `slot-taken`.
    """
    request = find_request(conn, token)
    one = known_appointment(conn, request.appointment)
    _check_still_open(conn, request, one, command.now)
    return answer(conn, replace(command, actor=f"client:{one.client}"), request, one.span.starting(start))


def answer(conn: Connection, command: Command, request: Request, span: Span) -> Outcome:
    """Move the session of an open request to the time that the client chose, and close the request."""
    one = known_appointment(conn, request.appointment)
    _check_still_open(conn, request, one, command.now)
    if not requests.close(conn, request.id, "answered", command.now, command.actor):
        _check_still_open(conn, requests.get(conn, request.id) or request, one, command.now)
    command = replace(command, reason=command.reason or "asked to choose another time")
    scope: Scope | None = None if one.series is None else "this"
    outcome = move_to(conn, command, one, Move(span=span, scope=scope))
    note(conn, command, "request-answered", f"appointment:{one.id}", {"request": request.id})
    return outcome


def expire_requests(database: Database, rulebook: Rulebook, now: datetime) -> int:
    """Cancel the sessions of requests whose time is over, each once and in its own transaction; how many (GT-25).

    Whenever it runs, late or twice or in two processes at once, it does so once.
    """
    with database.reading() as conn:
        due = [request.id for request in requests.lapsed(conn, now)]
    done = 0
    for key in due:
        with database.transaction() as conn:
            done += _expire(conn, Command(actor="system", now=now, reason="no-answer", rulebook=rulebook), key)
    return done


def _expire(conn: Connection, command: Command, key: str) -> int:
    request = requests.get(conn, key)
    if request is None or request.expires_at > command.now:
        return 0
    if not requests.close(conn, key, "expired", command.now, command.actor):
        return 0
    one = known_appointment(conn, request.appointment)
    if one.status is not AppointmentStatus.SCHEDULED or one.pending != PENDING:
        return 0
    changed = [replace(one, status=AppointmentStatus.CANCELLED, pending=None)]
    write(conn, command, "cancelled", changed)
    plan_changes.end_confirmations(conn, [one.id], command.now)
    note(conn, command, "request-expired", f"appointment:{one.id}", {"request": key})
    give_back_credit(conn, command, one)
    tell(conn, command, "appointment-cancelled", changed, rebook=True, request=key)
    return 1


def _check_ask(rules: PracticeRules, command: Command, one: Appointment, ask: Ask) -> Reason | None:
    check_who(rules, rules.policy.ask_to_reschedule.by, "ask-to-reschedule", command.actor, one.id)
    check_own(command.actor, one.provider, one.client, one.id)
    check_open(one, "moved")
    if one.span.start_at <= command.now:
        raise refuse("already-started", "it has started already", "Record what became of it", one.id)
    if one.pending is not None:
        what = "the client has been asked already and has not answered yet"
        raise refuse("already-asked", what, "Wait for the answer, or move or cancel it yourself", one.id)
    reason = check_reason(rules, "ask-to-reschedule", command.role, command.reason)
    check_answers(reason, ask.answers or {})
    offered = rules.policy.ask_to_reschedule.block and (reason is None or reason.block != "no")
    if ask.block and not offered:
        raise refuse("block-not-offered", "with this reason the old time is not blocked", "Leave --block out", one.id)
    if reason is not None and reason.block == "must" and not ask.block:
        raise refuse("block-needed", "with this reason the old time must be blocked", "Repeat it with --block", one.id)
    return reason


def _check_still_open(conn: Connection, request: Request, one: Appointment, now: datetime) -> None:
    stands = one.status is AppointmentStatus.SCHEDULED and one.pending == PENDING
    if request.state == "open" and not stands:
        # Between reading the one and the other, somebody else may have answered.
        request = requests.get(conn, request.id) or request
    if request.state == "answered":
        when = f"{one.span.start:%a %d %b %Y, %H:%M} ({one.span.zone})"
        raise refuse("request-answered", f"a time has been chosen already: {when}", "Ask your provider to change it")
    if request.state == "withdrawn" or (request.state == "open" and not stands):
        raise refuse("request-withdrawn", "the session has been changed otherwise since", "Ask your provider", one.id)
    if request.state == "expired" or request.expires_at <= now:
        raise refuse(
            "request-expired", "the time for an answer is over", "Ask your provider for another session", one.id
        )


def _note_change(conn: Connection, command: Command, one: Appointment, reason: Reason | None, ask: Ask) -> None:
    change = PlanChange(
        id=f"{one.id}/{one.version}",
        appointment=one.id,
        provider=one.provider,
        act="ask-to-reschedule",
        at=command.now,
        by=command.actor,
        reason=command.reason,
        caused_by=caused_by(reason, command.role),
        answers=dict(ask.answers or {}),
    )
    plan_changes.record(conn, [change])
