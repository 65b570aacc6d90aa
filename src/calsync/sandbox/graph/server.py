"""The stand-in over HTTPS on loopback, under a certificate authority of its own that is made at the start."""

from __future__ import annotations

import http.client
import json
import ssl
import tempfile
import threading
from dataclasses import dataclass, field
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from calsync.ports import Clock
from calsync.sandbox.connections import SIGN_IN_PAGE, CuttableConnection, CuttableServer
from calsync.sandbox.graph.api import Api
from calsync.sandbox.graph.authority import make_authority
from calsync.sandbox.graph.exchange import ROOT, Answer, Asked
from calsync.sandbox.graph.knobs import Knobs
from calsync.sandbox.graph.people import Person
from calsync.sandbox.graph.state import GraphState
from calsync.sandbox.graph.subscriptions import Subscriptions
from calsync.sandbox.graph.tokens import Tokens
from calsync.sandbox.graph.weather import Damage, Weather

CLIENT_ID = "11111111-2222-4333-8444-555555555555"
CLIENT_SECRET = "made-up-client-secret"  # noqa: S105 - of a stand-in


@dataclass(slots=True)
class Sandbox:
    """A stand-in for Graph and Entra, running from `start` to `stop`. Change `state` from outside under `lock`."""

    clock: Clock
    knobs: Knobs = field(default_factory=Knobs)
    state: GraphState = field(init=False)
    tokens: Tokens = field(init=False)
    subscriptions: Subscriptions = field(init=False)
    weather: Weather = field(init=False)
    api: Api = field(init=False)
    lock: threading.RLock = field(default_factory=threading.RLock)
    consenting: str | None = None  # the person who agrees to whatever is asked in the browser
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _server: _Server | None = None

    def __post_init__(self) -> None:
        """Put the rooms together."""
        self.state = GraphState(self.clock, self.knobs)
        self.tokens = Tokens(self.clock)
        self.tokens.register(CLIENT_ID, CLIENT_SECRET)
        self.subscriptions = Subscriptions(self.state, _post)
        self.weather = Weather()
        self.api = Api(self.state, self.tokens, self.subscriptions, self.weather)
        self.state.listeners.append(self.subscriptions.changed)

    def start(self) -> Sandbox:
        """Listen on a free port of the loopback interface."""
        self._folder = tempfile.TemporaryDirectory(prefix="graph-sandbox-")
        authority = make_authority(Path(self._folder.name))
        self._server = _Server(self, authority.context)
        self._server.serve_apart()
        return self

    def stop(self) -> None:
        """Stop listening; open connections are cut."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    @property
    def root(self) -> str:
        """Where it listens; also the connector's key `authority`."""
        assert self._server is not None, "not started"
        return f"https://{self._server.address}"

    @property
    def graph_url(self) -> str:
        """For the connector's key `graph_url`."""
        return f"{self.root}{ROOT}"

    @property
    def ca_file(self) -> Path:
        """For the connector's key `ca_file`."""
        assert self._folder is not None, "not started"
        return Path(self._folder.name) / "ca.pem"

    def add_person(self, upn: str, zone: str = "Eastern Standard Time") -> Person:
        """Add a mailbox and return the person behind it, at their default calendar."""
        with self.lock:
            box = self.state.add_mailbox(upn, zone)
            return Person(self.state, box, self.lock, next(iter(box.calendars)))


def _post(address: str, body: bytes, kind: str) -> tuple[int, str, bytes]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request("POST", target, body=body, headers={"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Content-Type", ""), answer.read()
    except OSError:
        return 0, "", b""
    finally:
        connection.close()


class _Server(CuttableServer):
    def __init__(self, sandbox: Sandbox, context: ssl.SSLContext) -> None:
        self.sandbox = sandbox
        super().__init__(_Connection)
        # The handshake is left to the connection's own thread, so that a slow client holds up nobody.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)


class _Connection(CuttableConnection):
    server: _Server

    def serve(self) -> None:
        """Answer as Graph or as Entra."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        path = urlsplit(self.path).path
        sandbox = self.server.sandbox
        if path.startswith(ROOT):
            self._graph(body, path)
            return
        with sandbox.lock:
            self._entra(path, body)

    def _graph(self, body: bytes, path: str) -> None:
        sandbox = self.server.sandbox
        headers = {name.lower(): value for name, value in self.headers.items()}
        parts = path.split("/")
        mailbox = unquote(parts[3]) if len(parts) > 3 and parts[2] == "users" else ""
        counts = sandbox.api.in_flight
        with sandbox.lock:
            counts[mailbox] = counts.get(mailbox, 0) + 1
        try:
            with sandbox.lock:
                answer = sandbox.api.answer(Asked(self.command, self.path, headers, body), sandbox.root)
        finally:
            with sandbox.lock:
                counts[mailbox] -= 1
        self._answer(answer)

    def _entra(self, path: str, body: bytes) -> None:
        sandbox = self.server.sandbox
        tenant = path.strip("/").partition("/")[0]
        if path.endswith("/.well-known/openid-configuration"):
            self._json(200, sandbox.tokens.metadata(sandbox.root, tenant), {})
        elif path.endswith("/oauth2/v2.0/token"):
            status, told, headers = sandbox.tokens.answer(dict(parse_qsl(body.decode())))
            self._json(status, told, headers)
        elif path.endswith("/oauth2/v2.0/devicecode"):
            asked = dict(parse_qsl(body.decode()))
            self._json(200, sandbox.tokens.device(sandbox.root, asked.get("scope", "")), {})
        elif path.endswith("/oauth2/v2.0/authorize") and sandbox.consenting is not None:
            asked = dict(parse_qsl(urlsplit(self.path).query))
            code = sandbox.tokens.authorise(sandbox.consenting, asked["code_challenge"], asked["redirect_uri"])
            back = urlencode({"state": asked.get("state", ""), "code": code})
            self._send(302, b"", {"Location": f"{asked['redirect_uri']}?{back}"})
        else:
            self._json(404, {"error": "not_found"}, {})

    def _json(self, status: int, told: Any, headers: dict[str, str]) -> None:
        self._send(status, json.dumps(told).encode(), {"Content-Type": "application/json; charset=utf-8", **headers})

    def _answer(self, answer: Answer) -> None:
        damage = answer.damage.damage if answer.damage is not None else None
        if damage in (Damage.DROP_BEFORE, Damage.DROP_AFTER):
            self.close_connection = True
            return
        content = b"" if answer.content is None else json.dumps(answer.content).encode()
        headers = {"Content-Type": "application/json;odata.metadata=minimal", "request-id": "made-up", **answer.headers}
        if damage is Damage.HTML:
            content, headers = SIGN_IN_PAGE, {"Content-Type": "text/html"}
        if damage is Damage.REPLACE and answer.damage is not None:
            content = answer.damage.body
        if damage is Damage.CUT:
            content = content[: len(content) // 2]
        self._send(answer.status, content, headers)

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        self.send_header("Date", format_datetime(self.server.sandbox.clock.now(), usegmt=True))
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        try:
            self.end_headers()
            self.wfile.write(b"" if status == 204 else content)
        except OSError:
            self.close_connection = True
