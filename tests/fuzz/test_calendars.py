"""What calendar services say, broken at random: refused by name, or read as something that can be shown and sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync.connector import strict_json
from calsync.connector.errors import CalendarError, CursorExpired, Malformed
from calsync.connector.protocol import Gone, Item, Seen, Unchanged, Unreadable
from calsync.domain.event import Event
from calsync.domain.notation import content_hash, event_from_text, event_to_text
from calsync.domain.recurrence import expand
from calsync.domain.rule import RuleRefused
from calsync.domain.span import Window
from calsync.testing.conformance.bench import KnownVersions
from calsync.testing.conformance.samples import SAMPLES
from calsync.testing.fake_ports import FakeClock
from calsync_caldav import cursors as caldav_cursors
from calsync_caldav.composing import Order, compose, merge
from calsync_caldav.hrefs import member_of
from calsync_caldav.ics_text import IcsRefused
from calsync_caldav.mapping import Reader, marker_in, read_event
from calsync_caldav.multistatus import parse_multistatus
from calsync_google import cursors as google_cursors
from calsync_google.client import _object
from calsync_google.feed import Feed as GoogleFeed
from calsync_google.mapping import Reader as GoogleReader
from calsync_google.reading import Shelf
from calsync_outlook import cursors as outlook_cursors
from calsync_outlook.client import Answer
from calsync_outlook.feed import Feed as OutlookFeed
from calsync_outlook.mailbox import Mailbox
from calsync_outlook.reading import Loader
from tests.fuzz.budget import budget
from tests.fuzz.damage import broken_json, broken_text, values
from tests.unit.connectors.google.test_mapping import as_stored
from tests.unit.connectors.google.test_mapping import row as google_row
from tests.unit.connectors.outlook.test_mapping import occurrence, row, series

ZONE = "America/New_York"
READER = Reader(ZONE, frozenset({"ash@practice.example"}))
WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOSTILE = Path(__file__).parents[1] / "hostile" / "ics"
HERE = "https://cal.example.org/cal/"


def _sound_and_hostile() -> list[str]:
    composed = [compose(Order(event, "1.m", NOW)).decode() for event in SAMPLES]
    files = [path.read_bytes().decode("utf-8", "replace") for path in sorted(HOSTILE.glob("*.ics"))]
    return composed * 3 + [text for text in files if "VEVENT" in text]


ICS = [text.replace("\r\n", "\n") for text in _sound_and_hostile()]
ICS_TOKENS = (
    "RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE:20260305T150000Z", "RECURRENCE-ID:20260305T150000Z", "DURATION:PT1H",
    "DTSTART;VALUE=DATE:20260305", "DTEND:20260305", "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VTIMEZONE", "TZID:Mine",
    ";TZID=Mine", ";VALUE=DATE", ";RANGE=THISANDFUTURE", "RDATE:20260306T150000Z,x", "UNTIL=20260401T000000Z", "=", ";",
    ":", '"', "\\n", "TZOFFSETTO:+9999", "20261101T013000", "Z", "BYDAY=1MO,-5SU", "BYSETPOS=-1",
)  # fmt: skip


def assert_usable(event: Event) -> None:
    """It can be expanded, stored, found again and told from others."""
    try:
        expand(event, WINDOW)
    except RuleRefused:
        return
    assert event_from_text(event_to_text(event)) == event
    assert content_hash(event)


@budget(120)
@given(broken_text(ICS, ICS_TOKENS))
def test_a_resource_is_refused_by_name_or_can_be_used_and_merged(text: str) -> None:
    body = text.replace("\n", "\r\n").encode("utf-8", "surrogatepass")
    marker_in(body)
    try:
        event = read_event(body, READER).event
    except IcsRefused:
        return
    assert_usable(event)
    order = Order(SAMPLES[0], "1.m", NOW)
    assert read_event(merge(body, order, READER), READER).marker == "1.m"


@budget(60)
@given(st.binary(max_size=200))
def test_any_octets_are_no_trouble(body: bytes) -> None:
    for take in (lambda: read_event(body, READER), lambda: parse_multistatus(body), lambda: strict_json.parse(body)):
        with suppress(IcsRefused, Malformed, strict_json.BadJson):
            take()
    marker_in(body)


MULTISTATUS = (
    '<?xml version="1.0" encoding="utf-8"?>\n<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">\n'
    '<response>\n<href>/cal/a.ics</href>\n<propstat>\n<prop>\n<getetag>"1"</getetag>\n'
    "<C:calendar-data>x</C:calendar-data>\n"
    "<resourcetype>\n<collection/>\n<C:calendar/>\n</resourcetype>\n</prop>\n"
    "<status>HTTP/1.1 200 OK</status>\n</propstat>\n"
    "</response>\n<response>\n<href>/cal/b.ics</href>\n<status>HTTP/1.1 404 Not Found</status>\n</response>\n"
    "<sync-token>t</sync-token>\n</multistatus>"
)  # fmt: skip
XML_TOKENS = ("<response>", "</response>", "<prop>", "<!DOCTYPE x>", "&amp;", "&x;", "<![CDATA[", "]]>", "<!--",
              "<?x?>",               'xmlns:d="DAV:"', "<status>HTTP/1.1 999 X</status>", "<href>", "\x01")  # fmt: skip


@budget(80)
@given(broken_text([MULTISTATUS], XML_TOKENS))
def test_a_dav_answer_is_refused_or_read(text: str) -> None:
    try:
        told = parse_multistatus(text.encode("utf-8", "surrogatepass"))
    except Malformed:
        return
    for response in told.responses:
        member_of(HERE, response.href)


@budget(60)
@given(broken_text(["/cal/a.ics", "http://cal.example.org:80/cal/%2e%2e/x", "//evil/cal/x"], separator="/"))
def test_an_href_names_a_member_or_nothing(href: str) -> None:
    name = member_of(HERE, href)
    assert name is None or ("/" not in name and name not in (".", "..") and name.isprintable())


# ---------------------------------------------------------------- Google


GOOGLE_SERIES = {
    **google_row(),
    "id": "weekly",
    "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE;TZID=America/New_York:20260312T100000"],
    "extendedProperties": {"private": {"calsync": "1.m", "calsyncUid": "u"}},
    "attendees": [{"email": "ash@practice.example", "self": True, "responseStatus": "accepted"}],
}
GOOGLE_OCCURRENCE = {
    **google_row(),
    "id": "weekly_20260319T140000Z",
    "recurringEventId": "weekly",
    "originalStartTime": {"dateTime": "2026-03-19T10:00:00-04:00", "timeZone": ZONE},
}
GOOGLE_PAGE = {
    "items": [google_row(), GOOGLE_SERIES, GOOGLE_OCCURRENCE, {"id": "gone1", "status": "cancelled"},
              *(as_stored(event) for event in SAMPLES[:2] if not event.master.cancelled)],
    "nextSyncToken": "t",
}  # fmt: skip


class GoogleClient:
    """Answers every list with one page, and every other question with the next of a few answers."""

    def __init__(self, page: Any, others: list[Any]) -> None:
        self.page, self.others, self.pages = page, others, 0

    def list_events(self, _calendar: str, *_expected: int, **_query: Any) -> Any:
        self.pages += 1
        return _object("list", self.page)

    def get_all(self, _calendar: str, names: Any) -> Any:
        return self.several("get", dict.fromkeys(names))

    def instances_request(self, *_: Any, **__: Any) -> Any:
        return None

    def get_request(self, *_: Any) -> Any:
        return None

    def one(self, method: str, _request: Any) -> Any:
        return _object(method, self._next())

    def several(self, _method: str, requests: Any) -> Any:
        answers: dict[str, Any] = {}
        for name in requests:
            told = self._next()
            answers[name] = told if isinstance(told, dict) and "error" not in told else Malformed("x")
        return answers

    def _next(self) -> Any:
        self.others.append(self.others.pop(0))
        return self.others[-1]


def take(pages: Callable[[], Iterator[Any]]) -> None:
    """Follow a feed to its end: items, or an error of the closed set."""
    try:
        items: list[Item] = [item for page in pages() for item in page.items]
    except CalendarError:
        return
    for item in items:
        assert isinstance(item, Seen | Gone | Unchanged | Unreadable)
        assert isinstance(item.remote_id, str)
        item.remote_id.encode()
        if isinstance(item, Seen):
            assert_usable(item.event)
            (item.marker or "").encode()


@budget(100)
@given(broken_json(GOOGLE_PAGE, GOOGLE_PAGE["items"]), broken_json({"items": [GOOGLE_OCCURRENCE]}), st.booleans())
def test_google_pages_are_refused_or_read(page: Any, other: Any, news: bool) -> None:
    client: Any = GoogleClient(page, [other, {"items": [GOOGLE_OCCURRENCE]}, GOOGLE_SERIES])
    shelf = Shelf(client, "work", GoogleReader(ZONE, READER.addresses), WINDOW)
    cursor = google_cursors.cursor_text("work", "t0") if news else None
    take(lambda: GoogleFeed(shelf).pages(cursor, KnownVersions()))


# ---------------------------------------------------------------- Graph


GRAPH_PAGE = {
    "value": [
        row(),
        series(id="AAMk2"),
        occurrence(1, seriesMasterId="AAMk2"),
        {"id": "AAMk3", "@removed": {"reason": "deleted"}},
    ],
    "@odata.deltaLink": "https://graph.example/v1.0/delta?t=1",
}
PROPERTIES = [{"id": "String {00020329-0000-0000-C000-000000000046} Name calsync-marker", "value": "1.m"}]
ATTENDEE = {
    "emailAddress": {"address": "a@example.org"},
    "proposedNewTime": {"start": row()["start"], "end": row()["end"]},
}
WHOLE = row(
    location={"displayName": "Room"}, body={"contentType": "text", "content": "notes"}, attendees=[ATTENDEE],
    responseStatus={"response": "accepted"}, singleValueExtendedProperties=PROPERTIES,
)  # fmt: skip
WHOLE_SERIES = {**WHOLE, **series(id="AAMk2"), "cancelledOccurrences": ["OID.AAMk2.2026-03-12"]}
INSTANCES = {"value": [occurrence(n, seriesMasterId="AAMk2") for n in (0, 2, 3)]}


class GraphClient:
    """Answers the delta with one page, batches with the given bodies in turn, everything else with one of them."""

    def __init__(self, page: Any, bodies: list[Any], batch: Callable[[Any], Any]) -> None:
        self.page, self.bodies, self.batch = page, bodies, batch

    def call(self, method: str, path: str, *, body: Any = None, headers: Any = None) -> Answer:
        if method == "POST":
            rows = [
                {"id": one["id"], "status": 200, "headers": {}, "body": self._body(one["url"])}
                for one in body["requests"]
            ]
            return Answer(200, self.batch({"responses": rows}))
        return Answer(200, self.page if "delta" in path else self._body(path))

    def address(self, path: str) -> str:
        return path

    def get(self, path: str, *, headers: Any = None) -> Any:
        return self.call("GET", path).object()

    def _body(self, path: str) -> Any:
        at = 2 if "instances" in path or "calendarView" in path else 1 if "AAMk2" in path else 0
        return self.bodies[at]


def graph_feed(client: Any) -> OutlookFeed:
    return OutlookFeed(Loader(Mailbox(client, "/me", "cal"), ZONE, FakeClock(NOW)))


@budget(80)
@given(
    broken_json(GRAPH_PAGE, GRAPH_PAGE["value"]),
    st.tuples(broken_json(WHOLE), broken_json(WHOLE_SERIES), broken_json(INSTANCES, INSTANCES["value"])),
    st.integers(0, 4),
)
def test_graph_pages_are_refused_or_read(page: Any, bodies: tuple[Any, Any, Any], broken: int) -> None:
    sound: list[Any] = [WHOLE, WHOLE_SERIES, INSTANCES]
    given_bodies = [bodies[at] if broken in (at, 4) else sound[at] for at in range(3)]
    client = GraphClient(page if broken >= 3 else GRAPH_PAGE, given_bodies, lambda batch: batch)
    take(lambda: graph_feed(client).pages(None, WINDOW, KnownVersions()))


BATCH = {"responses": [{"id": str(n), "status": 200, "headers": {}, "body": {}} for n in range(2)]}


@budget(50)
@given(st.data())
def test_graph_batches_are_refused_or_read(data: st.DataObject) -> None:
    client = GraphClient(GRAPH_PAGE, [WHOLE, WHOLE_SERIES, INSTANCES], lambda batch: data.draw(broken_json(batch)))
    take(lambda: graph_feed(client).pages(None, WINDOW, KnownVersions()))


# ---------------------------------------------------------------- cursors


CURSORS: dict[str, tuple[str, Callable[[str], object]]] = {
    "caldav": (
        caldav_cursors.Cursor("sync", "t", {"a": 1}, {"b": caldav_cursors.Part("a", "1")}, ZONE).text(HERE),
        lambda text: caldav_cursors.cursor_of(text, HERE),
    ),
    "google": (google_cursors.cursor_text("work", "t"), lambda text: google_cursors.token_of(text, "work")),
    "outlook": (
        outlook_cursors.Cursor("https://graph.example/x", WINDOW, ("s",)).text("work"),
        lambda text: outlook_cursors.cursor_of(text, "work"),
    ),
}


@pytest.mark.parametrize("kind", CURSORS)
@budget(30)
@given(data=st.data())
def test_a_damaged_cursor_has_expired_or_is_read(kind: str, data: st.DataObject) -> None:
    sound, read = CURSORS[kind]
    text = data.draw(
        broken_json(json.loads(sound)).map(json.dumps) | broken_text([sound], separator=",") | values.map(json.dumps)
    )
    with suppress(CursorExpired):
        read(text)
