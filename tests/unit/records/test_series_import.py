"""Series in imported files: which slot a row stands in, what is made beside it, and what a new rule does."""

from datetime import UTC, datetime

import pytest

from calsync.booking.horizon import extend_all
from calsync.domain.appointment import Appointment, Series
from calsync.errors import Refused
from calsync.store import records
from tests.unit.records.conftest import HEADER, Books

BERLIN = "Europe/Berlin"


def row(key: str, start: str, *, end: str = "", series: str = "S-7", rule: str = "", status: str = "") -> str:
    end = end or f"{start[:-2]}50"
    return f"{key},P-1,C-1,{start},{end},{BERLIN},,{status},{series},{rule}\n"


FIRST = row("A-1", "2026-11-10T10:00", rule="FREQ=WEEKLY;BYDAY=TU")


def members(books: Books, series: str = "S-7") -> dict[str, Appointment]:
    with books.database.reading() as conn:
        return {one.id: one for one in records.appointments_of_series(conn, series)}


def the_series(books: Books, key: str = "S-7") -> Series:
    with books.database.reading() as conn:
        found = records.series(conn, key)
    assert found is not None
    return found


def starts(books: Books, series: str = "S-7") -> list[str]:
    return [one.span.start.strftime("%m-%d %H:%M") for one in members(books, series).values()]


def test_sessions_are_made_up_to_the_horizon_with_readable_ids(books: Books) -> None:
    books.load(HEADER + FIRST + row("A-2", "2026-11-24T10:00"))
    found = members(books)
    assert list(found)[:4] == ["A-1", "S-7@20261117T1000", "A-2", "S-7@20261201T1000"]
    assert list(found)[-1] == "S-7@20270119T1000"
    assert found["A-2"].original_start == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert the_series(books).rule == "FREQ=WEEKLY;BYDAY=TU"
    assert the_series(books).added == ()


def test_only_the_first_session_is_initial(books: Books) -> None:
    header = HEADER.replace("\n", ",code,payer\n")
    books.load(header + FIRST.replace(",,,S-7", ",initial,,S-7").replace("\n", ",90791,self\n"))
    found = list(members(books).values())
    assert [one.kind.value for one in found[:3]] == ["initial", "follow-up", "follow-up"]
    assert {one.payer for one in found} == {"self"}
    assert {one.code for one in found} == {"90791"}


def test_row_off_the_rule_is_an_added_date(books: Books) -> None:
    books.load(HEADER + FIRST + row("A-2", "2026-11-26T15:00"))
    assert the_series(books).added == (datetime(2026, 11, 26, 14, tzinfo=UTC),)
    assert "S-7@20261124T1000" in members(books)


def test_wall_time_survives_the_change_of_clocks(books: Books) -> None:
    books.load(HEADER + row("A-1", "2026-10-20T10:00", rule="FREQ=WEEKLY;COUNT=3"))
    assert starts(books) == ["10-20 10:00", "10-27 10:00", "11-03 10:00"]


def test_changed_time_moves_one_session_and_keeps_its_slot(books: Books) -> None:
    books.load(HEADER + FIRST + row("A-2", "2026-11-24T10:00"))
    result = books.load(HEADER + FIRST + row("A-2", "2026-11-25T16:00"))
    assert result.changes == (("A-2", "rescheduled"),)
    moved = members(books)["A-2"]
    assert moved.original_start == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert moved.span.start == datetime(2026, 11, 25, 16)


def test_platforms_id_takes_the_place_of_the_one_we_made(books: Books) -> None:
    books.load(HEADER + FIRST)
    before = len(members(books))
    result = books.load(HEADER + FIRST + row("A-9", "2026-12-01T10:00"))
    assert result.changes == (("A-9", "changed"),)
    found = members(books)
    assert len(found) == before
    assert "S-7@20261201T1000" not in found
    assert found["A-9"].original_start == datetime(2026, 12, 1, 9, tzinfo=UTC)
    assert not books.load(HEADER + FIRST + row("A-9", "2026-12-01T10:00")).changed_anything


def test_new_row_at_the_time_of_a_moved_one_is_a_session_of_its_own(books: Books) -> None:
    books.load(HEADER + FIRST + row("A-2", "2026-11-24T10:00"))
    books.load(HEADER + FIRST + row("A-2", "2026-11-25T10:00") + row("A-3", "2026-11-24T10:00"))
    with books.database.reading() as conn:
        one = records.appointment(conn, "A-3")
    assert one is not None
    assert one.series is None


def test_our_own_id_in_a_file_stays_where_it_is(books: Books) -> None:
    made = "S-7@20261124T1000"
    books.load(HEADER + FIRST)
    books.load(HEADER + FIRST + row(made, "2026-11-25T10:00") + row("A-3", "2026-11-24T10:00"))
    assert members(books)[made].span.start == datetime(2026, 11, 25, 10)
    assert "A-3" not in members(books)
    assert "A-3" in books.appointments()


def test_session_that_the_file_does_not_list_keeps_its_id(books: Books) -> None:
    books.load(HEADER + FIRST + row("A-2", "2026-11-24T10:00"))
    books.load(HEADER + FIRST + row("A-3", "2026-11-24T10:00"))
    assert {"A-2", "A-3"} <= set(books.appointments())


def test_cancelled_row_leaves_its_slot_empty(books: Books) -> None:
    books.load(HEADER + FIRST + row("A-2", "2026-11-24T10:00", status="cancelled"))
    assert members(books)["A-2"].status.value == "cancelled"
    assert "S-7@20261124T1000" not in members(books)


def test_new_rule_ends_the_series_and_another_continues_it(books: Books) -> None:
    books.load(HEADER + FIRST + row("A-2", "2026-11-24T10:00"))
    past = {key: one for key, one in members(books).items() if one.span.start_at < books.now}
    fortnightly = row("A-1", "2026-11-10T10:00", rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=TU")
    books.load(HEADER + fortnightly + row("A-2", "2026-11-24T10:00"))
    old, new = the_series(books), the_series(books, "S-7.2")
    assert old.rule == "FREQ=WEEKLY;UNTIL=20261117T090000Z;BYDAY=TU"
    assert new.continues == "S-7"
    assert {key: one for key, one in members(books).items() if one.status.value != "cancelled"} == past
    assert starts(books, "S-7.2") == ["11-24 10:00", "12-08 10:00", "12-22 10:00", "01-05 10:00", "01-19 10:00"]
    assert "A-2" in members(books, "S-7.2")
    cancelled = [key for key, (_, status) in books.appointments().items() if status == "cancelled"]
    assert len(cancelled) == 4
    assert not books.load(HEADER + fortnightly + row("A-2", "2026-11-24T10:00")).changed_anything


def test_new_rule_with_a_count_has_what_is_left_of_it(books: Books) -> None:
    books.load(HEADER + FIRST)
    books.load(HEADER + row("A-1", "2026-11-10T10:00", rule="FREQ=WEEKLY;BYDAY=TU;COUNT=5"))
    assert the_series(books, "S-7.2").rule == "FREQ=WEEKLY;COUNT=3;BYDAY=TU"
    assert starts(books, "S-7.2") == ["11-24 10:00", "12-01 10:00", "12-08 10:00"]


def test_whole_series_moved_to_another_day(books: Books) -> None:
    books.load(HEADER + FIRST + row("A-2", "2026-11-24T10:00") + row("A-3", "2026-12-01T10:00"))
    text = HEADER + row("A-1", "2026-11-10T10:00") + row("A-2", "2026-11-25T15:00", rule="FREQ=WEEKLY;BYDAY=WE")
    books.load(text + row("A-3", "2026-12-02T15:00"))
    assert starts(books) == ["11-10 10:00", "11-17 10:00"]
    moved = members(books, "S-7.2")
    assert moved["A-2"].original_start == datetime(2026, 11, 25, 14, tzinfo=UTC)
    assert moved["A-3"].original_start == datetime(2026, 12, 2, 14, tzinfo=UTC)
    assert the_series(books, "S-7.2").added == ()
    assert starts(books, "S-7.2")[:3] == ["11-25 15:00", "12-02 15:00", "12-09 15:00"]
    assert not books.load(text + row("A-3", "2026-12-02T15:00")).changed_anything


def test_period_export_without_the_first_row(books: Books) -> None:
    books.load(HEADER + FIRST)
    result = books.load(HEADER + row("A-5", "2026-12-08T10:00", rule="FREQ=WEEKLY;BYDAY=TU"))
    assert result.changes == (("A-5", "changed"),)


def test_session_cannot_change_its_series(books: Books) -> None:
    books.load(HEADER + FIRST)
    with pytest.raises(Refused, match="belongs to series S-7"):
        books.load(HEADER + row("A-1", "2026-11-10T10:00", series=""))


def test_sessions_made_later_belong_to_the_platform_too(books: Books) -> None:
    books.load(HEADER + FIRST)
    last = "S-7@20270126T1000"
    extend_all(books.database, books.now, datetime(2027, 1, 27, tzinfo=UTC))
    with books.database.reading() as conn:
        assert records.appointment_facts(conn, [last])[last].origin == "import"


def test_rule_that_gives_thousands_of_sessions(books: Books) -> None:
    with pytest.raises(Refused, match="more than 3000 sessions"):
        books.load(HEADER + row("A-1", "2010-01-01T10:00", rule="FREQ=DAILY"))
