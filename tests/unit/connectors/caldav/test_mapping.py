"""Events survive the way to a resource and back; a merge owns what is ours and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.span import Span
from calsync.testing import edits
from calsync.testing.conformance.samples import ODD_ZONES, SAMPLES, changed_series, series, single, slot
from calsync_caldav.composing import Order, compose, merge
from calsync_caldav.ics_text import parse
from calsync_caldav.mapping import Reader, marker_in, read_event

READER = Reader("America/New_York")
NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
MARKER = "1.key.link.1.hash.place.sign"


def order(event: Event, **more: str) -> Order:
    return Order(event, MARKER, NOW, **more)


def with_lines(body: bytes, *lines: str) -> bytes:
    """The resource with these lines in its first event."""
    added = "".join(f"\r\n{line}" for line in lines)
    return body.replace(b"SEQUENCE:0", f"SEQUENCE:0{added}".encode(), 1)


def resource(*lines: str) -> bytes:
    text = "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:u", *lines, "END:VEVENT", "END:VCALENDAR", ""])
    return text.encode()


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.uid)
def test_an_event_comes_back_as_it_was_written(event: Event) -> None:
    parsed = read_event(compose(order(event)), READER)
    assert parsed.event == event
    assert parsed.marker == MARKER


@pytest.mark.parametrize("zone", ODD_ZONES)
def test_another_library_reads_the_same_instants(zone: str) -> None:
    event = series("odd", zone)
    calendar = icalendar.Calendar.from_ical(compose(order(event)))
    assert [part.errors for part in calendar.walk() if part.errors] == []
    starts = [part.start for part in recurring_ical_events.of(calendar).between(date(2026, 1, 1), date(2027, 1, 1))]
    assert [at.astimezone(UTC) for at in starts] == [slot(number, zone) for number in range(1, 9)]


@pytest.mark.parametrize("zone", [zone for zone in ODD_ZONES if zone != "Etc/UTC"])
def test_the_definition_of_a_zone_says_what_the_zone_does(zone: str) -> None:
    definition = parse(compose(order(series("odd", zone)))).named("VTIMEZONE")[0]
    changes: list[tuple[datetime, int]] = []
    for part in definition.children:
        before, after = (int(part.all(name)[0].value[:3]) for name in ("TZOFFSETFROM", "TZOFFSETTO"))
        if before != after:
            onsets = [part.all("DTSTART")[0].value, *(v for line in part.all("RDATE") for v in line.value.split(","))]
            offset = _offset(part.all("TZOFFSETFROM")[0].value)
            changes += [(datetime.strptime(o, "%Y%m%dT%H%M%S").replace(tzinfo=UTC) - offset, after) for o in onsets]
    real = ZoneInfo(zone)
    for at, _ in changes:
        second = timedelta(seconds=1)
        assert at.astimezone(real).utcoffset() != (at - second).astimezone(real).utcoffset()


def _offset(text: str) -> timedelta:
    minutes = int(text[1:3]) * 60 + int(text[3:5])
    return timedelta(minutes=-minutes if text[0] == "-" else minutes)


def test_lines_end_in_crlf_and_none_is_longer_than_75_octets() -> None:
    event = replace(single(), description="ü🙂" * 200)
    lines = compose(order(event)).split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert read_event(compose(order(event)), READER).event == event


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=60)
def test_no_title_can_become_a_property(title: str) -> None:
    hostile = Appearance(single().master.span, title=f'{title}\r\nATTENDEE:mailto:x@example.org\nX: \\n;,"')
    parsed = parse(compose(order(Event("u", hostile, location=title, description=title)))).named("VEVENT")[0]
    assert parsed.all("ATTENDEE") == []
    assert len(parsed.all("SUMMARY")) == 1
    names = {line.name for line in parsed.lines}
    assert names <= {
        *("UID", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "STATUS", "TRANSP", "CLASS", "SUMMARY", "LOCATION"),
        *("DESCRIPTION", "X-CALSYNC"),
    }


def test_an_event_of_ours_is_private_and_invites_nobody() -> None:
    text = compose(order(single())).decode()
    assert "CLASS:PRIVATE" in text
    assert "TRANSP:OPAQUE" in text
    assert "ATTENDEE" not in text
    assert "ORGANIZER" not in text
    assert "METHOD" not in text


USERS = (
    "X-APPLE-TRAVEL;VALUE=DURATION:PT15M",
    "COLOR:tomato",
    "CATEGORIES:A,B",
    'X-ODD;P="a:b;c,d":geo\\:1\\,2',
    "URL:https://example.org/?a=b;c",
)


def test_a_merge_keeps_the_users_lines_to_the_letter() -> None:
    body = with_lines(compose(order(single())), *USERS, "BEGIN:VALARM", "TRIGGER:-PT10M", "END:VALARM")
    merged = parse(merge(body, order(edits.dragged(single(), timedelta(hours=1))), READER))
    event = merged.named("VEVENT")[0]
    assert [line.text() for line in event.lines if line.text() in USERS] == list(USERS)
    assert [line.text() for line in event.named("VALARM")[0].lines] == ["TRIGGER:-PT10M"]
    assert event.all("SEQUENCE")[0].value == "1"


def test_a_merge_sets_what_is_ours() -> None:
    body = compose(order(single())).replace(b"CLASS:PRIVATE", b"CLASS:PUBLIC").replace(b"DTEND", b"X-DTEND")
    body = with_lines(body, "DURATION:PT3H", "METHOD:REQUEST")
    wanted = replace(single(), location="Room 1", description="new")
    merged = merge(body, order(wanted), READER)
    assert read_event(merged, READER).event == wanted
    assert b"CLASS:PRIVATE" in merged
    assert b"DURATION" not in merged


def test_a_merge_keeps_a_title_that_the_user_wrote() -> None:
    body = compose(order(edits.retitled(single(), "Mine")))
    merged = merge(body, order(single(), title_was="Session A1"), READER)
    assert read_event(merged, READER).event.master.title == "Mine"


def test_a_merge_replaces_a_title_that_was_ours() -> None:
    merged = merge(compose(order(single())), order(edits.retitled(single(), "New"), title_was="Session A1"), READER)
    assert read_event(merged, READER).event.master.title == "New"


def test_a_merge_keeps_notes_around_our_part_of_the_description() -> None:
    body = compose(order(replace(single(), description="ours")))
    body = body.replace(b"DESCRIPTION:[", b"DESCRIPTION:before\\n[").replace(
        b"[/appointment]", b"[/appointment]\\nafter"
    )
    merged = merge(body, order(replace(single(), description="new\ntext")), READER)
    assert b"DESCRIPTION:before\\n[appointment]\\nnew\\ntext\\n[/appointment]\\nafter" in merged.replace(b"\r\n ", b"")
    without = merge(merged, order(single()), READER)
    assert b"DESCRIPTION:before\\nafter\r\n" in without


def test_a_merge_silences_attendees_that_a_person_added() -> None:
    body = with_lines(
        compose(order(single())), 'ATTENDEE;CN="A, B":mailto:a@example.org', "ORGANIZER:mailto:b@example.org"
    )
    merged = merge(body, order(single()), READER).replace(b"\r\n ", b"")
    assert b'ATTENDEE;CN="A, B";SCHEDULE-AGENT=CLIENT:mailto:a@example.org' in merged
    assert merge(merged, order(single()), READER).count(b"SCHEDULE-AGENT") == 1


def test_a_merge_takes_an_edit_of_one_occurrence_back_and_keeps_its_reminder() -> None:
    edited = compose(order(edits.dragged(series(), timedelta(hours=1), slot(4))))
    at = edited.rindex(b"SEQUENCE:0")
    edited = edited[:at] + b"SEQUENCE:0\r\nX-MINE:1" + edited[at + 10 :]
    merged = merge(edited, order(series()), READER)
    [override] = read_event(merged, READER).event.overrides
    assert override.original_start == slot(4)
    assert override.appearance.span.start_at == slot(4)
    assert b"X-MINE:1" in merged


def with_last_line(body: bytes, line: str) -> bytes:
    """The resource with this line in its last event."""
    at = body.rindex(b"SEQUENCE:0")
    return body[:at] + f"SEQUENCE:0\r\n{line}".encode() + body[at + 10 :]


def test_a_series_that_ends_earlier_keeps_what_a_person_put_on_a_session_that_stays() -> None:
    body = with_last_line(compose(order(edits.retitled(series(), "Mine", slot(4)))), "X-MINE:1")
    shorter = replace(series(), recurrence=Recurrence("FREQ=WEEKLY;COUNT=5;BYDAY=TH"))
    merged = merge(body, order(shorter, title_was=series().master.title), READER)
    [override] = read_event(merged, READER).event.overrides
    assert (override.original_start, override.appearance.title) == (slot(4), "Mine")
    assert b"X-MINE:1" in merged
    ended = replace(series(), recurrence=Recurrence("FREQ=WEEKLY;COUNT=3;BYDAY=TH"))
    assert b"X-MINE" not in merge(body, order(ended), READER)


def test_a_session_left_where_a_dragged_series_had_it_keeps_what_a_person_put_on_it() -> None:
    day = timedelta(days=1)
    dragged = edits.retitled(edits.dragged(series(), day), "Mine", slot(4) + day)
    left = edits.dragged(series(), day, slot(4))
    body = with_last_line(compose(order(dragged)), "X-MINE:1")
    merged = merge(body, order(left, title_was=series().master.title), READER)
    [override] = read_event(merged, READER).event.overrides
    assert (override.original_start, override.appearance.span.start_at) == (slot(4), slot(4) + day)
    assert override.appearance.title == "Mine"
    assert b"X-MINE:1" in merged


def test_a_merge_drops_overrides_of_slots_that_the_series_does_not_have() -> None:
    stray = Override(slot(4) + timedelta(hours=5), edits.dragged(single(), timedelta(hours=9)).master)
    body = compose(order(replace(series(), overrides=(stray,))))
    assert read_event(merge(body, order(series()), READER), READER).event == series()


def test_a_merge_after_the_whole_series_was_dragged_writes_the_old_times() -> None:
    dragged = edits.dragged(changed_series(), timedelta(days=1, hours=2))
    merged = merge(compose(order(dragged)), order(changed_series()), READER)
    assert read_event(merged, READER).event == changed_series()


def test_the_overrides_of_a_new_exception_carry_the_users_reminders() -> None:
    body = with_lines(compose(order(series())), "COLOR:tomato")
    wanted = edits.dragged(series(), timedelta(hours=1), slot(2))
    parts = parse(merge(body, order(wanted), READER)).named("VEVENT")
    assert [part.all("COLOR")[0].value for part in parts] == ["tomato", "tomato"]
    assert [len(part.all("X-CALSYNC")) for part in parts] == [1, 0]


def test_all_day_floating_and_utc_times() -> None:
    all_day = read_event(resource("DTSTART;VALUE=DATE:20260805"), READER).event.master.span
    assert all_day == Span(datetime(2026, 8, 5), datetime(2026, 8, 6), "America/New_York", all_day=True)
    floating = read_event(resource("DTSTART:20260805T100000", "DURATION:PT50M"), READER).event.master.span
    assert floating == Span(datetime(2026, 8, 5, 10), datetime(2026, 8, 5, 10, 50), "America/New_York")
    utc = read_event(resource("DTSTART:20260805T100000Z", "DTEND:20260805T105000Z"), READER).event.master.span
    assert utc == Span(datetime(2026, 8, 5, 10), datetime(2026, 8, 5, 10, 50), "Etc/UTC")


def test_days_of_a_duration_are_nominal_and_hours_exact() -> None:
    start = "DTSTART;TZID=America/New_York:20260307T120000"
    assert read_event(resource(start, "DURATION:P1D"), READER).event.master.span.end == datetime(2026, 3, 8, 12)
    assert read_event(resource(start, "DURATION:PT24H"), READER).event.master.span.end == datetime(2026, 3, 8, 13)


def test_an_end_in_another_zone_is_told_in_the_zone_of_the_start() -> None:
    lines = ("DTSTART;TZID=Europe/Berlin:20260805T100000", "DTEND;TZID=America/New_York:20260805T050000")
    span = read_event(resource(*lines), READER).event.master.span
    assert span == Span(datetime(2026, 8, 5, 10), datetime(2026, 8, 5, 11), "Europe/Berlin")


@pytest.mark.parametrize(
    ("line", "public"), [("public", True), ("PRIVATE", False), ("CONFIDENTIAL", False), ("", False)]
)
def test_only_what_says_so_is_public(line: str, public: bool) -> None:
    lines = ("DTSTART:20260805T100000Z", *([f"CLASS:{line}"] if line else []))
    assert read_event(resource(*lines), READER).event.public is public


def test_status_busy_and_the_owners_own_answer() -> None:
    lines = (
        *("DTSTART:20260805T100000Z", "STATUS:CANCELLED", "TRANSP:TRANSPARENT"),
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:other@example.org",
        "ATTENDEE;PARTSTAT=DECLINED:MAILTO:Me@example.org",
    )
    looks = read_event(resource(*lines), Reader("Etc/UTC", {"me@example.org"})).event.master
    assert (looks.cancelled, looks.busy, looks.answer) == (True, False, "declined")
    assert read_event(resource(*lines), READER).event.master.answer == ""


def test_excluded_dates_in_any_form_are_slots_of_the_master() -> None:
    lines = (
        *("DTSTART;TZID=America/New_York:20260219T100000", "DURATION:PT50M", "RRULE:FREQ=WEEKLY;COUNT=8"),
        "EXDATE:20260226T150000Z,20260305T150000Z",
        "EXDATE;VALUE=DATE:20260312",
        "EXDATE:20260319T100000",
    )
    event = read_event(resource(*lines), READER).event
    assert event.recurrence == Recurrence("FREQ=WEEKLY;COUNT=8", (), tuple(slot(number) for number in (2, 3, 4, 5)))


def test_a_private_zone_that_does_what_the_readers_does_is_the_readers() -> None:
    body = compose(order(series())).replace(b"America/New_York", b"Somewhere East")
    assert read_event(body, READER).event == series()


def test_our_marker_is_found_in_a_resource_that_cannot_be_read() -> None:
    body = compose(order(single())).replace(b"DTSTART", b"X-START")
    assert marker_in(body) == MARKER
    assert marker_in(b"BEGIN:VCALENDAR\r\nX-CALSYNC:1.key.li\r\n nk.1\r\n") == "1.key.link.1"
    assert marker_in(b"") is None


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (datetime(2026, 11, 1, 1, 30), datetime(2026, 11, 1, 1, 20, fold=1)),
        (datetime(2026, 11, 1, 1, 30, fold=1), datetime(2026, 11, 1, 2, 20)),
    ],
)
def test_the_second_hour_of_the_night_that_has_it_twice_is_written_in_utc(start: datetime, end: datetime) -> None:
    span = Span(start, end, "America/New_York")
    event = replace(single(), master=replace(single().master, span=span))
    back = read_event(compose(order(event)), READER).event
    assert (back.master.span.start_at, back.master.span.end_at) == (span.start_at, span.end_at)
