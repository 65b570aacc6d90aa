"""Many clients ask for one slot at the same moment: one of them gets it, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from subprocess import PIPE, Popen
from threading import Barrier

from sqlalchemy import Connection

from calsync.booking.availability import set_availability
from calsync.booking.commands import Booking, Command, Move, Outcome, book, reschedule
from calsync.booking.slots import SlotTaken
from calsync.domain.appointment import AppointmentStatus
from calsync.domain.working_times import Hours, WorkingTimes
from calsync.errors import Refused
from calsync.store import records
from calsync.store.records import AppointmentFilter
from tests.unit.booking.conftest import Book, span

CLIENTS = 8
MORNINGS = WorkingTimes(weekly=((Hours(9 * 60, 12 * 60),),) * 7, every=60)


def open_mornings(the_book: Book) -> None:
    the_book.do(lambda conn, command: set_availability(conn, command, "P-1", MORNINGS))


def at_once(the_book: Book, act: object) -> list[str]:
    """Have every client act at the same moment, each over a connection of its own; how it ended for each."""
    together = Barrier(CLIENTS)

    def ask(number: int) -> str:
        together.wait()
        try:
            act(number)  # type: ignore[operator]
        except SlotTaken as refusal:
            free = [slot.span.start for slot in refusal.slots]
            assert free, "whoever came too late is shown what is free"
            assert datetime(2026, 11, 24, 10) not in free
            return refusal.code
        except Refused as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(CLIENTS) as pool:
        return sorted(pool.map(ask, range(CLIENTS)))


def standing(the_book: Book) -> list[str]:
    with the_book.database.reading() as conn:
        found = records.appointments(conn, AppointmentFilter(provider="P-1", status=AppointmentStatus.SCHEDULED))
        return [one.id for one in found if one.span.start == datetime(2026, 11, 24, 10)]


def test_a_provider_books_it_once(the_book: Book) -> None:
    answers = at_once(the_book, lambda number: the_book.single(f"A-{number}", "11-24T10:00", f"C-{number}"))
    assert answers == ["done"] + ["overlaps"] * (CLIENTS - 1)
    assert len(standing(the_book)) == 1


def test_one_client_gets_the_slot_and_the_others_fresh_ones(the_book: Book) -> None:
    open_mornings(the_book)

    def ask(number: int) -> Outcome:
        booking = Booking(id=f"A-{number}", provider="P-1", client=f"C-{number}", span=span("11-24T10:00"))
        return the_book.do(lambda conn, command: book(conn, command, booking), actor=f"client:C-{number}")

    assert at_once(the_book, ask) == ["done"] + ["slot-taken"] * (CLIENTS - 1)
    assert len(standing(the_book)) == 1


def test_one_client_moves_into_the_slot(the_book: Book) -> None:
    for number in range(CLIENTS):
        the_book.single(f"A-{number}", f"12-{number + 1:02}T14:00", f"C-{number}")
    open_mornings(the_book)

    def ask(number: int) -> Outcome:
        def act(conn: Connection, command: Command) -> Outcome:
            return reschedule(conn, command, f"A-{number}", Move(span=span("11-24T10:00")))

        return the_book.do(act, actor=f"client:C-{number}")

    assert at_once(the_book, ask) == ["done"] + ["slot-taken"] * (CLIENTS - 1)
    assert len(standing(the_book)) == 1


PROGRAM = """
import sys
from datetime import datetime, timedelta
from calsync.booking.commands import Booking, Command, book
from calsync.domain.span import Span
from calsync.errors import Refused
from calsync.store.database import open_database
url, client, now = sys.argv[1], sys.argv[2], datetime.fromisoformat(sys.argv[3])
database = open_database(url)
with database.reading():
    print("ready", flush=True)
sys.stdin.readline()
start = datetime(2026, 11, 24, 10)
span = Span(start, start + timedelta(minutes=50), "Europe/Berlin")
try:
    with database.transaction() as conn:
        command = Command(actor=f"client:{client}", now=now)
        book(conn, command, Booking(id=f"A-{client}", provider="P-1", client=client, span=span))
except Refused as refusal:
    print(refusal.code)
else:
    print("booked")
"""


def test_one_process_of_three_gets_the_slot(the_book: Book, url: str) -> None:
    open_mornings(the_book)
    line = [sys.executable, "-c", PROGRAM, url]
    people = [
        Popen([*line, f"C-{number}", the_book.now.isoformat()], stdin=PIPE, stdout=PIPE, text=True)
        for number in range(3)
    ]
    for one in people:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in people:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    answers = [one.communicate(timeout=60)[0].strip() for one in people]
    assert sorted(answers) == ["booked", "slot-taken", "slot-taken"]
    assert len(standing(the_book)) == 1
