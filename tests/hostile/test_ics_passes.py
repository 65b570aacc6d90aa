"""Hostile calendar resources through a whole pass: ours become `unreadable` and are held, strangers' are passed over.

Whatever stands beside them is read as ever. The answers by name stand in `ics/expected.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from calsync.connector.protocol import Seen
from calsync.domain.appointment import SubjectKind
from calsync.domain.drift import DriftKind
from tests.hostile.caldav_world import DavWorld
from tests.hostile.cost import small_cost
from tests.unit.connectors.caldav.test_hostile_ics import LARGE

FOLDER = Path(__file__).parent / "ics"
EXPECTED: dict[str, str] = json.loads((FOLDER / "expected.json").read_text())
REFUSED = sorted(name for name, answer in EXPECTED.items() if answer != "fine")
TOO_MUCH = sorted(name for name, (_, answer) in LARGE.items() if answer != "fine")


@dataclass
class Office:
    """Many sessions; each case takes the next two. Two hours lie between cases, so that no brake is met."""

    world: DavWorld = field(default_factory=DavWorld)
    numbers: Iterator[int] = field(default_factory=lambda: count(0, 2))

    def __post_init__(self) -> None:
        first = datetime(2026, 11, 30, 8)
        for number in range(200):
            at = first + timedelta(days=number // 8, hours=number % 8)
            self.world.book(f"A-{number}", at.isoformat())
        while self.world.run().written:
            pass

    def next(self) -> tuple[str, str]:
        """Two sessions that nothing happened to."""
        self.world.later(minutes=130)
        number = next(self.numbers)
        return f"A-{number}", f"A-{number + 1}"


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    made = Office()
    yield made
    made.world.close()


def meet(office: Office, octets: bytes, reason: str) -> None:
    """Put octets where our event was and beside it as a stranger's, and drag another session: one pass sees to all."""
    world = office.world
    broken, sound = office.next()
    was = world.dav.bodies[world.name_of(broken)].octets
    world.dav.put(world.name_of(broken), octets)
    world.dav.put(f"stranger-{broken}.ics", octets)
    world.drag(sound, hours=1)
    with small_cost():
        result = world.run()
    assert (result.error, result.stopped) == (None, False)
    assert [(one.kind, one.observed) for one in world.drifts_of(broken)] == [(DriftKind.UNREADABLE, None)], reason
    assert [one.kind for one in world.drifts_of(sound)] == [DriftKind.MOVED]
    assert world.held(broken)
    assert world.verdict(broken) == "held"
    assert {drift.appointment for drift in world.drifts()} == {f"A-{one}" for one in range(int(sound[2:]) + 1)}
    assert world.dav.bodies[f"stranger-{broken}.ics"].octets == octets
    world.later(minutes=2)
    world.run()
    assert world.dav.bodies[world.name_of(broken)].octets == octets  # evidence: flagged, and left as it is
    world.dav.delete(f"stranger-{broken}.ics")
    world.dav.put(world.name_of(broken), was)  # so that the many cases are no stampede


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_a_drift_of_ours_and_nothing_of_a_strangers(office: Office, name: str) -> None:
    meet(office, (FOLDER / name).read_bytes(), EXPECTED[name])


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_is_too_much_to_read_is_neither(office: Office, name: str) -> None:
    build, reason = LARGE[name]
    meet(office, build(), reason)


# ---------------------------------------------------------------- what can be read, and how


@pytest.fixture
def world() -> Iterator[DavWorld]:
    made = DavWorld()
    made.book("A-1", "2026-11-24T10:00")
    made.book_series("S-1", "2026-11-25T10:00", "FREQ=WEEKLY;COUNT=4", 4)
    while made.run().written:
        pass
    yield made
    made.close()


def series_with(world: DavWorld, change: Callable[[str], str]) -> list[DriftKind]:
    """Save the series with another text and look; the kinds of what was found."""
    changed = change(world.text_of("S-1", SubjectKind.SERIES))
    assert changed != world.text_of("S-1", SubjectKind.SERIES)
    world.save("S-1", changed, SubjectKind.SERIES)
    assert world.run().error is None
    return [drift.kind for drift in world.drifts()]


def rule(text: str) -> Callable[[str], str]:
    return lambda body: body.replace("RRULE:FREQ=WEEKLY;COUNT=4", f"RRULE:{text}")


def test_an_end_that_is_a_date_ends_with_that_day(world: DavWorld) -> None:
    assert series_with(world, rule("FREQ=WEEKLY;UNTIL=20261216")) == []


def test_an_end_that_is_a_date_before_the_last_day_takes_it_away(world: DavWorld) -> None:
    assert series_with(world, rule("FREQ=WEEKLY;UNTIL=20261215")) == [DriftKind.DELETED]


def test_an_end_before_the_start_deletes_all(world: DavWorld) -> None:
    assert series_with(world, rule("FREQ=WEEKLY;UNTIL=20260101T000000Z")) == [DriftKind.DELETED] * 4


def test_a_count_without_measure_shows_what_the_window_shows(world: DavWorld) -> None:
    with small_cost():
        kinds = series_with(world, rule("FREQ=DAILY;COUNT=99999999"))
    assert set(kinds) == {DriftKind.RECURRENCE_CHANGED}


def test_an_override_whose_master_went_is_a_change_of_the_series(world: DavWorld) -> None:
    def orphan(body: str) -> str:
        slot = "RECURRENCE-ID;TZID=America/New_York:20261202T100000"
        kept = body.replace("RRULE:FREQ=WEEKLY;COUNT=4\n", "")
        return kept.replace("20261125T", "20261202T").replace("BEGIN:VEVENT\n", f"BEGIN:VEVENT\n{slot}\n")

    # What is left shows one of four sessions, at its time: one edit of the series, and no riddle (row 36).
    assert series_with(world, orphan) == [DriftKind.RECURRENCE_CHANGED] * 3
    assert len({drift.edit for drift in world.drifts()}) == 1


def test_a_slot_named_in_another_zone_is_the_same_slot(world: DavWorld) -> None:
    def moved(body: str) -> str:
        head, begin, rest = body.partition("BEGIN:VEVENT\n")
        event, end, tail = rest.partition("END:VEVENT\n")
        lines = [line for line in event.splitlines() if not line.startswith(("RRULE", "DTSTART", "DTEND"))]
        times = ["RECURRENCE-ID;TZID=Europe/Berlin:20261202T160000", "DTSTART;TZID=America/New_York:20261202T120000",
                 "DTEND;TZID=America/New_York:20261202T125000"]  # fmt: skip
        override = "\n".join([*times, *lines])
        return f"{head}{begin}{event}{end}{begin}{override}\n{end}{tail}"

    assert series_with(world, moved) == [DriftKind.MOVED]
    (drift,) = world.drifts()
    assert drift.appointment == "S-1-1"


def test_a_title_with_odd_characters_is_kept_spelled_out(world: DavWorld) -> None:
    world.save("A-1", world.text_of("A-1").replace("SUMMARY:", "SUMMARY:\x1b\u202e"))
    assert world.run().error is None
    (reading,) = world.opener.open(world.row()).read([world.name_of("A-1")])
    assert isinstance(reading, Seen)
    assert reading.event.master.title.startswith("\\u001b\\u202e")


def test_private_zones_of_one_name_never_mix_in_a_pass(world: DavWorld) -> None:
    for name in ("31a-private-zone-one.ics", "31b-private-zone-other.ics"):
        world.dav.put(name, (FOLDER / name).read_bytes())
    for _ in range(2):
        spans = {
            reading.remote_id: reading.event.master.span.start_at.hour  # type: ignore[union-attr]
            for reading in world.opener.open(world.row()).read(
                ["31a-private-zone-one.ics", "31b-private-zone-other.ics"]
            )
        }
        assert spans == {"31a-private-zone-one.ics": 7, "31b-private-zone-other.ics": 18}


def test_an_iana_name_means_what_iana_says_whatever_the_file_defines(world: DavWorld) -> None:
    lie = "TZOFFSETFROM:+0900\nTZOFFSETTO:+0900"
    body = world.text_of("A-1")
    lying = body.replace("TZOFFSETFROM:-0500\nTZOFFSETTO:-0500", lie).replace(
        "TZOFFSETFROM:-0400\nTZOFFSETTO:-0500", lie
    )
    assert lying != body
    world.save("A-1", lying)
    assert world.run().error is None
    assert world.drifts() == []


@pytest.mark.parametrize("name", ["39-marker-of-another.ics", "42-method-cancel.ics"])
def test_a_forged_marker_and_a_method_are_a_strangers_event(world: DavWorld, name: str) -> None:
    octets = (FOLDER / name).read_bytes()
    world.dav.put(name, octets)
    world.run()
    world.later(hours=1)
    assert world.run().written == 0
    assert world.drifts() == []
    assert world.dav.bodies[name].octets == octets


def test_a_method_in_our_own_resource_means_nothing(world: DavWorld) -> None:
    world.save("A-1", world.text_of("A-1").replace("VERSION:2.0\n", "VERSION:2.0\nMETHOD:CANCEL\n"))
    assert world.run().error is None
    assert world.drifts() == []


def test_five_hundred_copies_of_one_marker_stop_the_calendar(world: DavWorld) -> None:
    body = world.text_of("A-1")
    before = dict(world.dav.bodies)
    for number in range(500):
        world.dav.put(f"copy-{number}.ics", body.replace("UID:", f"UID:{number}").encode())
    result = world.run()
    assert result.stopped
    assert result.state == "stopped"
    world.later(hours=1)
    assert world.run().written == 0
    assert {name: world.dav.bodies[name] for name in before} == before
    assert len(world.dav.bodies) == len(before) + 500


def test_a_copy_of_our_marker_is_told_as_one(world: DavWorld) -> None:
    world.dav.put("copy.ics", world.text_of("A-1").replace("UID:", "UID:x").encode())
    world.run()
    assert [drift.kind for drift in world.drifts()] == [DriftKind.DUPLICATED]
