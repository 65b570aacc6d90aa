"""WebDAV's XML: the bodies we send, and multistatus answers as values. Pure.

Whatever an answer contains: no DOCTYPE, no entity but XML's own five, no network, no tree deeper than the parser's own
limit of 256, and memory for one response at a time. An answer that breaks this is Malformed as a whole.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from lxml import etree

from calsync.connector.errors import Malformed

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
SERVER = "{http://calendarserver.org/ns/}"

MAX_ETAG = 1024
_NAMESPACES = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:cs="http://calendarserver.org/ns/"'
_PROLOG = re.compile(rb"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*", re.DOTALL)
_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ENCODINGS = {b"utf-8", b"us-ascii", b"ascii", b"iso-8859-1", b"utf8"}
_STATUS = re.compile(r"HTTP/[0-9.]+ ([1-5][0-9]{2})\b")
_SMALL = 256 << 10  # an answer of this size may stand in memory as a tree
_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
)


@dataclass(frozen=True, slots=True)
class Response:
    """One response of a multistatus. `status`: of the whole response (0 where it speaks by property).

    `props` holds the properties that were found (propstat 2xx), by their names in Clark notation: text, and for
    elements inside also `inner`, their names or hrefs.
    """

    href: str
    status: int = 0
    props: dict[str, str] = field(default_factory=dict)
    inner: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def etag(self) -> str | None:
        """The version, "" or over-long ones being none. Malformed if it contains a line end."""
        return usable_etag(self.props.get(f"{DAV}getetag"))


@dataclass(frozen=True, slots=True)
class Multistatus:
    """A whole answer: its responses in order, and the sync token if it carries one."""

    responses: tuple[Response, ...]
    sync_token: str | None = None


def usable_etag(text: str | None) -> str | None:
    """Return an entity tag fit to be sent back, None without one; Malformed where it would end a header line."""
    if text is None or not text.strip():
        return None
    if any(mark in text.strip() for mark in "\r\n\0"):
        raise Malformed("an ETag contains a line end")
    return text.strip() if len(text.strip()) <= MAX_ETAG else None


def parse_multistatus(body: bytes) -> Multistatus:
    """Return what a 207 says; Malformed for anything but one well-formed multistatus."""
    _check_prolog(body)
    if len(body) <= _SMALL:
        return _of_small(body)
    responses: list[Response] = []
    token: str | None = None
    root: etree._Element | None = None
    try:
        events = etree.iterparse(
            io.BytesIO(body),
            events=("start", "end"),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        for event, element in events:
            if root is None:
                root = _multistatus(element)
            elif event == "end" and element.getparent() is root:
                if element.tag == f"{DAV}response":
                    responses.append(_response(element))
                elif element.tag == f"{DAV}sync-token":
                    token = (element.text or "").strip()
                root.remove(element)
    except etree.XMLSyntaxError:
        raise Malformed("the answer is not well-formed XML") from None
    if root is None:
        raise Malformed("the answer is empty")
    return Multistatus(tuple(responses), token)


def _of_small(body: bytes) -> Multistatus:
    try:
        root = _multistatus(etree.fromstring(body, _PARSER))
    except (etree.XMLSyntaxError, ValueError):
        raise Malformed("the answer is not well-formed XML") from None
    token = root.findtext(f"{DAV}sync-token")
    responses = tuple(_response(element) for element in root.iterfind(f"{DAV}response"))
    return Multistatus(responses, None if token is None else token.strip())


def parse_conditions(body: bytes) -> frozenset[str]:
    """Return the local names of the preconditions that an error body names (RFC 4918 16); empty for any other body."""
    try:
        _check_prolog(body)
        root = etree.fromstring(body, _PARSER)
    except (Malformed, etree.XMLSyntaxError, ValueError):
        return frozenset()
    if root.tag != f"{DAV}error":
        return frozenset()
    return frozenset(etree.QName(child).localname for child in root)


def _check_prolog(body: bytes) -> None:
    if not body.strip():
        raise Malformed("the answer is empty")
    start = body.removeprefix(b"\xef\xbb\xbf")
    encoding = _ENCODING.match(start)
    if b"\0" in start[:64] or (encoding and encoding[1].lower() not in _ENCODINGS):
        raise Malformed("the answer is not in UTF-8")
    prolog = _PROLOG.match(start)
    if start[prolog.end() if prolog else 0 :][:2] == b"<!":
        raise Malformed("the answer contains a DOCTYPE")


def _multistatus(element: etree._Element) -> etree._Element:
    if element.tag != f"{DAV}multistatus":
        raise Malformed("the answer is no multistatus")
    return element


def _response(element: etree._Element) -> Response:
    href = (element.findtext(f"{DAV}href") or "").strip()
    response = Response(href, _status(element.findtext(f"{DAV}status")))
    for propstat in element.iterfind(f"{DAV}propstat"):
        status = _status(propstat.findtext(f"{DAV}status")) or 200
        for prop in propstat.iterfind(f"{DAV}prop"):
            for child in prop:
                if 200 <= status < 300:
                    response.props[child.tag] = child.text or ""
                    response.inner[child.tag] = tuple(_inner(child))
                else:
                    response.refused[child.tag] = status
    return response


def _inner(prop: etree._Element) -> Iterable[str]:
    for part in prop.iter():
        if part is prop:
            continue
        if part.tag == f"{DAV}href":
            yield (part.text or "").strip()
        elif part.tag == f"{CALDAV}comp":
            yield part.get("name", "").upper()
        elif len(part) == 0:
            yield part.tag


def _status(text: str | None) -> int:
    found = _STATUS.match((text or "").strip())
    return int(found[1]) if found else 0


def propfind(*names: str) -> bytes:
    """Return a PROPFIND body for properties with our prefixes (`d:getetag`)."""
    props = "".join(f"<{name}/>" for name in names)
    return _document(f"<d:propfind {_NAMESPACES}><d:prop>{props}</d:prop></d:propfind>")


def sync_collection(token: str) -> bytes:
    """Return a sync-collection REPORT (RFC 6578 3.2) for versions only, never with a limit (sheet 5.3)."""
    return _document(
        f"<d:sync-collection {_NAMESPACES}><d:sync-token>{escape(token)}</d:sync-token>"
        "<d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>"
    )


def multiget(paths: Iterable[str]) -> bytes:
    """Return a calendar-multiget REPORT (RFC 4791 7.9) for bodies and versions."""
    hrefs = "".join(f"<d:href>{escape(path)}</d:href>" for path in paths)
    props = "<d:prop><d:getetag/><c:calendar-data/></d:prop>"
    return _document(f"<c:calendar-multiget {_NAMESPACES}>{props}{hrefs}</c:calendar-multiget>")


def uid_query(uid: str) -> bytes:
    """Return a calendar-query REPORT (RFC 4791 7.8) for this UID; servers may answer too many (sheet 4.3)."""
    return _document(
        f"<c:calendar-query {_NAMESPACES}><d:prop><d:getetag/><c:calendar-data/></d:prop>"
        '<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"><c:prop-filter name="UID">'
        f'<c:text-match collation="i;octet">{escape(uid)}</c:text-match>'
        "</c:prop-filter></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"
    )


def window_query(start: datetime, end: datetime) -> bytes:
    """Return a calendar-query REPORT for all events that touch a stretch of time (RFC 4791 9.9)."""
    first, last = (f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}" for at in (start, end))
    return _document(
        f"<c:calendar-query {_NAMESPACES}><d:prop><d:getetag/><c:calendar-data/></d:prop>"
        '<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">'
        f'<c:time-range start="{first}" end="{last}"/>'
        "</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"
    )


def mkcalendar(name: str) -> bytes:
    """Return a MKCALENDAR body (RFC 4791 5.3.1) for a calendar of events."""
    return _document(
        f"<c:mkcalendar {_NAMESPACES}><d:set><d:prop><d:displayname>{escape(name)}</d:displayname>"
        '<c:supported-calendar-component-set><c:comp name="VEVENT"/></c:supported-calendar-component-set>'
        "</d:prop></d:set></c:mkcalendar>"
    )


def _document(text: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?>{text}'.encode()
