"""The story of an appointment names what happened, in sentences, without codes and without people's names."""

from datetime import timedelta

from calsync.booking.commands import Attested, cancel, complete
from calsync.booking.story import tell_story
from calsync.store import clients, record_changes
from calsync.store.clients import ClientRow
from tests.unit.booking.conftest import Book, span


def told(the_book: Book, key: str) -> list[str]:
    with the_book.database.reading() as conn:
        return list(tell_story(conn, key, the_book.now).sentences)


def test_booked_moved_and_cancelled(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")
    the_book.do(lambda conn, command: cancel(conn, command, "A-1"))
    with the_book.database.transaction() as conn:
        clients.put(conn, ClientRow("C-1", "Casey Example", "casey@example.org"))
    assert told(the_book, "A-1") == [
        "Tue 24 Nov 2026, 10:00-10:50 (Europe/Berlin): session A-1 of provider P-1 with client C-1. It is cancelled.",
        "Sun 22 Nov 2026, 13:00: booked by provider:P-1, because: moving house.",
        "Sun 22 Nov 2026, 13:00: cancelled by provider:P-1, because: moving house.",
        "No calendar shows it.",
    ]


def test_attested_time_and_missing_row(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")
    the_book.now += timedelta(days=3)
    the_book.do(lambda conn, command: complete(conn, command, Attested({"A-1": span("11-24T10:15", 45)})))
    with the_book.database.transaction() as conn:
        record_changes.set_missing(conn, ["A-1"], the_book.now)
    story = told(the_book, "A-1")
    assert "Wed 25 Nov 2026, 13:00: provider:P-1 said: took place from Tue 24 Nov 2026, 10:15." in story
    assert "No calendar has been read for it since it ended." in story
    assert story[-1].startswith("Waiting: its row disappeared from the imported file")
