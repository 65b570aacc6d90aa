"""From Google's rows to events and back to bodies: pure, and hard to fool."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync.connector.protocol import Seen, Unreadable
from calsync.domain.event import Appearance, Event, Recurrence
from calsync.domain.span import Span
from calsync.testing.conformance.samples import ODD_ZONES, SAMPLES
from calsync_google.aggregate import seen_series, seen_single
from calsync_google.composing import insert_body, look_patch, master_patch, same_schedule
from calsync_google.mapping import Reader, RowRefused, bare_event, id_of, marker_of, original_start
from calsync_google.ours import our_description, with_our_description

READER = Reader("America/New_York", frozenset({"ash@practice.example"}))
Json = dict[str, Any]
MARS = {"dateTime": "2026-03-05T10:00:00Z", "timeZone": "Mars"}


def row(**more: Any) -> Json:
    return {
        "id": "abcde",
        "etag": '"1"',
        "status": "confirmed",
        "iCalUID": "abcde@google.com",
        "summary": "Session",
        "start": {"dateTime": "2026-03-05T10:00:00-05:00", "timeZone": "America/New_York"},
        "end": {"dateTime": "2026-03-05T10:50:00-05:00", "timeZone": "America/New_York"},
        **more,
    }


def as_stored(event: Event) -> Json:
    """What Google makes of an insert, as far as reading goes."""
    return {"etag": '"1"', "status": "confirmed", **insert_body("abcde", event, "m.1")}


@pytest.mark.parametrize("event", [e for e in SAMPLES if not e.master.cancelled], ids=lambda e: e.uid)
def test_what_is_written_reads_back(event: Event) -> None:
    bare = replace(event, overrides=())
    assert bare_event(as_stored(bare), READER) == bare
    assert marker_of(as_stored(bare)) == "m.1"
    body = insert_body("abcde", bare, "m.1")
    assert master_patch(as_stored(bare), bare, reader=READER, title_was=None, keep_lines=False) == {}
    assert same_schedule(as_stored(bare), bare, excluded=(), reader=READER)
    assert body["visibility"] == "private"
    assert "attendees" not in body
    assert "reminders" not in body


@pytest.mark.parametrize(
    ("told", "public"),
    [({}, False), *(({"visibility": word}, word == "public") for word in ("default", "public", "private"))],
)
def test_only_what_says_so_is_public(told: Json, public: bool) -> None:
    assert bare_event(row(**told), READER).public is public


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(ODD_ZONES),
    st.integers(5, 1440),
)
def test_every_wall_time_in_every_zone_reads_back(start: datetime, zone: str, minutes: int) -> None:
    at = start.replace(second=0, microsecond=0, fold=0, tzinfo=UTC)
    span = Span.between(at, at + timedelta(minutes=minutes), zone)
    event = Event("u", Appearance(span, "t"))
    assert bare_event(as_stored(event), READER).master.span == span


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"start": {"date": "2026-03-05", "dateTime": "2026-03-05T10:00:00Z"}}, "date-and-time-mixed"),
        ({"start": {}}, "no-times"),
        ({"start": None}, "no-times"),
        ({"end": None}, "no-times"),
        ({"end": {"date": "2026-03-06"}}, "date-and-time-mixed"),
        ({"end": {"dateTime": "2026-03-05T09:00:00-05:00"}}, "end-before-start"),
        ({"start": {"dateTime": "2026-03-05T10:00:00"}}, "bad-time"),
        ({"start": {"dateTime": "2026-03-05T10:00:00+25:00"}}, "bad-time"),
        ({"start": {"dateTime": "2026-W01-1T10:00:00Z"}}, "bad-time"),
        ({"start": {"dateTime": "2026-03-05T10:00:00٠Z"}}, "bad-time"),
        ({"start": {"dateTime": "2026-02-30T10:00:00Z"}}, "bad-time"),
        ({"start": {"dateTime": 7}}, "bad-time"),
        ({"start": {"date": "20260305"}, "end": {"date": "2026-03-06"}}, "bad-date"),
        ({"recurrence": ["RRULE:FREQ=SECONDLY"]}, "rule-frequency"),
        ({"recurrence": ["RRULE:FREQ=WEEKLY", "RRULE:FREQ=DAILY"]}, "two-rules"),
        ({"recurrence": ["EXRULE:FREQ=WEEKLY"]}, "rule-part"),
        ({"recurrence": "RRULE:FREQ=WEEKLY"}, "bad-recurrence"),
        ({"recurrence": ["RRULE:FREQ=WEEKLY", "EXDATE:2026"]}, "bad-date"),
        ({"recurrence": ["RRULE:FREQ=WEEKLY", "EXDATE:" + ",".join(["20260305T150000Z"] * 2)]}, None),
        ({"recurrence": ["RRULE:FREQ=WEEKLY"], "start": MARS}, "unknown-zone"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_unreadable_and_says_which(changes: Json, reason: str | None) -> None:
    item = seen_single("abcde", row(**changes), READER)
    if reason is None:
        assert isinstance(item, Seen)
    else:
        assert isinstance(item, Unreadable)
        assert item.reason.startswith(reason.partition("-frequency")[0])


def test_seven_digits_of_a_second_are_fine() -> None:
    item = seen_single("abcde", row(start={"dateTime": "2026-03-05T10:00:00.0000000-05:00"}), READER)
    assert isinstance(item, Seen)


def test_an_unknown_zone_of_a_single_event_is_read_by_its_instant() -> None:
    moment = {"dateTime": "2026-03-05T16:00:00+01:00", "timeZone": "GMT-0500 (Made Up)"}
    end = {"dateTime": "2026-03-05T17:00:00+01:00", "timeZone": "GMT-0500 (Made Up)"}
    span = bare_event(row(start=moment, end=end), READER).master.span
    assert span.start == datetime(2026, 3, 5, 10)
    assert span.zone == "America/New_York"


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_texts_that_no_database_takes_are_mended(text: str) -> None:
    event = bare_event(row(summary=text), READER)
    assert event.master.title == "a\ufffdb"
    event.master.title.encode("utf-8")


@pytest.mark.parametrize("name", ["x" * 10_000, "a/../b", "", 7, None, "a b"])
def test_ids_that_cannot_be_sent_are_none(name: object) -> None:
    assert id_of({"id": name}) is None


def test_the_owners_answer_counts_and_a_guests_does_not() -> None:
    guests = [{"email": "kim@x.example", "responseStatus": "declined"}]
    assert bare_event(row(attendees=guests), READER).master.answer == ""
    own = [*guests, {"email": "Ash@practice.example", "responseStatus": "declined"}]
    assert bare_event(row(attendees=own), READER).master.answer == "declined"
    assert bare_event(row(attendees=[{"self": True, "responseStatus": "accepted"}]), READER).master.answer == "accepted"


def test_the_description_is_ours_between_the_lines_only() -> None:
    mine = with_our_description("", "From the platform")
    assert our_description(f"Note\n{mine}\nmore") == "From the platform"
    assert with_our_description(f"Note\n{mine}\nmore", "New") == f"Note\n{mine}\nmore".replace(
        "From the platform", "New"
    )
    assert with_our_description("Note", "") == "Note"
    assert our_description("[appointment]<br>From the platform<br/>[/appointment]") == "From the platform"


def test_a_patch_names_only_what_is_ours_and_differs() -> None:
    looks = Appearance(Span(datetime(2026, 3, 5, 12), datetime(2026, 3, 5, 12, 50), "America/New_York"), "Session")
    patch = look_patch(row(colorId="11", reminders={"useDefault": False}), looks, reader=READER, title_was="Session")
    assert patch.keys() == {"start", "end"}
    assert patch["start"] == {"date": None, "dateTime": "2026-03-05T12:00:00-05:00", "timeZone": "America/New_York"}
    assert "summary" not in look_patch(row(summary="Mine"), looks, reader=READER, title_was="Session")
    assert look_patch(row(status="cancelled"), looks, reader=READER, title_was="x")["status"] == "confirmed"


def test_until_is_written_as_google_wants_it() -> None:
    span = Span(datetime(2026, 3, 5, 10), datetime(2026, 3, 5, 11), "America/New_York")
    event = Event("u", Appearance(span), Recurrence("FREQ=WEEKLY;UNTIL=20260401"))
    assert insert_body("abcde", event, None)["recurrence"] == ["RRULE:FREQ=WEEKLY;UNTIL=20260402T035959Z"]
    day = Span(datetime(2026, 3, 5), datetime(2026, 3, 6), "America/New_York", all_day=True)
    event = Event("u", Appearance(day), Recurrence("FREQ=WEEKLY;UNTIL=20260401T120000Z"))
    assert insert_body("abcde", event, None)["recurrence"] == ["RRULE:FREQ=WEEKLY;UNTIL=20260401"]


@pytest.mark.parametrize(
    "line",
    [
        "EXDATE;TZID=America/New_York:20260312T100000",
        "EXDATE:20260312T140000Z",
        "EXDATE;VALUE=DATE:20260312",
    ],
)
def test_an_excluded_date_is_known_in_every_spelling(line: str) -> None:
    event = bare_event(row(recurrence=["RRULE:FREQ=WEEKLY;COUNT=4", line]), READER)
    assert event.recurrence is not None
    assert event.recurrence.excluded == (datetime(2026, 3, 12, 14, tzinfo=UTC),)


def test_an_occurrence_is_known_by_its_original_start_in_any_zone() -> None:
    slot = {"dateTime": "2026-03-12T15:00:00+01:00", "timeZone": "Europe/Berlin"}
    assert original_start({"originalStartTime": slot}, READER) == datetime(2026, 3, 12, 14, tzinfo=UTC)
    with pytest.raises(RowRefused):
        original_start({}, READER)


def test_a_series_that_cannot_be_read_says_why() -> None:
    item = seen_series("abcde", row(recurrence=["RRULE:FREQ=NEVER"]), [], None, READER)
    assert isinstance(item, Unreadable)
    assert item.reason.startswith("rule-")
