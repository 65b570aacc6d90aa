"""What the platform says: sessions, series and blocks that are booked, moved, called off and attended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from calsync.booking import commands as book
from calsync.domain.appointment import Appointment, AppointmentKind, Block
from calsync.store import records
from tests.simulation.acts import doing, member, span_of, web
from tests.simulation.plan import Act
from tests.simulation.world import World


def _command(world: World, actor: str = "support:sim") -> book.Command:
    rulebook = book.Rulebook.of_settings(world.settings)
    return book.Command(actor=actor, now=world.clock.now(), reason="simulated", rulebook=rulebook)


@doing("book")
def _book(world: World, act: Act) -> None:
    booking = book.Booking(
        id=act["id"],
        provider=act["provider"],
        client="K-1",
        span=span_of(act),
        code=act.get("code", "90834"),
        kind=AppointmentKind(act.get("kind", "follow-up")),
        package=act.get("package"),
    )
    if "count" in act:
        rule = f"FREQ={act.get('freq', 'WEEKLY')};COUNT={act['count']}"
        horizon = world.clock.now() + timedelta(days=390)
        web(world, lambda conn: book.book_series(conn, _command(world), booking, rule, horizon), "booked-series")
    else:
        who = act.get("by", "support:sim")
        web(world, lambda conn: book.book(conn, _command(world, who), booking), "booked")


@doing("block")
def _block(world: World, act: Act) -> None:
    block = Block(act["id"], act["provider"], span_of(act))
    web(world, lambda conn: book.add_block(conn, _command(world), block), "blocked")


@doing("unblock")
def _unblock(world: World, act: Act) -> None:
    web(world, lambda conn: book.remove_block(conn, _command(world), act["id"]), "unblocked")


@doing("reschedule")
def _reschedule(world: World, act: Act) -> None:
    number = member(world, act)
    if number is None:
        return
    with world.web.reading() as conn:
        one = records.appointment(conn, number)
    assert one is not None
    span = one.span.starting(one.span.start + timedelta(seconds=act["by"]))
    earlier = _earlier(world, one)
    scope = act.get("scope", "this") if one.series is not None else None
    move = book.Move(span=span, scope=scope)
    web(world, lambda conn: book.reschedule(conn, _command(world), number, move), f"rescheduled-{scope or 'one'}")
    if _earlier(world, one) != earlier:
        world.observer.fail("earlier-sessions", f"moving {number} and what follows changed sessions before it")


def _earlier(world: World, one: Appointment) -> list[tuple[Any, ...]]:
    """The sessions of the same series before this one, as they are."""
    at = -1 if one.original_start is None else int(one.original_start.timestamp() * 1_000_000)
    query = (
        "SELECT id, series, start_at, end_at, status FROM appointments"
        " WHERE series = ? AND original_start < ? ORDER BY id"
    )
    return world.books.rows(query, one.series, at)


@doing("cancel")
def _cancel(world: World, act: Act) -> None:
    number = member(world, act)
    if number is None:
        return
    with world.web.reading() as conn:
        one = records.appointment(conn, number)
    scope = act.get("scope", "this") if one is not None and one.series is not None else None
    wish = book.Cancellation(scope=scope)
    web(world, lambda conn: book.cancel(conn, _command(world), number, wish), f"cancelled-{scope or 'one'}")


@doing("attend")
def _attend(world: World, act: Act) -> None:
    """Every session that is over and that nobody has recorded took place; one in `but` did not."""
    now = int(world.clock.now().timestamp() * 1_000_000)
    rows = world.books.rows(
        "SELECT id FROM appointments WHERE provider = ? AND end_at < ? AND status = 'scheduled' ORDER BY id",
        act["provider"],
        now,
    )
    for place, (number,) in enumerate(rows):
        _attest(world, number, f"provider:{act['provider']}", came=act.get("but") != place)


def _attest(world: World, number: str, who: str, *, came: bool) -> None:
    if came:
        attested = book.Attested({number: None})
        web(world, lambda conn: book.complete(conn, _command(world, who), attested), "completed")
    else:
        web(world, lambda conn: book.record_no_show(conn, _command(world), number), "no-show")
