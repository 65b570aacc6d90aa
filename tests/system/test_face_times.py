"""Times that go wrong in other programs: repeated and skipped hours, midnight, other zones; on a real calendar."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.system.hands import Hands
from tests.system.site import ZONE, Site, row

BACKFILLED = '[claims]\nbackfilled = "clear"\n'


@pytest.fixture
def office(practice: Site) -> Site:
    """Three sessions to come, in the week after clocks were put back."""
    practice.now = datetime(2027, 10, 30, 14, 0, tzinfo=UTC)
    practice.set_up(more=BACKFILLED)
    practice.mirror([row(str(day), "P-1", datetime(2027, 11, day, 9)) for day in (9, 10, 11)])
    return practice


def test_sessions_in_the_hour_that_comes_twice(office: Site, hands: Hands) -> None:
    for key, start in (("A", "2027-11-07T01:30-04:00"), ("B", "2027-11-07T01:30-05:00")):
        booked = ("book", "--id", key, "--provider", "P-1", "--client", "k", "--start", start, "--minutes", "50")
        assert office.calsync("appointments", *booked).code == 0
    assert office.sync()["written"] == 2
    hands.find()
    # Written with a zone, the first would end before it began, and the second would be the first.
    assert hands.starts()[:2] == ["20271107T053000Z", "20271107T063000Z"]
    for key in "AB":
        hands.rewrite(hands.name_of(f"SUMMARY:Session {key}\n"), (r"^SUMMARY.*", f"SUMMARY:{key} and more"))
    assert office.sync()["drifts"] == 0
    assert office.sync("--full")["written"] == 0
    office.now = datetime(2027, 11, 7, 14, 0, tzinfo=UTC)
    office.sync()
    assert office.calsync("appointments", "complete", "A", "B").code == 0
    answers = office.check("A", "B")
    assert {one["verdict"] for one in answers.values()} == {"cleared"}, answers


def test_times_that_do_not_exist_or_exist_twice_are_refused_on_import(office: Site) -> None:
    for start, told in ((datetime(2027, 3, 14, 2, 30), "does not exist"), (datetime(2027, 11, 7, 1, 30), "twice")):
        answer = office.import_rows([row("X", "P-1", start)])
        assert (answer.code, told in answer.err) == (1, True), answer


def test_a_series_over_the_change_of_clocks_is_compared_as_people_see_it(office: Site, hands: Hands) -> None:
    office.mirror([row("S", "P-1", datetime(2027, 11, 4, 10), series="s", rule="FREQ=DAILY;COUNT=6")])
    name = hands.find().name_of("SUMMARY:Session s\n")
    # The same instants before the change, an hour off behind it.
    hands.rewrite(
        name,
        (r"^DTSTART[^\n]*", "DTSTART:20271104T140000Z"),
        (r"^DTEND[^\n]*", "DTEND:20271104T145000Z"),
    )
    office.sync()
    assert [(d["kind"], d["expected_start"][:10]) for d in office.drifts()] == [
        ("zone-changed", f"2027-11-{day:02}") for day in (7, 8, 9)
    ]
    assert office.settle()["written"] == 1
    assert f"DTSTART;TZID={ZONE}:20271104T100000" in hands.get(name)


def test_another_zone_with_the_same_instants_is_no_edit(office: Site, hands: Hands) -> None:
    berlin = row("B", "P-1", datetime(2027, 11, 12, 15)) | {"zone": "Europe/Berlin"}
    office.mirror([berlin])
    name = hands.find().name_of("SUMMARY:Session B\n")
    assert "DTSTART;TZID=Europe/Berlin:20271112T150000" in hands.get(name)
    hands.drag(name, datetime(2027, 11, 12, 9), datetime(2027, 11, 12, 9, 50), ZONE)
    assert office.sync()["drifts"] == 0
    hands.drag(name, datetime(2027, 11, 12, 15), datetime(2027, 11, 12, 15, 50), ZONE)
    assert office.sync()["drifts"] == 1
    (drift,) = office.drifts("--open")
    assert (drift["kind"], drift["observed_start"]) == ("zone-changed", "2027-11-12T21:00:00+01:00")


def test_a_session_over_midnight_is_held_for_its_date(office: Site, hands: Hands) -> None:
    office.mirror([row("M", "P-1", datetime(2027, 11, 8, 23, 30), minutes=60)])
    office.now = datetime(2027, 11, 9, 12, 0, tzinfo=UTC)
    office.sync()
    assert office.calsync("appointments", "complete", "M").code == 0
    assert [one["code"] for one in office.check("M")["M"]["reasons"]] == ["crosses-midnight"]
    assert "20271108T233000" in hands.find().starts()
