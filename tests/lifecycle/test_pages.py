"""The rules by number where they are about mails and pages: what is shown, when, and that only a person's post acts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from calsync.booking import commands
from calsync.booking.booking_links import revoke_link
from calsync.booking.commands import Ask, Cancellation, Move
from calsync.store import record_changes
from calsync.store.database import Database, open_database
from tests.lifecycle.mailed import Mailed
from tests.unit.notices.office import text_of

Open = Callable[..., Mailed]
USELESS = "This link cannot be used any more"


@pytest.fixture
def opened(tmp_path: Path, empty_books: Path) -> Iterator[Open]:
    """Opens the test's practice: `opened("grow-therapy", ("text in its file", "another"))`."""
    file = tmp_path / "calsync.db"
    file.write_bytes(empty_books.read_bytes())
    database: Database = open_database(f"sqlite:///{file}")
    yield lambda rules, changed=("", ""): Mailed(database, tmp_path, rules, changed)
    database.dispose()


@pytest.fixture
def better(opened: Open) -> Mailed:
    return opened("practice-better")


@pytest.fixture
def grow(opened: Open) -> Mailed:
    return opened("grow-therapy")


def manage_path(house: Mailed, key: str = "A-1", start: str = "2026-11-05T10:00") -> str:
    """A booked session, and the path of the page behind its confirmation."""
    house.book(key, start)
    return house.path(house.mailed(), "Change or cancel")


class TestCancellingByLink:
    def test_pb_01_the_link_in_the_confirmation_cancels_with_a_reason(self, better: Mailed) -> None:
        path = manage_path(better)
        refused = better.submit(path, "?do=cancel", sure="yes")
        assert refused.status_code == 422
        assert "Please say why" in refused.text
        assert better.session("A-1").status == "scheduled"
        done = better.submit(path, "?do=cancel", sure="yes", reason="my train does not run")
        assert done.status_code == 200
        assert better.session("A-1").status == "cancelled"
        assert "Cancelled: your session on Thu 5 Nov, 10:00" in better.mailed()["Subject"]

    def test_pb_01_so_does_the_link_in_the_reminder(self, better: Mailed) -> None:
        better.book("A-1", "2026-11-05T10:00")
        better.mailed()
        better.at("2026-11-04T09:59")
        assert better.passes() == []
        better.passes(minutes=2)
        mail = better.mailed()
        assert mail["Subject"] == "Reminder: your session on Thu 5 Nov, 10:00"
        path = better.path(mail, "Change or cancel")
        assert better.submit(path, "?do=cancel", sure="yes", reason="ill").status_code == 200
        assert better.session("A-1").status == "late-cancelled"
        assert [m for m in better.passes(hours=3) if "Reminder" in m["Subject"]] == []

    def test_pb_02_the_policy_stands_on_the_page_before_the_client_confirms(self, better: Mailed) -> None:
        path = manage_path(better)
        for page in (better.see(path).text, better.see(path + "?do=cancel").text):
            assert "Please give us 24 hours&#39; notice" in page
            assert "until 24 hours before the session starts" in page
            assert "costs 50.00 USD" in page
        assert "You are in time: until Wednesday 4 November, 10:00" in better.see(path + "?do=cancel").text
        better.at("2026-11-04T10:01")
        assert "Cancelling now is late" in better.see(path + "?do=cancel").text

    def test_pb_08_a_late_one_shows_its_fee_before_and_records_it_after(self, better: Mailed) -> None:
        path = manage_path(better)
        better.at("2026-11-04T12:00")
        page = better.see(path + "?do=cancel").text
        assert "You would owe 50.00 USD" in page
        assert better.fees() == []
        done = better.submit(path, "?do=cancel", sure="yes", reason="ill")
        assert done.status_code == 200
        assert [(fee.appointment, fee.amount, fee.state) for fee in better.fees()] == [("A-1", "50.00", "owed")]
        assert "you owe a fee of 50.00 USD" in text_of(better.mailed())

    def test_pb_06_looking_changes_nothing_and_each_link_acts_once(self, better: Mailed) -> None:
        path = manage_path(better)
        before = better.dump()
        for wish in ("", "?do=cancel", "?do=move", "?do=move&at=20261106T150000Z", "?do=nonsense", "?session=A-2"):
            for _ in range(5):
                assert better.see(path + wish).status_code in (200, 410)
        assert better.dump() == before
        given = better.fields(better.see(path + "?do=cancel")) | {"sure": "yes", "reason": "ill"}
        assert better.browser.post(path, data=given).status_code == 200
        again = better.browser.post(path, data=given)
        assert (again.status_code, USELESS in again.text) == (410, True)
        assert better.session("A-1").version == 2

    def test_pb_06_links_end_with_the_session_and_are_nobody_elses(self, better: Mailed) -> None:
        path = manage_path(better)
        foreign = path[:-1] + ("A" if path[-1] != "A" else "B")
        texts = {better.see(foreign).text}
        better.at("2026-11-05T10:00")
        answer = better.see(path)
        assert answer.status_code == 410
        assert {answer.text} == texts

    def test_pb_07_a_practice_may_allow_no_changes(self, opened: Open) -> None:
        house = opened(
            "practice-better",
            ('by = ["provider", "client", "support", "system"]     #', 'by = ["provider", "support"] #'),
        )
        path = manage_path(house)
        page = house.see(path).text
        assert "Cancel this session" not in page
        assert "Please contact your practitioner" in page
        before = house.dump()
        given = {"field": "1.2", "do": "cancel", "sure": "yes", "reason": "x", "version": "1"}
        assert house.browser.post(path, data=given).status_code == 403
        moving = house.fields(house.see(path + "?do=move&at=20261106T150000Z"))
        answer = house.browser.post(path, data=moving | {"do": "cancel", "sure": "yes", "reason": "x"})
        assert answer.status_code == 409
        assert house.dump() == before

    def test_gt_03_inside_the_limit_the_page_says_whom_to_contact(self, grow: Mailed) -> None:
        path = manage_path(grow)
        grow.at("2026-11-04T10:00")
        assert "Cancel this session" in grow.see(path).text
        grow.at("2026-11-04T10:01")
        page = grow.see(path).text
        assert "Cancel this session" not in page
        assert "Please contact your provider" in page

    def test_gt_09_one_of_a_set_or_all_of_it(self, grow: Mailed) -> None:
        grow.weekly("S", "2026-11-03T08:00")
        path = grow.path(grow.mailed(), "Change or cancel sessions")
        listed = grow.see(path).text
        assert "Tuesday 10 November, 08:00-08:50" in listed
        number = grow.sessions()[1].id
        page = f"?session={number}&do=cancel"
        assert grow.submit(path, page, sure="yes").status_code == 422
        assert grow.submit(path, page, sure="yes", scope="all-upcoming").status_code == 200
        states = [one.status for one in grow.sessions()]
        # The first one begins within 24 hours.
        assert states == ["scheduled", "cancelled", "cancelled", "cancelled"]

    def test_gt_09_a_page_that_was_open_while_the_session_changed_does_nothing(self, grow: Mailed) -> None:
        grow.weekly("S", "2026-11-05T10:00")
        path = grow.path(grow.mailed(), "Change or cancel sessions")
        number = grow.sessions()[1].id
        given = grow.fields(grow.see(f"{path}?session={number}&do=cancel")) | {"sure": "yes", "scope": "this"}
        move = Move(span=grow.sessions()[2].span.starting(datetime(2026, 11, 13, 10, 0)), scope="this")
        grow.do(lambda conn: commands.reschedule(conn, grow.command("support:x", "asked"), number, move))
        before = grow.dump()
        assert grow.browser.post(path, data=given).status_code == 410
        assert grow.dump() == before

    def test_a_link_is_the_clients_own_and_needs_a_tick(self, grow: Mailed) -> None:
        path = manage_path(grow)
        assert grow.submit(path, "?do=cancel").status_code == 422
        assert grow.session("A-1").status == "scheduled"
        with grow.database.transaction() as conn:
            other = replace(grow.session("A-1"), client="C-2", version=2)
            record_changes.put_appointment(conn, other, now=grow.clock.now(), actor="support:x", action="corrected")
        assert grow.see(path).status_code == 410

    def test_gt_10_after_cancelling_the_client_is_offered_another_time(self, grow: Mailed) -> None:
        path = manage_path(grow)
        done = grow.submit(path, "?do=cancel", sure="yes")
        assert "Book another time" in done.text
        mail = grow.mailed()
        assert grow.see(grow.path(mail, "Book another time")).status_code == 200


class TestProvidersCancelling:
    @pytest.mark.parametrize(("reason", "offers"), [("client-asked", True), ("not-a-fit", False)])
    def test_gt_01_gt_02_both_are_mailed_and_the_reason_decides_about_booking_again(
        self, grow: Mailed, reason: str, offers: bool
    ) -> None:
        grow.book("A-1", "2026-11-05T10:00")
        grow.mailed()
        grow.do(lambda conn: commands.cancel(conn, grow.command("provider:P-1", reason), "A-1"))
        mail = grow.mailed()
        assert "is cancelled. Please do not come then." in text_of(mail)
        assert ("Book another time" in text_of(mail)) == offers
        assert "Thu 5 Nov, 10:00 session is cancelled" in grow.mailed("p1@example.org")["Subject"]

    def test_gt_12_the_reasons_resources_are_in_the_mail(self, grow: Mailed) -> None:
        grow.book("A-1", "2026-11-05T10:00")
        grow.mailed()
        wish = Cancellation(answers={"handover": "yes"})
        grow.do(lambda conn: commands.cancel(conn, grow.command("provider:P-1", "ending-care"), "A-1", wish))
        assert "How to find another therapist: https://example.org/find-a-therapist" in text_of(grow.mailed())


class TestMoving:
    def test_pb_04_format_day_and_time_are_chosen_and_a_reason_given(self, better: Mailed) -> None:
        path = manage_path(better)
        page = better.see(path + "?do=move&format=phone")
        assert "By phone" in page.text
        query = better.times(page)["Friday 6 November, 14:00"]
        confirm = better.see(path + query)
        assert "Friday 6 November, 14:00-14:50" in confirm.text
        assert "by phone" in confirm.text
        assert better.submit(path, query, sure="yes").status_code == 422
        done = better.submit(path, query, sure="yes", reason="the dentist")
        assert done.status_code == 200
        moved = better.session("A-1")
        assert (moved.span.start.isoformat(), moved.format) == ("2026-11-06T14:00:00", "phone")

    def test_pb_04_no_free_time_is_an_empty_list_with_a_hint(self, better: Mailed) -> None:
        path = manage_path(better)
        page = better.see(path + "?do=move&from=2027-11-04")
        assert better.times(page) == {}
        assert "Please contact your practitioner" in page.text

    def test_pb_04_a_slot_taken_meanwhile_is_refused_with_fresh_ones(self, better: Mailed) -> None:
        path = manage_path(better)
        query = better.times(better.see(path + "?do=move"))["Friday 6 November, 14:00"]
        given = better.fields(better.see(path + query))
        better.book("B-1", "2026-11-06T14:00", client="C-2")
        answer = better.browser.post(path, data=given | {"sure": "yes", "reason": "the dentist"})
        assert answer.status_code == 409
        assert "That time is not free" in answer.text
        assert "Friday 6 November, 14:00" not in better.times(answer)
        assert better.times(answer)
        assert better.session("A-1").span.start.isoformat() == "2026-11-05T10:00:00"
        # The link is still good for another time.
        assert (
            better.submit(path, better.times(answer)["Friday 6 November, 15:00"], sure="yes", reason="x").status_code
            == 200
        )

    def test_pb_05_the_practitioner_is_told_and_the_client_gets_the_new_details(self, better: Mailed) -> None:
        path = manage_path(better)
        query = better.times(better.see(path + "?do=move"))["Friday 6 November, 14:00"]
        better.submit(path, query, sure="yes", reason="the dentist")
        mail = better.mailed()
        assert mail["Subject"] == "New time for your session: Fri 6 Nov, 14:00"
        assert "You made this change." in text_of(mail)
        told = better.mailed("p1@example.org")
        assert told["Subject"] == "Thu 5 Nov, 10:00 session is now Fri 6 Nov, 14:00"
        assert "changed by your client" in text_of(told)
        assert "dentist" not in text_of(told)


class TestAskedForAnotherTime:
    def asked(self, grow: Mailed) -> str:
        grow.book("A-1", "2026-11-10T10:00")
        grow.mailed()
        grow.do(
            lambda conn: commands.ask_to_reschedule(
                conn, grow.command("provider:P-1", "provider-sick"), "A-1", Ask(token=grow.ids.token_bytes(32).hex())
            )
        )
        return grow.path(grow.mailed(), "Choose another time")

    def test_gt_23_gt_26_the_client_chooses_and_a_second_answer_is_refused_politely(self, grow: Mailed) -> None:
        path = self.asked(grow)
        page = grow.see(path)
        assert "It stays booked until you do" in page.text
        assert "?from=2026-11-09" in page.text
        query = grow.times(grow.see(path + "?from=2026-11-09"))["Wednesday 11 November, 09:00"]
        given = grow.fields(grow.see(path + query)) | {"sure": "yes"}
        assert grow.browser.post(path, data=given).status_code == 200
        one = grow.session("A-1")
        assert (one.span.start.isoformat(), one.pending) == ("2026-11-11T09:00:00", None)
        again = grow.browser.post(path, data=given)
        assert (again.status_code, USELESS in again.text) == (410, True)
        assert grow.mailed()["Subject"] == "New time for your session: Wed 11 Nov, 09:00"
        assert "is now Wed 11 Nov, 09:00" in grow.mailed("p1@example.org")["Subject"]

    def test_gt_25_without_an_answer_both_are_told_that_it_is_cancelled(self, grow: Mailed) -> None:
        path = self.asked(grow)
        grow.passes(hours=47, minutes=30)
        assert grow.session("A-1").status == "scheduled"
        grow.passes(minutes=20)
        assert grow.session("A-1").status == "cancelled"
        mail = grow.mailed()
        assert "Cancelled: your session on Tue 10 Nov, 10:00" in mail["Subject"]
        assert "Book another time" in text_of(mail)
        assert grow.see(path).status_code == 410


class TestBookingByLink:
    def link(self, grow: Mailed) -> str:
        manage = manage_path(grow, "A-0")
        done = grow.submit(manage, "?do=cancel", sure="yes")
        assert done.status_code == 200
        return grow.path(grow.mailed(), "Book another time")

    def test_gt_13_fee_and_policy_are_shown_before_the_client_confirms(self, grow: Mailed) -> None:
        path = self.link(grow)
        page = grow.see(path)
        query = grow.times(page)["Friday 6 November, 11:00"]
        for shown in (page.text, grow.see(path + query).text):
            assert "costs 75.00 USD" in shown
            assert "free of charge until 24 hours before" in shown
        before = grow.sessions()
        assert grow.submit(path, query).status_code == 422
        assert grow.sessions() == before
        assert grow.submit(path, query, sure="yes").status_code == 200
        new = grow.sessions()[-1]
        assert (new.span.start.isoformat(), new.status, new.provider) == ("2026-11-06T11:00:00", "scheduled", "P-1")
        assert "Fri 6 Nov, 11:00: your session is booked" in grow.mailed()["Subject"]

    def test_gt_08_the_link_stays_the_same_and_one_page_books_once(self, grow: Mailed) -> None:
        path = self.link(grow)
        query = grow.times(grow.see(path))["Friday 6 November, 11:00"]
        given = grow.fields(grow.see(path + query)) | {"sure": "yes"}
        assert grow.browser.post(path, data=given).status_code == 200
        assert grow.browser.post(path, data=given).status_code in (409, 410)
        assert len([one for one in grow.sessions() if one.status == "scheduled"]) == 1
        assert "Friday 6 November, 11:00" not in grow.times(grow.see(path))

    def test_a_revoked_link_is_useless_and_the_next_one_is_fresh(self, grow: Mailed) -> None:
        path = self.link(grow)
        with grow.database.transaction() as conn:
            revoke_link(conn, grow.command("support:x"), f"https://calsync.example.org{path}?from=2026-11-09")
        useless = grow.see(path)
        assert (useless.status_code, USELESS in useless.text) == (410, True)
        grow.book("A-9", "2026-11-12T10:00")
        grow.mailed()
        grow.do(lambda conn: commands.cancel(conn, grow.command("provider:P-1", "client-asked"), "A-9"))
        grow.passes(hours=10)  # it is the fourth of the day, so it comes in the evening
        fresh = grow.path(grow.mailed(), "Book another time")
        assert fresh != path
        assert grow.see(fresh).status_code == 200

    def test_a_time_outside_the_providers_hours_cannot_be_made_up(self, grow: Mailed) -> None:
        path = self.link(grow)
        before = grow.sessions()
        answer = grow.submit(path, "?at=20261108T030000Z", sure="yes")
        assert answer.status_code == 409
        assert grow.sessions() == before


EVIL = "<script>alert(1)</script>"


def test_script_in_any_field_is_inert(better: Mailed) -> None:
    from calsync.store import providers  # noqa: PLC0415
    from calsync.store.providers import ProviderRow  # noqa: PLC0415
    from tests.lifecycle.practice import ZONE  # noqa: PLC0415

    with better.database.transaction() as conn:
        providers.put(conn, ProviderRow("P-1", EVIL, "p1@example.org", ZONE, "practice-better"))
    path = manage_path(better)
    for wish in ("", "?do=cancel", "?do=move", "?do=move&at=20261106T150000Z", f"?do=move&format={EVIL}&from={EVIL}"):
        assert "<script" not in better.see(path + wish).text
    answer = better.submit(path, "?do=cancel", reason=EVIL)
    assert answer.status_code == 422
    assert "<script" not in answer.text


ODD = (
    "?do=move&at=99991231T235959Z",
    "?do=move&at=00010101T000000Z",
    "?do=move&at=20261301T000000Z",
    "?do=move&from=9999-12-31",
    "?do=move&from=0001-01-01",
    "?do=move&from=-1&format=%00%E2%80%AE",
    "?do=cancel&session=%00",
    "?do=" + "x" * 3000,
    "?at&at&at",
)


def test_odd_addresses_are_answered_with_a_page(better: Mailed) -> None:
    path = manage_path(better)
    before = better.dump()
    for wish in ODD:
        assert better.see(path + wish).status_code in (200, 410), wish
    assert better.dump() == before
