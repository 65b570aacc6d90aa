"""Sessions of series are made as time goes on, each once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from calsync.booking import horizon
from calsync.booking.commands import Cancellation, cancel, cancel_series
from calsync.domain.appointment import SubjectKind
from calsync.store import record_changes, records
from tests.unit.booking.conftest import HORIZON, Book


def test_later_sessions_are_made_once(the_book: Book) -> None:
    the_book.weekly()
    made = horizon.extend_all(the_book.database, the_book.now, HORIZON + timedelta(days=14))
    assert made == 2
    with the_book.database.reading() as conn:
        assert records.appointment_facts(conn, ["S-7@20270202T1000"])["S-7@20270202T1000"].origin == "book"
    assert the_book.starts("S-7")[-1] == "27-02-02T10:00"
    before = the_book.dump()
    assert horizon.extend_all(the_book.database, the_book.now, HORIZON + timedelta(days=14)) == 0
    assert the_book.dump() == before


def test_session_that_stands_beyond_the_horizon_is_met(the_book: Book) -> None:
    the_book.weekly()
    the_book.do(lambda conn, command: cancel(conn, command, "S-7@20261208T1000", Cancellation(scope="this")))
    with the_book.database.transaction() as conn:
        record_changes.set_materialised(conn, "S-7", the_book.now)
    assert horizon.extend_all(the_book.database, the_book.now, HORIZON + timedelta(days=7)) == 1
    assert len(the_book.members("S-7")) == 10
    assert the_book.get("S-7@20261208T1000").status == "cancelled"


def test_cancelled_sessions_and_ended_series_are_not_made_again(the_book: Book) -> None:
    the_book.weekly()
    the_book.do(lambda conn, command: cancel(conn, command, "S-7@20261201T1000", Cancellation(scope="this")))
    the_book.now += timedelta(days=4)
    the_book.do(lambda conn, command: cancel_series(conn, command, "S-7"))
    assert horizon.extend_all(the_book.database, the_book.now, HORIZON + timedelta(days=60)) == 0
    assert the_book.starts("S-7") == ["26-11-24T10:00"]


def test_after_a_long_downtime_many_processes_make_each_session_once(the_book: Book) -> None:
    the_book.weekly()
    later = HORIZON + timedelta(days=70)
    together = Barrier(4)

    def extend(_number: int) -> int:
        together.wait()
        return horizon.extend_all(the_book.database, the_book.now + timedelta(days=70), later)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(extend, range(4))) == 10
    starts = the_book.starts("S-7")
    assert len(starts) == len(set(starts)) == 19
    with the_book.database.reading() as conn:
        made = [len(records.history(conn, SubjectKind.APPOINTMENT, one.id)) for one in the_book.members("S-7")]
    assert made == [1] * 19
