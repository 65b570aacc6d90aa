"""From a drag in the calendar to each of a provider's answers: mail, page, post, record, calendar. And the evening."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from calsync.answers.mail_book import BookForMails
from calsync.domain.drift import Resolution
from calsync.notices.reminding import Reminding
from calsync.settings.practice import Practice
from calsync.settings.records import Records
from calsync.settings.secrets import Key, KeyRing
from calsync.store import asks, audit, calendars, clients, outbox, records, statements
from calsync.store.clients import ClientRow
from calsync.web.app import make_app
from calsync.web.site import Site
from calsync.worker.farewell import say_farewell
from tests.unit.notices.office import Office, text_of

RING = KeyRing((Key("k1", b"1" * 32),))
PUBLIC = "https://calsync.example.org"


class Desk:
    """An office whose mails know the book, and a browser."""

    def __init__(self, **keys: object) -> None:
        self.office = Office(keys={"practices": {"default": Practice()}, **keys})
        self.world = self.office.world
        book = BookForMails(self.office.settings, self.world.ids, lambda: RING)
        object.__setattr__(self.office.post.station, "book", book)
        site = Site(self.world.database, self.office.settings, self.world.clock, self.world.ids, lambda: RING)
        self.browser = TestClient(make_app(site))
        self.reminding = Reminding(self.world.database, self.office.settings)
        with self.world.database.transaction() as conn:
            clients.put(conn, ClientRow("K-1", "", "k1@example.org"))
        for other in range(40):
            self.world.book(f"other-{other}", f"2027-{1 + other // 20:02}-{1 + other % 20:02}T12:00")

    def dragged(self, number: str = "4821", hours: int = 1, start: str = "2026-11-20T10:00") -> None:
        """Book a session, drag it, and let the worker put it back."""
        self.world.book(number, start)
        self.world.run()
        self.world.people.drag(self.event(start), timedelta(hours=hours))
        self.put_back()

    def event(self, start: str) -> str:
        """The event at a time."""
        wanted = datetime.fromisoformat(start)
        return next(name for name, span in self.world.shown().items() if span.start == wanted)

    def put_back(self) -> None:
        self.world.run()
        self.world.later(minutes=2)
        self.world.run()

    def mail(self) -> str:
        """The text of the mail that asks."""
        assert self.office.drained(minutes=12) == 1
        return self.office.texts[-1]

    def path(self) -> str:
        found = re.search(rf"{PUBLIC}(/a/[\w-]+)", self.mail())
        assert found
        return found[1]

    def answer(self, path: str, step: str, **given: str) -> Response:
        page = self.browser.get(f"{path}?do={step}")
        assert page.status_code == 200
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        answer: Response = self.browser.post(path, data=hidden | given)
        return answer

    def start(self, number: str = "4821") -> str:
        with self.world.database.reading() as conn:
            found = records.appointment(conn, number)
        assert found is not None
        return found.span.start.isoformat(timespec="minutes")

    def status(self, number: str = "4821") -> str:
        with self.world.database.reading() as conn:
            found = records.appointment(conn, number)
        assert found is not None
        return found.status.value

    def settled(self) -> None:
        """The calendar comes into step, and nothing is asked or written any more."""
        self.world.later(minutes=3)
        self.world.run()
        assert self.world.run().written == 0
        assert all(one.resolution not in (Resolution.OPEN, Resolution.REVERTED) for one in self.world.drifts())

    def evening(self, **time: float) -> int:
        """Let time pass, and do what comes with it; how many mails left."""
        self.world.later(**time)
        now = self.world.clock.now()
        self.reminding.owe_day_sheets(now)
        self.reminding.escalate(now)
        return self.office.post.drain()


@pytest.fixture
def desk() -> Desk:
    return Desk()


class TestAhead:
    def test_one_mail_has_a_button_for_each_answer(self, desk: Desk) -> None:
        desk.dragged()
        text = desk.mail()
        assert "[ Move it to 11:00 ]  Your client gets a mail" in text
        assert "[ Keep 10:00 ]  It was a slip." in text
        assert "[ Something else ]" in text
        assert len(set(re.findall(rf"{PUBLIC}/a/([\w-]+)", text))) == 1

    def test_move_it_moves_the_record_the_calendar_follows_and_the_client_is_told(self, desk: Desk) -> None:
        desk.dragged()
        path = desk.path()
        assert desk.answer(path, "move").status_code == 422
        assert desk.answer(path, "move", reason="the client asked").status_code == 200
        assert desk.start() == "2026-11-20T11:00"
        desk.settled()
        assert desk.event("2026-11-20T11:00")
        assert desk.office.drained(minutes=12) == 2
        assert "k1@example.org" in [mail["To"] for mail in desk.office.mails[-2:]]
        assert desk.browser.get(path).status_code == 410

    def test_an_edit_from_before_she_disconnected_is_answered_without_the_calendar(self, desk: Desk) -> None:
        world = desk.world
        world.book("4821", "2026-11-20T10:00")
        world.run()
        world.people.drag(desk.event("2026-11-20T10:00"), timedelta(hours=1))
        with world.database.transaction() as conn:
            calendars.set_state(conn, "work", calendars.CalendarState.PAUSED, calendars.LEAVING, world.clock.now())
        assert say_farewell(world.worker) == 1
        path, text = desk.path(), desk.office.texts[-1]
        assert "We do not write to that calendar any more." in text
        assert "It is still booked for 10:00" in text
        assert "calendar shows" not in text
        assert desk.answer(path, "keep", reason="slip").status_code == 200
        assert [one.resolution for one in world.drifts()] == [Resolution.ACKNOWLEDGED]
        assert desk.start() == "2026-11-20T10:00"

    def test_where_the_rules_forbid_it_the_mail_and_the_page_say_why_and_nothing_moves(self, desk: Desk) -> None:
        desk.world.book("4830", "2026-11-20T11:00")
        desk.dragged()
        text = desk.mail()
        assert "11:00 cannot be used: it overlaps session 4830" in text
        assert "[ Move it" not in text
        found = re.search(rf"{PUBLIC}(/a/[\w-]+)", text)
        assert found
        page = desk.browser.get(found[1]).text
        assert "11:00 cannot be used: it overlaps session 4830" in html.unescape(page)
        forced = desk.answer(found[1], "keep", do="move", reason="the client asked")
        assert forced.status_code == 409
        assert "overlaps" in forced.text
        assert desk.start() == "2026-11-20T10:00"
        assert (
            desk.answer(found[1], "time", day="2026-11-20", time="15:00", reason="the client asked").status_code == 200
        )
        assert desk.start() == "2026-11-20T15:00"

    def test_it_can_be_cancelled_properly(self, desk: Desk) -> None:
        desk.dragged()
        path = desk.path()
        assert desk.answer(path, "cancel", reason="ill").status_code == 422
        assert desk.answer(path, "cancel", reason="ill", sure="yes").status_code == 200
        assert desk.status() == "cancelled"
        desk.settled()
        assert len(desk.world.shown()) == 40

    def test_a_time_that_does_not_exist_is_asked_for_again(self, desk: Desk) -> None:
        desk.dragged()
        answer = desk.answer(desk.path(), "time", day="2026-11-31", time="9", reason="x")
        assert answer.status_code == 422
        assert "Please give a day and a time" in answer.text


def test_a_dragged_series_is_moved_as_one(desk: Desk) -> None:
    desk.world.book_series("S", "2026-11-20T10:00", "FREQ=WEEKLY;COUNT=4", 4)
    desk.world.run()
    (remote,) = [name for name in desk.world.people.ids() if desk.world.people.see(name).event.is_series]
    desk.world.people.drag_series(remote, timedelta(hours=2))
    desk.put_back()
    path = desk.path()
    assert "Move them as I did" in desk.browser.get(path).text
    assert desk.answer(path, "move", reason="a new time").status_code == 200
    assert [desk.start(f"S-{number}")[11:] for number in range(4)] == ["12:00"] * 4
    desk.settled()


class TestOnAnotherPlatform:
    def test_the_button_leads_to_its_page_there_and_the_page_says_what_to_enter(self) -> None:
        page = "https://platform.example/sessions/{id}"
        columns = {name: name for name in ("id", "provider", "client", "start", "end", "zone")}
        known = {"url": "sqlite:///x.db", "table": "t", "columns": columns, "page": page}
        desk = Desk(records=Records.model_validate(known))
        desk.dragged()
        text = desk.mail()
        assert "[ Change it on your platform ]  Enter Fri 20 Nov, 11:00-11:50 there." in text
        assert "https://platform.example/sessions/4821" in text
        assert "change the session on your platform" in text
        assert "?do=move" not in text
        found = re.search(rf"{PUBLIC}(/a/[\w-]+)", text)
        assert found
        for step in ("move", "time", "cancel"):
            shown = desk.browser.get(f"{found[1]}?do={step}").text
            assert "https://platform.example/sessions/4821" in shown
            assert "Fri 20 Nov, 11:00-11:50" in shown
        assert desk.answer(found[1], "keep", reason="slip").status_code == 200


class TestAClearedDay:
    def cleared(self, desk: Desk) -> str:
        for number, hour in (("1", 10), ("2", 11), ("3", 12)):
            desk.world.book(number, f"2026-11-20T{hour}:00")
        desk.world.run()
        for hour in (10, 11, 12):
            desk.world.people.delete(desk.event(f"2026-11-20T{hour}:00"))
        desk.put_back()
        return desk.path()

    def test_it_is_one_question_and_a_slip_keeps_everything(self, desk: Desk) -> None:
        path = self.cleared(desk)
        subject = desk.office.mails[-1]["Subject"]
        assert subject.startswith("3 sessions deleted from your calendar on Friday 20 November.")
        assert desk.answer(path, "keep", reason="slip").status_code == 200
        assert {desk.status(number) for number in "123"} == {"scheduled"}
        desk.settled()
        assert len(desk.world.shown()) == 43

    def test_cancelling_cancels_each_and_blocks_the_time(self, desk: Desk) -> None:
        path = self.cleared(desk)
        assert desk.answer(path, "cancel", reason="ill", sure="yes", block="yes").status_code == 200
        assert {desk.status(number) for number in "123"} == {"cancelled"}
        desk.settled()
        with desk.world.database.reading() as conn:
            assert len([one for one in records.blocks(conn, "P-1") if not one.cancelled]) == 3
        assert desk.office.drained(minutes=12) == 2
        assert "3 more" not in desk.office.mails[-1]["Subject"]


class TestBehind:
    def moved_afterwards(self, desk: Desk) -> str:
        desk.world.book("4790", "2026-11-16T10:00")
        desk.world.run()
        desk.world.later(days=1)
        desk.world.people.drag(desk.event("2026-11-16T10:00"), timedelta(hours=5))
        desk.world.run()
        return desk.path()

    @pytest.mark.parametrize(
        ("do", "given", "says"),
        [
            ("stands", {}, "as-booked"),
            ("seen", {}, "took-place"),
            ("time", {"day": "2026-11-16", "time": "14:30", "end": "15:20"}, "took-place"),
            ("none", {}, "did-not-take-place"),
        ],
    )
    def test_each_answer_is_a_statement(self, desk: Desk, do: str, given: dict[str, str], says: str) -> None:
        path = self.moved_afterwards(desk)
        assert "[ Mon 16 Nov, 10:00-10:50, as booked ]" in desk.office.texts[-1]
        assert "[ Mon 16 Nov, 15:00-15:50 ]" in desk.office.texts[-1]
        assert desk.answer(path, do, **given).status_code == 422
        assert desk.answer(path, do, sure="yes", **given).status_code == 200
        with desk.world.database.reading() as conn:
            (word,) = statements.of_appointments(conn, ["4790"])["4790"]
        assert (word.says, word.by) == (says, "provider:P-1")
        starts = {"seen": "2026-11-16T15:00", "time": "2026-11-16T14:30"}
        assert desk.start("4790") == starts.get(do, "2026-11-16T10:00")
        assert (desk.status("4790") == "cancelled") == (do == "none")


class TestTheEvening:
    def test_the_day_sheet_comes_only_if_something_is_open(self, desk: Desk) -> None:
        assert desk.evening(hours=10) == 0
        desk.world.book("1", "2026-11-17T10:00")
        assert desk.evening(hours=23) == 0  # 18:00
        assert desk.evening(minutes=31) == 1
        assert desk.office.mails[-1]["Subject"] == "Tue 17 Nov: 1 session to confirm, one tap"
        assert "- Tue 17 Nov, 10:00-10:50 (no. 1)" in desk.office.texts[-1]

    def test_all_as_booked_is_one_tap_but_never_for_what_the_calendar_shows_otherwise(self, desk: Desk) -> None:
        for number, hour in (("1", 10), ("2", 12), ("3", 14)):
            desk.world.book(number, f"2026-11-16T{hour}:00")
        desk.world.run()
        desk.world.later(hours=7)  # 16:00
        desk.world.people.drag(desk.event("2026-11-16T12:00"), timedelta(hours=1))
        desk.world.run()
        desk.office.drained(minutes=12)
        desk.evening(hours=2, minutes=20)
        text = desk.office.texts[-1]
        assert "3 sessions to confirm" in desk.office.mails[-1]["Subject"]
        path = re.findall(rf"Open the day: {PUBLIC}(/a/[\w-]+)", text)[0]
        page = desk.browser.get(path).text
        assert "All 2 as booked" in page
        assert "your calendar showed Mon 16 Nov, 13:00-13:50" in page
        shown = dict(re.findall(r'type="hidden" name="(field|state[^"]*)" value="([^"]+)"', page))
        nothing = desk.browser.post(path, data={"field": shown["field"]})
        assert nothing.status_code == 422
        assert desk.browser.post(path, data={**shown, "do": "all"}).status_code == 200
        assert [desk.status(number) for number in "123"] == ["completed", "scheduled", "completed"]
        assert desk.browser.post(path, data={**shown, "do": "all"}).status_code == 410
        said = desk.browser.post(path, data={**shown, "do": "rows", "row.2": "seen", "row.1": "none"})
        assert said.status_code == 200
        assert [desk.status(number) for number in "123"] == ["completed"] * 3
        assert desk.start("2") == "2026-11-16T13:00"
        assert "Everything has been said" in desk.browser.get(path).text
        with desk.world.database.reading() as conn:
            assert [row.actor for row in audit.rows(conn) if row.what == "day-sheet-filled"] == ["provider:P-1"] * 2

    def test_who_did_not_come_and_what_did_not_take_place(self, desk: Desk) -> None:
        desk.world.book("1", "2026-11-16T10:00")
        desk.world.book("2", "2026-11-16T12:00")
        desk.evening(hours=9, minutes=40)
        path = re.findall(rf"Open the day: {PUBLIC}(/a/[\w-]+)", desk.office.texts[-1])[0]
        page = desk.browser.get(path).text
        shown = dict(re.findall(r'type="hidden" name="(field|state[^"]*)" value="([^"]+)"', page))
        said = {**shown, "do": "rows", "row.1": "missed", "row.2": "none"}
        assert desk.browser.post(path, data=said).status_code == 200
        assert [desk.status(number) for number in "12"] == ["no-show", "cancelled"]


class TestRemindersEnd:
    def test_at_once_in_the_evening_on_day_two_then_support_then_billing_then_never(self, desk: Desk) -> None:
        desk.dragged(start="2026-12-20T10:00")
        assert "moved to 11:00" in desk.mail()
        told: list[tuple[int, str, str]] = []
        for hour in range(24 * 14):
            before = len(desk.office.mails)
            desk.evening(hours=1)
            told += [(hour // 24, mail["To"], mail["Subject"]) for mail in desk.office.mails[before:]]
        provider = [(day, subject) for day, to, subject in told if to == "p1@example.org"]
        assert [day for day, _ in provider] in ([0, 1], [0, 2])
        assert provider[0][1] == "Mon 16 Nov: one question about your calendar still open"
        assert provider[1][1].startswith("Still open: Sun 20 Dec, 10:00 session")
        support = [day for day, to, _ in told if to == "support@example.org"]
        # Billing's goes there, too, without an address of its own.
        assert len(support) == 2
        assert support[0] in (3, 4)
        assert support[1] in (7, 8)
        with desk.world.database.reading() as conn:
            assert all(ask.next_at is None for ask in asks.of_appointments(conn, ["4821"])["4821"])

    def test_an_answer_ends_them(self, desk: Desk) -> None:
        desk.dragged(start="2026-12-20T10:00")
        assert desk.answer(desk.path(), "keep", reason="slip").status_code == 200
        assert sum(desk.evening(hours=6) for _ in range(60)) == 0

    def test_a_lost_calendar_is_told_again_twice(self, desk: Desk) -> None:
        now = desk.world.clock.now()
        with desk.world.database.transaction() as conn:
            calendars.set_state(conn, "work", "needs-reconnect", "auth-revoked", now)
            payload = {"calendar": "work", "since": now.isoformat(), "because": "auth-revoked"}
            who = "provider:P-1"
            outbox.put(conn, "lost", "calendar-needs-reconnect", who, payload, now=now, due_at=now)
        sent = [hour for hour in range(24 * 9) if desk.evening(hours=1)]
        assert [round(hour / 24) for hour in sent] == [0, 1, 3]
        assert f"Reconnect: {PUBLIC}/connect/" in desk.office.texts[0]
        assert "We remind you twice" in desk.office.texts[0]
        assert "We do not remind you again" in desk.office.texts[2]

    def test_a_last_day_to_bill_that_is_near_has_support_and_billing_told_in_time(self, desk: Desk) -> None:
        desk.office.settings.claims.timely_filing_days["default"] = 7
        desk.world.book("4790", "2026-11-16T10:00")
        desk.world.run()
        desk.world.later(days=1)
        desk.world.people.drag(desk.event("2026-11-16T10:00"), timedelta(hours=5))
        desk.world.run()
        text = desk.mail()
        assert "The last day to bill this session is Monday 23 November." in text
        assert "If we hear nothing by Tuesday 17 November" in text
        told: list[int] = []
        for hour in range(24 * 6):
            before = len(desk.office.mails)
            desk.evening(hours=1)
            told += [hour // 24 for mail in desk.office.mails[before:] if mail["To"] == "support@example.org"]
        assert told == [0, 2]


def test_a_reconnect_link_under_the_other_path_leads_there(desk: Desk) -> None:
    from calsync.notices.answer_links import RECONNECT, AnswerLinks  # noqa: PLC0415

    with desk.world.database.transaction() as conn:
        url = AnswerLinks(PUBLIC, desk.world.ids).make(
            conn, RECONNECT, "provider:P-1", {"calendar": "work"}, now=desk.world.clock.now()
        )
    assert url is not None
    path = url.removeprefix(PUBLIC).replace("/connect/", "/a/")
    answer = desk.browser.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, url.removeprefix(PUBLIC))


def test_the_mail_is_text_that_needs_no_html(desk: Desk) -> None:
    desk.dragged()
    desk.mail()
    assert "<" not in text_of(desk.office.mails[-1])
