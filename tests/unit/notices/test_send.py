"""The outbox empties: bursts, limits, what was settled meanwhile, and crashes in the SMTP gap (I7, R-18)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calsync.domain.drift import Resolution
from calsync.notices.mailer import MailDeferred, MailProblem, MailRefused, MailUnknown
from calsync.store import action_links, asks, audit, drifts, outbox, providers
from calsync.store.providers import ProviderRow
from tests.unit.notices.office import Office, html_of, text_of
from tests.unit.worker.world import NOW


class Crash(BaseException):
    """The process dies."""


@pytest.fixture
def office() -> Office:
    return Office()


def dragged(office: Office, *numbers: str, pause: float = 0) -> None:
    """Book sessions, mirror them, drag each by an hour, and let the worker see it; `pause` in minutes after each.

    Many others stand beside them, so that a handful of edits is no mass change.
    """
    world = office.world
    for place, number in enumerate(numbers):
        world.book(number, f"2026-11-{20 + place}T10:00")
    for other in range(40):
        world.book(f"other-{other}", f"2027-{1 + other // 20:02}-{1 + other % 20:02}T12:00")
    world.run()
    for remote, span in world.shown().items():
        if span.start.hour == 10:
            world.people.drag(remote, timedelta(hours=1))
            world.run()
            office.drained(minutes=pause)


def raising(problem: BaseException) -> object:
    def broken() -> None:
        raise problem

    return broken


class TestBursts:
    def test_an_edit_is_one_mail_after_ten_minutes(self, office: Office) -> None:
        dragged(office, "4821")
        assert office.drained() == 0
        office.world.later(minutes=3)
        office.world.run()
        assert office.drained() == 0
        assert office.drained(minutes=7) == 1
        assert office.mails[0]["To"] == "p1@example.org"
        assert "your calendar shows that again" in office.texts[0]
        assert office.drained(hours=2) == 0

    def test_a_burst_of_edits_is_one_mail_with_a_list(self, office: Office) -> None:
        dragged(office, "1", "2", "3", "4")
        assert office.drained(minutes=12) == 1
        assert office.drained(hours=1) == 0
        assert len(office.mails) == 1
        for number in ("1", "2", "3", "4"):
            assert f"(no. {number})" in office.texts[0]
            assert office.texts[0].count("https://calsync.example.org/a/") == 4
        assert [item.state for item in office.items()].count("sent") == 1
        assert [item.state for item in office.items()].count("merged") == 3

    def test_three_a_day_then_the_evening(self, office: Office) -> None:
        dragged(office, "0", "1", "2", "3", "4", pause=12)
        assert len(office.mails) == 3
        office.drained(hours=7)  # 18:00 at the latest
        assert len(office.mails) == 3
        office.drained(hours=2)
        assert len(office.mails) == 4
        assert office.texts[3].count("Answer: ") == 2


class TestWhatIsNotToldAnyMore:
    def test_a_slip_that_was_undone_causes_no_mail(self, office: Office) -> None:
        dragged(office, "4821")
        (remote,) = [name for name, span in office.world.shown().items() if span.start.hour == 11]
        office.world.people.drag(remote, timedelta(hours=-1))
        office.world.run()
        assert office.world.drifts()[0].resolution is Resolution.WITHDRAWN
        assert office.drained(minutes=12) == 0
        assert [item.state for item in office.items()] == ["merged"]

    def test_an_edit_that_somebody_settled_meanwhile_is_dropped_from_the_list(self, office: Office) -> None:
        dragged(office, "1", "2")
        first = office.world.drifts()[0]
        with office.world.database.transaction() as conn:
            drifts.resolve(conn, first.id, Resolution.ACKNOWLEDGED, office.world.clock.now(), by="support:x")
        assert office.drained(minutes=12) == 1
        assert f"(no. {first.appointment})" not in office.texts[0]

    def test_of_an_event_left_to_its_person_after_a_cancellation_she_is_told_once_and_asked_nothing(
        self, office: Office
    ) -> None:
        dragged(office, "4821")
        hers = next(name for name, span in office.world.shown().items() if span.start.hour == 11)
        office.world.people.retitle(hers, "Choir")
        office.world.book("4821", "2026-11-20T10:00", status="cancelled")
        office.world.run()
        assert office.drained(minutes=12) == 1
        assert "is cancelled: what you made of it in your calendar stays" in str(office.mails[0]["Subject"])
        assert "still booked" not in office.texts[0]
        assert "https://calsync.example.org/a/" not in office.texts[0]
        assert office.drained(days=3) == 0

    def test_a_practice_that_only_observes_mails_nobody(self) -> None:
        office = Office(keys={"sync": {"mode": "observe"}})
        dragged(office, "4821")
        assert office.drained(minutes=12) == 0
        assert office.mails == []


class TestWithoutAnAddress:
    def test_without_a_sender_mails_wait_and_leave_later(self, office: Office) -> None:
        silent = Office(world=office.world, mailer=office.mailer, keys={"mail": {}})
        dragged(office, "4821")
        assert silent.drained(minutes=12) == 0
        assert [item.state for item in office.items()] == ["due"]
        assert office.drained() == 1

    @pytest.mark.parametrize("address", ["", "a@example.org,b@example.org", "a@b@example.org"])
    def test_a_provider_without_a_usable_address_waits(self, office: Office, address: str) -> None:
        with office.world.database.transaction() as conn:
            providers.put(conn, ProviderRow("P-1", "Dr. Made Up", address, "America/New_York"))
        dragged(office, "4821")
        assert office.drained(minutes=12) == 0
        with office.world.database.transaction() as conn:
            providers.put(conn, ProviderRow("P-1", "Dr. Made Up", "p1@example.org", "America/New_York"))
        assert office.drained(hours=1) == 1


class TestTheGap:
    def test_a_crash_after_the_server_took_it_is_repeated_once_under_the_same_id(self, office: Office) -> None:
        dragged(office, "4821")
        office.mailer.after = raising(Crash())  # type: ignore[assignment]
        with pytest.raises(Crash):
            office.drained(minutes=12)
        assert [item.state for item in office.items()] == ["sending"]
        office.post = office.reopened()
        assert office.drained(minutes=1) == 0
        with pytest.raises(Crash):
            office.drained(minutes=15)
        office.post = office.reopened()
        office.mailer.after = lambda: None
        for _ in range(5):
            assert office.drained(hours=1) == 0
        assert len(office.mails) == 2
        assert len({mail["Message-ID"] for mail in office.mails}) == 1
        (item,) = office.items()
        assert (item.state, item.repeats) == ("failed", 1)

    def test_a_crash_before_the_dialogue_costs_nothing_but_time(self, office: Office) -> None:
        dragged(office, "4821")
        office.mailer.before = raising(Crash())  # type: ignore[assignment]
        with pytest.raises(Crash):
            office.drained(minutes=12)
        office.post = office.reopened()
        office.mailer.before = lambda: None
        assert office.drained(minutes=15) == 1
        assert len(office.mails) == 1
        assert office.items()[0].state == "sent"

    def test_a_lost_connection_after_the_text_counts_like_a_crash(self, office: Office) -> None:
        dragged(office, "4821")
        office.mailer.after = raising(MailUnknown("lost"))  # type: ignore[assignment]
        assert office.drained(minutes=12) == 0
        assert office.drained(minutes=1) == 0
        office.mailer.after = lambda: None
        assert office.drained(minutes=15) == 1
        assert len({mail["Message-ID"] for mail in office.mails}) == 1

    def test_what_was_settled_during_the_gap_is_not_repeated(self, office: Office) -> None:
        dragged(office, "4821")
        office.mailer.after = raising(MailUnknown("lost"))  # type: ignore[assignment]
        office.drained(minutes=12)
        (drift,) = office.world.drifts()
        with office.world.database.transaction() as conn:
            drifts.resolve(conn, drift.id, Resolution.ACKNOWLEDGED, office.world.clock.now(), by="provider:P-1")
        office.mailer.after = lambda: None
        assert office.drained(hours=1) == 0
        assert len(office.mails) == 1

    @pytest.mark.parametrize("problem", [MailDeferred("text-451"), MailDeferred("down", everywhere=True)])
    def test_a_mail_that_was_not_taken_goes_later_with_all_that_it_speaks_for(
        self, office: Office, problem: MailProblem
    ) -> None:
        dragged(office, "1", "2")
        office.mailer.before = raising(problem)  # type: ignore[assignment]
        assert office.drained(minutes=12) == 0
        with office.world.database.reading() as conn:
            begun = [one.message_id for one in outbox.of_recipient(conn, "provider:P-1", NOW) if one.message_id]
        office.mailer.before = lambda: None
        assert office.drained(seconds=30) == 0
        assert office.drained(minutes=5) == 1
        assert [mail["Message-ID"] for mail in office.mails] == sorted(set(begun)), (
            "the mail that was begun, no other one"
        )
        assert "(no. 1)" in office.texts[0]
        assert "(no. 2)" in office.texts[0]

    def test_a_mail_that_is_refused_is_given_up_and_noted(self, office: Office) -> None:
        dragged(office, "4821")
        office.mailer.before = raising(MailRefused("recipient-550"))  # type: ignore[assignment]
        office.drained(minutes=12)
        office.mailer.before = lambda: None
        assert office.drained(hours=5) == 0
        assert (office.items()[0].state, office.items()[0].last_error) == ("failed", "recipient-550")
        with office.world.database.reading() as conn:
            assert "mail-failed" in [row.what for row in audit.rows(conn)]


class TestWhatFollows:
    def test_a_sent_mail_counts_as_a_question_about_each_session(self, office: Office) -> None:
        dragged(office, "1", "2")
        office.drained(minutes=12)
        with office.world.database.reading() as conn:
            asked = asks.of_appointments(conn, ["1", "2"])
        known = {drift.appointment: drift.id for drift in office.world.drifts()}
        assert {number: rows[0].about for number, rows in asked.items()} == known
        assert {rows[0].who for rows in asked.values()} == {"provider"}
        assert all(rows[0].next_at is not None for rows in asked.values())

    def test_a_mail_on_its_way_is_no_question_yet(self, office: Office) -> None:
        dragged(office, "1")
        office.mailer.after = raising(MailUnknown("lost"))  # type: ignore[assignment]
        office.drained(minutes=12)
        with office.world.database.reading() as conn:
            assert asks.of_appointments(conn, ["1"]) == {}

    def test_only_the_hash_of_an_address_is_kept(self, office: Office) -> None:
        dragged(office, "1")
        office.drained(minutes=12)
        token = office.texts[0].partition("https://calsync.example.org/a/")[2].split("?")[0]
        assert len(token) == 43
        with office.world.database.reading() as conn:
            link = action_links.get(conn, action_links.hash_of(token))
            rows = [*audit.rows(conn)]
        assert link is not None
        assert link.recipient == "provider:P-1"
        assert token not in repr(rows) + repr(office.items())

    def test_a_client_is_never_named(self, office: Office) -> None:
        dragged(office, "1")
        office.drained(minutes=12)
        message = office.mails[0]
        assert "K-1" not in text_of(message) + html_of(message)


class TestTheFleet:
    def test_mails_an_hour_are_limited_and_support_is_told_once(self) -> None:
        office = Office(keys={"fleet": {"max_mails_per_hour": 2}})
        now = office.world.clock.now()
        with office.world.database.transaction() as conn:
            for number in range(5):
                providers.put(conn, ProviderRow(f"P-{number}", "Dr.", f"p{number}@example.org", "UTC"))
                key, who = f"needs-reconnect:{number}", f"provider:P-{number}"
                payload = {"calendar": "work"}
                outbox.put(conn, key, "calendar-needs-reconnect", who, payload, now=now, due_at=now)
        with office.world.database.transaction() as conn:
            from calsync.store import calendars  # noqa: PLC0415

            calendars.set_state(conn, "work", "needs-reconnect", "auth-revoked", now)
        assert office.drained(minutes=11) == 2
        assert office.drained(minutes=11) == 1
        assert office.mails[2]["To"] == "support@example.org"
        office.drained(minutes=11)
        assert len(office.mails) == 3
        for _ in range(20):
            office.drained(minutes=15)
        assert sorted(mail["To"] for mail in office.mails).count("support@example.org") <= 5
        assert {f"p{number}@example.org" for number in range(5)} <= {mail["To"] for mail in office.mails}

    def test_a_calendar_that_works_again_is_no_news(self, office: Office) -> None:
        now = office.world.clock.now()
        with office.world.database.transaction() as conn:
            payload = {"calendar": "work"}
            outbox.put(conn, "k", "calendar-needs-reconnect", "provider:P-1", payload, now=now, due_at=now)
        assert office.drained(minutes=11) == 0
        assert office.items()[0].state == "merged"

    def test_messages_of_other_kinds_are_left_alone(self, office: Office) -> None:
        now = office.world.clock.now()
        with office.world.database.transaction() as conn:
            outbox.put(conn, "k", "webhook", "billing", {}, now=now, due_at=now)
        assert office.drained(hours=1) == 0
        assert office.items("billing")[0].state == "due"
