"""What a WebDAV server answers, as values: multistatus and the preconditions of an error. Pure.

Whatever an answer contains: no DOCTYPE, no entity but XML's own five, no network, no tree in memory, nothing deeper
than the parser's own limit of 256, no more tags and responses than the limits here. An answer that breaks this is
Malformed as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from calsync.connector.errors import Malformed
from calsync_caldav.dav_xml import CALDAV, DAV

MAX_ETAG = 1024
MAX_TAGS = 800_000
"""Tags in one answer. A listing of 50,000 events has 600,000."""
MAX_RESPONSES = 60_000
MAX_INNER = 1_000
_MAX_ERROR = 16 << 10
_PROLOG = re.compile(rb"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*", re.DOTALL)
_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ENCODINGS = {b"utf-8", b"us-ascii", b"ascii", b"iso-8859-1", b"utf8"}
_STATUS = re.compile(r"HTTP/[0-9.]+ ([1-5][0-9]{2})\b")


@dataclass(slots=True)
class Response:
    """One response of a multistatus. `status`: of the whole response (0 where it speaks by property).

    `props` holds the properties that were found (propstat 2xx), by their names in Clark notation: text, and for
    elements inside also `inner`, their names or hrefs. `refused`: the status of those that were not.
    """

    href: str = ""
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
    if body.count(b"<") > MAX_TAGS:
        raise Malformed(f"the answer has more than {MAX_TAGS} tags")
    reading: Any = _Reading()  # lxml's stubs ask for more than lxml does
    parser = etree.XMLParser(target=reading, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        told: Any = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise Malformed("the answer is not well-formed XML") from None
    assert isinstance(told, Multistatus)
    return told


def parse_conditions(body: bytes) -> frozenset[str]:
    """Return the local names of the preconditions that an error body names (RFC 4918 16); empty for any other body."""
    if len(body) > _MAX_ERROR:
        return frozenset()
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        _check_prolog(body)
        root = etree.fromstring(body, parser)
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


@dataclass(slots=True)
class _Open:
    """An element that has begun: its text up to the first element inside."""

    tag: str
    name: str
    text: list[str] = field(default_factory=list)
    is_leaf: bool = True

    def said(self) -> str:
        return "".join(self.text)


@dataclass(slots=True)
class _Propstat:
    """What one propstat told: its status may stand behind its properties."""

    status: int | None = None
    props: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)


class _Reading:
    """Takes the parser's calls one by one, so that an answer is never held as a tree.

    Depths: 0 multistatus, 1 response, 2 href, status or propstat, 3 status or prop, 4 a property, 5 and on inside it.
    """

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._responses: list[Response] = []
        self._token: str | None = None
        self._now = Response()
        self._has_href = False
        self._propstat = _Propstat()
        self._inner: list[str] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        depth = len(self._open)
        if depth == 0 and tag != f"{DAV}multistatus":
            raise Malformed("the answer is no multistatus")
        if depth:
            self._open[-1].is_leaf = False
        if depth == 1 and tag == f"{DAV}response":
            self._now, self._has_href = Response(), False
        elif depth == 2 and tag == f"{DAV}propstat":
            self._propstat = _Propstat()
        elif depth == 4:
            self._inner = []
        self._open.append(_Open(tag, attributes.get("name", "") if depth > 4 else ""))

    def data(self, text: str) -> None:
        """Text inside the element that began last."""
        if self._open and self._open[-1].is_leaf:
            self._open[-1].text.append(text)

    def end(self, tag: str) -> None:
        """An element ends."""
        ended = self._open.pop()
        depth = len(self._open)
        if depth == 1:
            self._end_of_response(tag, ended)
        elif depth > 1 and self._open[1].tag == f"{DAV}response":
            if depth == 2:
                self._end_in_response(tag, ended)
            elif self._open[2].tag == f"{DAV}propstat":
                self._end_in_propstat(depth, tag, ended)

    def close(self) -> Multistatus:
        """The answer has ended."""
        return Multistatus(tuple(self._responses), self._token)

    def _end_of_response(self, tag: str, ended: _Open) -> None:
        if tag == f"{DAV}response":
            if len(self._responses) >= MAX_RESPONSES:
                raise Malformed(f"the answer has more than {MAX_RESPONSES} responses")
            self._responses.append(self._now)
        elif tag == f"{DAV}sync-token":
            if self._token is not None:
                raise Malformed("the answer has two sync tokens")
            self._token = ended.said().strip()

    def _end_in_response(self, tag: str, ended: _Open) -> None:
        if tag == f"{DAV}href" and not self._has_href:
            self._now.href, self._has_href = ended.said().strip(), True
        elif tag == f"{DAV}status" and not self._now.status:
            self._now.status = _status(ended.said())
        elif tag == f"{DAV}propstat":
            status = self._propstat.status or 200
            for name, text, inner in self._propstat.props:
                if 200 <= status < 300:
                    self._now.props[name] = text
                    self._now.inner[name] = inner
                else:
                    self._now.refused[name] = status

    def _end_in_propstat(self, depth: int, tag: str, ended: _Open) -> None:
        if depth == 3:
            if tag == f"{DAV}status" and self._propstat.status is None:
                self._propstat.status = _status(ended.said())
        elif self._open[3].tag == f"{DAV}prop":
            if depth == 4:
                self._propstat.props.append((tag, ended.said(), tuple(self._inner)))
            else:
                self._end_in_property(tag, ended)

    def _end_in_property(self, tag: str, ended: _Open) -> None:
        if len(self._inner) >= MAX_INNER:
            raise Malformed("a property of the answer has more inside than any has")
        if tag == f"{DAV}href":
            self._inner.append(ended.said().strip())
        elif tag == f"{CALDAV}comp":
            self._inner.append(ended.name.upper())
        elif ended.is_leaf:
            self._inner.append(tag)


def _status(text: str) -> int:
    found = _STATUS.match(text.strip())
    return int(found[1]) if found else 0
