"""Decisions that happen once, whoever else decides at the same moment: on SQLite and on PostgreSQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from threading import Barrier

from calsync.booking.charges import add_package, charge_cancelled
from calsync.booking.commands import Ask, Booking, ask_to_reschedule, book, respond
from calsync.booking.conditions import Weighed
from calsync.booking.requests import expire_requests
from calsync.booking.rulebook import PERMISSIVE, PracticeRules
from calsync.errors import Refused
from calsync.settings.practice import Practice
from calsync.store import money, outbox, packages
from tests.unit.booking.conftest import NOW, Book, span

AT_ONCE = 4


def together(act: Callable[[int], str]) -> list[str]:
    """What each of several at the same moment comes to."""
    start = Barrier(AT_ONCE)

    def one(number: int) -> str:
        start.wait()
        try:
            return act(number)
        except Refused as refusal:
            return refusal.code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sorted(pool.map(one, range(AT_ONCE)))


def test_the_last_credit_is_used_once(the_book: Book) -> None:
    the_book.do(lambda conn, command: add_package(conn, command, "PK", "C-1", 1), actor="support:s")

    def ask(number: int) -> str:
        wish = Booking(id=f"A-{number}", provider="P-1", client="C-1", span=span(f"11-24T1{number}:00"), package="PK")
        the_book.do(lambda conn, command: book(conn, command, wish))
        return "booked"

    assert together(ask) == ["booked", *["no-credit"] * (AT_ONCE - 1)]
    with the_book.database.reading() as conn:
        (package,) = packages.rows(conn)
        assert packages.credits_left(conn, package) == 0


def test_fee_refund_and_credit_have_a_key_each_whenever_they_are_asked_for(the_book: Book) -> None:
    rules = PracticeRules(Practice.model_validate({"fees": {"late_cancellation": "75.00"}}))
    the_book.do(lambda conn, command: add_package(conn, command, "PK", "C-1", 2), actor="support:s")
    wish = Booking(id="A-1", provider="P-1", client="C-1", span=span("11-24T10:00"), package="PK")
    the_book.do(lambda conn, command: book(conn, command, wish))
    one = the_book.get("A-1")
    late = Weighed(None, "client", late=True, fee=Decimal("75.00"), refund=True)
    for _ in range(3):
        the_book.do(lambda conn, command: charge_cancelled(conn, rules, command, one, (late, False)))
        the_book.now += timedelta(hours=1)
    with the_book.database.reading() as conn:
        assert [fee.at for fee in money.fees(conn)] == [NOW]
        assert [refund.at for refund in money.refunds(conn)] == [NOW]
        assert [credit.change for credit in packages.history(conn, "PK")] == [-1, 1]


def test_a_request_is_answered_once(the_book: Book) -> None:
    the_book.single("A-1", "11-26T10:00")
    the_book.do(lambda conn, command: ask_to_reschedule(conn, command, "A-1", Ask(token="t" * 43)))

    def answer(number: int) -> str:
        start = span(f"11-27T1{number}:00").start
        the_book.do(lambda conn, command: respond(conn, "t" * 43, start, command), actor="client:C-1")
        return "moved"

    assert together(answer) == ["moved", *["request-answered"] * (AT_ONCE - 1)]


def test_a_lapsed_request_ends_once_in_however_many_processes(the_book: Book) -> None:
    the_book.single("A-1", "11-26T10:00")
    the_book.do(lambda conn, command: ask_to_reschedule(conn, command, "A-1", Ask(token="t" * 43)))
    late = NOW + timedelta(days=9)
    assert together(lambda _n: str(expire_requests(the_book.database, PERMISSIVE, late))) == ["0", "0", "0", "1"]
    assert expire_requests(the_book.database, PERMISSIVE, late) == 0
    with the_book.database.transaction() as conn:
        told = [one for one in outbox.due(conn, late, 99) if one.kind == "appointment-cancelled"]
    assert sorted(one.recipient for one in told) == ["client:C-1", "provider:P-1"]
