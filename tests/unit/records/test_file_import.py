"""Imports of appointment files into real books: what they write, what they leave alone, what they refuse."""

from dataclasses import replace
from datetime import date

import pytest

from calsync.domain.appointment import AppointmentStatus, SubjectKind
from calsync.errors import Refused
from calsync.records.file_import import Period
from calsync.store import audit, import_rows, providers, record_changes, records
from calsync.store.providers import ProviderRow
from tests.unit.records.conftest import HEADER, Books

SINGLE = "A-1,P-1,C-1,2026-11-24T10:00,2026-11-24T10:50,Europe/Berlin,initial,scheduled,,\n"
OTHER = "A-2,P-1,C-2,2026-11-25T10:00,2026-11-25T10:50,Europe/Berlin,,,,\n"
PAST = "A-3,P-1,C-2,2026-11-18T10:00,2026-11-18T10:50,Europe/Berlin,,completed,,\n"
NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))


def week(*numbers: int) -> str:
    return "".join(f"W-{n},P-1,C-1,2026-11-{n:02d}T10:00,2026-11-{n:02d}T10:50,Europe/Berlin,,,,\n" for n in numbers)


def test_file_is_written_with_history_and_one_audit_row(books: Books) -> None:
    result = books.load(HEADER + SINGLE + OTHER + PAST)
    assert result.counts == {"imported": 3}
    assert books.appointments() == {
        "A-3": ("2026-11-18T10:00", "completed"),
        "A-1": ("2026-11-24T10:00", "scheduled"),
        "A-2": ("2026-11-25T10:00", "scheduled"),
    }
    with books.database.reading() as conn:
        history = records.history(conn, SubjectKind.APPOINTMENT, "A-1")
        facts = records.appointment_facts(conn, ["A-1", "A-3"])
        log = [row for row in audit.rows(conn) if row.what == "appointments-imported"]
    assert [(row.action, row.actor) for row in history] == [("imported", "support:ada")]
    assert facts["A-3"].completed_by == "import"
    assert facts["A-1"].completed_by is None
    assert facts["A-1"].origin == "import"
    assert len(log) == 1
    assert log[0].detail["counts"] == {"imported": 3}


def test_same_file_again_changes_no_row_of_any_table(books: Books) -> None:
    text = (
        HEADER
        + SINGLE
        + OTHER
        + PAST
        + "S-1a,P-1,C-1,2026-12-01T12:00,2026-12-01T12:50,Europe/Berlin,,,S-1,FREQ=WEEKLY\n"
    )
    books.load(text)
    before = books.dump()
    result = books.load(text)
    assert not result.changed_anything
    assert books.dump() == before


def test_dry_run_says_what_would_be_and_writes_nothing(books: Books) -> None:
    before = books.dump()
    assert books.load(HEADER + SINGLE + OTHER, dry_run=True).counts == {"imported": 2}
    assert books.dump() == before


def test_one_bad_row_keeps_everything_out(books: Books) -> None:
    before = books.dump()
    with pytest.raises(Refused, match="row 3"):
        books.load(HEADER + SINGLE + OTHER.replace("P-1", "P-9"))
    assert books.dump() == before


def test_changed_time_is_a_reschedule_and_cancelled_a_cancellation(books: Books) -> None:
    books.load(HEADER + SINGLE + OTHER)
    changed = HEADER + SINGLE.replace("T10", "T14") + OTHER.replace(",,,,", ",,cancelled,,")
    assert books.load(changed).counts == {"rescheduled": 1, "cancelled": 1}
    assert books.appointments() == {"A-1": ("2026-11-24T14:00", "scheduled"), "A-2": ("2026-11-25T10:00", "cancelled")}
    with books.database.reading() as conn:
        one = records.appointment(conn, "A-1")
    assert one is not None
    assert one.version == 2


def test_what_was_changed_here_outlives_a_file_that_says_nothing_new(books: Books) -> None:
    books.load(HEADER + SINGLE)
    with books.database.transaction() as conn:
        one = records.appointment(conn, "A-1")
        assert one is not None
        done = replace(one, status=AppointmentStatus.COMPLETED, version=2)
        record_changes.put_appointment(conn, done, now=books.now, actor="provider:P-1", action="complete")
    assert not books.load(HEADER + SINGLE).changed_anything
    assert books.appointments()["A-1"] == ("2026-11-24T10:00", "completed")
    books.load(HEADER + SINGLE.replace("T10", "T11"))
    assert books.appointments()["A-1"] == ("2026-11-24T11:00", "completed")


def test_column_that_is_left_out_says_nothing(books: Books) -> None:
    books.load(HEADER + SINGLE)
    short = "id,provider,client,start,end,zone\nA-1,P-1,C-1,2026-11-24T10:00,2026-11-24T10:50,Europe/Berlin\n"
    assert not books.load(short).changed_anything


def test_offset_settles_the_hour_that_comes_twice(books: Books) -> None:
    row = "F-{0},P-1,C-{0},2026-10-25T02:30{1},2026-10-25T03:30,Europe/Berlin,,,,\n"
    books.load(HEADER + row.format(1, "+02:00") + row.format(2, "+01:00"))
    with books.database.reading() as conn:
        facts = records.appointment_facts(conn, ["F-1", "F-2"])
    assert (facts["F-2"].start_at - facts["F-1"].start_at).total_seconds() == 3600


def test_missing_row_is_asked_about_and_never_cancelled(books: Books) -> None:
    books.load(HEADER + week(2, 3, 4, 5, 6, 9))
    result = books.load(HEADER + week(2, 3, 4, 5, 6), complete=NOVEMBER)
    assert result.missing == ("W-9",)
    assert result.newly_missing == ("W-9",)
    assert books.appointments()["W-9"] == ("2026-11-09T10:00", "scheduled")
    with books.database.reading() as conn:
        assert import_rows.all_missing(conn) == {"W-9": books.now}
    again = books.load(HEADER + week(2, 3, 4, 5, 6), complete=NOVEMBER)
    assert (again.missing, again.changed_anything) == (("W-9",), False)
    books.load(HEADER + week(9))
    with books.database.reading() as conn:
        assert import_rows.all_missing(conn) == {}


def test_rows_that_a_person_has_answered_for_are_no_part_of_a_broken_export(books: Books) -> None:
    books.load(HEADER + week(2, 3, 4, 5, 6, 9))
    for lost, left in ((9, (2, 3, 4, 5, 6)), (6, (2, 3, 4, 5)), (5, (2, 3, 4))):
        assert books.load(HEADER + week(*left), complete=NOVEMBER).newly_missing == (f"W-{lost}",)
        with books.database.transaction() as conn:
            record_changes.answer_missing(conn, [f"W-{lost}"], books.now)
        assert books.load(HEADER + week(*left), complete=NOVEMBER).missing == ()


def test_rows_outside_the_period_or_made_here_are_not_missing(books: Books) -> None:
    books.load(HEADER + week(2, 3) + "S-1a,P-1,C-1,2026-11-24T12:00,2026-11-24T12:50,Europe/Berlin,,,S-1,FREQ=WEEKLY\n")
    assert books.load(HEADER + week(2), complete=Period(date(2026, 11, 1), date(2026, 11, 2))).missing == ()
    only_singles = books.load(HEADER + week(2, 3), complete=Period(date(2026, 11, 25), date(2026, 12, 31)))
    assert only_singles.missing == ()


def test_more_than_a_fifth_missing_is_a_broken_export(books: Books) -> None:
    books.load(HEADER + week(2, 3, 4, 5, 6, 9))
    before = books.dump()
    with pytest.raises(Refused, match="2 of 6 known appointments") as refusal:
        books.load(HEADER + week(2, 3, 4, 5) + SINGLE, complete=NOVEMBER)
    assert refusal.value.code == "import-stampede"
    assert books.dump() == before


def test_rows_of_an_unruled_series_are_single_events(books: Books) -> None:
    books.load(HEADER + SINGLE.replace(",,\n", ",S-1,\n") + OTHER.replace(",,\n", ",S-1,\n"))
    with books.database.reading() as conn:
        one = records.appointment(conn, "A-1")
        assert records.all_series(conn) == []
    assert one is not None
    assert one.series is None


def test_reinstated_by_the_platform(books: Books) -> None:
    books.load(HEADER + SINGLE.replace("scheduled", "cancelled"))
    assert books.load(HEADER + SINGLE).counts == {"reinstated": 1}
    assert books.appointments()["A-1"] == ("2026-11-24T10:00", "scheduled")


def test_json_lines_say_the_same_as_csv(books: Books) -> None:
    books.load(HEADER + SINGLE)
    line = (
        '{"id":"A-1","provider":"P-1","client":"C-1","start":"2026-11-24T10:00","end":"2026-11-24T10:50",'
        '"zone":"Europe/Berlin","kind":"initial","status":null}\n'
    )
    assert not books.load(line).changed_anything


def test_single_session_can_move_to_another_provider(books: Books) -> None:
    with books.database.transaction() as conn:
        providers.put(conn, ProviderRow("P-2", "Max Example", "max@example.org", "Europe/Berlin"))
    books.load(HEADER + SINGLE)
    assert books.load(HEADER + SINGLE.replace("P-1", "P-2")).counts == {"changed": 1}
