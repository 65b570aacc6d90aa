"""Rows of Graph's, good and hostile, to events; and what is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calsync.domain.event import Appearance, Event, Recurrence
from calsync.domain.span import Span, Window
from calsync_outlook.composing import Order, changes_of_look, changes_of_rest, check_held, whole_body
from calsync_outlook.mapping import Aggregate, event_of, missing_slots
from calsync_outlook.ours import ZONE, described, our_description, with_our_part
from calsync_outlook.recurrence import NotHeld
from calsync_outlook.rows import EventRefused, id_of, read_row

Json = dict[str, Any]

EXTENT = Window(datetime(2025, 6, 1, tzinfo=UTC), datetime(2028, 6, 1, tzinfo=UTC))


def at(text: str) -> Json:
    return {"dateTime": f"{text}:00.0000000", "timeZone": "UTC"}


def row(**changes: Any) -> Json:
    data: Json = {
        "@odata.etag": 'W/"k1"', "id": "AAMk1", "type": "singleInstance", "subject": "Session A1",
        "start": at("2026-03-05T15:00"), "end": at("2026-03-05T15:50"),
        "originalStartTimeZone": "Eastern Standard Time", "isAllDay": False, "showAs": "busy",
        "iCalUId": "uid-1", "isOrganizer": True,
    }  # fmt: skip
    return {**data, **changes}


def read(data: Json) -> Event:
    return event_of(Aggregate(read_row(data), EXTENT, "America/New_York"))


def series(**changes: Any) -> Json:
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": ["thursday"], "firstDayOfWeek": "monday"}
    limits = {"type": "numbered", "startDate": "2026-03-05", "numberOfOccurrences": 4,
              "recurrenceTimeZone": "Eastern Standard Time"}  # fmt: skip
    return row(type="seriesMaster", recurrence={"pattern": pattern, "range": limits}, **changes)


def occurrence(number: int, **changes: Any) -> Json:
    # New York goes to summer time on 8 March: 15:00 UTC, then 14:00.
    start = datetime(2026, 3, 5, 15) + timedelta(weeks=number) - timedelta(hours=1 if number else 0)
    slot = f"{start:%Y-%m-%dT%H:%M}"
    end = f"{start + timedelta(minutes=50):%Y-%m-%dT%H:%M}"
    data = row(id=f"O{number}", type="occurrence", seriesMasterId="AAMk1", start=at(slot), end=at(end))
    return {**data, "originalStart": f"{slot}:00Z", **changes}


def whole(master: Json, *rows: Json) -> Aggregate:
    return Aggregate(read_row(master), EXTENT, "America/New_York", tuple(read_row(one) for one in rows))


def test_a_single_event() -> None:
    event = read(row())
    assert event.master.span == Span(datetime(2026, 3, 5, 10), datetime(2026, 3, 5, 10, 50), "America/New_York")
    assert (event.uid, event.master.title, event.master.busy) == ("uid-1", "Session A1", True)


def test_attendees_answers_and_proposals_are_not_times() -> None:
    proposal = {"start": at("2026-03-06T15:00"), "end": at("2026-03-06T15:50")}
    attendee = {"type": "required", "emailAddress": {"address": "a@example.org"}, "proposedNewTime": proposal}
    event = read(row(attendees=[attendee], responseStatus={"response": "organizer"}))
    assert event.master.span == read(row()).master.span
    assert event.master.proposed is not None
    assert event.master.proposed.start_at == datetime(2026, 3, 6, 15, tzinfo=UTC)


def test_a_declined_invitation_and_a_cancelled_one() -> None:
    event = read(row(isOrganizer=False, responseStatus={"response": "declined"}, isCancelled=True))
    assert (event.master.answer, event.master.cancelled) == ("declined", True)


@pytest.mark.parametrize(
    ("told", "public"),
    [(None, False), ("normal", True), ("personal", True), ("private", False), ("confidential", False)],
)
def test_what_is_not_private_is_public_where_it_is_told(told: str | None, public: bool) -> None:
    assert read(row(sensitivity=told)).public is public


HOSTILE: dict[str, tuple[Json, str]] = {
    "no-start": (row(start=None), "no-time"),
    "no-end": (row(end={}), "no-time"),
    "offset": (row(start={"dateTime": "2026-03-05T15:00:00+25:00", "timeZone": "UTC"}), "bad-time"),
    "iso-week": (row(start={"dateTime": "2026-W01-1", "timeZone": "UTC"}), "bad-time"),
    "arabic-digits": (row(start={"dateTime": "٢٠٢٦-03-05T15:00:00", "timeZone": "UTC"}), "bad-time"),
    "no-such-day": (row(start={"dateTime": "2026-02-30T15:00:00", "timeZone": "UTC"}), "bad-time"),
    "year-one": (row(start={"dateTime": "0001-01-01T00:00:00", "timeZone": "UTC"}), "year-out-of-range"),
    "backwards": (row(end=at("2026-03-05T14:00")), "end-before-start"),
    "time-zone": (row(start={"dateTime": "2026-03-05T15:00:00", "timeZone": "Mars"}), "zone-unknown"),
    "custom": (row(originalStartTimeZone="tzone://Microsoft/Custom"), "zone-unknown"),
    "all-day-time": (row(isAllDay=True), "all-day-with-time"),
    "no-etag": (row(**{"@odata.etag": "k1"}), "no-version"),
    "no-id": (row(id="x" * 10_000), "no-id"),
    "series-no-id": (row(seriesMasterId="a/../b"), "no-series"),
    "zone-no-text": (row(originalStartTimeZone=True), "zone-unknown"),
    "no-pattern": (row(type="seriesMaster", recurrence={"pattern": {}, "range": {}}), "recurrence-unknown"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_rows_are_refused_by_name(case: str) -> None:
    data, reason = HOSTILE[case]
    with pytest.raises(EventRefused) as refusal:
        read(data)
    assert refusal.value.reason == reason


@pytest.mark.parametrize("bad", [None, 7, "", "a/../b", "x" * 10_000, "a\nb"])
def test_ids_that_cannot_be_in_a_path(bad: object) -> None:
    assert id_of({"id": bad}) is None


def test_parts_of_another_kind_are_as_if_they_were_not_there() -> None:
    odd = read(row(location="Room", body=["notes"], responseStatus="accepted", attendees={"a": 1}))
    assert (odd.location, odd.description, odd.master.answer) == ("", "", "")
    broken = series()
    broken["recurrence"]["range"] = []
    with pytest.raises(EventRefused, match="recurrence-unknown"):
        read(broken)


def test_seven_digits_are_fine() -> None:
    assert read(row(start={"dateTime": "2026-03-05T15:00:00.1234567", "timeZone": "UTC"})).master.span.start.hour == 10


def test_a_series_over_summer_time_with_nothing_changed() -> None:
    event = event_of(whole(series(), *(occurrence(number) for number in range(4))))
    assert event.recurrence is not None
    assert (event.overrides, event.recurrence.excluded) == ((), ())


def test_a_missing_occurrence_is_a_removed_one_and_a_moved_one_an_override() -> None:
    moved = occurrence(2, type="exception", start=at("2026-03-20T18:00"), end=at("2026-03-20T18:50"))
    event = event_of(whole(series(), occurrence(0), moved, occurrence(3)))
    assert event.recurrence is not None
    assert event.recurrence.excluded == (datetime(2026, 3, 12, 14, tzinfo=UTC),)
    assert [one.original_start for one in event.overrides] == [datetime(2026, 3, 19, 14, tzinfo=UTC)]
    assert event.overrides[0].appearance.span.start == datetime(2026, 3, 20, 14)


def test_an_exception_that_looks_like_its_slot_is_none() -> None:
    rows = [occurrence(0), occurrence(1, type="exception"), occurrence(2), occurrence(3)]
    assert event_of(whole(series(), *rows)).overrides == ()


def test_what_is_neither_there_nor_cancelled_was_moved_far_away() -> None:
    rows = [occurrence(0), occurrence(3)]
    told = whole(series(cancelledOccurrences=["OID.AAMk1.2026-03-12"]), *rows)
    assert missing_slots(event_of(told), told) == [datetime(2026, 3, 19, 14, tzinfo=UTC)]
    silent = whole(series(), *rows)
    assert missing_slots(event_of(silent), silent) == []


def test_versions_of_a_series_move_with_its_parts() -> None:
    rows = [occurrence(number) for number in range(4)]
    plain = whole(series(), *rows).version
    assert whole(series(), *rows[::-1]).version == plain
    assert whole(series(), *rows[:3]).version != plain
    assert whole(series(), *rows[:3], {**rows[3], "type": "exception"}).version != plain
    assert whole(series(**{"@odata.etag": 'W/"k2"'}), *rows).version != plain


def test_our_zone_is_told_behind_its_windows_name() -> None:
    props = [{"id": ZONE.upper(), "value": "America/Detroit"}]
    assert read(row(singleValueExtendedProperties=props)).master.span.zone == "America/Detroit"
    other = row(singleValueExtendedProperties=props, originalStartTimeZone="Pacific Standard Time")
    assert read(other).master.span.zone == "America/Los_Angeles"


def event(**changes: Any) -> Event:
    span = Span(datetime(2026, 3, 5, 10), datetime(2026, 3, 5, 10, 50), "America/New_York")
    return replace(Event("uid-1", Appearance(span, title="Session A1")), **changes)


def test_what_creates_an_event_carries_no_attendee_and_is_private() -> None:
    body = whole_body(Order(event(), "marker"), "name")
    assert (body["sensitivity"], body["transactionId"], body["start"]["timeZone"]) == ("private", "name", "UTC")
    assert not {"attendees", "isReminderOn", "categories", "body"} & body.keys()


def test_a_series_is_sent_in_its_windows_zone_and_others_are_refused() -> None:
    weekly = event(recurrence=Recurrence("FREQ=WEEKLY;COUNT=8"))
    assert whole_body(Order(weekly, "m"), "n")["start"] == {
        "dateTime": "2026-03-05T10:00:00.0000000", "timeZone": "Eastern Standard Time",
    }  # fmt: skip
    troll = replace(weekly.master.span, zone="Antarctica/Troll")
    with pytest.raises(NotHeld, match="zone-without-windows-name"):
        check_held(replace(weekly, master=replace(weekly.master, span=troll)))


def test_only_what_differs_is_sent() -> None:
    shown = read_row(row(sensitivity="private"))
    order = Order(event(), None, title_was="Session A1")
    now = read(row()).master
    assert changes_of_look(event(), event().master, now, order) == {}
    mine = replace(now, title="Mine")
    assert changes_of_look(event(), event().master, mine, order) == {}
    assert changes_of_look(event(), event().master, mine, Order(event(), None)) == {"subject": "Session A1"}
    assert "sensitivity" not in changes_of_rest(shown, order)


def test_our_part_of_a_page_is_exchanged_and_the_rest_stays() -> None:
    page = "<html><body><p>mine &amp; <b>bold</b></p></body></html>"
    one = with_our_part(page, "From <us>\nline two")
    assert "<p>mine &amp; <b>bold</b></p>" in one
    assert "From &lt;us&gt;<br>\r\nline two" in one
    assert with_our_part(one, "") == page
    assert with_our_part(with_our_part(one, "new"), "") == page
    assert our_description(f"before\n{described('ours')}\nafter") == "ours"
    assert our_description("[appointment] broken") == ""
