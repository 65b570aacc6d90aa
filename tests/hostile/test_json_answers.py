"""Hostile answers of Google and Graph over real HTTP: a page is refused as a whole, or one event and no other."""

from __future__ import annotations

import gzip
import json
import tomllib
from collections.abc import Callable, Iterator
from itertools import count, repeat
from pathlib import Path

import pytest

from calsync.connector.errors import CalendarError, Malformed
from calsync.connector.protocol import Gone, Item, Seen, Unreadable
from calsync.testing.conformance.bench import KnownVersions
from calsync_google.errors import Refused as GoogleRefused
from calsync_outlook.errors import Refused as GraphRefused
from tests.hostile.cost import small_cost
from tests.hostile.services import JSON, TOKEN, WINDOW, google, google_feed, graph, graph_feed, mailbox, said
from tests.unit.connectors.caldav.scripted_server import Answer, Reply, ScriptedServer

HERE = Path(__file__).parent
GOOGLE: dict[str, str] = tomllib.loads((HERE / "google" / "answers.toml").read_text())
GRAPH: dict[str, str] = tomllib.loads((HERE / "graph" / "answers.toml").read_text())
WHOLE = "whole"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    running = ScriptedServer(lambda request: Reply(500))
    yield running
    running.close()


def google_items(server: ScriptedServer, answer: Answer | Reply) -> list[Item]:
    server.answer = answer if callable(answer) else lambda request: answer
    client = google(server)
    try:
        return [item for page in google_feed(client).pages(None, KnownVersions()) for item in page.items]
    finally:
        client.close()


def graph_items(server: ScriptedServer, answer: Answer) -> list[Item]:
    server.answer = answer
    client = graph(server)
    try:
        return [item for page in graph_feed(client).pages(None, WINDOW, KnownVersions()) for item in page.items]
    finally:
        client.close()


def only(items: list[Item], *beside: str) -> Item:
    (one,) = (item for item in items if item.remote_id not in beside)
    return one


def assert_answered(item: Item, expected: str) -> None:
    if expected.startswith("row: "):
        assert isinstance(item, Unreadable)
        assert item.reason == expected.removeprefix("row: ")
    elif expected == "gone":
        assert isinstance(item, Gone)
    else:
        assert isinstance(item, Seen)
        assert item.event.master.title == expected


def test_the_tables_name_every_file() -> None:
    for folder, answers in (("google", GOOGLE), ("graph", GRAPH)):
        assert {path.name for path in (HERE / folder).glob("*.json")} == set(answers)


@pytest.mark.parametrize("name", sorted(name for name, answer in GOOGLE.items() if answer == WHOLE))
def test_a_page_of_googles_is_refused_whole(server: ScriptedServer, name: str) -> None:
    body = (HERE / "google" / name).read_bytes()
    with small_cost(), pytest.raises(Malformed):
        google_items(server, said(body))


@pytest.mark.parametrize("name", sorted(name for name, answer in GOOGLE.items() if answer not in (WHOLE, "gone")))
def test_an_event_of_googles_is_refused_alone(server: ScriptedServer, name: str) -> None:
    body = (HERE / "google" / name).read_bytes()
    with small_cost():
        items = google_items(server, said(body))
    assert isinstance(next(item for item in items if item.remote_id == "good1"), Seen)
    assert_answered(only(items, "good1"), GOOGLE[name])


def test_a_tombstone_needs_no_times(server: ScriptedServer) -> None:
    body = (HERE / "google" / "87-cancelled-without-times.json").read_bytes()
    server.answer = lambda request: said(body)
    client = google(server)
    feed = google_feed(client)
    first = list(feed.pages(None, KnownVersions()))
    items = [item for page in feed.pages(first[-1].cursor, KnownVersions()) for item in page.items]
    client.close()
    assert items[0] == Gone("abcde")
    assert isinstance(items[1], Seen)


@pytest.mark.parametrize("name", sorted(name for name, answer in GRAPH.items() if answer == WHOLE))
def test_a_page_of_graphs_is_refused_whole(server: ScriptedServer, name: str) -> None:
    text = (HERE / "graph" / name).read_text()

    def page(root: str) -> bytes:
        return text.replace('"/delta', f'"{root}/delta').encode()

    with small_cost(), pytest.raises(Malformed):
        graph_items(server, mailbox({}, page))
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", sorted(name for name, answer in GRAPH.items() if answer != WHOLE))
def test_an_event_of_graphs_is_refused_alone(server: ScriptedServer, name: str) -> None:
    good = json.loads((HERE / "graph" / "79-seven-digits.json").read_bytes()) | {"id": "good1"}
    events = {"AAMk1": (HERE / "graph" / name).read_bytes(), "good1": json.dumps(good).encode()}
    with small_cost():
        items = graph_items(server, mailbox(events, lambda root: None))
    assert isinstance(next(item for item in items if item.remote_id == "good1"), Seen)
    assert_answered(only(items, "good1"), GRAPH[name])


@pytest.mark.parametrize("bad", ["x" * 10_000, "a/../b", 7, None])
def test_a_row_of_graphs_with_an_id_that_is_none_is_passed_over(server: ScriptedServer, bad: object) -> None:
    good = (HERE / "graph" / "79-seven-digits.json").read_bytes()
    rows = [{"id": bad, "type": "singleInstance"}, {"id": "AAMk1", "type": "singleInstance"}]
    rows.append({"id": "AAMk1", "type": "occurrence", "seriesMasterId": bad if bad is not None else 8})
    events = {"AAMk1": good}
    items = graph_items(
        server, mailbox(events, lambda root: json.dumps({"value": rows, "@odata.deltaLink": f"{root}/d"}).encode())
    )
    assert [type(item) for item in items] == [Seen]
    assert all("x" * 100 not in request.path and ".." not in request.path for request in server.requests)


# ---------------------------------------------------------------- too much of it


DEEP = b"[" * 100_000
HUGE = (b'{"items": ["', *repeat(b"x" * (1 << 20), 100), b'"]}')
BOMB = gzip.compress(b'{"items": ["' + b"x" * (64 << 20), compresslevel=1)
TOO_MUCH: dict[str, Callable[[], Reply]] = {
    "74-deep": lambda: said(DEEP),
    "86-a-hundred-megabytes": lambda: Reply(
        raw=(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 104857614\r\n\r\n", *HUGE)
    ),
    "86-without-a-length": lambda: Reply(raw=(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", *HUGE)),
    "86-packed": lambda: Reply(200, BOMB, {**JSON, "Content-Encoding": "gzip"}),
    "86-of-small-things": lambda: said(b'{"items": [' + b"{}," * 5_000_000 + b'{}], "nextSyncToken": "t"}'),
}


@pytest.mark.parametrize("name", TOO_MUCH)
@pytest.mark.parametrize("service", ["google", "graph"])
def test_too_much_is_refused_whole(server: ScriptedServer, service: str, name: str) -> None:
    reply = TOO_MUCH[name]()
    items = google_items if service == "google" else graph_items
    with small_cost(), pytest.raises(Malformed):
        items(server, lambda request: reply)


def test_pages_without_an_end_are_refused_after_a_thousand(server: ScriptedServer) -> None:
    numbers = count()
    with pytest.raises(Malformed, match="never ends"):
        google_items(server, lambda request: said({"items": [], "nextPageToken": f"p{next(numbers)}"}))
    assert len(server.requests) == 1000


def test_links_without_an_end_are_refused_after_a_thousand(server: ScriptedServer) -> None:
    numbers = count()

    def page(root: str) -> bytes:
        return json.dumps({"value": [], "@odata.nextLink": f"{root}/delta?t={next(numbers)}"}).encode()

    with pytest.raises(Malformed, match="without an end"):
        graph_items(server, mailbox({}, page))
    assert len(server.requests) == 1000


@pytest.mark.parametrize("body", [{"items": [], "nextPageToken": "p"}], ids=["again"])
def test_the_same_page_again_and_again_is_refused_at_once(server: ScriptedServer, body: dict[str, object]) -> None:
    with pytest.raises(Malformed, match="never ends"):
        google_items(server, said(body))
    assert len(server.requests) == 2


# ---------------------------------------------------------------- redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirected_write_to_google_is_never_written(server: ScriptedServer, status: int) -> None:
    other = ScriptedServer(lambda request: said({"id": "abcde", "etag": '"2"'}))
    server.answer = lambda request: Reply(status, headers={"Location": f"http://127.0.0.1:{other.port}/x"})
    client = google(server)
    sends: list[Callable[[], object]] = [
        lambda: client.insert("work", {"id": "abcde"}),
        lambda: client.patch("work", "abcde", {"summary": "x"}, '"1"'),
        lambda: client.delete("work", "abcde", '"1"'),
        lambda: client.list_events("work"),
    ]
    for send in sends:
        with pytest.raises(Malformed):
            send()
    assert len(server.requests) == 4
    assert other.requests == []
    client.close()
    other.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirected_write_to_graph_is_never_written(server: ScriptedServer, status: int) -> None:
    other = ScriptedServer(lambda request: said({"id": "AAMk1", "@odata.etag": 'W/"2"'}))
    server.answer = lambda request: Reply(status, headers={"Location": f"http://127.0.0.1:{other.port}/x"})
    client = graph(server)
    for method in ("POST", "PATCH", "DELETE", "GET"):
        with pytest.raises(Malformed):
            client.call(method, "/me/events/x", body={"subject": "x"} if method in ("POST", "PATCH") else None)
    assert len(server.requests) == 4
    assert other.requests == []
    client.close()
    other.close()


def test_no_error_says_what_the_service_said(server: ScriptedServer) -> None:
    server.answer = lambda request: said({"error": {"code": 400, "message": f"secret {TOKEN}"}}, 400)
    one, other = google(server), graph(server)
    told: list[str] = []
    uses: list[Callable[[], object]] = [lambda: one.list_events("work"), lambda: other.get("/me/events/x")]
    for use in uses:
        with pytest.raises(CalendarError) as caught:
            use()
        told.append(str(caught.value))
    answer, refusal = other.call("GET", "/me/events/x"), one.list_events("work", 400)
    one.close()
    other.close()
    assert isinstance(answer, GraphRefused)
    assert isinstance(refusal, GoogleRefused)
    assert not any("secret" in text or TOKEN in text for text in (*told, repr(answer), repr(refusal)))
