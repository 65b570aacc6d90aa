"""Working times, slots and booking links, and what calendars show as busy, by the numbers of the lifecycle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from calsync.booking.commands import Command
from calsync.booking.slots import Slot, SlotQuery, SlotTaken, free_slots, slots_for_move
from calsync.domain.span import Window
from calsync.store import busy
from calsync.store.action_links import get as find_link
from calsync.store.action_links import hash_of
from calsync.store.database import open_database
from tests.system.conftest import House, house
from tests.system.hands import ICAL, Hands
from tests.system.site import Answer, Site

__all__ = ["house"]

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)  # a Monday, 09:00 in New York
ZONE = "America/New_York"
TIMES = """
every = "1h"
[weekly]
monday = ["09:00-12:00"]
tuesday = ["09:00-12:00", "13:00-15:00"]
sunday = ["00:00-06:00"]
[dates]
2026-11-26 = []
"""
PEOPLE = f"""
[web]
public_url = "https://calsync.example.org"
[[providers]]
id = "P-1"
name = "Pat Example"
email = "pat@example.org"
zone = "{ZONE}"
"""


class Practice:
    """An installation, driven by its public commands."""

    def __init__(self, site: Site) -> None:
        self.site = site
        (site.folder / "clients.csv").write_text(
            "id,name,email\nC-1,Cleo Made,c1@example.org\nC-2,Ada Up,c2@example.org\n"
        )
        self.do("clients", "import", str(site.folder / "clients.csv"))

    def ask(self, *line: str) -> Answer:
        return self.site.calsync(*line)

    def do(self, *line: str) -> Answer:
        answer = self.ask(*line)
        assert answer.code == 0, answer
        return answer

    def json(self, *line: str) -> Any:
        return self.do(*line, "--json").json

    def set_times(self, text: str = TIMES) -> None:
        path = self.site.folder / "times.toml"
        path.write_text(text)
        self.do("availability", "set", "--provider", "P-1", str(path))

    def slots(self, first: str = "2026-11-24", last: str | None = None, minutes: int = 50) -> list[str]:
        """Where sessions could start, by the provider's clocks."""
        line = ("slots", "list", "--provider", "P-1", "--from", first, "--to", last or first, "--minutes", str(minutes))
        return [row["start"][:16] for row in self.json(*line)]

    def book(self, key: str, start: str, *more: str, client: str = "C-1") -> Answer:
        line = ("appointments", "book", "--provider", "P-1", "--client", client, "--start", start, "--minutes", "50")
        return self.ask(*line, "--id", key, *more)

    def start_of(self, key: str) -> str:
        return str(self.json("appointments", "show", key)["start"])[:16]


@pytest.fixture
def practice(tmp_path: Path) -> Practice:
    site = Site(tmp_path, NOW)
    site.calendars.append(PEOPLE)
    site.set_up()
    made = Practice(site)
    made.set_times()
    return made


def hours(day: str, *hours: int) -> list[str]:
    return [f"{day}T{hour:02}:00" for hour in hours]


TUESDAY = hours("2026-11-24", 9, 10, 11, 13, 14)


class TestWorkingTimes:
    def test_slots_lie_in_working_times_and_not_in_what_is_booked(self, practice: Practice) -> None:
        assert practice.slots() == TUESDAY
        assert practice.slots("2026-11-26") == []
        practice.book("A-1", "2026-11-24T10:00")
        practice.do("blocks", "add", "--provider", "P-1", "--start", "2026-11-24T13:30", "--end", "2026-11-24T14:30")
        assert practice.slots() == hours("2026-11-24", 9, 11)

    def test_what_is_over_is_no_slot(self, practice: Practice) -> None:
        assert practice.slots("2026-11-23") == hours("2026-11-23", 9, 10, 11)
        practice.site.now = NOW + timedelta(minutes=61)
        assert practice.slots("2026-11-23") == hours("2026-11-23", 11)

    def test_nights_on_which_clocks_change(self, practice: Practice) -> None:
        # In New York clocks go from 2:00 to 3:00 on 14 March 2027, and show 1:00 to 2:00 twice on 7 November 2027.
        assert practice.slots("2027-03-14", minutes=60) == hours("2027-03-14", 0, 1, 3, 4, 5)
        assert practice.slots("2027-11-07", minutes=60) == hours("2027-11-07", 0, 1, 1, 2, 3, 4, 5)

    def test_a_practice_limits_how_soon_and_how_far_ahead(self, practice: Practice) -> None:
        folder = practice.site.folder / "practices"
        folder.mkdir()
        (folder / "default.toml").write_text('[booking]\nclient_notice = "48h"\nclient_ahead = "7d"\n')
        # It is Monday, nine o'clock: from Wednesday, nine o'clock on, until the same time next Monday.
        assert practice.slots("2026-11-23", "2026-11-29") == hours("2026-11-29", *range(6))
        assert practice.slots("2026-11-30") == []
        assert practice.book("A-1", "2026-11-24T10:00", "--by", "client:C-1").code == 1
        assert practice.book("A-1", "2026-11-24T10:00", "--by", "provider:P-1").code == 0

    def test_working_times_are_shown_as_they_are_set(self, practice: Practice) -> None:
        shown = practice.do("availability", "show", "--provider", "P-1").out
        assert shown.startswith("# Working times of P-1, by the clocks of America/New_York.")
        practice.set_times(shown)
        assert practice.slots() == TUESDAY

    def test_a_bad_file_changes_nothing(self, practice: Practice) -> None:
        path = practice.site.folder / "bad.toml"
        path.write_text('[weekly]\nmonday = ["9-10"]\nfunday = []\n')
        answer = practice.ask("availability", "set", "--provider", "P-1", str(path))
        assert answer.code == 1
        assert "weekly.monday" in answer.err
        assert "weekly.funday" in answer.err
        assert practice.slots() == TUESDAY

    def test_a_month_of_slots_takes_milliseconds(self, practice: Practice) -> None:
        database = open_database(f"sqlite:///{practice.site.folder / 'calsync.db'}")
        weekday = '["08:00-12:00", "13:00-18:00"]'
        days = ("monday", "tuesday", "wednesday", "thursday", "friday")
        practice.set_times('every = "15m"\n[weekly]\n' + "".join(f"{day} = {weekday}\n" for day in days))
        rows = [
            f"A-{day}-{hour},P-1,C-1,2026-12-{day:02}T{hour:02}:00,2026-12-{day:02}T{hour:02}:50,{ZONE},follow-up,scheduled"
            for day in range(1, 29)
            for hour in (8, 10, 13, 15)
        ]
        path = practice.site.folder / "many.csv"
        path.write_text("id,provider,client,start,end,zone,kind,status\n" + "\n".join(rows) + "\n")
        practice.do("appointments", "import", str(path))
        first = datetime(2026, 12, 1, tzinfo=UTC)
        query = SlotQuery(provider="P-1", since=first, until=first + timedelta(days=30), length=timedelta(minutes=50))
        found: tuple[Slot, ...] = ()
        took = []
        for _ in range(5):
            with database.reading() as conn:
                began = process_time()
                found = free_slots(conn, Command(actor="system", now=NOW), query).slots
                took.append(process_time() - began)
        database.dispose()
        assert len(found) > 100
        # It takes three milliseconds; the bound catches what grows with the square.
        assert min(took) < 0.05


class TestBookingLink:
    def test_gt_8_a_link_is_stable_and_unguessable(self, practice: Practice) -> None:
        first = practice.json("links", "show", "--client", "C-1", "--provider", "P-1")
        again = practice.json("links", "show", "--client", "C-1", "--provider", "P-1")
        other = practice.json("links", "show", "--client", "C-2", "--provider", "P-1")
        assert first == again
        token = first["url"].removeprefix("https://calsync.example.org/a/")
        assert len(token) == 43
        assert other["url"] != first["url"]
        practice.do("secrets", "rotate")
        assert practice.json("links", "show", "--client", "C-1", "--provider", "P-1") == first
        database = open_database(f"sqlite:///{practice.site.folder / 'calsync.db'}")
        with database.reading() as conn:
            link = find_link(conn, hash_of(token))
        database.dispose()
        assert link is not None
        assert (link.kind, link.recipient, link.payload) == ("book", "client:C-1", {"client": "C-1", "provider": "P-1"})
        assert token.encode() not in (practice.site.folder / "calsync.db").read_bytes()

    def test_gt_8_a_link_is_for_people_on_the_books(self, practice: Practice) -> None:
        for client, provider in (("C-9", "P-1"), ("C-1", "P-9")):
            assert practice.ask("links", "show", "--client", client, "--provider", provider).code == 1


class TestTaking:
    def test_gt_13_clients_book_slots_only(self, practice: Practice) -> None:
        outside = practice.book("A-1", "2026-11-24T16:00", "--by", "client:C-1")
        assert outside.code == 1
        assert "not free" in outside.err
        assert practice.ask("appointments", "show", "A-1").code == 1
        assert practice.book("A-1", "2026-11-24T10:00", "--by", "client:C-1").code == 0
        assert practice.book("A-2", "2026-11-24T16:00", "--by", "provider:P-1").code == 0

    def test_pb_4_a_slot_taken_meanwhile_is_refused_with_fresh_ones(self, practice: Practice) -> None:
        practice.book("A-1", "2026-11-30T09:00")
        practice.book("A-2", "2026-11-24T10:00", client="C-2")
        line = ("appointments", "reschedule", "A-1", "--start", "2026-11-24T10:00", "--reason", "work")
        refused = practice.ask(*line, "--by", "client:C-1")
        assert refused.code == 1
        assert "not free" in refused.err
        assert practice.start_of("A-1") == "2026-11-30T09:00"

    def test_pb_4_the_refusal_carries_free_slots(self, practice: Practice) -> None:
        from calsync.booking.commands import Booking, book  # noqa: PLC0415
        from calsync.domain.span import Span  # noqa: PLC0415

        practice.book("A-2", "2026-11-24T10:00", client="C-2")
        start = datetime(2026, 11, 24, 10)
        wish = Booking(
            id="A-3", provider="P-1", client="C-1", span=Span(start, start + timedelta(minutes=50), ZONE), format=None
        )
        database = open_database(f"sqlite:///{practice.site.folder / 'calsync.db'}")
        with pytest.raises(SlotTaken) as refusal, database.transaction() as conn:
            book(conn, Command(actor="client:C-1", now=NOW), wish)
        database.dispose()
        assert [f"{one.span.start:%Y-%m-%dT%H:%M}" for one in refusal.value.slots][:4] == hours(
            "2026-11-24", 9, 11, 13, 14
        )

    def test_pb_4_a_day_without_free_time_says_whom_to_ask(self, practice: Practice) -> None:
        practice.book("A-1", "2026-11-30T09:00")
        database = open_database(f"sqlite:///{practice.site.folder / 'calsync.db'}")
        with database.reading() as conn:
            command = Command(actor="client:C-1", now=NOW)
            none = slots_for_move(conn, command, "A-1", datetime(2026, 11, 26).date())
            some = slots_for_move(conn, command, "A-1", datetime(2026, 11, 30).date())
        database.dispose()
        assert (none.slots, none.why) == ((), "none-free")
        assert "contact the practitioner" in none.hint
        # The session's own time counts as free for itself.
        assert [one.span.start.hour for one in some.slots] == [9, 10, 11]

    def test_ht_5_the_slot_of_a_cancelled_or_moved_session_is_free_at_once(self, practice: Practice) -> None:
        practice.book("A-1", "2026-11-24T10:00")
        assert practice.slots() == hours("2026-11-24", 9, 11, 13, 14)
        practice.do("appointments", "reschedule", "A-1", "--start", "2026-11-24T13:00", "--reason", "work")
        assert practice.slots() == hours("2026-11-24", 9, 10, 11, 14)
        practice.do("appointments", "cancel", "A-1", "--reason", "ill")
        assert practice.slots() == TUESDAY
        assert practice.book("A-2", "2026-11-24T13:00", "--by", "client:C-2", client="C-2").code == 0

    def test_gt_24_a_block_keeps_the_old_time_from_being_booked(self, practice: Practice) -> None:
        practice.book("A-1", "2026-11-24T10:00")
        blocked = ("--start", "2026-11-24T10:00", "--end", "2026-11-24T10:50")
        assert practice.ask("blocks", "add", "--provider", "P-1", *blocked).code == 3  # A-1 still stands there
        practice.do("appointments", "cancel", "A-1", "--reason", "ill")
        assert practice.slots() == hours("2026-11-24", 9, 11, 13, 14)
        assert practice.book("A-2", "2026-11-24T10:00", "--by", "client:C-2", client="C-2").code == 1

    def test_a_paused_provider_offers_nothing_new(self, practice: Practice) -> None:
        practice.do("providers", "pause", "P-1", "--note", "leave")
        answer = practice.do("slots", "list", "--provider", "P-1", "--from", "2026-11-24", "--minutes", "50")
        assert "No new bookings" in answer.out

    def test_without_working_times_there_is_nothing_to_offer(self, tmp_path: Path) -> None:
        folder = tmp_path / "other"
        folder.mkdir()
        site = Site(folder, NOW)
        site.calendars.append(PEOPLE)
        site.set_up()
        practice = Practice(site)
        answer = practice.do("slots", "list", "--provider", "P-1", "--from", "2026-11-24", "--minutes", "50")
        assert "Please contact the practice" in answer.out
        assert practice.book("A-1", "2026-11-24T16:00", "--by", "client:C-1").code == 0
        assert practice.book("A-2", "2026-11-24T16:00", "--by", "client:C-2", client="C-2").code == 1


def event(uid: str, start: str, *more: str, minutes: int = 50) -> str:
    first = datetime.fromisoformat(start)
    last = first + timedelta(minutes=minutes)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//somebody//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20261101T000000Z",
        f"DTSTART;TZID={ZONE}:{first:%Y%m%dT%H%M%S}",
        f"DTEND;TZID={ZONE}:{last:%Y%m%dT%H%M%S}",
        "SUMMARY:Dentist of Cleo Made",
        *more,
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines)


@pytest.fixture
def hands(house: House) -> Iterator[Hands]:
    """An account with a private calendar."""
    one = house.account()
    one.calendar = f"{one.home}private/"
    assert one.ask("MKCALENDAR", one.calendar).status_code == 201
    yield one
    one.client.close()


@pytest.fixture(params=["busy", "mirror"])
def connected(request: pytest.FixtureRequest, tmp_path: Path, hands: Hands) -> Practice:
    """A provider whose private calendar is read for busy time, or mirrored into as it is."""
    site = Site(tmp_path, NOW)
    site.add_provider("P-1", hands.calendar, hands.user)
    site.calendars[0] = site.calendars[0].replace(
        'connector = "caldav"', f'connector = "caldav"\nmode = "{request.param}"'
    )
    site.set_up()
    made = Practice(site)
    made.set_times()
    return made


class TestBusyTime:
    def test_all_2_busy_events_block_slots_and_free_ones_do_not(self, connected: Practice, hands: Hands) -> None:
        connected.book("A-1", "2026-11-24T09:00")
        connected.site.sync()
        assert connected.slots() == hours("2026-11-24", 10, 11, 13, 14)
        texts = {
            "dentist": event("dentist", "2026-11-24T10:30"),
            "lunch": event("lunch", "2026-11-24T13:00", "TRANSP:TRANSPARENT"),
            "off": event("off", "2026-11-24T14:00", "STATUS:CANCELLED"),
            "weekly": event("weekly", "2026-11-17T11:30", "RRULE:FREQ=WEEKLY"),
        }
        for name, text in texts.items():
            assert (
                hands.ask("PUT", f"{hands.calendar}{name}.ics", content=text.encode(), headers=ICAL).status_code == 201
            )
        before = {name: hands.get(f"{name}.ics") for name in texts}
        connected.site.sync()
        assert connected.slots() == hours("2026-11-24", 13, 14)
        assert connected.slots("2026-12-01") == hours("2026-12-01", 9, 10, 13, 14)
        assert connected.book("A-2", "2026-11-24T10:00", "--by", "client:C-2", client="C-2").code == 1
        assert hands.ask("DELETE", f"{hands.calendar}dentist.ics").status_code in (200, 204)
        connected.site.sync()
        assert connected.slots() == hours("2026-11-24", 10, 13, 14)
        assert {name: hands.get(f"{name}.ics") for name in texts if name != "dentist"} == {
            name: text for name, text in before.items() if name != "dentist"
        }

    def test_all_2_a_conflict_is_reported_and_the_event_never_touched(self, connected: Practice, hands: Hands) -> None:
        connected.book("A-1", "2026-11-24T10:00")
        connected.site.sync("--full")
        line = ("report", "--since", "2026-11-20", "--until", "2026-11-30", "--format", "json")
        # Our own event is no conflict with the session that it shows.
        assert connected.json(*line)["conflicts"] == 0
        text = event("dentist", "2026-11-24T10:30").encode()
        assert hands.ask("PUT", f"{hands.calendar}dentist.ics", content=text, headers=ICAL).status_code == 201
        before = hands.get("dentist.ics")
        connected.site.sync()
        connected.site.sync()
        report = connected.json(*line)
        assert (report["conflicts"], list(report["busy_conflicts"]["sessions"])) == (1, ["A-1"])
        assert hands.get("dentist.ics") == before
        assert connected.site.drifts() == []
        assert connected.start_of("A-1") == "2026-11-24T10:00"

    @pytest.mark.parametrize("connected", ["busy"], indirect=True)
    def test_a_calendar_that_is_only_read_is_only_read(self, connected: Practice, hands: Hands) -> None:
        text = event("dentist", "2026-11-24T10:30").encode()
        hands.ask("PUT", f"{hands.calendar}dentist.ics", content=text, headers=ICAL)
        connected.book("A-1", "2026-11-24T09:00")
        connected.site.sync()
        assert "read busy times: 1 found" in connected.ask("doctor").out
        assert hands.names() == ["dentist.ics"]

    def test_only_times_are_kept(self, connected: Practice, hands: Hands) -> None:
        text = event("dentist", "2026-11-24T10:30").encode()
        hands.ask("PUT", f"{hands.calendar}dentist.ics", content=text, headers=ICAL)
        connected.site.sync()
        folder = connected.site.folder
        database = open_database(f"sqlite:///{folder / 'calsync.db'}")
        with database.reading() as conn:
            found = busy.between(conn, "P-1", Window(NOW, NOW + timedelta(days=7)))
        database.dispose()
        start = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
        assert found == [(start, start + timedelta(minutes=50))]
        assert all(b"Dentist" not in file.read_bytes() for file in folder.glob("calsync.db*"))
