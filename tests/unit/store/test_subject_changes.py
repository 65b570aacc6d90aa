"""Marks: made for every mirror calendar, taken away only as they were seen, and made up for by the sweep."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from calsync.domain.appointment import AppointmentStatus, Subject, SubjectKind
from calsync.domain.link import LinkState
from calsync.domain.span import Span, Window
from calsync.store import calendars, link_changes, record_changes, subject_changes
from calsync.store.calendars import CalendarRow
from calsync.store.work import Priority
from tests.unit.store.samples import (
    BY,
    DAY,
    NOW,
    SECOND,
    SPAN,
    WINDOW,
    add_calendar,
    appointment,
    block,
    link,
    series,
    subject,
)

A1 = subject("a1")
S1 = Subject(SubjectKind.SERIES, "s1")
B1 = Subject(SubjectKind.BLOCK, "b1")


def pending(conn: Connection, calendar: str = "k1") -> dict[Subject, int]:
    return dict(subject_changes.pending(conn, calendar, 100))


def forget(conn: Connection, calendar: str = "k1") -> None:
    for one, revision in pending(conn, calendar).items():
        assert subject_changes.take_away(conn, calendar, one, revision)


def row(conn: Connection) -> CalendarRow:
    found = calendars.get(conn, "k1")
    assert found is not None
    return found


def book_all_kinds(conn: Connection) -> None:
    record_changes.put_appointment(conn, appointment("a1"), **BY)
    record_changes.put_series(conn, series("s1"), **BY)
    record_changes.put_appointment(conn, appointment("o1", series="s1", original_start=SPAN.start_at), **BY)
    record_changes.put_block(conn, block("b1"), **BY)


def test_a_mark_is_taken_away_only_as_it_was_seen(conn: Connection) -> None:
    add_calendar(conn)
    subject_changes.mark(conn, "p1", A1)
    ((_, revision),) = subject_changes.pending(conn, "k1", 10)
    subject_changes.mark(conn, "p1", A1)
    assert not subject_changes.take_away(conn, "k1", A1, revision)
    ((_, revision),) = subject_changes.pending(conn, "k1", 10)
    assert subject_changes.take_away(conn, "k1", A1, revision)
    assert pending(conn) == {}


def test_a_mark_makes_the_calendar_due(conn: Connection) -> None:
    add_calendar(conn)
    calendars.save_reading(conn, "k1", "cursor", NOW)
    subject_changes.mark(conn, "p1", A1, NOW + SECOND)
    assert (row(conn).due_at, row(conn).priority, row(conn).generation) == (NOW, Priority.CHANGE, 2)
    subject_changes.mark(conn, "p1", A1, NOW - SECOND)
    assert row(conn).due_at == NOW - SECOND
    calendars.save_reading(conn, "k1", "cursor", NOW - DAY)
    subject_changes.mark(conn, "p1", A1)
    assert row(conn).due_at == NOW - DAY  # without an instant: since the last reading


def test_marks_come_in_parts(conn: Connection) -> None:
    add_calendar(conn)
    subject_changes.mark_many(conn, [("p1", subject(f"a{number}")) for number in range(1200)], NOW)
    assert len(subject_changes.pending(conn, "k1", 10_000)) == 1200
    assert len(subject_changes.pending(conn, "k1", 7)) == 7
    assert row(conn).generation == 2


def test_a_new_calendar_looks_at_everything_inside_the_window(conn: Connection) -> None:
    book_all_kinds(conn)
    record_changes.put_appointment(conn, appointment("old", span=_days(-100)), **BY)
    record_changes.put_appointment(conn, appointment("far", span=_days(500)), **BY)
    record_changes.put_appointment(conn, appointment("off", status=AppointmentStatus.CANCELLED), **BY)
    record_changes.put_appointment(conn, appointment("other", provider="p2"), **BY)
    record_changes.put_block(conn, block("b2", cancelled=True), **BY)
    add_calendar(conn)
    assert pending(conn) == {}
    subject_changes.mark_calendar(conn, "k1", WINDOW)
    assert set(pending(conn)) == {A1, S1, B1}
    assert row(conn).generation == 2


def test_the_window_is_half_open(conn: Connection) -> None:
    record_changes.put_appointment(conn, appointment("a1"), **BY)
    add_calendar(conn)
    subject_changes.mark_calendar(conn, "k1", Window(SPAN.end_at, SPAN.end_at + DAY))
    subject_changes.mark_calendar(conn, "k1", Window(SPAN.start_at - DAY, SPAN.start_at))
    assert pending(conn) == {}
    subject_changes.mark_calendar(conn, "k1", Window(SPAN.end_at - SECOND, SPAN.end_at + DAY))
    assert pending(conn) == {A1: 1}


def test_the_sweep_finds_what_has_no_link(conn: Connection) -> None:
    add_calendar(conn)
    book_all_kinds(conn)
    forget(conn)
    link_changes.insert(conn, link("L1", subject=A1))
    link_changes.insert(conn, link("L2", subject=S1))
    assert subject_changes.sweep(conn, "k1", WINDOW) == 1
    assert pending(conn) == {B1: 1}
    assert subject_changes.sweep(conn, "k1", WINDOW) == 0
    forget(conn)
    link_changes.retire(conn, "L1", NOW)
    assert subject_changes.sweep(conn, "k1", WINDOW) == 2
    assert set(pending(conn)) == {A1, B1}


def test_the_sweep_finds_links_whose_subject_left_the_window(conn: Connection) -> None:
    add_calendar(conn)
    for number, last_end in (("L1", WINDOW.start), ("L2", WINDOW.start + SECOND), ("L3", None), ("L4", WINDOW.start)):
        link_changes.insert(conn, link(number, subject=subject(number)))
        link_changes.set_last_end(conn, number, last_end)
    link_changes.retire(conn, "L4", NOW)
    link_changes.insert(conn, link("L5", subject=subject("L5"), calendar="k2", state=LinkState.ACTIVE))
    assert subject_changes.sweep(conn, "k1", WINDOW) == 1
    assert pending(conn) == {subject("L1"): 1}


def test_a_sweep_is_the_passs_own_and_makes_nothing_due(conn: Connection) -> None:
    record_changes.put_appointment(conn, appointment("a1"), **BY)
    add_calendar(conn)
    before = row(conn)
    assert subject_changes.sweep(conn, "k1", WINDOW) == 1
    assert row(conn) == before


def _days(number: int) -> Span:
    start = SPAN.start + number * DAY
    return replace(SPAN, start=start, end=start + (SPAN.end - SPAN.start))
