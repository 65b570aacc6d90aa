"""`/api/v1/series`, `blocks`, `fees`, `slots` and `availability`: the rest of the book."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from calsync.booking.availability import set_availability
from calsync.booking.commands import (
    Command,
    Rulebook,
    add_block,
    book_series,
    cancel_series,
    change_fee,
    remove_block,
)
from calsync.booking.rules import refuse
from calsync.booking.slots import SlotQuery, free_slots
from calsync.domain.appointment import AppointmentStatus, Block
from calsync.errors import NotFoundError, Refused
from calsync.records.availability_file import availability_of
from calsync.records.json_rows import block_row, fee_row, series_row, span_row
from calsync.store import availability as working_times
from calsync.store import money, records
from calsync.store.known import known_provider, known_series
from calsync.web import paging, shapes
from calsync.web.access import ReadingCaller
from calsync.web.bodies import Blocked, BookedSeries, Cancelled, FeeChanged, Id, Moved, Spoken, Times
from calsync.web.book_bodies import booking_of, cancellation_of, moment, move, outcome_row, zone_of
from calsync.web.calls import BookCall, SiteHere
from calsync.web.problems import ApiProblem
from calsync.web.strict import StrictRoute

router = APIRouter(route_class=StrictRoute, responses=shapes.ERRORS)


# --- series --------------------------------------------------------------------------------------------------------


@router.get("/series", tags=["series"], response_model=shapes.Page[shapes.SeriesShape])
def list_series(site: SiteHere, _caller: ReadingCaller, asked: Annotated[paging.OfProvider, Query()]) -> dict[str, Any]:
    """Series by id; their sessions are among the appointments."""
    with site.database.reading() as conn:
        known = records.all_series(conn, asked.provider)
    found, after = paging.page_of(known, lambda one: paging.by_id(one.id), asked.cursor, asked.limit)
    return paging.answer([series_row(one) for one in found], after)


@router.post("/series", tags=["series"], response_model=shapes.OutcomeShape, status_code=201)
def make_series(call: BookCall, body: BookedSeries) -> Response:
    """Book a series; `start` is its first session."""

    def act(conn: Connection) -> dict[str, Any]:
        command = call.command(body.by, note=body.note)
        horizon = command.now + call.site.settings.sync.booked_ahead
        return outcome_row(book_series(conn, command, booking_of(conn, call, body, "s"), body.rule, horizon))

    return call.once(act, 201)


@router.get("/series/{series}", tags=["series"], response_model=shapes.SeriesShape)
def show_series(site: SiteHere, _caller: ReadingCaller, series: Id) -> dict[str, Any]:
    """One series."""
    with site.database.reading() as conn:
        return series_row(known_series(conn, series))


@router.post("/series/{series}/cancel", tags=["series"], response_model=shapes.OutcomeShape)
def end_series(call: BookCall, series: Id, body: Cancelled) -> Response:
    """Cancel all upcoming sessions of a series; past ones stay. `scope` means nothing here."""
    wish = replace(cancellation_of(body), scope=None)
    return call.once(
        lambda conn: outcome_row(
            cancel_series(conn, call.command(body.by, body.reason, body.note), known_series(conn, series).id, wish)
        )
    )


@router.post("/series/{series}/reschedule", tags=["series"], response_model=shapes.OutcomeShape)
def move_series(call: BookCall, series: Id, body: Moved) -> Response:
    """Move a series from its next session on; `start` is where that one goes. `scope` means nothing here."""

    def act(conn: Connection) -> dict[str, Any]:
        members = records.appointments_of_series(conn, known_series(conn, series).id)
        standing = (one for one in members if one.status is AppointmentStatus.SCHEDULED)
        first = next((one for one in standing if one.span.start_at > call.now), None)
        if first is None:
            what = f"series {series} has no upcoming session"
            raise refuse("nothing-upcoming", what, "Past sessions stay as they are: book a new series")
        return outcome_row(move(conn, call, first, body.model_copy(update={"scope": "this-and-following"})))

    return call.once(act)


# --- blocks --------------------------------------------------------------------------------------------------------


@router.get("/blocks", tags=["blocks"], response_model=shapes.Page[shapes.BlockShape])
def list_blocks(site: SiteHere, _caller: ReadingCaller, asked: Annotated[paging.OfProvider, Query()]) -> dict[str, Any]:
    """Out-of-office times by start, removed ones too."""
    with site.database.reading() as conn:
        known = records.blocks(conn, asked.provider)
    found, after = paging.page_of(known, lambda one: (one.span.start_at, one.id), asked.cursor, asked.limit)
    return paging.answer([block_row(one) for one in found], after)


@router.post("/blocks", tags=["blocks"], response_model=shapes.BlockAdded, status_code=201)
def make_block(call: BookCall, body: Blocked) -> Response:
    """Block a provider's time. Sessions in it stay booked, and are named."""

    def act(conn: Connection) -> dict[str, Any]:
        zone = zone_of("zone", body.zone) or known_provider(conn, body.provider).zone
        key = body.id or call.site.ids.new_id("b")
        block = Block(key, body.provider, body.span(zone), body.title or "")
        inside = add_block(conn, call.command(body.by, note=body.note), block)
        return block_row(block) | {"sessions_inside": inside}

    return call.once(act, 201)


@router.post("/blocks/{block}/remove", tags=["blocks"], response_model=shapes.Removed)
def take_block_away(call: BookCall, block: Id, body: Spoken) -> Response:
    """Give the time back."""
    return call.once(
        lambda conn: {"id": block, "removed": remove_block(conn, call.command(body.by, note=body.note), block)}
    )


# --- fees ----------------------------------------------------------------------------------------------------------


@router.get("/fees", tags=["fees"], response_model=shapes.Page[shapes.FeeShape])
def list_fees(site: SiteHere, _caller: ReadingCaller, asked: Annotated[paging.OfPeople, Query()]) -> dict[str, Any]:
    """Fees by when they were recorded. calsync moves no money."""
    with site.database.reading() as conn:
        known = money.fees(conn, provider=asked.provider, client=asked.client)
    found, after = paging.page_of(known, lambda one: (one.at, one.id), asked.cursor, asked.limit)
    return paging.answer([fee_row(one) for one in found], after)


@router.post("/fees/{fee}/change", tags=["fees"], response_model=shapes.FeeShape)
def change_a_fee(call: BookCall, fee: str, body: FeeChanged) -> Response:
    """Change a disputed fee, by the practice's rules; 0 waives it."""
    if not fee.isascii() or not fee.isprintable():
        raise NotFoundError("fee", "named so")

    def act(conn: Connection) -> dict[str, Any]:
        command = call.command(body.by, body.because, body.note)
        return fee_row(change_fee(conn, command, fee, Decimal(body.amount), body.because))

    return call.once(act)


# --- free time -----------------------------------------------------------------------------------------------------


@router.get("/slots", tags=["slots"], response_model=shapes.SlotList)
def list_slots(site: SiteHere, _caller: ReadingCaller, asked: Annotated[paging.SomeSlots, Query()]) -> dict[str, Any]:
    """Times that are free for a session of a provider."""
    now = site.clock.now()
    command = Command(actor="system", now=now, rulebook=Rulebook.of_settings(site.settings))
    since = moment("since", asked.since) or now
    query = SlotQuery(
        provider=asked.provider,
        since=since,
        until=moment("until", asked.until) or since + timedelta(days=14),
        length=timedelta(minutes=asked.minutes),
        format=asked.format,
    )
    with site.database.reading() as conn:
        found = free_slots(conn, command, query)
    return {"slots": [span_row(one.span) for one in found.slots], "why": found.why, "hint": found.hint}


@router.get("/availability/{provider}", tags=["slots"], response_model=shapes.AvailabilityShape)
def show_availability(site: SiteHere, _caller: ReadingCaller, provider: Id) -> dict[str, Any]:
    """A provider's working times."""
    with site.database.reading() as conn:
        return _availability(conn, provider)


@router.put("/availability/{provider}", tags=["slots"], response_model=shapes.AvailabilityShape)
def say_availability(call: BookCall, provider: Id, body: Times) -> Response:
    """Set a provider's working times, all of them. Sessions that are booked stay."""

    def act(conn: Connection) -> dict[str, Any]:
        try:
            times = availability_of(body.values())
        except Refused as refusal:
            fields = [(one.where.removeprefix("body: "), one.what) for one in refusal.problems]
            raise ApiProblem(422, "invalid", "Something in the request cannot be used.", fields) from refusal
        set_availability(conn, call.command(body.by, note=body.note), provider, times)
        return _availability(conn, provider)

    return call.once(act)


def _availability(conn: Connection, provider: str) -> dict[str, Any]:
    zone = known_provider(conn, provider).zone
    times = working_times.get(conn, provider)
    return {"provider": provider, "zone": zone, "times": None if times is None else times.as_json()}
