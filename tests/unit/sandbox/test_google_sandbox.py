"""The Google stand-in behaves as the contract sheet's section 16 says, seen through the unmodified client library."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.auth.exceptions import RefreshError
from googleapiclient.errors import HttpError

from calsync.sandbox.google.discovery import document
from calsync.sandbox.google.people import Person
from calsync.sandbox.google.server import Sandbox
from calsync.sandbox.google.weather import Damage, Storm
from tests.unit.sandbox.conftest import EMAIL, client_of

ZONE = "America/New_York"
Json = dict[str, Any]


def timed(day: str = "2026-03-05", clock: str = "10:00", **more: Any) -> Json:
    start = datetime.fromisoformat(f"{day}T{clock}:00")
    moment = {"timeZone": ZONE}
    return {
        "summary": "Session",
        "start": {"dateTime": start.isoformat(), **moment},
        "end": {"dateTime": (start + timedelta(minutes=50)).isoformat(), **moment},
        **more,
    }


def weekly(**more: Any) -> Json:
    return timed("2026-02-19", recurrence=["RRULE:FREQ=WEEKLY;COUNT=8;BYDAY=TH"], **more)


def insert(service: Any, body: Json, calendar: str = "primary") -> Json:
    made: Json = service.events().insert(calendarId=calendar, body=body, sendUpdates="none").execute()
    return made


def reason(code: int) -> Any:
    return pytest.raises(HttpError, match=f"<HttpError {code}")


def pages(service: Any, **query: Any) -> tuple[list[Json], str | None]:
    """All items of a list, and its sync token."""
    items: list[Json] = []
    request = service.events().list(calendarId="primary", **query)
    last: Json = {}
    while request is not None:
        page = request.execute()
        assert ("nextPageToken" in page) != ("nextSyncToken" in page) or "orderBy" in query
        items += page["items"]
        last = page
        request = service.events().list_next(request, page)
    return items, last.get("nextSyncToken")


def test_a_created_event_has_what_google_gives_it(service: Any) -> None:
    made = insert(service, timed(id="abcde"))
    assert made["status"] == "confirmed"
    assert made["iCalUID"] == "abcde@google.com"
    assert made["start"] == {"dateTime": "2026-03-05T10:00:00-05:00", "timeZone": ZONE}
    assert made["sequence"] == 0
    assert made["etag"].startswith('"')
    assert None not in made.values()


@pytest.mark.parametrize("name", ["abcd", "Abcdef", "abcdew", "ab-cdef", "a" * 1025])
def test_an_illegal_id_is_refused(service: Any, name: str) -> None:
    with reason(400):
        insert(service, timed(id=name))


def test_an_id_is_never_free_again(service: Any) -> None:
    insert(service, timed(id="abcde"))
    with reason(409):
        insert(service, timed(id="abcde"))
    service.events().delete(calendarId="primary", eventId="abcde", sendUpdates="none").execute()
    with reason(409):
        insert(service, timed(id="abcde"))
    with reason(410):
        service.events().delete(calendarId="primary", eventId="abcde", sendUpdates="none").execute()
    assert service.events().get(calendarId="primary", eventId="abcde").execute()["status"] == "cancelled"


def test_a_tombstone_is_revived_by_a_patch_until_the_trash_is_emptied(service: Any, person: Person) -> None:
    insert(service, timed(id="abcde"))
    person.delete("primary", "abcde")
    patch = service.events().patch
    revived = patch(calendarId="primary", eventId="abcde", body={"status": "confirmed"}, sendUpdates="none").execute()
    assert revived["status"] == "confirmed"
    person.delete("primary", "abcde")
    person.empty_trash("primary")
    with reason(403):
        patch(calendarId="primary", eventId="abcde", body={"status": "confirmed"}, sendUpdates="none").execute()
    person.empty_trash("primary", vanish=True)
    with reason(404):
        service.events().get(calendarId="primary", eventId="abcde").execute()
    with reason(409):
        insert(service, timed(id="abcde"))


@pytest.mark.parametrize(
    "body",
    [
        {"start": {"dateTime": "2026-03-05T10:00:00-05:00"}},
        {"start": {"dateTime": "2026-03-05T10:00:00"}, "end": {"dateTime": "2026-03-05T11:00:00"}},
        {"start": {"date": "2026-03-05"}, "end": {"dateTime": "2026-03-05T11:00:00Z"}},
        {"start": {"dateTime": "2026-03-05T12:00:00Z"}, "end": {"dateTime": "2026-03-05T11:00:00Z"}},
        {**timed(), "recurrence": ["RRULE:FREQ=NEVER"]},
        {**timed(), "visibility": "secret"},
    ],
)
def test_nonsense_is_refused(service: Any, body: Json) -> None:
    with reason(400):
        insert(service, {"id": "abcde", **body})


def test_if_match_guards_patch_update_and_delete(service: Any) -> None:
    made = insert(service, timed(id="abcde"))
    for request in (
        service.events().patch(calendarId="primary", eventId="abcde", body={"summary": "x"}, sendUpdates="none"),
        service.events().update(calendarId="primary", eventId="abcde", body=timed(), sendUpdates="none"),
        service.events().delete(calendarId="primary", eventId="abcde", sendUpdates="none"),
    ):
        request.headers["If-Match"] = '"1"'
        with reason(412):
            request.execute()
    request = service.events().patch(calendarId="primary", eventId="abcde", body={"summary": "y"}, sendUpdates="none")
    request.headers["If-Match"] = made["etag"]
    assert request.execute()["etag"] != made["etag"]


def test_patch_merges_and_put_replaces(service: Any) -> None:
    insert(service, timed(id="abcde", location="Room 3", extendedProperties={"private": {"a": "1", "b": "2"}}))
    patch: Json = {"extendedProperties": {"private": {"a": None}}, "colorId": "3"}
    merged = service.events().patch(calendarId="primary", eventId="abcde", body=patch, sendUpdates="none").execute()
    assert merged["extendedProperties"] == {"private": {"b": "2"}}
    assert merged["location"] == "Room 3"
    put = service.events().update(calendarId="primary", eventId="abcde", body=timed(), sendUpdates="none").execute()
    assert "location" not in put
    assert "extendedProperties" not in put


def test_increments_tell_each_change_once_in_its_present_state(service: Any, person: Person) -> None:
    for name in ("aaaaa", "bbbbb", "ccccc", "ddddd"):
        insert(service, timed(id=name))
    items, token = pages(service, showDeleted=True, maxResults=2)
    assert {item["id"] for item in items} == {"aaaaa", "bbbbb", "ccccc", "ddddd"}
    person.drag("primary", "aaaaa", timedelta(hours=1))
    person.drag("primary", "aaaaa", timedelta(hours=1))
    person.delete("primary", "bbbbb")
    changed, after = pages(service, showDeleted=True, maxResults=2, syncToken=token)
    assert {item["id"]: item["status"] for item in changed} == {"aaaaa": "confirmed", "bbbbb": "cancelled"}
    assert next(i for i in changed if i["id"] == "bbbbb").keys() == {"kind", "etag", "id", "status"}
    assert pages(service, showDeleted=True, maxResults=2, syncToken=after)[0] == []
    assert {item["id"] for item in pages(service, showDeleted=True, maxResults=2, syncToken=token)[0]} == {
        "aaaaa",
        "bbbbb",
    }


def test_a_change_that_lags_is_delivered_later(sandbox: Sandbox, service: Any) -> None:
    _, token = pages(service, showDeleted=True)
    sandbox.knobs.lag = 3
    insert(service, timed(id="abcde"))
    assert service.events().get(calendarId="primary", eventId="abcde").execute()["id"] == "abcde"
    items, token = pages(service, showDeleted=True, syncToken=token)
    assert items == []
    items, token = pages(service, showDeleted=True, syncToken=token)
    assert [item["id"] for item in items] == ["abcde"]
    assert pages(service, showDeleted=True, syncToken=token)[0] == []


def test_tokens_die_and_must_not_be_mixed(sandbox: Sandbox, service: Any, person: Person) -> None:
    _, token = pages(service, showDeleted=True)
    with reason(400):
        pages(service, syncToken=token, showDeleted=True, timeMin="2026-01-01T00:00:00Z")
    with reason(400):
        pages(service, syncToken=token)
    with reason(400):
        pages(service, syncToken="nonsense", showDeleted=True)
    sandbox.knobs.garbage_token_code = 410
    with reason(410):
        pages(service, syncToken="nonsense", showDeleted=True)
    sandbox.state.set_role(person.place().calendar, "kim@practice.example", "reader")
    with reason(410):
        pages(service, syncToken=token, showDeleted=True)
    with reason(410):
        pages(service, updatedMin="2026-01-01T00:00:00Z")


def test_order_suppresses_the_sync_token(service: Any) -> None:
    insert(service, timed(id="abcde"))
    assert pages(service, singleEvents=True, orderBy="startTime")[1] is None
    with reason(400):
        pages(service, orderBy="startTime")


@pytest.mark.parametrize("opaque", [True, False])
def test_a_series_expands_on_wall_time(sandbox: Sandbox, service: Any, opaque: bool) -> None:
    sandbox.knobs.opaque_instance_ids = opaque
    insert(service, weekly(id="abcde"))
    items = service.events().instances(calendarId="primary", eventId="abcde").execute()["items"]
    assert [item["start"]["dateTime"][11:] for item in items] == ["10:00:00-05:00"] * 3 + ["10:00:00-04:00"] * 5
    assert ("20260219T150000Z" in items[0]["id"]) is not opaque
    assert all("recurrence" not in item and item["recurringEventId"] == "abcde" for item in items)


@pytest.mark.parametrize("together", [True, False])
def test_one_edited_occurrence_is_an_exception(sandbox: Sandbox, service: Any, person: Person, together: bool) -> None:
    sandbox.knobs.one_entity_series = together
    made = insert(service, weekly(id="abcde"))
    _, token = pages(service, showDeleted=True)
    slot = datetime(2026, 3, 12, 14, tzinfo=UTC)
    person.drag("primary", "abcde", timedelta(hours=1), slot)
    person.delete("primary", "abcde", datetime(2026, 3, 19, 14, tzinfo=UTC))
    items, _ = pages(service, showDeleted=True, syncToken=token)
    moved = next(i for i in items if i["status"] == "confirmed" and i["id"] != "abcde")
    assert moved["originalStartTime"]["dateTime"] == "2026-03-12T10:00:00-04:00"
    assert moved["start"]["dateTime"] == "2026-03-12T11:00:00-04:00"
    bare = next(i for i in items if i["status"] == "cancelled")
    assert bare.keys() == {"kind", "etag", "id", "status", "recurringEventId", "originalStartTime"}
    assert ("abcde" in {i["id"] for i in items}) is together
    master = service.events().get(calendarId="primary", eventId="abcde").execute()
    assert master["recurrence"] == made["recurrence"]
    assert (master["etag"] != made["etag"]) is together
    shown = service.events().instances(calendarId="primary", eventId="abcde", showDeleted=True).execute()["items"]
    assert len(shown) == 8
    one = service.events().instances(
        calendarId="primary", eventId="abcde", originalStart="2026-03-12T14:00:00Z", showDeleted=True
    )
    assert [item["id"] for item in one.execute()["items"]] == [moved["id"]]


def test_a_split_makes_a_second_series_with_our_properties(service: Any, person: Person) -> None:
    insert(service, weekly(id="abcde", extendedProperties={"private": {"calsync": "m"}}))
    at = datetime(2026, 3, 19, 14, tzinfo=UTC)
    tail = person.split("primary", "abcde", at)
    assert tail == "abcde_R20260319T140000"
    for name in ("abcde", tail):
        items = service.events().instances(calendarId="primary", eventId=name).execute()["items"]
        assert len(items) == 4
        assert items[0]["extendedProperties"] == {"private": {"calsync": "m"}}
    assert not person.split("primary", "abcde", datetime(2026, 3, 5, 15, tzinfo=UTC), timedelta(hours=1)).startswith(
        "abcde"
    )


def test_a_moved_event_leaves_a_tombstone_and_keeps_its_id(service: Any, person: Person) -> None:
    other = person.make_calendar("Other")
    insert(service, timed(id="abcde"))
    request = service.events().move(calendarId="primary", eventId="abcde", destination=other, sendUpdates="none")
    assert request.execute()["status"] == "cancelled"
    assert service.events().get(calendarId=other, eventId="abcde").execute()["status"] == "confirmed"
    assert service.events().get(calendarId="primary", eventId="abcde").execute()["status"] == "cancelled"


def test_scopes_are_those_of_the_discovery_document(sandbox: Sandbox, person: Person) -> None:
    narrow = client_of(sandbox, person.email, "calendar.app.created")
    made = narrow.calendars().insert(body={"summary": "Appointments"}).execute()
    insert(narrow, timed(id="abcde"), made["id"])
    with reason(403):
        narrow.calendarList().list().execute()
    reader = client_of(sandbox, person.email, "calendar.readonly")
    with reason(403):
        insert(reader, timed(id="abcde"))


def test_roles_decide(sandbox: Sandbox, person: Person) -> None:
    sandbox.add_person("kim@practice.example")
    kim = client_of(sandbox, "kim@practice.example")
    calendar = person.make_calendar("Work")
    with reason(404):
        kim.events().list(calendarId=calendar).execute()
    sandbox.state.set_role(sandbox.state.calendars[calendar], "kim@practice.example", "reader")
    assert kim.events().list(calendarId=calendar).execute()["accessRole"] == "reader"
    with reason(403):
        insert(kim, timed(id="abcde"), calendar)


def test_tokens_are_refreshed_and_revoked(sandbox: Sandbox, service: Any, person: Person) -> None:
    service.events().list(calendarId="primary").execute()
    sandbox.tokens.drop_access()
    service.events().list(calendarId="primary").execute()
    assert sandbox.tokens.asked == 2
    sandbox.tokens.revoke(EMAIL)
    with pytest.raises(RefreshError, match="invalid_grant"):
        service.events().list(calendarId="primary").execute()


def test_quota_and_retry_after(sandbox: Sandbox, service: Any) -> None:
    sandbox.knobs.rate_per_minute = 2
    for _ in range(2):
        service.events().list(calendarId="primary").execute()
    with pytest.raises(HttpError) as refused:
        service.events().list(calendarId="primary").execute()
    assert refused.value.error_details[0]["reason"] == "rateLimitExceeded"
    sandbox.clock.advance(timedelta(seconds=61))  # type: ignore[attr-defined]
    service.events().list(calendarId="primary").execute()
    sandbox.weather.refuse("events.list", 429, "rateLimitExceeded", retry_after=37)
    with pytest.raises(HttpError) as refused:
        service.events().list(calendarId="primary").execute()
    assert refused.value.resp["retry-after"] == "37"


def test_a_lost_answer_is_done_and_the_library_repeats_it_by_itself(sandbox: Sandbox, service: Any) -> None:
    service.events().list(calendarId="primary").execute()  # the connection is kept alive now
    sandbox.weather.lose_answers("events.insert")
    with reason(409):
        insert(service, timed(id="abcde"))
    assert [call.status for call in sandbox.state.calls if call.method == "events.insert"] == [200, 409]


def test_a_cut_answer_comes_as_raw_bytes(sandbox: Sandbox, service: Any) -> None:
    sandbox.weather.add(Storm("events.list", Damage.CUT))
    assert not isinstance(service.events().list(calendarId="primary").execute(), dict)


def test_batches(sandbox: Sandbox, service: Any) -> None:
    insert(service, timed(id="abcde"))
    got: dict[str, Any] = {}
    batch = service.new_batch_http_request(callback=lambda key, answer, fault: got.update({key: fault or answer}))
    batch.add(service.events().get(calendarId="primary", eventId="abcde"), request_id="one")
    batch.add(service.events().get(calendarId="primary", eventId="never"), request_id="two")
    batch.add(service.events().delete(calendarId="primary", eventId="abcde", sendUpdates="none"), request_id="three")
    batch.execute()
    assert got["one"]["id"] == "abcde"
    assert got["two"].resp.status == 404
    assert got["three"] in ("", b"", {})
    sandbox.knobs.batch_limit = 1
    batch = service.new_batch_http_request(callback=lambda *_: None)
    for _ in range(2):
        batch.add(service.events().get(calendarId="primary", eventId="abcde"))
    with reason(400):
        batch.execute()


def test_channels(sandbox: Sandbox, service: Any, person: Person) -> None:
    sandbox.hold_pushes = True
    body = {"id": "channel-1", "type": "web_hook", "address": "http://127.0.0.1:1/hooks/google", "token": "secret"}
    channel = service.events().watch(calendarId="primary", body=body).execute()
    assert isinstance(channel["expiration"], str)
    with reason(400):
        service.events().watch(calendarId="primary", body=body).execute()
    insert(service, timed(id="abcde"))
    words = [headers["X-Goog-Resource-State"] for _, headers in sandbox.pending]
    numbers = [int(headers["X-Goog-Message-Number"]) for _, headers in sandbox.pending]
    assert words == ["sync", "exists"]
    assert numbers[0] == 1
    assert numbers[1] > 2
    assert {headers["X-Goog-Channel-Token"] for _, headers in sandbox.pending} == {"secret"}
    stop = {"id": "channel-1", "resourceId": channel["resourceId"]}
    service.channels().stop(body=stop).execute()
    with reason(404):
        service.channels().stop(body=stop).execute()
    person.drag("primary", "abcde", timedelta(hours=1))
    assert len(sandbox.pending) == 2


def test_free_busy_tells_times_only(service: Any) -> None:
    insert(service, timed(id="abcde"))
    insert(service, weekly(id="series"))
    body = {"timeMin": "2026-03-05T00:00:00Z", "timeMax": "2026-03-06T00:00:00Z", "items": [{"id": "primary"}]}
    answer = service.freebusy().query(body=body).execute()
    assert (
        answer["calendars"]["primary"]["busy"] == [{"start": "2026-03-05T15:00:00Z", "end": "2026-03-05T15:50:00Z"}] * 2
    )


def test_mails_that_guests_would_have_got_are_kept(sandbox: Sandbox, service: Any) -> None:
    insert(service, timed(id="abcde", attendees=[{"email": "kim@clients.example"}]))
    assert [mail["guests"] for mail in sandbox.state.mails] == [["kim@clients.example"]]


def test_every_answer_fits_the_discovery_document(sandbox: Sandbox, service: Any, person: Person) -> None:
    insert(service, timed(id="abcde"))
    insert(service, weekly(id="series", attendees=[{"email": "kim@clients.example"}]))
    person.decorate("primary", "abcde")
    person.drag("primary", "series", timedelta(hours=1), datetime(2026, 3, 12, 14, tzinfo=UTC))
    person.delete("primary", "series", datetime(2026, 3, 19, 14, tzinfo=UTC))
    person.make_all_day("primary", "abcde")
    body = {"id": "channel-1", "type": "web_hook", "address": "http://127.0.0.1:1/hooks/google"}
    answers = {
        "Event": service.events().get(calendarId="primary", eventId="abcde"),
        "Events": service.events().list(calendarId="primary", showDeleted=True),
        "Calendar": service.calendars().get(calendarId="primary"),
        "CalendarList": service.calendarList().list(),
        "CalendarListEntry": service.calendarList().get(calendarId="primary"),
        "Acl": service.acl().list(calendarId="primary"),
        "Settings": service.settings().list(),
        "Channel": service.events().watch(calendarId="primary", body=body),
        "FreeBusyResponse": service.freebusy().query(
            body={"timeMin": "2026-03-05T00:00:00Z", "timeMax": "2026-03-06T00:00:00Z", "items": [{"id": "primary"}]}
        ),
    }
    sandbox.hold_pushes = True
    for schema, request in answers.items():
        answer = request.execute()
        assert list(misfits(answer, {"$ref": schema}, schema)) == []
    instances = service.events().instances(calendarId="primary", eventId="series", showDeleted=True).execute()
    assert list(misfits(instances, {"$ref": "Events"}, "Events")) == []


def misfits(value: Any, schema: Json, where: str) -> Iterator[str]:
    """Yield the places where an answer departs from the document's schema."""
    schema = document()["schemas"][schema["$ref"]] if "$ref" in schema else schema
    kind = {"string": str, "boolean": bool, "integer": int, "number": float, "array": list, "object": dict}
    if not isinstance(value, kind.get(schema.get("type", "any"), object)):
        yield f"{where}: {type(value).__name__} is no {schema['type']}"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from misfits(item, schema["items"], f"{where}[{number}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            inner = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if inner is None:
                yield f"{where}.{key}: not in the document"
            else:
                yield from misfits(item, inner, f"{where}.{key}")
