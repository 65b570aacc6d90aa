"""WebDAV's XML: the names of its namespaces, and the bodies that we send. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from xml.sax.saxutils import escape

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
SERVER = "{http://calendarserver.org/ns/}"

_NAMESPACES = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:cs="http://calendarserver.org/ns/"'


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
