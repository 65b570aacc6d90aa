"""A server that answers nonsense, malice or nothing: what the connector makes of it, and how soon."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat

import pytest

from calsync.connector.errors import (
    AuthRevoked,
    CalendarError,
    CursorExpired,
    Forbidden,
    Malformed,
    NotFound,
    Throttled,
    Unavailable,
)
from calsync.connector.protocol import (
    Calendar,
    CalendarPlace,
    Gone,
    OpenRequest,
    Outcome,
    Page,
    Seen,
    Unchanged,
    Unknown,
    Unreadable,
    Write,
    WriteResult,
)
from calsync.domain.span import Window
from calsync.domain.write import WriteKind
from calsync.errors import UserError
from calsync.testing.conformance.bench import KnownVersions
from calsync.testing.conformance.samples import single
from calsync_caldav.composing import Order, compose
from calsync_caldav.connector import CONNECTOR
from calsync_caldav.cursors import Cursor
from calsync_caldav.settings import CalendarSettings, ConnectorSettings
from tests.unit.connectors.caldav.scripted_server import Answer, Reply, Request, ScriptedServer

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC))
PASSWORD = "s3cret-of-nobody"
BODY = compose(Order(single(), "1.m", datetime(2026, 1, 1, tzinfo=UTC)))
NS = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/"'


def multistatus(*rows: str, token: str | None = "t2") -> bytes:
    tail = "" if token is None else f"<sync-token>{token}</sync-token>"
    return f'<?xml version="1.0"?><multistatus {NS}>{"".join(rows)}{tail}</multistatus>'.encode()


def member(name: str, etag: str = '"1"', *, data: bytes | None = None) -> str:
    body = "" if data is None else f"<C:calendar-data>{data.decode()}</C:calendar-data>"
    props = f"<propstat><prop><getetag>{etag}</getetag>{body}</prop><status>HTTP/1.1 200 OK</status></propstat>"
    return f"<response><href>{name if name.startswith(('/', 'h')) else f'/cal/{name}'}</href>{props}</response>"


def gone(name: str) -> str:
    return f"<response><href>/cal/{name}</href><status>HTTP/1.1 404 Not Found</status></response>"


def collection(*props: str) -> str:
    own = "<resourcetype><collection/><C:calendar/></resourcetype>"
    props_text = "".join((own, *props))
    return (
        f"<response><href>/cal/</href><propstat><prop>{props_text}</prop>"
        "<status>HTTP/1.1 200 OK</status></propstat></response>"
    )


SYNCS = (
    "<supported-report-set><supported-report><report><sync-collection/></report></supported-report>"
    "</supported-report-set><sync-token>t1</sync-token>"
)
CTAG = "<CS:getctag>c1</CS:getctag>"


class Stage:
    """A scripted server and a calendar opened on it."""

    def __init__(self, timeout: float) -> None:
        self.server = ScriptedServer(lambda request: Reply(500))
        self.known = KnownVersions()
        self.calendar = self.open(timeout)

    def request(self, timeout: float = 5, **extras: bool) -> OpenRequest:
        settings = ConnectorSettings(timeout=timedelta(seconds=timeout))
        keys = CalendarSettings(url=self.server.url, username="user1")
        return OpenRequest("cal-1", settings, keys, "existing", "America/New_York", lambda: PASSWORD, extras=extras)

    def open(self, timeout: float = 5, **extras: bool) -> Calendar:
        return CONNECTOR.open(self.request(timeout, **extras), CalendarPlace(self.server.url))

    def answers(self, answer: Answer | Reply) -> None:
        self.server.answer = answer if callable(answer) else lambda request: answer

    def changes(self, token: str = "t1", mode: str = "sync") -> list[Page]:
        cursor = Cursor(mode, token).text(self.server.url)  # type: ignore[arg-type]
        return list(self.calendar.changes(cursor, WINDOW, self.known))

    def full(self) -> list[Page]:
        return list(self.calendar.changes(None, WINDOW, self.known))

    def write(self, kind: WriteKind, version: str | None = None, name: str = "a.ics") -> WriteResult:
        event = None if kind is WriteKind.DELETE else single()
        [result] = list(self.calendar.write([Write("k", kind, name, event, "1.m", version)]))
        return result


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage(timeout=5)
    yield made
    made.calendar.close()
    made.server.close()


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (c, b"&%c;" % (c - 1) * 10) for c in range(ord("b"), ord("k")))
    + b']><multistatus xmlns="DAV:">&j;</multistatus>'
)
EXTERNAL = (
    b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b'<multistatus xmlns="DAV:"><sync-token>&x;</sync-token></multistatus>'
)
MALICE: dict[str, Reply] = {
    "43-billion-laughs": Reply(body=LAUGHS),
    "44-external-entity": Reply(body=EXTERNAL),
    "45-doctype": Reply(body=multistatus().replace(b"?>", b"?><!-- x --><!DOCTYPE multistatus>", 1)),
    "45b-undeclared-entity": Reply(body=multistatus("&x;")),
    "45c-utf16": Reply(body=multistatus().decode().encode("utf-16")),
    "45d-utf7": Reply(body=b'<?xml version="1.0" encoding="utf-7"?>+ADw-!DOCTYPE x+AD4-'),
    "46-deep": Reply(body=b'<multistatus xmlns="DAV:">' + b"<a>" * 200_000 + b"</a>" * 200_000 + b"</multistatus>"),
    "47-gzip-bomb": Reply(body=gzip.compress(b" " * (64 << 20)), headers={"Content-Encoding": "gzip"}),
    "47b-not-gzip": Reply(body=b"plain", headers={"Content-Encoding": "gzip"}),
    "47c-too-long": Reply(body=b" " * ((16 << 20) + 1)),
    "50-redirect": Reply(302, headers={"Location": "http://127.0.0.1:1/"}),
    "50b-redirect-here": Reply(307, headers={"Location": "/cal/"}),
    "54-empty-token": Reply(body=multistatus(token="")),
    "54b-no-token": Reply(body=multistatus(token=None)),
    "56-etag-with-a-line-end": Reply(body=multistatus(member("a.ics", '"1"\r\nX: y'))),
    "57-html-type": Reply(body=multistatus(), headers={"Content-Type": "text/html"}),
    "57b-log-in-page": Reply(200, b"<html>Log in</html>", {"Content-Type": "text/html"}),
    "58-header-line": Reply(body=multistatus(), headers={"X-Long": "x" * (1 << 20)}),
    "58b-header-lines": Reply(body=multistatus(), headers={f"X-{n}": "x" * 60_000 for n in range(20)}),
    "58c-many-header-lines": Reply(body=multistatus(), headers={f"X-{n}": "x" for n in range(500)}),
    "55b-a-response-of-millions": Reply(body=multistatus(f"<response>{'<a/>' * 3_000_000}</response>")),
    "55c-a-response-of-many": Reply(body=multistatus(f"<response>{'<a/>' * 200_000}</response>", token=None)),
    "55d-responses-without-content": Reply(body=multistatus("<response/>" * 70_000)),
    "55e-a-property-of-many": Reply(
        body=multistatus(f"<response><propstat><prop><a>{'<b/>' * 2_000}</a></prop></propstat></response>")
    ),
    "cut-xml": Reply(body=multistatus()[:-20]),
    "empty-207": Reply(),
    "two-tokens": Reply(body=multistatus("<sync-token>t1</sync-token>")),
    "another-document": Reply(body=b'<error xmlns="DAV:"/>'),
    "a-refused-member": Reply(
        body=multistatus("<response><href>/cal/a.ics</href><status>HTTP/1.1 500 X</status></response>")
    ),
    "not-http": Reply(raw=[b"220 smtp ready\r\n"]),
    "200-json": Reply(200, b"{}", {"Content-Type": "application/json"}),
}


@pytest.mark.parametrize("name", MALICE)
def test_a_malicious_answer_is_refused_whole(stage: Stage, name: str) -> None:
    stage.answers(MALICE[name])
    began = time.process_time()
    with pytest.raises(Malformed) as caught:
        stage.changes()
    assert time.process_time() - began < 1
    assert PASSWORD not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
    assert stage.server.methods() == ["REPORT"]


def test_a_bomb_takes_little_memory(stage: Stage) -> None:
    stage.answers(MALICE["47-gzip-bomb"])
    tracemalloc.start()
    try:
        with pytest.raises(Malformed):
            stage.changes()
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_a_million_responses_are_refused_or_read_with_little_memory(stage: Stage) -> None:
    rows = "<response><href>/cal/a</href><status>HTTP/1.1 404 X</status></response>"
    stage.answers(Reply(body=multistatus(rows * 1_000_000)))
    with pytest.raises(Malformed):
        stage.changes()


def drip(head: bytes) -> Iterator[bytes]:
    for piece in chain([head], repeat(b"x")):
        yield piece
        time.sleep(0.05)


@pytest.mark.parametrize(
    "head",
    [b"", b"HTTP/1.1 207 X\r\nX-A: ", b"HTTP/1.1 207 X\r\nContent-Type: text/xml\r\nContent-Length: 9999\r\n\r\n"],
    ids=["status", "header", "body"],
)
def test_a_slow_drip_ends_at_the_total_deadline(stage: Stage, head: bytes) -> None:
    stage.answers(Reply(raw=drip(head)))
    calendar = stage.open(timeout=0.5)
    began = time.monotonic()
    with pytest.raises(Unavailable, match="deadline"):
        list(calendar.changes(None, WINDOW, stage.known))
    assert time.monotonic() - began < 2
    calendar.close()


OTHER_STATUSES: list[tuple[Reply | None, type[CalendarError]]] = [
    (Reply(401), AuthRevoked),
    (Reply(403), Forbidden),
    (Reply(429, headers={"Retry-After": "3"}), Throttled),
    (Reply(503, headers={"Retry-After": "3"}), Throttled),
    (Reply(503), Unavailable),
    (Reply(500), Unavailable),
    (Reply(200), Malformed),
    (None, Unavailable),
]


@pytest.mark.parametrize(("reply", "error"), OTHER_STATUSES)
def test_trouble_is_said_to_be_trouble_by_every_method(
    stage: Stage, reply: Reply | None, error: type[CalendarError]
) -> None:
    stage.answers(lambda request: reply)
    attempts: list[Callable[[], object]] = [
        stage.full,
        stage.changes,
        lambda: stage.write(WriteKind.CREATE),
        lambda: stage.write(WriteKind.UPDATE, '"1"'),
        lambda: stage.write(WriteKind.DELETE, '"1"'),
    ]
    for attempt in attempts if reply != Reply(200) else attempts[:2]:
        with pytest.raises(error) as caught:
            attempt()
        assert PASSWORD not in repr(caught.value)
        assert caught.value.__cause__ is None


def test_a_wrong_password_is_tried_once(stage: Stage) -> None:
    stage.answers(Reply(401, headers={"WWW-Authenticate": 'Basic realm="x"'}))
    with pytest.raises(AuthRevoked):
        stage.changes()
    assert len(stage.server.requests) == 1


def test_digest_is_spoken_where_it_is_asked_for(stage: Stage) -> None:
    challenge = {"WWW-Authenticate": 'Digest realm="r", nonce="n1", qop="auth", algorithm=MD5'}

    def answer(request: Request) -> Reply:
        if not request.headers["authorization"].startswith("Digest "):
            return Reply(401, headers=challenge)
        return Reply(body=multistatus())

    stage.answers(answer)
    stage.changes()
    stage.changes()
    assert len(stage.server.requests) == 3
    sent = stage.server.requests[-1].headers["authorization"]
    assert 'username="user1"' in sent
    assert "nc=00000002" in sent
    assert PASSWORD not in sent


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, b'<error xmlns="DAV:"><valid-sync-token/></error>'),
        (409, b'<error xmlns="DAV:"><valid-sync-token/></error>'),
        (412, b'<error xmlns="DAV:"><valid-sync-token/></error>'),
        (400, b""),
        (404, b""),
        (410, b""),
    ],
)
def test_a_refused_token_in_all_its_forms(stage: Stage, status: int, body: bytes) -> None:
    stage.answers(lambda r: Reply(status, body) if r.method == "REPORT" else Reply(body=multistatus(collection())))
    with pytest.raises(CursorExpired):
        stage.changes()


def test_a_calendar_that_is_gone_is_no_expired_token(stage: Stage) -> None:
    stage.answers(Reply(404))
    with pytest.raises(NotFound):
        stage.changes()


def test_nothing_new_is_one_request(stage: Stage) -> None:
    stage.answers(Reply(body=multistatus(token="t9")))
    [page] = stage.changes()
    assert page.items == ()
    assert page.cursor == Cursor("sync", "t9").text(stage.server.url)
    assert stage.server.methods() == ["REPORT"]
    assert b"limit" not in stage.server.requests[0].body


def test_hrefs_outside_the_collection_are_not_followed(stage: Stage) -> None:
    strange = ("http://127.0.0.1:1/cal/a.ics", "/cal/../b.ics", "/other/c.ics", "/cal/d/e.ics", "/cal/")
    stage.answers(Reply(body=multistatus(*(member(href) for href in strange))))
    [page] = stage.changes()
    assert page.items == ()
    assert stage.server.methods() == ["REPORT"]


def test_an_href_listed_in_two_versions_is_unreadable(stage: Stage) -> None:
    stage.answers(Reply(body=multistatus(member("a.ics", '"1"'), member("a.ics", '"2"'))))
    [page] = stage.changes()
    assert page.items == (Unreadable("a.ics", None, "listed-twice"),)


def test_an_event_removed_and_made_again_in_one_answer_is_there(stage: Stage) -> None:
    stage.known["a.ics"] = '"0"'
    body = multistatus(gone("a.ics"), member("a.ics", '"1"'), gone("a.ics"))
    stage.answers(lambda r: Reply(200, BODY, {"ETag": '"1"'}) if r.method == "GET" else Reply(body=body))
    [page] = stage.changes()
    assert [type(item) for item in page.items] == [Seen]


def test_a_cut_answer_is_followed_to_its_end(stage: Stage) -> None:
    cut = "<response><href>/cal/</href><status>HTTP/1.1 507 X</status></response>"

    def answer(request: Request) -> Reply:
        if b">t1<" in request.body:
            return Reply(body=multistatus(gone("a.ics"), cut, token="t2"))
        return Reply(body=multistatus(gone("b.ics"), token="t3"))

    stage.answers(answer)
    [page] = stage.changes()
    assert set(page.items) == {Gone("a.ics"), Gone("b.ics")}
    assert page.cursor == Cursor("sync", "t3").text(stage.server.url)


def test_an_answer_that_is_cut_for_ever_is_refused(stage: Stage) -> None:
    cut = "<response><href>/cal/</href><status>HTTP/1.1 507 X</status></response>"
    count = iter(range(10_000))
    stage.answers(lambda request: Reply(body=multistatus(cut, token=f"t{next(count)}")))
    with pytest.raises(Malformed):
        stage.changes()
    assert len(stage.server.requests) == 100


def test_a_token_that_was_accepted_without_being_known_leads_to_a_listing(stage: Stage) -> None:
    stage.known.update({"a.ics": '"1"', "b.ics": '"1"', "lost.ics": '"1"'})
    rows = (member("a.ics"), member("b.ics"))

    def answer(request: Request) -> Reply:
        if request.method == "REPORT":
            return Reply(body=multistatus(*rows))
        if request.headers["depth"] == "0":
            return Reply(body=multistatus(collection(SYNCS)))
        return Reply(body=multistatus(collection(), *rows))

    stage.answers(answer)
    [page] = stage.changes("stale")
    assert page.full
    assert {item.remote_id for item in page.items} == {"a.ics", "b.ics"}


def test_without_sync_the_tag_decides_and_is_taken_before_the_listing(stage: Stage) -> None:
    def answer(request: Request) -> Reply:
        if request.method == "REPORT":
            return Reply(404)
        if request.method == "GET":
            return Reply(200, BODY, {"ETag": '"1"', "Content-Type": "text/calendar"})
        depth = request.headers["depth"]
        return Reply(body=multistatus(collection(CTAG), *([member("a.ics")] if depth == "1" else [])))

    stage.answers(answer)
    [page] = stage.full()
    assert page.full
    assert [(r.method, r.headers.get("depth")) for r in stage.server.requests] == [
        *(("PROPFIND", "0"), ("PROPFIND", "1"), ("GET", None)),
    ]
    assert page.cursor == Cursor("ctag", "c1").text(stage.server.url)
    stage.server.requests.clear()
    assert stage.changes("c1", "ctag")[0].items == ()
    assert stage.server.methods() == ["PROPFIND"]
    # A moved tag lists again; the foreign event at the same version is not fetched again.
    [page] = stage.changes("c0", "ctag")
    assert page.full
    stage.server.requests.clear()
    cursor = page.cursor
    stage.answers(
        lambda request: (
            answer(request)
            if b"getetag" in request.body
            else Reply(body=multistatus(collection(CTAG.replace("c1", "c2"))))
        )
    )
    [page] = list(stage.calendar.changes(cursor, WINDOW, stage.known))
    assert page.items == (Unchanged("a.ics", '"1"'),)
    assert "GET" not in stage.server.methods()


def test_an_event_missing_from_a_batch_is_gone_only_by_its_own_word(stage: Stage) -> None:
    def answer(request: Request) -> Reply:
        if request.method == "REPORT":
            return Reply(body=multistatus(member("a.ics", data=BODY)))
        if request.method == "GET":
            return {"/cal/b.ics": Reply(404), "/cal/c.ics": Reply(500), "/cal/d.ics": Reply(403)}[request.path]
        return Reply(body=multistatus(collection()))

    stage.answers(answer)
    readings = {
        reading.remote_id: type(reading) for reading in stage.calendar.read(["a.ics", "b.ics", "c.ics", "d.ics"])
    }
    assert readings == {"a.ics": Seen, "b.ics": Gone, "c.ics": Unknown, "d.ics": Unknown}


def test_all_gone_with_their_calendar_is_a_calendar_gone(stage: Stage) -> None:
    stage.answers(Reply(404))
    with pytest.raises(NotFound):
        list(stage.calendar.read(["a.ics", "b.ics"]))


def test_one_event_that_xml_cannot_carry_does_not_spoil_the_others(stage: Stage) -> None:
    def answer(request: Request) -> Reply:
        if request.method == "REPORT":
            return Reply(body=multistatus(member("a.ics", data=BODY), member("b.ics")).replace(b"Session", b"\x01\xff"))
        octets = BODY if request.path.endswith("a.ics") else BODY.replace(b"Session", b"Ses\xffsion")
        return Reply(200, octets, {"ETag": '"1"', "Content-Type": "text/calendar"})

    stage.answers(answer)
    a, b = stage.calendar.read(["a.ics", "b.ics"])
    assert isinstance(a, Seen)
    assert b == Unreadable("b.ics", '"1"', "not-utf-8", "1.m")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("kind", [WriteKind.CREATE, WriteKind.DELETE])
def test_a_redirected_write_is_never_written(stage: Stage, status: int, kind: WriteKind) -> None:
    stage.answers(Reply(status, headers={"Location": "http://127.0.0.1:1/cal/a.ics"}))
    with pytest.raises(Malformed):
        stage.write(kind, '"1"')
    assert len(stage.server.requests) == 1


def test_a_web_page_with_200_is_no_write(stage: Stage) -> None:
    stage.answers(Reply(200, b"<html/>", {"Content-Type": "text/html"}))
    for kind in (WriteKind.CREATE, WriteKind.DELETE, WriteKind.UPDATE):
        with pytest.raises(Malformed):
            stage.write(kind, '"1"')


@pytest.mark.parametrize(
    "etag", [{}, {"ETag": 'W/"2"'}, {"ETag": '"' + "x" * 10_000 + '"'}], ids=["none", "weak", "long"]
)
def test_without_a_strong_version_the_event_is_read_back(stage: Stage, etag: dict[str, str]) -> None:
    changed = compose(Order(single(start="2026-03-05T11:00"), "1.m", datetime(2026, 1, 1, tzinfo=UTC)))

    def answer(request: Request) -> Reply:
        if request.method == "PUT":
            return Reply(201, headers=etag)
        return Reply(200, changed, {"ETag": '"7"', "Content-Type": "text/calendar"})

    stage.answers(answer)
    result = stage.write(WriteKind.CREATE)
    assert (result.outcome, result.version) == (Outcome.WRITTEN, '"7"')
    assert result.event is not None
    assert result.event.master.span.start.hour == 11


CREATES: dict[str, tuple[int, bytes, int, Outcome, str]] = {
    # name: (status of the PUT, its body, status of a GET of the name, outcome, reason)
    "exists": (412, b"", 200, Outcome.CONFLICT, "exists"),
    "exists-other-status": (403, b'<error xmlns="DAV:"><x/></error>', 200, Outcome.CONFLICT, "exists"),
    "uid-409": (409, b'<error xmlns="DAV:"><no-uid-conflict/></error>', 404, Outcome.REJECTED, "uid-conflict"),
    "uid-412": (412, b'<error xmlns="DAV:"><no-uid-conflict/></error>', 404, Outcome.REJECTED, "uid-conflict"),
    "uid-403": (
        403,
        b'<error xmlns="DAV:"><C:unique-scheduling-object-resource xmlns:C="urn:ietf:params:xml:ns:caldav"/></error>',
        404,
        Outcome.REJECTED,
        "uid-conflict",
    ),
    "uid-409-bare": (409, b"", 404, Outcome.REJECTED, "uid-conflict"),
    "trash-400": (400, b"", 404, Outcome.REJECTED, "name-refused"),
    "trash-412": (412, b"", 404, Outcome.REJECTED, "name-refused"),
    "too-large": (413, b"", 404, Outcome.REJECTED, "too-large"),
    "unsupported": (415, b"", 404, Outcome.REJECTED, "unsupported"),
    "rejected-as-404": (404, b"", 404, Outcome.REJECTED, "refused-404"),
    "locked": (423, b"", 404, Outcome.UNKNOWN, "locked"),
}


@pytest.mark.parametrize("name", CREATES)
def test_refused_creates(stage: Stage, name: str) -> None:
    status, body, there, outcome, reason = CREATES[name]

    def answer(request: Request) -> Reply:
        if request.method == "PUT":
            assert request.headers["if-none-match"] == "*"
            return Reply(status, body)
        if request.method == "GET":
            return Reply(there, BODY, {"ETag": '"1"', "Content-Type": "text/calendar"})
        if request.method == "REPORT":
            return Reply(body=multistatus(member("z.ics", data=BODY)))
        return Reply(body=multistatus(collection()))

    stage.answers(answer)
    result = stage.write(WriteKind.CREATE)
    assert (result.outcome, result.reason) == (outcome, reason)


def test_a_bare_403_is_a_lost_right_unless_the_server_says_we_may_write(stage: Stage) -> None:
    may = "<current-user-privilege-set><privilege><write/></privilege></current-user-privilege-set>"

    def answer(privileges: str) -> Answer:
        return lambda r: (
            Reply(404 if r.method == "GET" else 403)
            if r.method != "PROPFIND"
            else Reply(body=multistatus(collection(privileges)))
        )

    stage.answers(answer(""))
    with pytest.raises(Forbidden):
        stage.write(WriteKind.CREATE)
    stage.answers(answer(may))
    assert stage.write(WriteKind.CREATE).reason == "name-refused"


def test_an_update_is_decided_on_the_body_that_was_read(stage: Stage) -> None:
    puts: list[Request] = []

    def answer(request: Request) -> Reply:
        if request.method == "PUT":
            puts.append(request)
            return Reply(204, headers={"ETag": '"3"'})
        return Reply(200, BODY, {"ETag": 'W/"2"', "Content-Type": "text/calendar"})

    stage.answers(answer)
    assert stage.write(WriteKind.UPDATE, '"1"').outcome is Outcome.CONFLICT
    assert puts == []
    assert stage.write(WriteKind.UPDATE, '"2"').outcome is Outcome.WRITTEN
    assert puts[0].headers["if-match"] == '"2"'
    assert "schedule-tag" not in str(puts[0].headers)


def test_a_lost_answer_to_a_write_is_of_unknown_effect(stage: Stage) -> None:
    stage.answers(lambda request: None)
    with pytest.raises(Unavailable):
        stage.write(WriteKind.CREATE)
    assert stage.server.methods() == ["PUT"]


def test_a_delete_of_what_is_gone_succeeds_and_tells_nobody(stage: Stage) -> None:
    stage.answers(lambda r: Reply(404) if r.method == "DELETE" else Reply(body=multistatus(collection())))
    assert stage.write(WriteKind.DELETE, '"1"').outcome is Outcome.WRITTEN
    assert stage.server.requests[0].headers["schedule-reply"] == "F"
    assert stage.server.requests[0].headers["if-match"] == '"1"'


def test_a_delete_in_a_calendar_that_is_gone_is_no_success(stage: Stage) -> None:
    stage.answers(Reply(404))
    for kind in WriteKind:
        with pytest.raises(NotFound):
            stage.write(kind, '"1"')


def test_a_server_that_ignores_conditions_is_looked_at_before_each_write(stage: Stage) -> None:
    def answer(request: Request) -> Reply:
        sogo = {"Server": "SOGo"}
        if request.method == "GET":
            return Reply(200, BODY, {"ETag": '"1"', "Content-Type": "text/calendar", **sogo})
        if request.method == "PROPFIND":
            return Reply(body=multistatus(member("a.ics", '"2"')), headers=sogo)
        return Reply(204, headers={"ETag": '"9"', **sogo})

    stage.answers(answer)
    list(stage.calendar.read(["a.ics"]))
    assert stage.write(WriteKind.CREATE).outcome is Outcome.CONFLICT
    assert stage.write(WriteKind.DELETE, '"1"').outcome is Outcome.CONFLICT
    assert not {"PUT", "DELETE"} & set(stage.server.methods())


def test_a_url_that_a_provider_typed_may_not_lead_to_a_private_address(stage: Stage) -> None:
    keys = CalendarSettings(url=stage.server.url.replace("http:", "https:"), username="user1")
    request = replace(stage.request(typed_by_provider=True), calendar_settings=keys)
    calendar = CONNECTOR.open(request, CalendarPlace(keys.url))
    with pytest.raises(Forbidden, match=r"port is not one|private address"):
        list(calendar.changes(None, WINDOW, stage.known))
    findings = list(calendar.check())
    assert not findings[0].ok
    assert stage.server.requests == []
    calendar.close()


def test_a_password_for_a_url_that_a_provider_typed_leaves_under_tls_only(stage: Stage) -> None:
    with pytest.raises(UserError, match="under TLS only"):
        stage.open(typed_by_provider=True)
    assert stage.server.requests == []


def test_a_connection_closed_while_idle_is_opened_again_for_reading(stage: Stage) -> None:
    stage.answers(
        Reply(
            raw=[
                b"HTTP/1.1 207 X\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(multistatus()),
                multistatus(),
            ]
        )
    )
    for _ in range(3):
        stage.changes()
    assert len(stage.server.requests) == 3
