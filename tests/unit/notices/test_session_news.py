"""Mails about sessions: one for each person and change, what stands now, and what a client's calendar is told."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import icalendar
import pytest
import vobject  # type: ignore[import-untyped]

from calsync.booking import commands
from calsync.booking.commands import Ask, Booking, Cancellation, Command, Move, Rulebook
from calsync.domain.span import Span
from calsync.settings.practice import Practice
from calsync.store import calendars, clients, outbox, providers, records
from calsync.store.clients import ClientRow
from calsync.store.providers import ProviderRow
from tests.unit.notices.office import Office, html_of, text_of
from tests.unit.worker.world import ZONE

EVIL = "<script>alert(1)</script>\r\nBcc: everybody@example.org"


def office_with(practice: dict[str, Any] | None = None, client_zone: str | None = None) -> Office:
    office = Office(keys={"practices": {"default": Practice.model_validate(practice or {})}})
    with office.world.database.transaction() as conn:
        clients.put(conn, ClientRow("K-1", "Made Up", "k1@example.org", client_zone))
        providers.put(conn, ProviderRow("P-1", "Dr. Made Up", "p1@example.org", ZONE))
    return office


@pytest.fixture
def office() -> Office:
    return office_with()


def command(office: Office, actor: str = "provider:P-1", reason: str | None = "because") -> Command:
    rulebook = Rulebook(office.settings.practices)
    return Command(actor=actor, now=office.world.clock.now(), reason=reason, rulebook=rulebook)


def at(start: str, minutes: int = 50) -> Span:
    wall = datetime.fromisoformat(start)
    return Span(wall, wall + timedelta(minutes=minutes), ZONE)


def book(office: Office, number: str, start: str = "2026-11-24T10:00", **more: Any) -> None:
    with office.world.database.transaction() as conn:
        wanted = Booking(id=number, provider="P-1", client="K-1", span=at(start), **more)
        commands.book(conn, command(office), wanted)


def move(office: Office, number: str, start: str, **more: Any) -> None:
    with office.world.database.transaction() as conn:
        commands.reschedule(conn, command(office), number, Move(span=at(start), **more))


def cancel(office: Office, number: str, actor: str = "provider:P-1", **more: Any) -> None:
    with office.world.database.transaction() as conn:
        commands.cancel(conn, command(office, actor), number, Cancellation(**more))


def told(office: Office, address: str) -> list[EmailMessage]:
    return [mail for mail in office.mails if mail["To"] == address]


def is_calendar(part: Any) -> bool:
    return bool(part.get_content_type() == "text/calendar")


def text_in(part: Any) -> str:
    return str(part.get_payload(decode=True).decode())


def invitation(mail: EmailMessage) -> icalendar.Calendar:
    """The only object in a mail, read by two parsers that must agree on what it says."""
    (text,) = [text_in(part) for part in mail.walk() if is_calendar(part)]
    one = icalendar.Calendar.from_ical(text)
    other = vobject.readOne(io.StringIO(text))
    events: list[Any] = one.walk("VEVENT")
    assert [str(part["UID"]) for part in events] == [str(part.uid.value) for part in other.vevent_list]
    for mine, theirs in zip(events, other.vevent_list, strict=True):
        assert mine.decoded("DTSTART") == theirs.dtstart.value
        assert int(mine["SEQUENCE"]) == int(theirs.sequence.value)
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    assert isinstance(one, icalendar.Calendar)
    return one


def event(mail: EmailMessage) -> Any:
    return invitation(mail).walk("VEVENT")[0]


class TestOneSession:
    def test_both_are_told_of_a_booking(self, office: Office) -> None:
        book(office, "4821", format="video")
        assert office.drained(minutes=12) == 2
        (mail,) = told(office, "k1@example.org")
        assert mail["Subject"] == "Tue 24 Nov, 10:00: your session is booked"
        assert "with Dr. Made Up is booked for Tuesday 24 November, 10:00-10:50 (New York time), by video" in text_of(
            mail
        )
        assert "Change or cancel: https://calsync.example.org/a/" in text_of(mail)
        (other,) = told(office, "p1@example.org")
        assert "no. 4821" in text_of(other)
        assert "Made Up" not in text_of(other)

    def test_a_client_reads_times_of_their_own_zone(self) -> None:
        office = office_with(client_zone="Europe/Berlin")
        book(office, "1")
        office.drained(minutes=12)
        assert "16:00-16:50 (Berlin time)" in text_of(told(office, "k1@example.org")[0])

    def test_the_objects_have_one_uid_and_a_rising_sequence(self, office: Office) -> None:
        book(office, "4821")
        office.drained(minutes=12)
        move(office, "4821", "2026-11-25T15:00")
        office.drained(minutes=12)
        cancel(office, "4821")
        office.drained(minutes=12)
        mails = told(office, "k1@example.org")
        assert [str(invitation(mail)["METHOD"]) for mail in mails] == ["REQUEST", "REQUEST", "CANCEL"]
        events = [event(mail) for mail in mails]
        assert {str(one["UID"]) for one in events} == {"4821@calsync"}
        numbers = [int(one["SEQUENCE"]) for one in events]
        assert numbers == sorted(set(numbers))
        assert events[1].decoded("DTSTART").isoformat() == "2026-11-25T15:00:00-05:00"
        assert str(events[2]["STATUS"]) == "CANCELLED"
        assert {one["ATTENDEE"].params["RSVP"] for one in events} == {"FALSE"}
        assert {str(one["SUMMARY"]) for one in events} == {"Appointment"}

    def test_a_move_says_where_it_was(self, office: Office) -> None:
        book(office, "4821")
        office.drained(minutes=12)
        move(office, "4821", "2026-11-25T15:00")
        office.drained(minutes=12)
        text = text_of(told(office, "k1@example.org")[-1])
        assert "is now on Wednesday 25 November, 15:00-15:50" in text
        assert "It was Tuesday 24 November, 10:00-10:50 before" in text
        assert "it was Tuesday 24 November, 10:00-10:50 before" in text_of(told(office, "p1@example.org")[-1])

    def test_a_provider_without_a_mirror_gets_the_object_too(self, office: Office) -> None:
        book(office, "1")
        office.drained(minutes=12)
        assert not [part for part in told(office, "p1@example.org")[0].walk() if is_calendar(part)]
        with office.world.database.transaction() as conn:
            calendars.remove(conn, "work", office.world.clock.now())
        book(office, "2", "2026-11-26T10:00")
        office.drained(minutes=12)
        assert event(told(office, "p1@example.org")[-1])["UID"] == "2@calsync"

    def test_the_headers_are_those_of_automatic_mail(self, office: Office) -> None:
        book(office, "1")
        office.drained(minutes=12)
        mail = told(office, "k1@example.org")[0]
        assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
        assert mail["Reply-To"] == "support@example.org"


class TestBursts:
    def test_booked_and_moved_at_once_is_a_booking(self, office: Office) -> None:
        book(office, "1")
        move(office, "1", "2026-11-25T15:00")
        assert office.drained(minutes=12) == 2
        (mail,) = told(office, "k1@example.org")
        assert mail["Subject"] == "Wed 25 Nov, 15:00: your session is booked"

    def test_booked_and_cancelled_at_once_is_nothing(self, office: Office) -> None:
        book(office, "1")
        cancel(office, "1")
        assert office.drained(minutes=12) == 0

    def test_moved_and_moved_back_is_nothing(self, office: Office) -> None:
        book(office, "1")
        office.drained(minutes=12)
        move(office, "1", "2026-11-25T15:00")
        move(office, "1", "2026-11-24T10:00")
        assert office.drained(minutes=12) == 0

    def test_several_in_ten_minutes_are_one_mail_with_an_object_each(self, office: Office) -> None:
        for number, day in (("1", 24), ("2", 25), ("3", 26)):
            book(office, number, f"2026-11-{day}T10:00")
        assert office.drained(minutes=12) == 2
        (mail,) = told(office, "k1@example.org")
        assert "(2 more inside)" in mail["Subject"]
        objects = [part for part in mail.walk() if is_calendar(part)]
        assert [part.get_filename() for part in objects] == ["session-1.ics", "session-2.ics", "session-3.ics"]

    def test_a_session_that_begins_soon_does_not_wait(self, office: Office) -> None:
        book(office, "1", "2026-11-16T10:30")  # it is 9
        assert office.drained() == 2

    def test_what_has_begun_meanwhile_is_not_told(self, office: Office) -> None:
        book(office, "1", "2026-11-16T12:00")
        assert office.drained(hours=4) == 0


class TestCancelling:
    @pytest.mark.parametrize("rebook", [True, False])
    def test_the_reason_decides_whether_to_book_again(self, rebook: bool) -> None:
        reason = {"code": "away", "text": "I am away", "rebook": rebook, "by": ["provider"]}
        office = office_with({"reasons": [{**reason, "resources": [{"text": "Help", "url": "https://example.org/h"}]}]})
        office.post.station.book.booking_url = lambda conn, **_: "https://calsync.example.org/a/book"  # type: ignore[method-assign]
        book(office, "1")
        office.drained(minutes=12)
        with office.world.database.transaction() as conn:
            commands.cancel(conn, command(office, reason="away"), "1", Cancellation())
        office.drained(minutes=12)
        text = text_of(told(office, "k1@example.org")[-1])
        assert ("Book another time: https://calsync.example.org/a/book" in text) == rebook
        assert "Help: https://example.org/h" in text
        assert "away" not in text

    def test_what_a_late_cancellation_costs_is_said(self) -> None:
        policy = {
            "cancel": {"late_notice": "24h", "client_notice": "24h", "client_late": "fee"},
            "fees": {"late_cancellation": "75.00"},
        }
        office = office_with(policy)
        book(office, "1", "2026-11-17T08:00")
        office.drained(minutes=12)
        cancel(office, "1", "client:K-1")
        office.drained(minutes=12)
        assert "you owe a fee of 75.00 USD" in text_of(told(office, "k1@example.org")[-1])
        assert "was cancelled by your client" in text_of(told(office, "p1@example.org")[-1])


class TestAsking:
    def test_the_client_is_asked_and_the_provider_is_told_so(self, office: Office) -> None:
        book(office, "1")
        office.drained(minutes=12)
        with office.world.database.transaction() as conn:
            commands.ask_to_reschedule(conn, command(office), "1", Ask(token="t" * 43))
        office.drained(minutes=12)
        mail = told(office, "k1@example.org")[-1]
        assert mail["Subject"] == "Please choose another time for your session on Tue 24 Nov, 10:00"
        assert "Choose another time: https://calsync.example.org/a/" in text_of(mail)
        assert not [part for part in mail.walk() if is_calendar(part)]
        assert "your client was asked" in told(office, "p1@example.org")[-1]["Subject"]


class TestSeries:
    def series(self, office: Office) -> list[str]:
        with office.world.database.transaction() as conn:
            first = Booking(id="S", provider="P-1", client="K-1", span=at("2026-11-24T10:00"))
            horizon = office.world.clock.now() + timedelta(days=60)
            done = commands.book_series(conn, command(office), first, "FREQ=WEEKLY", horizon)
        office.drained(minutes=12)
        return list(done.appointments)

    def test_it_is_booked_as_one_object(self, office: Office) -> None:
        self.series(office)
        (mail,) = told(office, "k1@example.org")
        assert "every week" in text_of(mail)
        one = event(mail)
        assert str(one["UID"]) == "S@calsync"
        assert one["RRULE"]["FREQ"] == ["WEEKLY"]

    def test_one_of_it_is_moved_and_cancelled_in_its_slot(self, office: Office) -> None:
        numbers = self.series(office)
        move(office, numbers[1], "2026-12-02T15:00", scope="this")
        office.drained(minutes=12)
        moved = event(told(office, "k1@example.org")[-1])
        assert moved.decoded("RECURRENCE-ID").isoformat() == "2026-12-01T10:00:00-05:00"
        assert moved.decoded("DTSTART").isoformat() == "2026-12-02T15:00:00-05:00"
        cancel(office, numbers[1], scope="this")
        office.drained(minutes=12)
        gone = event(told(office, "k1@example.org")[-1])
        assert gone.decoded("RECURRENCE-ID") == moved.decoded("RECURRENCE-ID")
        assert int(gone["SEQUENCE"]) > int(moved["SEQUENCE"])

    def test_all_of_it_cancelled_is_one_mail(self, office: Office) -> None:
        numbers = self.series(office)
        cancel(office, numbers[0], scope="all-upcoming")
        assert office.drained(minutes=12) == 2
        mail = told(office, "k1@example.org")[-1]
        assert f"{len(numbers)} of your sessions are cancelled" in mail["Subject"]
        assert str(invitation(mail)["METHOD"]) == "CANCEL"

    def test_from_one_session_on_both_parts_are_told(self, office: Office) -> None:
        numbers = self.series(office)
        move(office, numbers[2], "2026-12-09T11:00", scope="this-and-following")
        office.drained(minutes=12)
        mail = told(office, "k1@example.org")[-1]
        texts = [str(part.get_content()) for part in mail.walk() if is_calendar(part)]
        found: list[Any] = [icalendar.Calendar.from_ical(text).walk("VEVENT")[0] for text in texts]
        assert {str(one["UID"]) for one in found} == {"S@calsync", "S.2@calsync"}
        assert next(one for one in found if str(one["UID"]) == "S@calsync")["RRULE"]["UNTIL"]


class TestHarmless:
    def test_script_and_header_breaks_in_names_are_inert(self, office: Office) -> None:
        with office.world.database.transaction() as conn:
            providers.put(conn, ProviderRow("P-1", EVIL, "p1@example.org", ZONE))
            clients.put(conn, ClientRow("K-1", EVIL, "k1@example.org"))
        book(office, "1", format=EVIL)
        office.drained(minutes=12)
        for mail in office.mails:
            assert "<script" not in html_of(mail)
            assert mail["Bcc"] is None
            whole = mail.as_string()
            assert "\nBcc:" not in whole
        assert "alert" not in invitation(told(office, "k1@example.org")[0]).to_ical().decode()

    def test_nothing_clinical_and_no_reason_is_told(self, office: Office) -> None:
        book(office, "1", code="90834")
        office.drained(minutes=12)
        cancel(office, "1")
        office.drained(minutes=12)
        for mail in office.mails:
            assert "90834" not in mail.as_string()
            assert "because" not in text_of(mail)

    def test_a_client_without_an_address_is_left_alone(self, office: Office) -> None:
        with office.world.database.transaction() as conn:
            clients.put(conn, ClientRow("K-1", "Made Up", ""))
        book(office, "1")
        assert office.drained(minutes=12) == 1
        assert [item.state for item in office.items("client:K-1")] == ["merged"]

    def test_a_practice_may_write_to_its_clients_itself(self) -> None:
        office = office_with({"mail": {"clients": False}})
        book(office, "1")
        assert office.drained(minutes=12) == 1
        assert told(office, "k1@example.org") == []


def test_a_repeated_mail_says_the_same_about_the_same_sessions(office: Office) -> None:
    from calsync.notices.mailer import MailUnknown  # noqa: PLC0415

    book(office, "1")
    book(office, "2", "2026-11-25T10:00")

    def lost() -> None:
        raise MailUnknown("lost")

    office.mailer.after = lost
    office.drained(minutes=12)
    office.mailer.after = lambda: None
    office.drained(minutes=15)
    first, second = told(office, "k1@example.org")
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Subject"] == second["Subject"]
    with office.world.database.reading() as conn:
        assert records.appointment(conn, "1") is not None
        assert outbox.get(conn, "no such") is None
