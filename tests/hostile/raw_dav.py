"""A CalDAV collection that stores octets and asks no questions, so that it can hold what no server would take."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from tests.unit.connectors.caldav.scripted_server import Reply, Request, ScriptedServer

_XML_CANNOT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SELF = (
    "<resourcetype><collection/><C:calendar/></resourcetype><supported-report-set><supported-report><report>"
    "<sync-collection/></report></supported-report></supported-report-set>"
)


@dataclass(slots=True)
class _Body:
    octets: bytes
    version: int


@dataclass(slots=True)
class RawDav:
    """`bodies` by name; `answers`: what is said in place of the collection's own answer, to everything but writes."""

    bodies: dict[str, _Body] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    answers: Reply | None = None
    count: int = 0
    server: ScriptedServer = field(init=False)

    def __post_init__(self) -> None:
        self.server = ScriptedServer(self._answer)

    def put(self, name: str, octets: bytes) -> None:
        """Store octets under a name."""
        self.count += 1
        self.gone.pop(name, None)
        self.bodies[name] = _Body(octets, self.count)

    def delete(self, name: str) -> None:
        """Take one away."""
        self.count += 1
        del self.bodies[name]
        self.gone[name] = self.count

    def _answer(self, request: Request) -> Reply:  # noqa: PLR0911 - one for each method
        name = request.path.removeprefix("/cal/")
        if self.answers is not None and request.method not in ("PUT", "DELETE"):
            return self.answers
        if request.method == "PUT":
            return self._put(name, request)
        if request.method in ("DELETE", "GET") and name not in self.bodies:
            return Reply(404)
        if request.method == "DELETE":
            self.delete(name)
            return Reply(204)
        if request.method == "GET":
            body = self.bodies[name]
            headers = {"ETag": f'"{body.version}"', "Content-Type": "text/calendar; charset=utf-8"}
            return Reply(200, body.octets, headers)
        if request.method == "PROPFIND":
            inside = sorted(self.bodies) if request.headers.get("depth") == "1" else []
            return _multistatus([_row("", _SELF + self._token()), *(self._member(one) for one in inside)])
        if b"sync-collection" in request.body:
            return self._changes(request.body)
        return self._multiget(request.body)

    def _put(self, name: str, request: Request) -> Reply:
        stands = self.bodies.get(name)
        tag = None if stands is None else f'"{stands.version}"'
        if request.headers.get("if-none-match") == "*" and stands is not None:
            return Reply(412)
        if "if-match" in request.headers and request.headers["if-match"] != tag:
            return Reply(412)
        self.put(name, request.body)
        return Reply(201, headers={"ETag": f'"{self.count}"'})

    def _changes(self, body: bytes) -> Reply:
        found = re.search(rb"sync-token>t(\d+)<", body)
        since = int(found[1]) if found else -1
        rows = [self._member(name) for name, one in sorted(self.bodies.items()) if one.version > since]
        rows += [_gone(name) for name, at in sorted(self.gone.items()) if at > since >= 0]
        return _multistatus(rows, self._token())

    def _multiget(self, body: bytes) -> Reply:
        names = [name.decode() for name in re.findall(rb"href>/cal/([^<]+)<", body)]
        rows = []
        for name in names:
            if name not in self.bodies:
                rows.append(_gone(name))
                continue
            if len(self.bodies[name].octets) > 1 << 20:
                return Reply(500)  # so that what is measured is the reader, and not this server
            text = self.bodies[name].octets.decode("utf-8", "replace")
            if "\ufffd" in text or _XML_CANNOT.search(text):
                return Reply(500)  # as servers do when one event cannot be put in XML
            rows.append(self._member(name, f"<C:calendar-data>{escape(text)}</C:calendar-data>"))
        return _multistatus(rows)

    def _member(self, name: str, more: str = "") -> str:
        return _row(name, f'<getetag>"{self.bodies[name].version}"</getetag><resourcetype/>{more}')

    def _token(self) -> str:
        return f"<sync-token>t{self.count}</sync-token>"


def _row(name: str, props: str) -> str:
    status = "<status>HTTP/1.1 200 OK</status>"
    return f"<response><href>/cal/{name}</href><propstat><prop>{props}</prop>{status}</propstat></response>"


def _gone(name: str) -> str:
    return f"<response><href>/cal/{name}</href><status>HTTP/1.1 404 X</status></response>"


def _multistatus(rows: list[str], tail: str = "") -> Reply:
    head = '<?xml version="1.0"?><multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
    return Reply(body=f"{head}{''.join(rows)}{tail}</multistatus>".encode())
