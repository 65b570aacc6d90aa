"""What a practice's people and its clients do to the book, by the practice's rules; and what comes with time.

Each act is one command. Its id, reason and options stand in the act, so that a plan reads like the rule it is for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import Connection

from calsync.booking import commands as book
from calsync.booking.requests import ANSWER_REQUEST, PENDING
from calsync.store import action_links, records
from calsync.testing.fake_ports import FakeIds
from tests.simulation.acts import doing, member, web
from tests.simulation.plan import Act
from tests.simulation.world import World

Saying = Callable[[World, Act, book.Command, str], Callable[[Connection], object]]
_SAYINGS: dict[str, Saying] = {}
_NOT_ABOUT_A_SESSION = ("package", "pause", "resume", "cancel-series")


def _saying(name: str) -> Callable[[Saying], Saying]:
    def enter(one: Saying) -> Saying:
        _SAYINGS[name] = one
        return one

    return enter


@doing("timers")
def _timers(world: World, _act: Act) -> None:
    if world.office is not None:
        world.office.timers()


@doing("mail")
def _mail(world: World, _act: Act) -> None:
    if world.office is not None:
        world.office.post()


@doing("say")
def _say(world: World, act: Act) -> None:
    """`what` is done `by` somebody to the session `id` (and `occurrence`), for a `reason`, with a `note`."""
    number = member(world, act)
    if number is None and act["what"] not in _NOT_ABOUT_A_SESSION:
        return
    number = number or act["id"]
    command = book.Command(
        actor=act.get("by", "support:sim"),
        now=world.clock.now(),
        reason=act.get("reason"),
        note=act.get("note"),
        rulebook=book.Rulebook.of_settings(world.settings),
    )
    web(world, _SAYINGS[act["what"]](world, act, command, number), f"said-{act['what']}")


@_saying("cancel")
def _cancel(_world: World, act: Act, command: book.Command, number: str) -> Callable[[Connection], object]:
    wish = book.Cancellation(
        scope=act.get("scope"),
        waive_fee=act.get("waive", False),
        refund=act.get("refund"),
        client_aware=act.get("aware", False),
        suggest_others=act.get("suggest", False),
        block=act.get("block", False),
        answers=act.get("answers", {}),
    )
    return lambda conn: book.cancel(conn, command, number, wish)


@_saying("cancel-series")
def _cancel_series(_world: World, act: Act, command: book.Command, _number: str) -> Callable[[Connection], object]:
    return lambda conn: book.cancel_series(conn, command, act["id"])


@_saying("move")
def _move(_world: World, act: Act, command: book.Command, number: str) -> Callable[[Connection], object]:
    def move(conn: Connection) -> object:
        one = records.appointment(conn, number)
        assert one is not None
        span = one.span.starting(one.span.start + timedelta(seconds=act.get("by_seconds", 0)))
        if "longer" in act:
            span = type(span)(span.start, span.end + timedelta(minutes=act["longer"]), span.zone)
        wanted = book.Move(
            span=span,
            scope=act.get("scope"),
            cadence=act.get("cadence"),
            moved=act.get("moved", "keep"),
            horizon=command.now + timedelta(days=390) if "cadence" in act else None,
        )
        return book.reschedule(conn, command, number, wanted)

    return move


@_saying("ask")
def _ask(world: World, act: Act, command: book.Command, number: str) -> Callable[[Connection], object]:
    ask = book.Ask(token=_token(number, _asked(world, number)), block=act.get("block", False))
    return lambda conn: book.ask_to_reschedule(conn, command, number, ask)


def _asked(world: World, number: str) -> int:
    """How often the client was asked about a session."""
    requests = "count(DISTINCT json_extract(payload, '$.request'))"
    query = f"SELECT {requests} FROM action_links WHERE kind = ? AND json_extract(payload, '$.appointment') = ?"
    [(times,)] = world.books.rows(query, ANSWER_REQUEST, number)
    return int(times)


def _token(number: str, place: int) -> str:
    """The text of a client's link: another one for each question about a session."""
    return "r" + FakeIds(0).new_id(number) + ("" if place <= 0 else str(place))


@_saying("respond")
def _respond(world: World, act: Act, command: book.Command, number: str) -> Callable[[Connection], object]:
    token = _token(number, _asked(world, number) - 1)

    def respond(conn: Connection) -> object:
        one = records.appointment(conn, number)
        assert one is not None
        link = action_links.get(conn, action_links.hash_of(token))
        if link is not None and one.pending != PENDING:
            return book.respond(conn, token, one.span.start, command)
        return book.respond(conn, token, one.span.start + timedelta(seconds=act["by_seconds"]), command)

    return respond


@_saying("no-show")
def _no_show(_world: World, act: Act, command: book.Command, number: str) -> Callable[[Connection], object]:
    return lambda conn: book.record_no_show(conn, command, number, waive_fee=act.get("waive", False))


@_saying("complete")
def _complete(_world: World, _act: Act, command: book.Command, number: str) -> Callable[[Connection], object]:
    return lambda conn: book.complete(conn, command, book.Attested({number: None}))


@_saying("change-fee")
def _change_fee(world: World, act: Act, command: book.Command, number: str) -> Callable[[Connection], object]:
    rows = world.books.rows("SELECT id FROM fees WHERE appointment = ?", number)
    fee = str(rows[0][0]) if rows else "none"
    return lambda conn: book.change_fee(conn, command, fee, Decimal(act["amount"]), "disputed")


@_saying("pay")
def _pay(_world: World, _act: Act, command: book.Command, number: str) -> Callable[[Connection], object]:
    return lambda conn: book.record_payment(conn, command, number, "120.00")


@_saying("package")
def _package(_world: World, act: Act, command: book.Command, _number: str) -> Callable[[Connection], object]:
    return lambda conn: book.add_package(conn, command, act["id"], "K-1", act.get("sessions", 3))


@_saying("confirm")
def _confirm(_world: World, _act: Act, command: book.Command, number: str) -> Callable[[Connection], object]:
    return lambda conn: book.confirm(conn, command, number)


@_saying("pause")
def _pause(_world: World, act: Act, command: book.Command, _number: str) -> Callable[[Connection], object]:
    return lambda conn: book.pause(conn, command, act["id"])


@_saying("resume")
def _resume(_world: World, act: Act, command: book.Command, _number: str) -> Callable[[Connection], object]:
    return lambda conn: book.resume(conn, command, act["id"])
