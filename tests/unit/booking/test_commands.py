"""The commands on real books: what they change, what they owe, what they refuse without changing anything."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from calsync.booking.commands import (
    Attested,
    Booking,
    Cancellation,
    Command,
    Move,
    add_block,
    book,
    cancel,
    cancel_series,
    complete,
    complete_day,
    record_no_show,
    remove_block,
    reschedule,
)
from calsync.booking.rulebook import Rulebook
from calsync.domain.appointment import Block, SubjectKind
from calsync.domain.drift import Resolution
from calsync.errors import NotFoundError, Refused
from calsync.settings.practice import Practice
from calsync.store import audit, drifts, outbox, records, statements
from tests.unit.booking.conftest import NOW, Book, span
from tests.unit.store.samples import drift

Act = Callable[[Connection, Command], Any]


def refused(the_book: Book, code: str, act: Act, **who: str | None) -> str:
    before = the_book.dump()
    with pytest.raises(Refused) as refusal:
        the_book.do(act, **who)
    assert refusal.value.code == code
    assert the_book.dump() == before
    return str(refusal.value)


def rules_of(**tables: Any) -> Rulebook:
    return Rulebook({"default": Practice.model_validate(tables)})


# --- booking -------------------------------------------------------------------------------------------------------


def test_booking_writes_record_history_audit_and_messages(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")
    with the_book.database.transaction() as conn:
        history = records.history(conn, SubjectKind.APPOINTMENT, "A-1")
        log = [row.what for row in audit.rows(conn)]
        owed = {item.recipient: item for item in outbox.due(conn, NOW, 10)}
    assert [(row.actor, row.action, row.at) for row in history] == [("provider:P-1", "booked", NOW)]
    assert log == ["appointment-booked"]
    assert set(owed) == {"provider:P-1", "client:C-1"}
    assert owed["client:C-1"].payload == {"appointments": ["A-1"]}


def test_same_time_is_given_once(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")
    other = Booking(id="A-2", provider="P-1", client="C-2", span=span("11-24T10:49"))
    said = refused(the_book, "overlaps", lambda conn, command: book(conn, command, other))
    assert "overlaps session A-1" in said
    the_book.single("A-3", "11-24T10:50", "C-2")


def test_double_booking_is_a_practices_choice(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")
    rulebook = rules_of(booking={"double_booking": True})
    other = Booking(id="A-2", provider="P-1", client="C-2", span=span("11-24T10:00"))
    the_book.do(lambda conn, command: book(conn, replace(command, rulebook=rulebook), other))
    assert the_book.get("A-2").client == "C-2"


def test_bookings_that_cannot_be(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")

    def wish(**more: Any) -> Act:
        booking = replace(Booking(id="A-2", provider="P-1", client="C-2", span=span("11-25T10:00")), **more)
        return lambda conn, command: book(conn, command, booking)

    refused(the_book, "id-taken", wish(id="A-1"))
    refused(the_book, "bad-time", wish(span=span("11-25T10:00", 25 * 60)))
    refused(the_book, "bad-time", wish(span=span("11-25T10:00", 0)))
    refused(the_book, "in-the-past", wish(span=span("11-20T10:00")), actor="client:C-2")
    with pytest.raises(NotFoundError):
        the_book.do(wish(provider="P-9"))


def test_series_is_booked_whole(the_book: Book) -> None:
    the_book.weekly()
    assert the_book.starts("S-7")[:3] == ["26-11-24T10:00", "26-12-01T10:00", "26-12-08T10:00"]
    assert len(the_book.members("S-7")) == 9
    assert the_book.members("S-7")[0].id == "S-7@20261124T1000"


def test_series_over_a_taken_time_names_every_clash(the_book: Book) -> None:
    the_book.single("A-1", "12-01T10:30")
    the_book.single("A-2", "12-15T09:30")
    with pytest.raises(Refused) as refusal:
        the_book.weekly()
    assert len(refusal.value.problems) == 2


# --- cancelling ----------------------------------------------------------------------------------------------------


def test_cancel_needs_a_reason_and_happens_once(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")
    refused(the_book, "reason-needed", lambda conn, command: cancel(conn, command, "A-1"), reason=" ")
    the_book.do(lambda conn, command: cancel(conn, command, "A-1"))
    assert the_book.get("A-1").status == "cancelled"
    refused(the_book, "already-cancelled", lambda conn, command: cancel(conn, command, "A-1"))
    with the_book.database.reading() as conn:
        last = records.history(conn, SubjectKind.APPOINTMENT, "A-1")[-1]
    assert (last.action, last.reason) == ("cancelled", "moving house")


def test_member_of_a_series_needs_a_scope(the_book: Book) -> None:
    the_book.weekly()
    said = refused(the_book, "scope-needed", lambda conn, command: cancel(conn, command, "S-7@20261201T1000"))
    assert "--scope all-upcoming" in said
    the_book.do(lambda conn, command: cancel(conn, command, "S-7@20261201T1000", Cancellation(scope="this")))
    assert "26-12-01T10:00" not in the_book.starts("S-7")
    assert len(the_book.starts("S-7")) == 8


def test_all_upcoming_leaves_past_and_cancelled_ones_and_ends_the_series(the_book: Book) -> None:
    the_book.weekly()
    the_book.do(lambda conn, command: cancel(conn, command, "S-7@20261208T1000", Cancellation(scope="this")))
    the_book.now = datetime(2026, 12, 2, 12, tzinfo=UTC)
    outcome = the_book.do(
        lambda conn, command: cancel(conn, command, "S-7@20261215T1000", Cancellation(scope="all-upcoming"))
    )
    assert len(outcome.appointments) == 6
    assert the_book.starts("S-7") == ["26-11-24T10:00", "26-12-01T10:00"]
    assert the_book.series("S-7").rule == "FREQ=WEEKLY;UNTIL=20261201T090000Z;BYDAY=TU"
    refused(the_book, "nothing-upcoming", lambda conn, command: cancel_series(conn, command, "S-7"))


def test_series_that_never_began_is_cancelled_whole(the_book: Book) -> None:
    the_book.weekly()
    the_book.do(lambda conn, command: cancel_series(conn, command, "S-7"))
    assert the_book.series("S-7").cancelled
    assert the_book.starts("S-7") == []


def test_cancelled_time_is_free_again(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")
    the_book.do(lambda conn, command: cancel(conn, command, "A-1"))
    the_book.single("A-2", "11-24T10:00", "C-2")


# --- rescheduling --------------------------------------------------------------------------------------------------


def move(key: str, start: str, **more: Any) -> Act:
    wish = Move(span=span(start, more.pop("minutes", 50)), **more)
    return lambda conn, command: reschedule(conn, command, key, wish)


def test_single_session_moves_and_says_so(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")
    the_book.do(move("A-1", "11-25T14:00"))
    after = the_book.get("A-1")
    assert (after.span, after.version) == (span("11-25T14:00"), 2)
    with the_book.database.reading() as conn:
        log = list(audit.rows(conn))[-1]
    assert (log.what, log.detail["to"]) == (
        "appointment-rescheduled",
        "2026-11-25T14:00/2026-11-25T14:50 Europe/Berlin",
    )


def test_moves_that_cannot_be(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")
    the_book.single("A-2", "11-24T14:00", "C-2")
    the_book.weekly(start="12-01T10:00")
    refused(the_book, "overlaps", move("A-1", "11-24T13:30"))
    refused(the_book, "no-change", move("A-1", "11-24T10:00"))
    refused(the_book, "reason-needed", move("A-1", "11-24T11:00"), reason=None)
    refused(the_book, "in-the-past", move("A-1", "11-20T11:00"), actor="client:C-1")
    refused(the_book, "not-a-series", move("A-1", "11-25T11:00", scope="this-and-following"))
    refused(the_book, "scope-needed", move("S-7@20261201T1000", "12-01T11:00"))
    refused(
        the_book,
        "cadence-needs-following",
        move("S-7@20261201T1000", "12-01T11:00", scope="this", cadence="FREQ=WEEKLY"),
    )
    following: dict[str, Any] = {"scope": "this-and-following"}
    refused(the_book, "bad-cadence", move("S-7@20261201T1000", "12-01T11:00", cadence="FREQ=SECONDLY", **following))
    refused(
        the_book, "bad-cadence", move("S-7@20261201T1000", "12-01T11:00", cadence="FREQ=WEEKLY;BYDAY=FR", **following)
    )


def test_one_of_a_series_moves_and_keeps_its_slot(the_book: Book) -> None:
    the_book.weekly()
    the_book.do(move("S-7@20261201T1000", "12-02T15:00", scope="this"))
    after = the_book.get("S-7@20261201T1000")
    assert after.original_start == datetime(2026, 12, 1, 9, tzinfo=UTC)
    assert after.series == "S-7"


def test_this_and_following_splits_and_keeps_the_ids(the_book: Book) -> None:
    the_book.weekly()
    the_book.do(move("S-7@20261208T1000", "12-15T16:00", scope="this"))
    the_book.do(lambda conn, command: cancel(conn, command, "S-7@20261222T1000", Cancellation(scope="this")))
    early = the_book.members("S-7")[:1]
    the_book.do(move("S-7@20261201T1000", "12-02T11:00", scope="this-and-following", minutes=45))
    assert the_book.members("S-7") == early
    assert the_book.series("S-7").rule == "FREQ=WEEKLY;UNTIL=20261124T090000Z;BYDAY=TU"
    new = the_book.series("S-7.2")
    assert (new.continues, new.rule, new.span) == ("S-7", "FREQ=WEEKLY;BYDAY=WE", span("12-02T11:00", 45))
    first = the_book.get("S-7@20261201T1000")
    assert (first.series, first.original_start) == ("S-7.2", datetime(2026, 12, 2, 10, tzinfo=UTC))
    assert first.span == span("12-02T11:00", 45)
    kept = the_book.get("S-7@20261208T1000")
    assert (kept.series, kept.span) == ("S-7.2", span("12-15T16:00"))
    assert kept.original_start == datetime(2026, 12, 9, 10, tzinfo=UTC)
    gone = the_book.get("S-7@20261222T1000")
    assert (gone.status, gone.series) == ("cancelled", "S-7.2")
    assert "26-12-23T11:00" not in the_book.starts("S-7.2")


def test_moved_ones_can_be_reset(the_book: Book) -> None:
    the_book.weekly()
    the_book.do(move("S-7@20261208T1000", "12-15T16:00", scope="this"))
    the_book.do(move("S-7@20261201T1000", "12-02T11:00", scope="this-and-following", moved="reset"))
    assert the_book.get("S-7@20261208T1000").span == span("12-09T11:00")


def test_another_cadence_uses_the_sessions_there_are(the_book: Book) -> None:
    the_book.weekly()
    act = move("S-7@20261208T1000", "12-08T10:00", scope="this-and-following", cadence="FREQ=WEEKLY;INTERVAL=2")
    the_book.do(act)
    assert the_book.starts("S-7") == ["26-11-24T10:00", "26-12-01T10:00"]
    assert the_book.starts("S-7.2") == ["26-12-08T10:00", "26-12-22T10:00", "27-01-05T10:00", "27-01-19T10:00"]
    assert the_book.get("S-7@20261215T1000").span == span("12-22T10:00")
    assert the_book.get("S-7@20270119T1000").status == "cancelled"


def test_count_is_lessened_by_what_was_before(the_book: Book) -> None:
    the_book.weekly(rule="FREQ=WEEKLY;COUNT=5")
    the_book.do(move("S-7@20261208T1000", "12-09T10:00", scope="this-and-following"))
    assert the_book.series("S-7.2").rule == "FREQ=WEEKLY;COUNT=3"
    assert the_book.starts("S-7.2") == ["26-12-09T10:00", "26-12-16T10:00", "26-12-23T10:00"]


def test_whole_series_moved_from_its_first_session(the_book: Book) -> None:
    the_book.weekly()
    the_book.do(move("S-7@20261124T1000", "11-24T12:00", scope="this-and-following"))
    assert the_book.series("S-7").cancelled
    assert len(the_book.starts("S-7.2")) == 9
    the_book.do(move("S-7@20261208T1000", "12-08T13:00", scope="this-and-following"))
    assert the_book.series("S-7.3").continues == "S-7.2"


def test_rule_without_plain_meaning_asks_for_a_cadence(the_book: Book) -> None:
    the_book.weekly(rule="FREQ=MONTHLY;BYDAY=4TU")
    refused(the_book, "cadence-needed", move("S-7@20261222T1000", "12-23T10:00", scope="this-and-following"))
    the_book.do(move("S-7@20261222T1000", "12-22T11:00", scope="this-and-following"))
    assert the_book.series("S-7.2").rule == "FREQ=MONTHLY;BYDAY=4TU"


def test_following_over_a_taken_time_is_refused_whole(the_book: Book) -> None:
    the_book.weekly()
    the_book.single("A-1", "12-15T12:00", "C-2")
    refused(the_book, "overlaps", move("S-7@20261201T1000", "12-01T12:00", scope="this-and-following"))


def test_completed_session_after_the_cut_stays(the_book: Book) -> None:
    the_book.weekly()
    the_book.do(move("S-7@20261208T1000", "11-24T18:00", scope="this"))
    the_book.now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    the_book.do(lambda conn, command: complete(conn, command, Attested({"S-7@20261208T1000": None})))
    the_book.do(move("S-7@20261201T1000", "12-02T10:00", scope="this-and-following"))
    done = the_book.get("S-7@20261208T1000")
    assert (done.status, done.series) == ("completed", "S-7")
    assert done.original_start in the_book.series("S-7").added
    assert "26-12-09T10:00" not in the_book.starts("S-7.2")


# --- attendance ----------------------------------------------------------------------------------------------------


def test_complete_by_a_person(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")
    act: Act = lambda conn, command: complete(conn, command, Attested({"A-1": None}))  # noqa: E731
    refused(the_book, "not-started", act)
    the_book.now = datetime(2026, 11, 24, 10, tzinfo=UTC)
    the_book.do(act)
    with the_book.database.reading() as conn:
        assert records.appointment_facts(conn, ["A-1"])["A-1"].completed_by == "provider:P-1"
    assert the_book.do(act).appointments == ()


def test_attested_time_is_a_statement_and_leaves_the_record(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")
    the_book.now = NOW + timedelta(days=3)
    the_book.do(lambda conn, command: complete(conn, command, Attested({"A-1": span("11-24T10:15", 45)})))
    assert the_book.get("A-1").span == span("11-24T10:00")
    with the_book.database.reading() as conn:
        said = statements.of_appointments(conn, ["A-1"])["A-1"]
    assert [(one.says, one.by) for one in said] == [("took-place", "provider:P-1")]
    assert said[0].start == span("11-24T10:15").start


def test_who_repeats_an_attested_time_says_nothing_more(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")
    the_book.now = NOW + timedelta(days=3)

    def say(start: str) -> int:
        the_book.do(lambda conn, command: complete(conn, command, Attested({"A-1": span(start, 45)})))
        the_book.now += timedelta(minutes=1)
        with the_book.database.reading() as conn:
            return len(statements.of_appointments(conn, ["A-1"])["A-1"])

    assert [say("11-24T10:15"), say("11-24T10:15"), say("11-24T10:20"), say("11-24T10:15")] == [1, 1, 2, 3]


def test_all_of_a_list_or_none(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")
    the_book.single("A-2", "11-26T10:00")
    the_book.now = datetime(2026, 11, 25, tzinfo=UTC)
    wish = Attested({"A-1": None, "A-2": None, "A-9": None})
    before = the_book.dump()
    with pytest.raises(Refused) as refusal:
        the_book.do(lambda conn, command: complete(conn, command, wish))
    assert len(refusal.value.problems) == 2
    assert the_book.dump() == before


def test_a_providers_day(the_book: Book) -> None:
    for key, start in (("A-1", "11-24T09:00"), ("A-2", "11-24T18:00"), ("A-3", "11-25T09:00")):
        the_book.single(key, start)
    the_book.now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    day = datetime(2026, 11, 24).date()
    outcome = the_book.do(lambda conn, command: complete_day(conn, command, "P-1", day))
    assert outcome.appointments == ("A-1",)
    assert outcome.refused == {"A-2": "has not started yet"}
    assert the_book.get("A-3").status == "scheduled"


def test_day_leaves_sessions_that_a_calendar_showed_otherwise(the_book: Book) -> None:
    the_book.single("A-1", "11-24T09:00")
    the_book.single("A-2", "11-24T10:00", "C-2")
    the_book.single("A-3", "11-24T11:00", "C-3")
    with the_book.database.transaction() as conn:
        drifts.insert(conn, drift("d1", appointment="A-1"))
        drifts.insert(conn, drift("d2", appointment="A-2", link="L2", resolution=Resolution.REVERTED))
        drifts.insert(conn, drift("d3", appointment="A-3", link="L3", resolution=Resolution.WITHDRAWN))
    the_book.now = datetime(2026, 11, 25, tzinfo=UTC)
    day = datetime(2026, 11, 24).date()
    outcome = the_book.do(lambda conn, command: complete_day(conn, command, "P-1", day))
    assert outcome.appointments == ("A-3",)
    assert set(outcome.refused) == {"A-1", "A-2"}


def test_no_show_after_start_and_grace(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")
    act: Act = lambda conn, command: record_no_show(conn, command, "A-1")  # noqa: E731
    rulebook = rules_of(no_show={"grace": "15m"})
    strict: Act = lambda conn, command: record_no_show(conn, replace(command, rulebook=rulebook), "A-1")  # noqa: E731
    start = datetime(2026, 11, 24, 9, tzinfo=UTC)
    the_book.now = start - timedelta(seconds=1)
    refused(the_book, "not-started", act)
    the_book.now = start + timedelta(minutes=14, seconds=59)
    refused(the_book, "not-started", strict)
    the_book.now = start + timedelta(minutes=15)
    the_book.do(strict)
    assert the_book.get("A-1").status == "no-show"
    refused(the_book, "already-no-show", act)


# --- blocks --------------------------------------------------------------------------------------------------------


def test_blocked_time_cannot_be_booked_until_it_is_given_back(the_book: Book) -> None:
    the_book.single("A-1", "11-24T10:00")
    block = Block("B-1", "P-1", span("11-24T09:00", 240), "dentist")
    inside = the_book.do(lambda conn, command: add_block(conn, command, block))
    assert inside == ["A-1"]
    late = Booking(id="A-2", provider="P-1", client="C-2", span=span("11-24T12:00"))
    said = refused(the_book, "overlaps", lambda conn, command: book(conn, command, late))
    assert "dentist" not in said
    assert the_book.do(lambda conn, command: remove_block(conn, command, "B-1"))
    assert not the_book.do(lambda conn, command: remove_block(conn, command, "B-1"))
    the_book.single("A-2", "11-24T12:00", "C-2")
