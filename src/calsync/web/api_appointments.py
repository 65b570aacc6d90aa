"""`/api/v1/appointments`: the platform's upserts, and every command of the book."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from calsync.booking.commands import (
    Ask,
    Attested,
    Outcome,
    Rulebook,
    ask_to_reschedule,
    book,
    cancel,
    complete,
    confirm,
    record_no_show,
    record_payment,
)
from calsync.booking.requests import answer as answer_request
from calsync.booking.requests import find_request, new_token
from calsync.booking.rules import check_own, check_owner, refuse
from calsync.domain.appointment import Appointment, SubjectKind
from calsync.domain.span import Span
from calsync.errors import Refused
from calsync.records.import_store import Stamp
from calsync.records.json_rows import appointment_row, history_row, instant_text
from calsync.records.one_row import ORIGIN, SaidAppointment, take_appointment
from calsync.store import pages, records, requests
from calsync.store.known import known_appointment
from calsync.store.records import AppointmentFilter
from calsync.support.minimum import record_told
from calsync.web import paging, shapes
from calsync.web.access import ReadingCaller
from calsync.web.bodies import (
    Asked,
    Attended,
    Booked,
    Cancelled,
    Chosen,
    Id,
    Missed,
    Moved,
    Paid,
    SaidRecord,
    Spoken,
    invalid,
)
from calsync.web.book_bodies import booking_of, cancellation_of, moment, move, outcome_row, wall
from calsync.web.calls import BookCall, PlatformCall, SiteHere
from calsync.web.problems import ApiProblem
from calsync.web.strict import StrictRoute

router = APIRouter(prefix="/appointments", tags=["appointments"], route_class=StrictRoute, responses=shapes.ERRORS)

Match = Annotated[
    str | None,
    Header(alias="If-Match", max_length=40, description="The `ETag` of the record that the change is meant for."),
]


@router.get("", response_model=shapes.Page[shapes.AppointmentShape], response_model_exclude_unset=True)
def list_appointments(
    site: SiteHere, caller: ReadingCaller, asked: Annotated[paging.SomeAppointments, Query()]
) -> dict[str, Any]:
    """Appointments by start, then id."""
    wanted = AppointmentFilter(
        provider=asked.provider,
        client=asked.client,
        status=asked.status,
        series=asked.series,
        since=moment("since", asked.since),
        until=moment("until", asked.until),
    )
    with site.database.reading() as conn:
        found, place = pages.appointments_page(conn, wanted, paging.read_place(asked.cursor), asked.limit)
        rows = [record_told(caller.role, row) for row in _rows(conn, found)]
    return paging.answer(rows, paging.place_text(place))


@router.post("", response_model=shapes.OutcomeShape, status_code=201)
def book_appointment(call: BookCall, body: Booked) -> Response:
    """Book a session. Clients get free slots only."""

    def act(conn: Connection) -> dict[str, Any]:
        return outcome_row(book(conn, call.command(body.by, note=body.note), booking_of(conn, call, body, "a")))

    return call.once(act, 201)


@router.get("/{appointment}", response_model=shapes.AppointmentShape)
def show_appointment(site: SiteHere, caller: ReadingCaller, appointment: Id) -> Response:
    """One appointment. Its `ETag` is for `If-Match`."""
    with site.database.reading() as conn:
        (row,) = _rows(conn, [known_appointment(conn, appointment)])
    return JSONResponse(record_told(caller.role, row), headers={"ETag": _tag(row["version"])})


@router.get("/{appointment}/history", response_model=shapes.Page[shapes.ChangeShape])
def show_history(site: SiteHere, caller: ReadingCaller, appointment: Id) -> dict[str, Any]:
    """Everything that happened to the record, in its order."""
    with site.database.reading() as conn:
        known_appointment(conn, appointment)
        rows = [history_row(one) for one in records.history(conn, SubjectKind.APPOINTMENT, appointment)]
    for row in rows:
        row |= {when: record_told(caller.role, row[when]) for when in ("before", "after") if row[when] is not None}
    return paging.answer(rows, None)


@router.put("/{appointment}", response_model=shapes.Said)
def say_appointment(call: PlatformCall, appointment: Id, body: SaidRecord, match: Match = None) -> Response:
    """Say what your records have of an appointment: it is added, changed, or left as it is. Repeating it is harmless.

    Order: with `updated_at`, what is older than what was said before is refused with 409 `stale-update`, whatever order
    requests arrive in. With `If-Match`, a record that has changed meanwhile is refused with 412. What you say otherwise
    than the last time counts; what people changed here since then stays. A changed time is a reschedule, `cancelled` a
    cancellation, and a row that you no longer send is neither.
    """
    settings = call.site.settings
    check_owner(Rulebook.of_settings(settings), [appointment])
    said = SaidAppointment(
        cells=body.cells(appointment),
        updated_at=moment("updated_at", body.updated_at),
        horizon=call.now + settings.sync.booked_ahead,
        configured={provider.id for provider in settings.providers},
    )

    def act(conn: Connection) -> dict[str, Any]:
        _check_match(conn, appointment, match)
        try:
            changed = take_appointment(conn, said, Stamp(call.now, call.caller.actor, origin=ORIGIN))
        except Refused as refusal:
            raise _said_wrong(refusal) from refusal
        (row,) = _rows(conn, [known_appointment(conn, appointment)])
        return {"appointment": row, "changed": dict(changed)}

    return call.once(act)


@router.post("/{appointment}/cancel", response_model=shapes.OutcomeShape)
def cancel_appointment(call: BookCall, appointment: Id, body: Cancelled) -> Response:
    """Cancel a session, or all upcoming ones of its series, by the practice's rules."""
    return call.once(
        lambda conn: outcome_row(
            cancel(conn, call.command(body.by, body.reason, body.note), appointment, cancellation_of(body))
        )
    )


@router.post("/{appointment}/reschedule", response_model=shapes.OutcomeShape)
def reschedule_appointment(call: BookCall, appointment: Id, body: Moved) -> Response:
    """Move a session, or it and all that follow, by the practice's rules. Clients get free slots only."""
    return call.once(lambda conn: outcome_row(move(conn, call, known_appointment(conn, appointment), body)))


@router.post("/{appointment}/ask-to-reschedule", response_model=shapes.AskedShape)
def ask_client(call: BookCall, appointment: Id, body: Asked) -> Response:
    """Ask the client to choose another time. The session stands until the answer, and is cancelled without one."""

    def act(conn: Connection) -> dict[str, Any]:
        ask = Ask(token=new_token(call.site.ids), block=body.block, answers=dict(body.answers))
        done = ask_to_reschedule(conn, call.command(body.by, body.reason, body.note), appointment, ask)
        until = find_request(conn, ask.token).expires_at
        return outcome_row(done) | {"token": ask.token, "expires_at": instant_text(until)}

    return call.once(act, secret=True)


@router.post("/{appointment}/respond", response_model=shapes.OutcomeShape)
def respond_to_request(call: BookCall, appointment: Id, body: Chosen) -> Response:
    """Take the client's answer to an open request: the session moves to `start`, which must be a free slot."""

    def act(conn: Connection) -> dict[str, Any]:
        one = known_appointment(conn, appointment)
        waiting = [each for each in requests.of_appointment(conn, appointment) if each.closed_at is None]
        if not waiting:
            raise refuse("no-request", "nobody waits for an answer", "Reschedule it instead", appointment)
        command = call.command(body.by, note=body.note)
        check_own(command.actor, one.provider, one.client, one.id)
        start = wall("start", body.start, one.span.zone)
        return outcome_row(answer_request(conn, command, waiting[-1], one.span.starting(start)))

    return call.once(act)


@router.post("/{appointment}/complete", response_model=shapes.OutcomeShape)
def complete_appointment(call: BookCall, appointment: Id, body: Attended) -> Response:
    """Record that a session took place; with `start` and `end`, when it really did."""

    def act(conn: Connection) -> dict[str, Any]:
        one = known_appointment(conn, appointment)
        attested = Attested({appointment: _attested(one, body)})
        return outcome_row(complete(conn, call.command(body.by, note=body.note), attested))

    return call.once(act)


@router.post("/{appointment}/no-show", response_model=shapes.OutcomeShape)
def note_no_show(call: BookCall, appointment: Id, body: Missed) -> Response:
    """Record that the client did not come."""
    return call.once(
        lambda conn: outcome_row(
            record_no_show(conn, call.command(body.by, note=body.note), appointment, waive_fee=body.waive_fee)
        )
    )


@router.post("/{appointment}/confirm", response_model=shapes.OutcomeShape)
def confirm_appointment(call: BookCall, appointment: Id, body: Spoken) -> Response:
    """Confirm a booking, as its provider."""
    return call.once(lambda conn: outcome_row(confirm(conn, call.command(body.by, note=body.note), appointment)))


@router.post("/{appointment}/paid", response_model=shapes.OutcomeShape)
def note_payment(call: BookCall, appointment: Id, body: Paid) -> Response:
    """Record that the client has paid. calsync moves no money."""

    def act(conn: Connection) -> dict[str, Any]:
        new = record_payment(conn, call.staff(body.by, body.note), appointment, body.amount or "")
        return outcome_row(Outcome(appointments=(appointment,)) if new else Outcome())

    return call.once(act)


def _rows(conn: Connection, found: list[Appointment]) -> list[dict[str, Any]]:
    facts = records.appointment_facts(conn, [one.id for one in found])
    rows = [appointment_row(one, facts[one.id]) for one in found]
    # Names stay with the clients' own address.
    return [{name: value for name, value in row.items() if name != "client_name"} for row in rows]


def _attested(one: Appointment, body: Attended) -> Span | None:
    if body.start is None and body.end is None:
        return None
    if body.start is None or body.end is None:
        raise invalid("start", "start and end go together: give both or neither")
    start, end = wall("start", body.start, one.span.zone), wall("end", body.end, one.span.zone)
    try:
        return Span(start, end, one.span.zone)
    except ValueError as problem:
        raise invalid("end", str(problem)) from problem


def _tag(version: int) -> str:
    return f'"{version}"'


def _check_match(conn: Connection, appointment: str, match: str | None) -> None:
    if match is None or match.strip() == "*":
        return
    known = records.appointment(conn, appointment)
    if known is None or match.strip() != _tag(known.version):
        raise ApiProblem(412, "changed-meanwhile", "The record is at another version. Read it again.")


def _said_wrong(refusal: Refused) -> Exception:
    if refusal.code != "row-refused":
        return refusal
    fields = [(one.where, f"{one.what}. {one.remedy}" if one.remedy else one.what) for one in refusal.problems]
    words = "Something in the request cannot be used; nothing was changed."
    return ApiProblem(422, "invalid", words, fields)
