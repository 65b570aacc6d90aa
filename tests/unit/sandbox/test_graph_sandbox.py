"""The Graph stand-in is strict where Graph is, and every answer fits the published types (contract sheet 9)."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from calsync.sandbox.graph.ids import calendar_id
from calsync.sandbox.graph.knobs import Knobs
from calsync.sandbox.graph.people import Person
from calsync.sandbox.graph.server import CLIENT_ID, CLIENT_SECRET, Sandbox
from calsync.testing.fake_ports import FakeClock

Json = dict[str, Any]

SCHEMA = json.loads((Path(__file__).parent / "data" / "microsoft-graph.schema.json").read_text(encoding="utf-8"))
TYPES = {
    "events.create": "event", "events.get": "event", "events.update": "event", "events.list": "eventPage",
    "view": "eventPage", "instances": "eventPage", "delta": "deltaPage", "calendars.create": "calendar",
    "calendars.get": "calendar", "batch": "batchResponse", "subscriptions.create": "subscription",
    "subscriptions.renew": "subscription",
}  # fmt: skip
PROPERTY = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name madeUp"
UPN = "ash@practice.example"


def validator(name: str) -> Draft202012Validator:
    registry = Registry().with_resource(SCHEMA["$id"], Resource.from_contents(SCHEMA))
    return Draft202012Validator({"$ref": f"{SCHEMA['$id']}#/$defs/{name}"}, registry=registry)


class Desk:
    """A bare client of the stand-in."""

    def __init__(self, knobs: Knobs) -> None:
        self.clock = FakeClock()
        self.sandbox = Sandbox(self.clock, knobs).start()
        self.person: Person = self.sandbox.add_person(UPN)
        self.http = httpx.Client(verify=self._context(), trust_env=False)
        self.token = self._token()
        self.calendar = f"/users/{UPN}/calendars/{calendar_id(self.person.calendar, immutable=True)}"

    def _context(self) -> Any:
        return ssl.create_default_context(cafile=str(self.sandbox.ca_file))

    def _token(self) -> str:
        form = {
            "grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
            "scope": "https://graph.microsoft.com/.default",
        }  # fmt: skip
        told = self.http.post(f"{self.sandbox.root}/practice.example/oauth2/v2.0/token", data=form).json()
        validator("tokenResponse").validate(told)
        return str(told["access_token"])

    def send(self, method: str, path: str, body: Json | None = None, **headers: str) -> httpx.Response:
        url = path if path.startswith("https:") else self.sandbox.graph_url + path
        whole = {"Prefer": 'IdType="ImmutableId"', **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.http.request(method, url, json=body, headers={**whole, "Authorization": f"Bearer {self.token}"})

    def make(self, **changes: Any) -> Json:
        body = {**event(), **changes}
        answer = self.send("POST", f"{self.calendar}/events", body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def code(self, method: str, path: str, body: Json | None = None, **headers: str) -> tuple[int, str]:
        answer = self.send(method, path, body, **headers)
        error = answer.json()
        validator("error").validate(error)
        return answer.status_code, error["error"]["code"]

    def event_path(self, event_id: str) -> str:
        return f"/users/{UPN}/events/{event_id}"


def event(start: str = "2026-03-05T10:00:00", end: str = "2026-03-05T10:50:00", zone: str = "UTC") -> Json:
    return {"subject": "A", "start": {"dateTime": start, "timeZone": zone}, "end": {"dateTime": end, "timeZone": zone}}


def weekly(**limits: Any) -> Json:
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": ["Thursday"]}
    return {
        "pattern": pattern,
        "range": {"type": "numbered", "startDate": "2026-03-05", "numberOfOccurrences": 4, **limits},
    }


RANGE = "startDateTime=2026-01-01T00:00:00Z&endDateTime=2026-12-01T00:00:00Z"


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk(Knobs())
    yield made
    made.http.close()
    made.sandbox.stop()
    for route, status, content in made.sandbox.api.answers:
        if status >= 400:
            validator("error").validate(content)
        elif content is not None and route in TYPES:
            validator(TYPES[route]).validate(content)


def test_a_minimal_event_has_outlooks_defaults(desk: Desk) -> None:
    made = desk.make()
    shown = desk.send("GET", desk.event_path(made["id"])).json()
    assert (shown["type"], shown["reminderMinutesBeforeStart"], shown["showAs"]) == ("singleInstance", 15, "busy")
    assert shown["start"] == {"dateTime": "2026-03-05T10:00:00.0000000", "timeZone": "UTC"}
    assert shown["@odata.etag"] == f'W/"{shown["changeKey"]}"'
    assert "singleValueExtendedProperties" not in shown
    assert shown["originalStart"] is None if "originalStart" in shown else True


def test_zones_times_and_days(desk: Desk) -> None:
    made = desk.make(**event(zone="Eastern Standard Time"))
    prefer = 'IdType="ImmutableId", outlook.timezone="Pacific Standard Time", outlook.body-content-type="text"'
    shown = desk.send("GET", desk.event_path(made["id"]), Prefer=prefer).json()
    assert shown["start"]["dateTime"].startswith("2026-03-05T07:00")
    events = f"{desk.calendar}/events"
    assert desk.code("POST", events, event(zone="Europe/Kyiv")) == (400, "TimeZoneNotSupportedException")
    backwards = event(end="2026-03-05T09:00:00")
    assert desk.code("POST", events, backwards) == (400, "ErrorPropertyValidationFailure")
    assert desk.code("POST", events, {**event(), "isAllDay": True}) == (400, "ErrorPropertyValidationFailure")
    days = {**event("2026-03-05T00:00:00", "2026-03-06T00:00:00", "Eastern Standard Time"), "isAllDay": True}
    shown = desk.send("GET", desk.event_path(desk.make(**days)["id"]), Prefer=prefer).json()
    assert shown["start"]["dateTime"] == "2026-03-05T00:00:00.0000000"


def test_a_transaction_makes_one_event(desk: Desk) -> None:
    first, second = desk.make(transactionId="t-1"), desk.make(transactionId="t-1")
    assert first["id"] == second["id"]
    other = {**event("2026-03-06T10:00:00", "2026-03-06T11:00:00"), "transactionId": "t-1"}
    assert desk.code("POST", f"{desk.calendar}/events", other) == (409, "ErrorDuplicateTransactionId")


def test_versions_guard_writes(desk: Desk) -> None:
    made = desk.make()
    path = desk.event_path(made["id"])
    changed = desk.send("PATCH", path, {"subject": "B"}, If_Match=made["@odata.etag"])
    assert changed.json()["subject"] == "B"
    stale = desk.code("PATCH", path, {"subject": "C"}, If_Match=made["@odata.etag"])
    assert stale == (412, "ErrorIrresolvableConflict")
    assert desk.code("PATCH", path, {"nonsense": 1})[0] == 400
    assert desk.send("DELETE", path).status_code == 204
    assert desk.code("DELETE", path) == (404, "ErrorItemNotFound")


def test_series_occurrences_and_their_neighbours(desk: Desk) -> None:
    master = desk.make(recurrence=weekly())
    assert master["type"] == "seriesMaster"
    assert desk.code("GET", f"{desk.event_path(master['id'])}/instances")[0] == 400
    rows = desk.send("GET", f"{desk.event_path(master['id'])}/instances?{RANGE}").json()["value"]
    assert [row["type"] for row in rows] == ["occurrence"] * 4
    assert {row["originalStart"] for row in rows} == {None}
    second = desk.event_path(rows[1]["id"])
    moved = event("2026-03-12T15:00:00", "2026-03-12T16:00:00")
    shown = desk.send("PATCH", second, {"start": moved["start"], "end": moved["end"]}).json()
    assert (shown["type"], shown["originalStart"][:16]) == ("exception", "2026-03-12T10:00")
    assert desk.send("DELETE", desk.event_path(rows[2]["id"])).status_code == 204
    far = event("2026-03-19T15:00:00", "2026-03-19T16:00:00")
    crossing = desk.code("PATCH", second, {"start": far["start"], "end": far["end"]})
    assert crossing == (400, "ErrorOccurrenceCrossingBoundary")
    whole = desk.send("GET", f"{desk.event_path(master['id'])}?$select=*").json()
    assert whole["cancelledOccurrences"] == [f"OID.{master['id']}.2026-03-19"]
    again = desk.send("PATCH", desk.event_path(master["id"]), {"recurrence": weekly()})
    assert again.status_code == 200
    rows = desk.send("GET", f"{desk.event_path(master['id'])}/instances?{RANGE}&$select=*").json()["value"]
    assert [row["type"] for row in rows] == ["occurrence"] * 4


@pytest.mark.parametrize(
    "broken",
    [
        weekly(startDate="2026-03-06"),
        weekly(numberOfOccurrences=0),
        weekly(type="endDate", endDate="2026-03-05T00:00:00"),
        {"range": weekly()["range"], "pattern": weekly()["pattern"]},
        {"pattern": {"type": "weekly", "interval": 1}, "range": weekly()["range"]},
        {"pattern": {"type": "weekly", "interval": 0, "daysOfWeek": ["monday"]}, "range": weekly()["range"]},
        {"pattern": {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 5}, "range": weekly()["range"]},
        {"pattern": {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["thursday", "friday"]},
         "range": weekly()["range"]},
    ],
)  # fmt: skip
def test_bad_patterns_are_refused(desk: Desk, broken: Json) -> None:
    assert desk.code("POST", f"{desk.calendar}/events", {**event(), "recurrence": broken})[0] == 400


def test_delta_tells_hints_and_refuses_options(desk: Desk) -> None:
    single, master = desk.make(), desk.make(recurrence=weekly())
    delta = f"{desk.calendar}/calendarView/delta?{RANGE}"
    first = desk.send("GET", delta).json()
    rows = {row["id"]: row for row in first["value"]}
    assert rows[single["id"]]["subject"] == "A"
    stub = next(row for row in rows.values() if row["type"] == "occurrence")
    assert "subject" not in stub
    away = event("2028-03-05T10:00:00", "2028-03-05T11:00:00")
    desk.send("PATCH", desk.event_path(single["id"]), {"start": away["start"], "end": away["end"]})
    news = desk.send("GET", first["@odata.deltaLink"]).json()
    assert news["value"] == [
        {"@odata.type": "#microsoft.graph.event", "id": single["id"], "@removed": {"reason": "deleted"}}
    ]
    assert desk.code("GET", f"{delta}&$select=id")[0] == 400
    assert desk.code("GET", f"{delta}&$expand=x")[0] == 500
    desk.sandbox.api.delta.expire()
    assert desk.code("GET", news["@odata.deltaLink"]) == (410, "SyncStateNotFound")
    assert master["id"] in rows


def test_own_properties_are_hidden_found_and_refused_in_views(desk: Desk) -> None:
    made = desk.make(singleValueExtendedProperties=[{"id": PROPERTY, "value": "Mine"}])
    where = f"singleValueExtendedProperties/Any(ep: ep/id eq '{PROPERTY}' and ep/value eq 'mine')"
    found = desk.send("GET", f"{desk.calendar}/events?$filter={where}").json()["value"]
    assert [row["id"] for row in found] == [made["id"]]
    assert "singleValueExtendedProperties" not in found[0]
    assert desk.code("GET", f"{desk.calendar}/events?$filter=subject eq 'A'")[0] == 400
    assert desk.code("GET", f"{desk.calendar}/calendarView?{RANGE}&$filter={where}")[0] == 500


def test_ids_in_two_forms(desk: Desk) -> None:
    made = desk.make()
    plain = desk.send("GET", desk.event_path(made["id"]), Prefer="outlook.timezone=UTC").json()["id"]
    assert plain != made["id"]
    other = desk.sandbox.state.add_calendar(desk.person.mailbox, "Other")
    desk.person.move_to(made["id"], other)
    assert desk.send("GET", desk.event_path(made["id"])).json()["id"] == made["id"]
    moved = desk.send("GET", desk.event_path(made["id"]), Prefer="outlook.timezone=UTC").json()["id"]
    assert moved != plain
    assert desk.code("GET", desk.event_path("nonsense")) == (400, "ErrorInvalidIdMalformed")


def test_tokens_scopes_and_mailboxes(desk: Desk) -> None:
    path = f"/users/{UPN}/calendars"
    assert desk.code("GET", "/me/calendars")[0] == 400
    desk.person.mailbox.in_scope = False
    assert desk.code("GET", path) == (403, "ErrorAccessDenied")
    desk.person.mailbox.in_scope, desk.person.mailbox.is_enabled = True, False
    assert desk.code("GET", path) == (404, "MailboxNotEnabledForRESTAPI")
    desk.person.mailbox.is_enabled = True
    assert desk.send("GET", f"/users/{desk.person.mailbox.guid}/calendars").status_code == 200
    desk.clock.advance(timedelta(hours=2))
    assert desk.code("GET", path) == (401, "InvalidAuthenticationToken")


def test_batches(desk: Desk) -> None:
    made = desk.make()
    part = {"method": "GET", "url": desk.event_path(made["id"]), "headers": {"Prefer": 'IdType="ImmutableId"'}}
    loose = [{**part, "id": str(number)} for number in range(6)]
    told = desk.send("POST", "/$batch", {"requests": loose}).json()["responses"]
    assert sorted(row["status"] for row in told) == [200] * 4 + [429] * 2
    assert [row["id"] for row in told] != [row["id"] for row in loose]
    chain = [{**row, **({"dependsOn": [str(n - 1)]} if n else {})} for n, row in enumerate(loose)]
    chain[2]["url"] = desk.event_path("nonsense")
    told = desk.send("POST", "/$batch", {"requests": chain}).json()["responses"]
    assert [row["status"] for row in sorted(told, key=lambda row: row["id"])] == [200, 200, 400, 424, 424, 424]
    assert desk.code("POST", "/$batch", {"requests": [{**part, "id": "1"}] * 2})[0] == 400
    assert desk.code("POST", "/$batch", {"requests": [{**part, "id": str(n)} for n in range(21)]})[0] == 400


def test_mails_that_outlook_would_send(desk: Desk) -> None:
    desk.make()
    assert desk.person.mailbox.outbox == []
    attendee = {"type": "required", "emailAddress": {"address": "made.up@example.org"}}
    made = desk.make(attendees=[attendee])
    desk.send("PATCH", desk.event_path(made["id"]), {"subject": "B"})
    desk.send("DELETE", desk.event_path(made["id"]))
    assert [kind for kind, _ in desk.person.mailbox.outbox] == ["invitation", "update", "cancellation"]


def test_free_and_busy(desk: Desk) -> None:
    desk.make(recurrence=weekly())
    start, end = ({"dateTime": f"2026-03-{day}T00:00:00", "timeZone": "UTC"} for day in ("01", "14"))
    body = {"schedules": [UPN], "startTime": start, "endTime": end}
    told = desk.send("POST", f"/users/{UPN}/calendar/getSchedule", body).json()["value"]
    assert [item["status"] for item in told[0]["scheduleItems"]] == ["busy"] * 2


def test_subscriptions_shake_hands_first(desk: Desk) -> None:
    asked: list[tuple[str, bytes]] = []

    def post(address: str, body: bytes, kind: str) -> tuple[int, str, bytes]:
        asked.append((address, body))
        token = httpx.URL(address).params.get("validationToken")
        return (200, "text/plain", token.encode()) if token else (202, "", b"")

    desk.sandbox.subscriptions.post = post
    until = f"{datetime(2026, 3, 4, tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}"
    body = {
        "changeType": "created,updated,deleted", "notificationUrl": "https://made.up/hooks", "clientState": "s",
        "resource": f"users/{UPN}/events", "expirationDateTime": until,
    }  # fmt: skip
    assert desk.send("POST", "/subscriptions", body).status_code == 201
    assert len(asked) == 1
    for broken in ({"clientState": "x" * 129}, {"expirationDateTime": "2026-03-04T00:00:00"},
                   {"expirationDateTime": "2027-03-04T00:00:00Z"}, {"resource": "users/nobody/events"}):  # fmt: skip
        assert desk.send("POST", "/subscriptions", {**body, **broken}).status_code in (400, 404)
    desk.make()
    assert desk.sandbox.subscriptions.deliver() == 2  # created, and the update that follows
    notes = json.loads(asked[-1][1])
    validator("changeNotificationCollection").validate(notes)
    [row] = desk.sandbox.subscriptions.rows.values()
    desk.sandbox.subscriptions.lifecycle(row, "reauthorizationRequired")
    desk.make()
    assert desk.sandbox.subscriptions.deliver() == 0
    renewed = desk.send("PATCH", f"/subscriptions/{row.id}", {"expirationDateTime": until})
    assert renewed.status_code == 200
    desk.clock.advance(timedelta(days=4))
    desk.token = desk._token()
    assert desk.code("PATCH", f"/subscriptions/{row.id}", {"expirationDateTime": until})[0] == 404
