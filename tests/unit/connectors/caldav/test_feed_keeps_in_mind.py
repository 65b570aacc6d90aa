"""What a cursor keeps in mind: events that the server failed on, events spread over resources, the calendar's zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from calsync.connector.errors import CursorExpired, Malformed, NotFound, Unavailable
from calsync.connector.protocol import Gone, Outcome, Page, Seen, Unchanged, Unknown, Unreadable, Write
from calsync.domain.event import Event
from calsync.domain.recurrence import expand
from calsync.domain.span import instant
from calsync.domain.write import WriteKind
from calsync.testing import edits
from calsync.testing.conformance.samples import series, slot
from calsync_caldav.composing import Order, compose
from calsync_caldav.cursors import Cursor, cursor_of
from calsync_caldav.ics_text import parse, serialise
from calsync_caldav.quirks import in_this_second
from tests.unit.connectors.caldav.scripted_server import Reply, Request
from tests.unit.connectors.caldav.test_hostile_dav import (
    BODY,
    CTAG,
    SYNCS,
    WINDOW,
    Stage,
    collection,
    gone,
    member,
    multistatus,
)

HOUR = timedelta(hours=1)


class Shelf:
    """A server with sync that holds what `bodies` says; `changed` are the names that the next sync tells of."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.bodies: dict[str, bytes | int] = {}
        self.changed: list[str] = []
        self.deleted: list[str] = []
        self.props: tuple[str, ...] = (SYNCS,)
        self.headers: dict[str, str] = {}
        stage.answers(self.answer)

    def answer(self, request: Request) -> Reply:
        name = request.path.removeprefix("/cal/")
        if request.method == "GET":
            body = self.bodies.get(name, 404)
            return (
                Reply(body)
                if isinstance(body, int)
                else Reply(200, body, {"Content-Type": "text/calendar", **_tag(body)})
            )
        if request.method == "DELETE":
            body = self.bodies.get(name, 404)
            if isinstance(body, int) or request.headers.get("if-match") != _tag(body)["ETag"]:
                return Reply(412)
            self.deleted.append(name)
            del self.bodies[name]
            return Reply(204)
        if request.method == "PUT":
            self.bodies[name] = request.body
            return Reply(204, headers=_tag(request.body))
        return self.report(request)

    def report(self, request: Request) -> Reply:
        if b"sync-collection" in request.body:
            rows = [self.row(name) if name in self.bodies else gone(name) for name in self.changed]
            return Reply(body=multistatus(*rows))
        if b"calendar-multiget" in request.body:
            return Reply(501)
        if b"calendar-query" in request.body:
            rows = [self.row(name, data=True) for name, body in self.bodies.items() if isinstance(body, bytes)]
            return Reply(body=multistatus(*rows, token=None))
        if request.headers["depth"] == "1":
            rows = [self.row(name) for name in self.bodies]
            return Reply(body=multistatus(collection(), *rows, token=None), headers=self.headers)
        return Reply(body=multistatus(collection(*self.props), token=None), headers=self.headers)

    def row(self, name: str, *, data: bool = False) -> str:
        body = self.bodies[name]
        tag = _tag(body)["ETag"] if isinstance(body, bytes) else '"hidden"'
        return member(name, tag, data=body if data and isinstance(body, bytes) else None)

    def look(self, page: Page | None = None) -> Page:
        cursor = page.cursor if page is not None else Cursor("sync", "t1").text(self.stage.server.url)
        [found] = list(self.stage.calendar.changes(cursor, WINDOW, self.stage.known))
        return found

    def book(self, name: str) -> str:
        body = self.bodies[name]
        assert isinstance(body, bytes)
        self.stage.known[name] = _tag(body)["ETag"]
        return self.stage.known[name]


def _tag(body: bytes) -> dict[str, str]:
    return {"ETag": f'"{hash(body)}"'}


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage(timeout=5)
    yield made
    made.calendar.close()
    made.server.close()


@pytest.fixture
def shelf(stage: Stage) -> Shelf:
    return Shelf(stage)


def test_an_event_of_ours_that_the_server_fails_on_is_unknown_until_it_can_be_read(shelf: Shelf) -> None:
    shelf.bodies, shelf.changed = {"a.ics": 500}, ["a.ics"]
    shelf.stage.known["a.ics"] = '"old"'
    page = shelf.look()
    assert page.items == (Unknown("a.ics", "status-500"),)
    shelf.changed = []
    for _ in range(10):
        page = shelf.look(page)
        assert page.items == (Unknown("a.ics", "status-500"),)
    shelf.bodies["a.ics"] = BODY
    page = shelf.look(page)
    [item] = page.items
    assert isinstance(item, Seen)
    assert shelf.look(page).items == ()


def test_a_strangers_event_that_the_server_fails_on_is_given_up(shelf: Shelf) -> None:
    shelf.bodies, shelf.changed = {"a.ics": 500}, ["a.ics"]
    page = shelf.look()
    shelf.changed = []
    for _ in range(5):
        page = shelf.look(page)
    assert page.items == ()
    before = len(shelf.stage.server.requests)
    shelf.look(page)
    assert len(shelf.stage.server.requests) == before + 1


def test_an_event_that_failed_and_was_removed_is_gone(shelf: Shelf) -> None:
    shelf.bodies, shelf.changed = {"a.ics": 500}, ["a.ics"]
    shelf.stage.known["a.ics"] = '"old"'
    page = shelf.look()
    del shelf.bodies["a.ics"]
    page = shelf.look(page)
    assert page.items == (Gone("a.ics"),)
    shelf.changed = []
    assert shelf.look(page).items == ()


def test_an_event_that_is_listed_and_forbidden_is_unreadable(shelf: Shelf) -> None:
    shelf.bodies, shelf.changed = {"a.ics": 403}, ["a.ics"]
    assert shelf.look().items == (Unreadable("a.ics", None, "status-403"),)


def test_a_server_that_fails_on_everything_is_down(shelf: Shelf) -> None:
    shelf.changed = [f"{number}.ics" for number in range(60)]
    shelf.bodies = dict.fromkeys(shelf.changed, 500)
    with pytest.raises(Unavailable):
        list(shelf.stage.calendar.changes(Cursor("sync", "t1").text(shelf.stage.server.url), WINDOW, shelf.stage.known))


# -- one UID, several resources


def body_of(event: Event) -> bytes:
    return compose(Order(event, "1.m", datetime(2026, 1, 1, tzinfo=UTC)))


def split_off(event: Event) -> bytes:
    """The override of a series alone, as a client saves it that puts each into a resource of its own."""
    calendar = parse(body_of(event))
    calendar.children = [child for child in calendar.children if child.first("RECURRENCE-ID") or child.name != "VEVENT"]
    return serialise(calendar)


DRAGGED = edits.dragged(series(), HOUR, slot(4))
WHOLE = body_of(series())


def shown(event: Event) -> dict[datetime | None, datetime]:
    return {at: looks.span.start_at for at, looks in expand(event, WINDOW).items()}


@pytest.fixture
def spread(shelf: Shelf) -> Shelf:
    shelf.bodies = {"s.ics": WHOLE, "moved.ics": split_off(DRAGGED)}
    shelf.book("s.ics")
    shelf.changed = ["moved.ics"]
    return shelf


def test_an_override_in_a_resource_of_its_own_is_an_edit_of_our_series(spread: Shelf) -> None:
    version = spread.stage.known["s.ics"]
    [item] = spread.look().items
    assert isinstance(item, Seen)
    assert (item.remote_id, item.version) == ("s.ics", version)
    assert shown(item.event) == shown(DRAGGED)


def test_reading_by_id_sees_both_resources_as_one(spread: Shelf) -> None:
    page = spread.look()
    other = spread.stage.open()
    spread.changed = []
    list(other.changes(page.cursor, WINDOW, spread.stage.known))  # a process that starts from the books
    [reading] = other.read(["s.ics"])
    assert isinstance(reading, Seen)
    assert shown(reading.event) == shown(DRAGGED)
    other.close()


def test_an_override_that_is_removed_again_shows_the_series_as_it_was(spread: Shelf) -> None:
    page = spread.look()
    del spread.bodies["moved.ics"]
    page = spread.look(page)
    items = {item.remote_id: item for item in page.items}
    assert set(items) == {"s.ics", "moved.ics"}
    assert items["moved.ics"] == Gone("moved.ics")
    seen = items["s.ics"]
    assert isinstance(seen, Seen)
    assert shown(seen.event) == shown(series())
    spread.changed = []
    assert spread.look(page).items == ()
    assert cursor_of(page.cursor or "", spread.stage.server.url).parts == {}


def test_putting_the_series_back_removes_what_was_split_off(spread: Shelf) -> None:
    version = spread.stage.known["s.ics"]
    spread.look()
    [result] = spread.stage.calendar.write([Write("k", WriteKind.UPDATE, "s.ics", series(), "1.m", version)])
    assert result.outcome is Outcome.WRITTEN
    assert spread.deleted == ["moved.ics"]
    assert list(spread.bodies) == ["s.ics"]


def test_a_split_off_override_that_changed_meanwhile_is_a_conflict(spread: Shelf) -> None:
    version = spread.stage.known["s.ics"]
    spread.look()
    spread.bodies["moved.ics"] = split_off(edits.dragged(series(), 2 * HOUR, slot(4)))
    for kind in (WriteKind.UPDATE, WriteKind.DELETE):
        [result] = spread.stage.calendar.write([Write("k", kind, "s.ics", series(), "1.m", version)])
        assert result.outcome is Outcome.CONFLICT
    assert spread.bodies["s.ics"] == WHOLE
    assert spread.deleted == []


def test_a_full_listing_finds_split_off_overrides_too(spread: Shelf) -> None:
    [page] = spread.stage.full()
    seen = [item for item in page.items if isinstance(item, Seen)]
    assert [(item.remote_id, shown(item.event)) for item in seen] == [("s.ics", shown(DRAGGED))]
    assert [item for item in page.items if isinstance(item, Unchanged)] == []


def test_an_invitation_to_one_occurrence_of_a_strangers_series_stays_theirs(shelf: Shelf) -> None:
    shelf.bodies, shelf.changed = {"invited.ics": split_off(DRAGGED)}, ["invited.ics"]
    [item] = shelf.look().items
    assert isinstance(item, Seen)
    assert item.remote_id == "invited.ics"


# -- the calendar's own zone

FLOATING = BODY.replace(b"DTSTART;TZID=America/New_York:", b"DTSTART:").replace(
    b"DTEND;TZID=America/New_York:", b"DTEND:"
)
BERLIN = "<C:calendar-timezone-id>Europe/Berlin</C:calendar-timezone-id>"
TOKYO = (
    "<C:calendar-timezone>BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VTIMEZONE\nTZID:Asia/Tokyo\nBEGIN:STANDARD\n"
    "DTSTART:19700101T000000\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\nEND:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR\n"
    "</C:calendar-timezone>"
)


@pytest.mark.parametrize(
    ("props", "zone"),
    [
        ((BERLIN,), "Europe/Berlin"),
        ((TOKYO,), "Asia/Tokyo"),
        ((BERLIN, TOKYO), "Europe/Berlin"),
        ((), "America/New_York"),
        (("<C:calendar-timezone>nonsense</C:calendar-timezone>",), "America/New_York"),
    ],
)
def test_floating_times_are_those_of_the_calendars_zone(shelf: Shelf, props: tuple[str, ...], zone: str) -> None:
    shelf.props = (SYNCS, *props)
    shelf.bodies, shelf.changed = {"a.ics": FLOATING}, ["a.ics"]
    [page] = shelf.stage.full()
    other = shelf.stage.open()
    [later] = list(other.changes(page.cursor, WINDOW, shelf.stage.known))
    [reading] = other.read(["a.ics"])
    other.close()
    for seen in (*page.items, *later.items, reading):
        assert isinstance(seen, Seen)
        span = seen.event.master.span
        assert (span.start, span.zone) == (datetime(2026, 3, 5, 10), zone)
        assert span.start_at == instant(datetime(2026, 3, 5, 10), zone)


# -- tags in whole seconds


def test_a_tag_of_this_very_second_is_not_trusted(shelf: Shelf) -> None:
    shelf.props = ("<CS:getctag>1772000000</CS:getctag>",)
    shelf.headers = {"Date": "Wed, 25 Feb 2026 06:13:20 GMT"}  # that second
    [page] = shelf.stage.full()
    shelf.bodies = {"a.ics": BODY}  # saved in the same second: the tag stays
    page = shelf.look(page)
    assert [type(item) for item in page.items] == [Seen]
    shelf.headers = {"Date": "Wed, 25 Feb 2026 06:13:23 GMT"}
    page = shelf.look(page)
    before = len(shelf.stage.server.requests)
    assert shelf.look(page).items == ()
    assert len(shelf.stage.server.requests) == before + 1


@pytest.mark.parametrize(
    ("ctag", "date", "expected"),
    [
        ("1772000000", "Wed, 25 Feb 2026 06:13:21 GMT", True),
        ("1772000000", "Wed, 25 Feb 2026 06:13:22 GMT", False),
        ("1772000000", "", False),
        ("-1", "Wed, 25 Feb 2026 06:13:20 GMT", False),
        ("17", "Wed, 25 Feb 2026 06:13:20 GMT", False),
        ("9999999999", "Wed, 25 Feb 2026 06:13:20 GMT", False),
        ("abc", "Wed, 25 Feb 2026 06:13:20 GMT", False),
    ],
)
def test_which_tags_are_of_this_second(ctag: str, date: str, expected: bool) -> None:
    assert in_this_second(ctag, {"date": date}) is expected


def test_without_a_usable_tag_each_look_is_a_listing(shelf: Shelf) -> None:
    shelf.props = (CTAG.replace("c1", ""),)
    [page] = shelf.stage.full()
    assert cursor_of(page.cursor or "", shelf.stage.server.url).mode == "inventory"


# -- a server that moved


def moved(shelf: Shelf, there: int | Reply) -> None:
    inner = shelf.answer

    def answer(request: Request) -> Reply:
        if request.path.startswith("/cal/"):
            return Reply(301, headers={"Location": request.path.replace("/cal/", "/new/")})
        reply = inner(Request(request.method, request.path.replace("/new/", "/cal/"), request.headers, request.body))
        replaced = reply.body.replace(b"/cal/", b"/new/")
        return there if isinstance(there, Reply) else Reply(reply.status, replaced, reply.headers)

    shelf.stage.answers(answer)


def test_a_calendar_that_moved_is_followed_and_listed_anew(shelf: Shelf) -> None:
    shelf.bodies = {"a.ics": BODY}
    moved(shelf, 0)
    with pytest.raises(CursorExpired):
        shelf.look()
    [page] = shelf.stage.full()
    assert [item.remote_id for item in page.items] == ["a.ics"]
    version = shelf.book("a.ics")
    [result] = shelf.stage.calendar.write([Write("k", WriteKind.DELETE, "a.ics", version=version)])
    assert result.outcome is Outcome.WRITTEN
    assert shelf.stage.server.requests[-1].path == "/new/a.ics"


def test_a_redirect_to_where_nothing_is_is_no_move(shelf: Shelf) -> None:
    moved(shelf, Reply(404))
    with pytest.raises(NotFound):
        shelf.stage.full()


def test_a_redirect_elsewhere_is_not_followed(shelf: Shelf) -> None:
    shelf.stage.answers(Reply(301, headers={"Location": "https://elsewhere.example/cal/"}))
    with pytest.raises(Malformed):
        shelf.stage.full()
    assert len(shelf.stage.server.requests) == 1
