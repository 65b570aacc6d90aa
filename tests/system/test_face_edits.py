"""One session edited as Apple's, Mozilla's, GNOME's and other programs write it."""

from __future__ import annotations

import pytest

from tests.system.hands import Hands
from tests.system.site import ZONE, Site, at, row

Change = tuple[str, str]

START, END = r"^DTSTART[^\n]*", r"^DTEND[^\n]*"
# What was written, what kind of edit that is (None: none that matters), and when it then seems to be.
EDITS: dict[str, tuple[list[Change], str | None, str | None]] = {
    "utc": ([(START, "DTSTART:{day}T190000Z"), (END, "DTEND:{day}T195000Z")], "moved", "14:00/14:50"),
    "floating": ([(START, "DTSTART:{day}T140000"), (END, "DTEND:{day}T145000")], "moved", "14:00/14:50"),
    "shorter duration": ([(END, "DURATION:PT30M")], "resized", "10:00/10:30"),
    "same in utc, with a duration": ([(START, "DTSTART:{day}T150000Z"), (END, "DURATION:PT50M")], None, None),
    "windows zone": (
        [
            (START, "DTSTART;TZID=Eastern Standard Time:{day}T130000"),
            (END, "DTEND;TZID=Eastern Standard Time:{day}T135000"),
        ],
        "moved",
        "13:00/13:50",
    ),
    "mozilla zone": (
        [
            (START, "DTSTART;TZID=/mozilla.org/20050126_1/America/New_York:{day}T100000"),
            (END, "DTEND;TZID=/mozilla.org/20050126_1/America/New_York:{day}T105000"),
        ],
        None,
        None,
    ),
    "all day": (
        [(START, "DTSTART;VALUE=DATE:{day}"), (END, "DTEND;VALUE=DATE:{next}")],
        "made-all-day",
        "00:00/00:00",
    ),
    "cancelled": ([(r"^STATUS.*", "STATUS:CANCELLED")], "cancelled", "10:00/10:50"),
    "marked free": ([(r"^TRANSP.*", "TRANSP:TRANSPARENT")], None, None),
    "retitled, marker dropped": ([(r"^SUMMARY.*", "SUMMARY:Tea"), (r"^X-CALSYNC.*\n", "")], None, None),
    "moved, marker dropped": (
        [(START, "DTSTART:{day}T190000Z"), (END, "DTEND:{day}T195000Z"), (r"^X-CALSYNC.*\n", "")],
        "moved",
        "14:00/14:50",
    ),
}


@pytest.fixture
def office(practice: Site, hands: Hands) -> Site:
    """Three sessions to come."""
    practice.set_up()
    practice.mirror([row(str(n), "P-1", at(n)) for n in range(1, 4)])
    hands.find()
    return practice


def test_edits_are_recognised_and_put_back(practice: Site, hands: Hands) -> None:
    practice.set_up()
    practice.mirror([row(f"{number}", "P-1", at(number)) for number in range(1, len(EDITS) + 1)])
    hands.find()
    for number, edit in enumerate(EDITS, start=1):
        changes, kind, shown = EDITS[edit]
        name = hands.name_of(f"SUMMARY:Session {number}\n")
        day = f"{at(number):%Y%m%d}"
        ends = "\n" if number % 2 else "\r\n"
        hands.rewrite(
            name, *((old, new.format(day=day, next=f"{at(number + 1):%Y%m%d}")) for old, new in changes), ends=ends
        )
        assert practice.sync()["drifts"] == (kind is not None), edit
        found = [
            (d["appointment"], d["kind"], f"{d['observed_start'][11:16]}/{d['observed_end'][11:16]}")
            for d in practice.drifts("--open")
        ]
        assert found == ([] if kind is None else [(str(number), kind, shown)]), edit
        assert practice.settle()["written"] == (kind is not None), edit
        if kind is not None:
            event = hands.get(name)
            assert f"DTSTART;TZID={ZONE}:{day}T100000\nDTEND;TZID={ZONE}:{day}T105000\n" in event, edit
            assert "STATUS:CANCELLED" not in event
        # Many edits within an hour would be a mass change.
        practice.later(minutes=30)
    again = practice.sync("--full")
    assert (again["drifts"], again["written"]) == (0, 0)


def test_a_made_up_zone_with_its_own_definition(office: Site, hands: Hands) -> None:
    name = hands.name_of("SUMMARY:Session 1\n")
    hands.put(name, hands.get(name).replace(ZONE, "Our Own Time").replace("T10", "T13"))
    assert office.sync()["drifts"] == 1
    (drift,) = office.drifts("--open")
    assert (drift["kind"], drift["observed_start"]) == ("moved", "2026-11-17T13:00:00-05:00")


def test_a_copy_with_our_marker_goes_and_one_without_is_the_persons_own(office: Site, hands: Hands) -> None:
    text = hands.get(hands.name_of("SUMMARY:Session 1\n")).replace("T10", "T16")
    own = "".join(line for line in text.splitlines(keepends=True) if "X-CALSYNC" not in line)
    hands.put("copy.ics", text.replace("UID:", "UID:copy-"))
    hands.put("own.ics", own.replace("UID:", "UID:own-"))
    assert office.sync()["drifts"] == 1
    (drift,) = office.drifts("--open")
    assert (drift["kind"], drift["appointment"]) == ("duplicated", "1")
    assert office.settle()["written"] == 1
    assert "own.ics" in hands.names()
    assert "copy.ics" not in hands.names()


def test_a_session_made_to_repeat_is_an_edit_of_that_session(office: Site, hands: Hands) -> None:
    name = hands.name_of("SUMMARY:Session 1\n")
    hands.rewrite(name, (r"^CLASS", "RRULE:FREQ=WEEKLY;COUNT=3\nCLASS"))
    assert office.sync()["drifts"] == 2
    assert {(d["appointment"], d["kind"]) for d in office.drifts("--open")} == {("1", "recurrence-changed")}
    assert office.settle()["written"] == 1
    assert "RRULE" not in hands.get(name).partition("BEGIN:VEVENT")[2]
    assert office.drifts("--appointment", "1") == office.drifts()


def test_the_same_drag_again_ends_the_fight(office: Site, hands: Hands) -> None:
    def drag() -> None:
        hands.drag(hands.name_of("SUMMARY:Session 1\n"), at(1, 14), at(1, 14, 50), ZONE)

    drag()
    office.sync()
    assert office.settle()["written"] == 1
    drag()
    office.sync()
    assert office.settle()["written"] == 0
    assert [d["disposition"] for d in office.drifts()] == ["revert", "flag"]
    assert "20261117T140000" in hands.starts()


def test_what_the_record_says_meanwhile_ends_an_open_edit(office: Site, hands: Hands) -> None:
    for session, to, ended in (("1", "2026-11-17T16:00", "superseded"), ("2", "2026-11-18T14:00", "record-corrected")):
        hands.drag(hands.name_of(f"SUMMARY:Session {session}\n"), at(int(session), 14), at(int(session), 14, 50), ZONE)
        office.sync()
        moved = office.calsync("appointments", "reschedule", session, "--start", to, "--reason", "asked")
        assert moved.code == 0, moved
        office.sync()
        assert [d["resolution"] for d in office.drifts("--appointment", session)] == [ended]
        assert to.replace("-", "").replace(":", "") + "00" in hands.starts()
        office.later(hours=2)
    hands.drag(hands.name_of("SUMMARY:Session 3\n"), at(3, 14), at(3, 14, 50), ZONE)
    office.sync()
    assert office.calsync("appointments", "cancel", "3", "--reason", "asked").code == 0
    office.sync()
    assert [d["resolution"] for d in office.drifts("--appointment", "3")] == ["superseded"]
    assert len(hands.names()) == 2
    assert office.settle()["written"] == 0


def test_edits_made_while_nothing_ran(office: Site, hands: Hands) -> None:
    hands.drag(hands.name_of("SUMMARY:Session 1\n"), at(1, 14), at(1, 14, 50), ZONE)
    hands.drag(hands.name_of("SUMMARY:Session 1\n"), at(1, 16), at(1, 16, 50), ZONE)
    name = hands.name_of("SUMMARY:Session 2\n")
    same = hands.get(name)
    hands.delete(name)
    hands.put(name, same)
    office.later(days=1, hours=9)
    assert office.sync()["drifts"] == 1
    (drift,) = office.drifts()
    assert (drift["phase"], drift["disposition"], drift["observed_start"][11:16]) == ("past", "flag", "16:00")
    assert office.settle()["written"] == 0
