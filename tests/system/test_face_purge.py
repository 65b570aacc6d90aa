"""`purge --events`: everything of ours goes, by its marker; everything else stays; and it can all come back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from calsync.connector.protocol import Reading
from calsync.connector.wrappers import Around
from calsync.worker.context import LeaseLostError
from calsync.worker.farewell import delete_ours
from tests.system.hands import Hands
from tests.system.site import ZONE, Site, at, row

OWN = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\nBEGIN:VEVENT\nUID:mine@example.org\nDTSTAMP:20261101T000000Z\n"
    "DTSTART:20261118T080000Z\nDTEND:20261118T090000Z\nSUMMARY:Dentist\nEND:VEVENT\nEND:VCALENDAR\n"
)


@pytest.fixture
def office(practice: Site, hands: Hands) -> Site:
    """Three sessions to come and one that is over; an event of the provider's own, and a forged one."""
    practice.set_up()
    practice.mirror([row(str(n), "P-1", at(n - 4)) for n in (1, 5, 6, 7)])
    hands.find()
    hands.put("mine.ics", OWN)
    forged = hands.get(hands.name_of("SUMMARY:Session 5\n")).replace("Session 5", "Forged")
    lines = [f"{line[:-4]}0000" if line.startswith("X-CALSYNC") else line for line in forged.splitlines()]
    hands.put("forged.ics", "\n".join(lines).replace("UID:", "UID:forged-") + "\n")
    return practice


def test_only_what_is_ours_goes_and_all_of_it_comes_back(office: Site, hands: Hands) -> None:
    rehearsed = office.calsync("purge", "--events", "--provider", "P-1", "--dry-run")
    assert (rehearsed.code, "4 events would be taken out" in rehearsed.out) == (0, True), rehearsed
    assert len(hands.names()) == 6
    assert office.calsync("purge", "--events", "--provider", "P-1").code == 0
    assert sorted(hands.names()) == ["forged.ics", "mine.ics"]
    # Nothing is written again, and nobody is asked about deletions, until a person says so.
    office.later(hours=1)
    office.sync()
    assert sorted(hands.names()) == ["forged.ics", "mine.ics"]
    assert office.drifts() == []
    assert office.calsync("calendars", "resume", "P-1-cal").code == 0
    office.sync()
    assert len(hands.names()) == 6
    assert office.drifts() == []
    assert office.sync()["written"] == 0
    assert office.calsync("audit", "verify").code == 0


def test_events_that_the_books_have_lost_go_by_their_marker(office: Site, hands: Hands) -> None:
    (office.folder / "calsync.db").unlink()
    assert office.calsync("db", "upgrade").code == 0
    assert office.calsync("providers", "list").code == 0
    assert office.calsync("purge", "--events", "--provider", "P-1").code == 0
    assert sorted(hands.names()) == ["forged.ics", "mine.ics"]


@pytest.mark.parametrize("paused", [False, True])
def test_what_somebody_made_her_own_since_the_last_look_stays(office: Site, hands: Hands, paused: bool) -> None:
    title = (r"^SUMMARY[^\n]*", "SUMMARY:Supervision with Bea")
    name = hands.name_of("SUMMARY:Session 5\n")
    hands.drag(name, at(2, 15), at(2, 16), ZONE)
    hands.rewrite(name, title)
    copy = hands.get(hands.name_of("SUMMARY:Session 6\n")).replace("UID:", "UID:copy-")
    hands.put("copy.ics", copy)
    hands.drag("copy.ics", at(9, 15), at(9, 16), ZONE)
    hands.rewrite("copy.ics", title)
    assert not paused or office.calsync("calendars", "pause", "P-1-cal").code == 0
    assert office.calsync("purge", "--events", "--provider", "P-1").code == 0
    assert sorted(hands.names()) == sorted(["copy.ics", "forged.ics", "mine.ics", name])
    assert office.calsync("purge", "--events", "--provider", "P-1").code == 0
    assert len(hands.names()) == 4, "asking again takes no more"


@pytest.mark.parametrize("paused", [False, True])
def test_edits_since_the_last_look_are_recorded_before_the_events_go(office: Site, hands: Hands, paused: bool) -> None:
    assert not paused or office.calsync("calendars", "pause", "P-1-cal").code == 0
    hands.drag(hands.name_of("SUMMARY:Session 1\n"), at(-2, 15), at(-2, 16), ZONE)
    assert office.calsync("purge", "--events", "--provider", "P-1").code == 0
    assert sorted(hands.names()) == ["forged.ics", "mine.ics"]
    assert [(one["appointment"], one["kind"], one["resolution"]) for one in office.drifts()] == [("1", "moved", "open")]


@pytest.mark.parametrize("stopped", [False, True])
def test_a_mass_change_is_recorded_edit_by_edit_before_the_rest_goes(office: Site, hands: Hands, stopped: bool) -> None:
    office.later(minutes=5)
    for session in ("5", "6", "7"):
        hands.delete(hands.name_of(f"SUMMARY:Session {session}\n"))
    assert not stopped or office.sync()["calendars"][0]["state"] == "stopped"
    hands.drag(hands.name_of("SUMMARY:Session 1\n"), at(-2, 15), at(-2, 16), ZONE)
    assert office.calsync("purge", "--events", "--provider", "P-1").code == 0
    assert sorted(hands.names()) == ["forged.ics", "mine.ics"]
    told = [(one["appointment"], one["kind"], one["resolution"]) for one in office.drifts()]
    assert sorted(told) == [("1", "moved", "open"), *((one, "deleted", "open") for one in "567")]
    assert office.calsync("calendars", "resume", "P-1-cal").code == 0
    office.settle()
    assert len(hands.names()) >= 5


def test_one_that_is_cut_short_is_nobodys_edit(office: Site, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(own: str, calendar: Around, wanted: Sequence[str], goes: Callable[[Reading], bool]) -> list[str]:
        delete_ours(own, calendar, wanted[:2], goes)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("calsync.worker.purging.delete_ours", cut)
        assert office.calsync("purge", "--events", "--provider", "P-1").code != 0
    assert len(hands.names()) == 4
    office.later(hours=1)
    assert office.calsync("sync").code == 3
    assert (len(hands.names()), office.drifts()) == (4, [])
    assert office.calsync("calendars", "resume", "P-1-cal").code == 0
    office.sync()
    assert (len(hands.names()), office.drifts(), office.settle()["written"]) == (6, [], 0)
    assert office.calsync("purge", "--events", "--provider", "P-1").code == 0
    assert sorted(hands.names()) == ["forged.ics", "mine.ics"]


def test_one_whose_lease_is_lost_on_the_way_takes_nothing_out(
    office: Site, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object) -> None:
        raise LeaseLostError("P-1-cal")

    monkeypatch.setattr("calsync.worker.purging.look_once_more", lose)
    done = office.calsync("purge", "--events", "--provider", "P-1")
    assert (done.code, "another process works on it" in done.err) == (1, True), done
    assert len(hands.names()) == 6


def test_it_asks_what_and_whose(office: Site, hands: Hands) -> None:
    assert office.calsync("purge", "--events").code == 1
    assert office.calsync("purge", "--events", "--provider", "nobody").code == 1
    assert len(hands.names()) == 6
