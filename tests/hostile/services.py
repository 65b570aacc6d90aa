"""The clients of Google and Graph, real but for their tokens, in front of a server that says what a test wants."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from google.oauth2.credentials import Credentials

from calsync.domain.span import Window
from calsync.testing.fake_ports import FakeClock
from calsync_google.client import Client as GoogleClient
from calsync_google.client import Endpoints
from calsync_google.feed import Feed as GoogleFeed
from calsync_google.mapping import Reader
from calsync_google.reading import Shelf
from calsync_google.transport import Pool as GooglePool
from calsync_google.transport import Wire
from calsync_outlook.client import Client as GraphClient
from calsync_outlook.client import Line, Pool
from calsync_outlook.feed import Feed as GraphFeed
from calsync_outlook.gate import Gate
from calsync_outlook.mailbox import Mailbox
from calsync_outlook.reading import Loader
from tests.unit.connectors.caldav.scripted_server import Reply, Request, ScriptedServer

ZONE = "America/New_York"
WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC))
JSON = {"Content-Type": "application/json"}
TOKEN = "token-of-nobody"


class Tokens:
    """One token, always."""

    def token(self, *, force: bool = False, claims: str | None = None) -> str:
        """The token."""
        return TOKEN

    def forget_failures(self) -> None:
        """There are none."""


def google(server: ScriptedServer, timeout: float = 5) -> GoogleClient:
    """Google's client."""
    root = f"http://127.0.0.1:{server.port}"
    endpoints = Endpoints(f"{root}/calendar/v3/", f"{root}/batch", f"{root}/token")
    return GoogleClient(endpoints, Wire(GooglePool(), timeout, endpoints.tokens), Credentials(token=TOKEN))  # type: ignore[no-untyped-call]


def google_feed(client: GoogleClient) -> GoogleFeed:
    """The feed of a calendar `work`."""
    return GoogleFeed(Shelf(client, "work", Reader(ZONE), WINDOW))


def graph(server: ScriptedServer, timeout: float = 5) -> GraphClient:
    """Graph's client."""
    pool = Pool(ssl.create_default_context(), timeout)
    return GraphClient(Line(f"http://127.0.0.1:{server.port}", timeout, Gate(), pool), Tokens())


def graph_feed(client: GraphClient) -> GraphFeed:
    """The feed of a calendar `work`."""
    return GraphFeed(Loader(Mailbox(client, "/me", "work"), ZONE, FakeClock(datetime(2026, 3, 1, tzinfo=UTC))))


def said(body: bytes | dict[str, Any], status: int = 200) -> Reply:
    """An answer in JSON."""
    return Reply(status, body if isinstance(body, bytes) else json.dumps(body).encode(), JSON)


def mailbox(events: dict[str, bytes], page: Callable[[str], bytes | None]) -> Callable[[Request], Reply]:
    """Answer as Graph: the delta says `page` or names all events, which are read by id, alone or in a batch."""
    hints = [{"id": name, "@odata.etag": 'W/"k0"', "type": "singleInstance", "start": {}, "end": {}} for name in events]

    def answer(request: Request) -> Reply:
        if "delta" in request.path:
            own = page(f"http://127.0.0.1:{request.headers['host'].partition(':')[2]}")
            link = f"http://{request.headers['host']}/delta?t=1"
            return said(own if own is not None else {"value": hints, "@odata.deltaLink": link})
        if request.path == "/$batch":
            parts = [
                b'{"id":"%s","status":200,"headers":{},"body":%s}' % (one["id"].encode(), events[_name(one["url"])])
                for one in json.loads(request.body)["requests"]
            ]
            return said(b'{"responses":[' + b",".join(parts) + b"]}")
        return said(events[_name(request.path)])

    return answer


def _name(path: str) -> str:
    return path.partition("/events/")[2].partition("?")[0]
