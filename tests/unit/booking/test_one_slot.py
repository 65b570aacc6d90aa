"""Many clients ask for one slot at the same moment: one of them gets it, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from calsync.errors import Refused
from tests.unit.booking.conftest import Book

CLIENTS = 8


def test_one_client_gets_the_slot(the_book: Book) -> None:
    together = Barrier(CLIENTS)

    def ask(number: int) -> str:
        together.wait()
        try:
            the_book.single(f"A-{number}", "11-24T10:00", f"C-{number}")
        except Refused as refusal:
            return refusal.code
        return "booked"

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = sorted(pool.map(ask, range(CLIENTS)))
    assert answers == ["booked"] + ["overlaps"] * (CLIENTS - 1)
