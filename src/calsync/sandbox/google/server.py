"""The stand-in over real HTTP on loopback: a small threaded server, one request at a time inside."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from calsync.ports import Clock
from calsync.sandbox.connections import SIGN_IN_PAGE, CuttableConnection, CuttableServer
from calsync.sandbox.google.api import Answer, Api, Asked
from calsync.sandbox.google.batch import BOUNDARY, answer_batch
from calsync.sandbox.google.channels import Channels
from calsync.sandbox.google.knobs import Knobs
from calsync.sandbox.google.people import Person
from calsync.sandbox.google.state import GoogleState
from calsync.sandbox.google.tokens import Tokens
from calsync.sandbox.google.weather import Damage, Weather

Json = dict[str, Any]

TOKEN_PATH = "/token"  # noqa: S105
BATCH_PATH = "/batch/calendar/v3"
AUTH_PATH = "/o/oauth2/v2/auth"


@dataclass(slots=True)
class Sandbox:
    """A stand-in for Google, running from `start` to `stop`. Change `state` from other threads under `lock`."""

    clock: Clock
    knobs: Knobs = field(default_factory=Knobs)
    state: GoogleState = field(init=False)
    tokens: Tokens = field(init=False)
    channels: Channels = field(init=False)
    weather: Weather = field(init=False)
    api: Api = field(init=False)
    lock: threading.RLock = field(default_factory=threading.RLock)
    consenting: str | None = None  # the account whose owner agrees to whatever is asked in the browser
    pending: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    hold_pushes: bool = False
    _server: _Server | None = None

    def __post_init__(self) -> None:
        """Put the rooms together."""
        self.state = GoogleState(self.clock, self.knobs)
        self.tokens = Tokens(self.clock)
        self.channels = Channels(self.state, self._deliver)
        self.weather = Weather()
        self.api = Api(self.state, self.tokens, self.channels, self.weather)
        self.state.listeners.append(self.channels.changed)

    def start(self) -> Sandbox:
        """Listen on a free port of the loopback interface."""
        self._server = _Server(self)
        self._server.serve_apart()
        return self

    def stop(self) -> None:
        """Stop listening; open connections are cut."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    @property
    def root(self) -> str:
        """Where it listens, `http://127.0.0.1:PORT`."""
        assert self._server is not None, "not started"
        return f"http://{self._server.address}"

    @property
    def api_endpoint(self) -> str:
        """For the connector's key `api_endpoint`."""
        return f"{self.root}/calendar/v3/"

    @property
    def token_uri(self) -> str:
        """For the connector's key `token_uri`."""
        return f"{self.root}{TOKEN_PATH}"

    def add_person(self, email: str, zone: str = "America/New_York") -> Person:
        """Add an account and return the person behind it, who edits as the web page does."""
        with self.lock:
            self.state.add_account(email, zone)
            self.tokens.accounts.add(email)
        return Person(self.state, email, self.lock)

    def release_pushes(self) -> int:
        """Send the push messages that were held back; returns how many."""
        held, self.pending = self.pending, []
        for address, headers in held:
            _post(address, headers)
        return len(held)

    def _deliver(self, address: str, headers: Mapping[str, str]) -> int:
        if self.hold_pushes:
            self.pending.append((address, headers))
            return 0
        return _post(address, headers)


def _post(address: str, headers: Mapping[str, str]) -> int:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
    try:
        connection.request("POST", parts.path or "/", headers={**headers, "Content-Length": "0"})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


class _Server(CuttableServer):
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        super().__init__(_Connection)


class _Connection(CuttableConnection):
    server: _Server

    def serve(self) -> None:
        """Answer as Google: the calendar API, batches, tokens, the page of consent."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = urlsplit(self.path).path
        sandbox = self.server.sandbox
        with sandbox.lock:
            if path == TOKEN_PATH:
                self._token(body)
            elif path == AUTH_PATH:
                self._consent()
            elif path == BATCH_PATH:
                self._batch(headers, body)
            else:
                self._answer(sandbox.api.answer(Asked(self.command, self.path, headers, body)))

    def _token(self, body: bytes) -> None:
        status, told = self.server.sandbox.tokens.answer(dict(parse_qsl(body.decode("utf-8"))))
        content = told if isinstance(told, bytes) else json.dumps(told).encode()
        self._send(status, content, {"Content-Type": "application/json; charset=UTF-8"})

    def _consent(self) -> None:
        sandbox = self.server.sandbox
        asked = dict(parse_qsl(urlsplit(self.path).query))
        if sandbox.consenting is None or asked.get("client_id") not in sandbox.tokens.clients:
            self._send(400, b"", {})
            return
        scopes = set(asked.get("scope", "").split())
        code = sandbox.tokens.authorise(
            sandbox.consenting,
            scopes,
            asked["client_id"],
            asked.get("code_challenge", ""),
            asked["redirect_uri"],
        )
        query = urlencode({"state": asked.get("state", ""), "code": code, "scope": " ".join(sorted(scopes))})
        self._send(302, b"", {"Location": f"{asked['redirect_uri']}?{query}"})

    def _batch(self, headers: dict[str, str], body: bytes) -> None:
        outer = {"authorization": headers.get("authorization", "")}
        answer = answer_batch(self.server.sandbox.api, headers.get("content-type", ""), outer, body)
        if isinstance(answer, bytes):
            self._send(200, answer, {"Content-Type": f"multipart/mixed; boundary={BOUNDARY}"})
        else:
            self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        if answer.damage in (Damage.DROP_BEFORE, Damage.DROP_AFTER):
            self.close_connection = True
            return
        content = {Damage.HTML: SIGN_IN_PAGE, Damage.REPLACE: answer.instead}.get(
            answer.damage or Damage.REFUSE, answer.content
        )
        kind = "text/html" if answer.damage is Damage.HTML else "application/json; charset=UTF-8"
        headers = {**answer.headers, "Date": format_datetime(self.server.sandbox.clock.now(), usegmt=True)}
        if content or answer.status == 200:
            headers["Content-Type"] = kind
        if answer.damage is Damage.CUT:
            content = content[: len(content) // 2]
        self._send(answer.status, content, headers)

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        if "gzip" in (self.headers.get("Accept-Encoding") or "") and len(content) > 1400:
            content = gzip.compress(content, 1)
            headers = {**headers, "Content-Encoding": "gzip"}
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        buffered = getattr(self, "_headers_buffer", [])
        payload = b"".join([*buffered, b"\r\n"]) + (b"" if status in (204, 304) else content)
        self._headers_buffer: list[bytes] = []
        try:
            self.wfile.write(payload)
        except OSError:
            self.close_connection = True
