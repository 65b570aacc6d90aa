"""Every file under `tests/hostile/ics` gets the answer that the table beside it says, quickly and without a trace."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from calsync.domain.event import Event
from calsync.domain.recurrence import expand
from calsync.domain.span import Window
from calsync_caldav.ics_text import IcsRefused
from calsync_caldav.mapping import Reader, read_event

FOLDER = Path(__file__).parents[3] / "hostile" / "ics"
EXPECTED: dict[str, str] = json.loads((FOLDER / "expected.json").read_text())
READER = Reader("Europe/Berlin")
WINDOW = Window(datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))


def answer(body: bytes) -> str:
    try:
        read_event(body, READER)
    except IcsRefused as refusal:
        return refusal.reason
    return "fine"


def event_in(name: str) -> Event:
    return read_event((FOLDER / name).read_bytes(), READER).event


def test_the_table_names_every_file() -> None:
    assert sorted(EXPECTED) == sorted(path.name for path in FOLDER.glob("*.ics"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_hostile_file_gets_its_answer(name: str) -> None:
    body = (FOLDER / name).read_bytes()
    began = time.process_time()
    assert answer(body) == EXPECTED[name]
    assert time.process_time() - began < 1


def _with(line: str) -> bytes:
    event = f"BEGIN:VEVENT\r\nUID:h@test\r\nDTSTART:20270301T100000Z\r\nDTEND:20270301T110000Z\r\n{line}\r\nEND:VEVENT"
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{event}\r\nEND:VCALENDAR\r\n".encode()


def _overrides(count: int) -> str:
    parts = [
        f"END:VEVENT\r\nBEGIN:VEVENT\r\nUID:h@test\r\nRECURRENCE-ID:2027{n // 28 + 1:02}{n % 28 + 1:02}T100000Z\r\n"
        "DTSTART:20270301T100000Z\r\nDTEND:20270301T110000Z"
        for n in range(count)
    ]
    return "RRULE:FREQ=DAILY;COUNT=400\r\n" + "\r\n".join(parts)


LARGE: dict[str, tuple[Callable[[], bytes], str]] = {
    "11-rdates": (lambda: _with("RDATE:" + ",".join(["20270301T100000Z"] * 50_000)), "too-many-dates"),
    "11b-rdates-over-the-size": (lambda: _with("RDATE:" + ",".join(["20270301T100000Z"] * 100_000)), "too-large"),
    "12-exdates": (
        lambda: _with("RRULE:FREQ=DAILY\r\nEXDATE:" + ",".join(["20270301T100000Z"] * 501)),
        "too-many-dates",
    ),
    "13-long-summary": (lambda: _with("SUMMARY:" + "x" * (10 << 20)), "too-large"),
    "14-folded-after-each-character": (lambda: _with("SUMMARY:" + "\r\n x" * 100_000), "too-many-lines"),
    "15-nested": (lambda: _with("BEGIN:X\r\n" * 4_000 + "END:X\r\n" * 4_000), "too-deep"),
    "16-parameters": (lambda: _with("SUMMARY" + ";A=b" * 100_000 + ":x"), "bad-parameter"),
    "16b-one-long-parameter": (lambda: _with('SUMMARY;A="' + "," * 500_000 + ":x"), "bad-line"),
    "overrides": (lambda: _with(_overrides(201)), "too-many-overrides"),
    "zones": (
        lambda: _with("X:y").replace(b"VERSION:2.0\r\n", b"BEGIN:VTIMEZONE\r\nTZID:P\r\nEND:VTIMEZONE\r\n" * 3000),
        "fine",
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_file_gets_its_answer_with_little_memory(name: str) -> None:
    build, expected = LARGE[name]
    body = build()
    tracemalloc.start()
    try:
        began = time.process_time()
        assert answer(body) == expected
        assert time.process_time() - began < 5  # tracing makes it several times slower
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_two_hundred_overrides_are_still_read() -> None:
    assert answer(_with(_overrides(200))) == "fine"


def test_two_files_with_one_private_zone_never_mix() -> None:
    for _ in range(2):
        one, other = event_in("31a-private-zone-one.ics"), event_in("31b-private-zone-other.ics")
        assert one.master.span.start_at == datetime(2027, 3, 1, 7, tzinfo=UTC)
        assert other.master.span.start_at == datetime(2027, 3, 1, 18, tzinfo=UTC)
        assert one.master.span.zone == "Europe/Berlin"


def test_an_iana_name_wins_over_a_definition_that_lies() -> None:
    assert event_in("32-lying-zone.ics").master.span.start_at == datetime(2027, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize("name", ["59-windows-zone.ics", "60-mozilla-zone.ics"])
def test_other_names_of_a_zone_are_that_zone(name: str) -> None:
    assert event_in(name).master.span.zone == "Europe/Berlin"
    assert event_in(name).master.span.start == datetime(2027, 3, 1, 10)


def test_a_recurrence_id_in_another_zone_is_the_same_slot() -> None:
    shown = expand(event_in("38-recurrence-id-other-zone.ics"), WINDOW)
    assert len(shown) == 3
    assert shown[datetime(2027, 3, 2, 9, tzinfo=UTC)].span.start == datetime(2027, 3, 2, 12)


def test_an_override_without_a_master_is_no_series() -> None:
    event = event_in("36-orphan-override.ics")
    assert not event.is_series
    assert [override.original_start for override in event.overrides] == [datetime(2027, 3, 1, 8, tzinfo=UTC)]


def test_an_impossible_day_has_no_more_occurrences_than_its_start() -> None:
    assert len(expand(event_in("05-february-30.ics"), WINDOW)) <= 1


def test_a_huge_count_is_expanded_inside_the_window_only() -> None:
    began = time.process_time()
    shown = expand(event_in("06-count-huge.ics"), WINDOW)
    assert time.process_time() - began < 1
    assert min(at for at in shown if at) == datetime(2027, 3, 1, 9, tzinfo=UTC)
    assert len(shown) == 306  # every day from the first of March to the end of the year


def test_a_rule_that_ended_before_it_began_shows_nothing() -> None:
    assert expand(event_in("10-until-before-start.ics"), WINDOW) == {}


def test_odd_characters_in_a_title_are_spelled_out() -> None:
    assert event_in("17-odd-characters.ics").master.title == "a\\u0000b\\u001bc\\u202ed"


def test_a_method_in_a_stored_resource_means_nothing() -> None:
    assert not event_in("42-method-cancel.ics").master.cancelled
