"""One calendar collection over HTTP: the requests that the connector makes, each exactly one exchange.

Statuses that are answers are returned; those that speak about the calendar as a whole are raised (see `errors`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calsync.connector.errors import CursorExpired, Malformed, NotFound
from calsync_caldav import dav_xml
from calsync_caldav.client import Answer, Client
from calsync_caldav.dav_xml import CALDAV, DAV, SERVER
from calsync_caldav.errors import error_for
from calsync_caldav.hrefs import as_collection, href_of, member_of, path_of
from calsync_caldav.multistatus import Multistatus, Response, parse_multistatus, usable_etag
from calsync_caldav.quirks import strong_form
from calsync_caldav.redirects import MOVED_FOR_GOOD, next_hop

_ABILITIES = (
    *("d:resourcetype", "d:supported-report-set", "d:sync-token", "cs:getctag"),
    *("c:calendar-timezone", "c:calendar-timezone-id"),
)
_XML_TYPES = {"application/xml", "text/xml", ""}
_XML = {"Content-Type": "application/xml; charset=utf-8"}
_ICS = {"Content-Type": "text/calendar; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the collection says of itself: whether it can sync, and its tags right now (None where it has none).

    `zone_id` and `zone_text` are its own zone for floating times, by name and as VTIMEZONE ("" where it has none).
    """

    syncs: bool
    sync_token: str | None
    ctag: str | None
    zone_id: str = ""
    zone_text: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """One event's resource as stored: its version (None where the server names none) and its octets."""

    version: str | None
    octets: bytes


class Collection:
    """The collection at `url` (which ends in a slash)."""

    def __init__(self, client: Client, url: str) -> None:
        self.client = client
        self.url = url
        self.last_headers: dict[str, str] = {}

    def abilities(self) -> Abilities:
        """Ask the collection for its abilities and tags; NotFound, Forbidden, ... where it is not to be had."""
        own = self._own(self._dav("PROPFIND", dav_xml.propfind(*_ABILITIES), depth="0"))
        if f"{CALDAV}calendar" not in own.inner.get(f"{DAV}resourcetype", ()):
            raise Malformed("the place is no calendar")
        reports = own.inner.get(f"{DAV}supported-report-set", ())
        token = own.props.get(f"{DAV}sync-token", "").strip()
        ctag = own.props.get(f"{SERVER}getctag", "").strip()
        return Abilities(
            syncs=f"{DAV}sync-collection" in reports,
            sync_token=token or None,
            ctag=ctag or None,
            zone_id=own.props.get(f"{CALDAV}calendar-timezone-id", ""),
            zone_text=own.props.get(f"{CALDAV}calendar-timezone", ""),
        )

    def ctag(self) -> str | None:
        """Return the collection's CTag now."""
        own = self._own(self._dav("PROPFIND", dav_xml.propfind("cs:getctag"), depth="0"))
        return own.props.get(f"{SERVER}getctag", "").strip() or None

    def privileges(self) -> frozenset[str]:
        """Return what the server says we may do here, in Clark notation; empty where it says nothing."""
        names = dav_xml.propfind("d:current-user-privilege-set")
        return frozenset(
            self._own(self._dav("PROPFIND", names, depth="0")).inner.get(f"{DAV}current-user-privilege-set", ())
        )

    def exists(self) -> None:
        """Return if the collection is there and a calendar; raise what its status means otherwise."""
        own = self._own(self._dav("PROPFIND", dav_xml.propfind("d:resourcetype"), depth="0"))
        if f"{CALDAV}calendar" not in own.inner.get(f"{DAV}resourcetype", ()):
            raise NotFound("the place is no calendar any more")

    def listing(self) -> Multistatus:
        """Return every member with its version."""
        return self._dav("PROPFIND", dav_xml.propfind("d:getetag", "d:resourcetype"), depth="1")

    def sync_answer(self, token: str) -> Answer:
        """Send a sync-collection REPORT and return its raw answer, any status; CursorExpired if the calendar moved."""
        answer = self._send("REPORT", self.url, dav_xml.sync_collection(token), {**_XML, "Depth": "0"})
        if self._has_moved(answer):
            raise CursorExpired("the calendar has moved")
        return answer

    def multiget_answer(self, remote_ids: Sequence[str]) -> Answer:
        """Send a calendar-multiget REPORT and return its raw answer, any status."""
        paths = [path_of(href_of(self.url, remote_id)) for remote_id in remote_ids]
        return self._send("REPORT", self.url, dav_xml.multiget(paths), {**_XML, "Depth": "0"})

    def query(self, body: bytes) -> Multistatus:
        """Send a calendar-query REPORT."""
        return self._dav("REPORT", body, depth="1")

    def get(self, remote_id: str) -> Body | int:
        """Return one resource, or the status that says why not."""
        answer = self._send("GET", href_of(self.url, remote_id), b"", {"Accept": "text/calendar"})
        if answer.status != 200:
            return answer.status
        if answer.content_type in {"text/html", "application/xhtml+xml"}:
            raise Malformed("GET answered with a web page")
        etag = usable_etag(answer.headers.get("etag"))
        return Body(strong_form(etag) if etag else None, answer.body)

    def version(self, remote_id: str) -> str | None:
        """Ask for one resource's version; None where it is absent or has none."""
        headers = {**_XML, "Depth": "0"}
        answer = self._send("PROPFIND", href_of(self.url, remote_id), dav_xml.propfind("d:getetag"), headers)
        if answer.status in {404, 410}:
            return None
        found = multistatus_of(answer, self.client, "PROPFIND").responses
        etag = next((row.etag for row in found if member_of(self.url, row.href) == remote_id), None)
        return strong_form(etag) if etag else None

    def put(self, remote_id: str, body: bytes, condition: dict[str, str]) -> Answer:
        """Write one resource on a condition (`If-Match` or `If-None-Match`) and return the raw answer."""
        return self._send("PUT", href_of(self.url, remote_id), body, {**_ICS, **condition})

    def delete(self, remote_id: str, condition: dict[str, str]) -> Answer:
        """Remove one resource on a condition, telling nobody (RFC 6638 8.1), and return the raw answer."""
        return self._send("DELETE", href_of(self.url, remote_id), b"", {"Schedule-Reply": "F", **condition})

    def _own(self, answer: Multistatus) -> Response:
        for row in answer.responses:
            if member_of(self.url, row.href) == "":
                if row.status >= 400:
                    raise error_for("PROPFIND", row.status, {})
                return row
        raise Malformed("the answer does not speak about the calendar")

    def _dav(self, method: str, body: bytes, *, depth: str) -> Multistatus:
        headers = {**_XML, "Depth": depth}
        answer = self._send(method, self.url, body, headers)
        if self._has_moved(answer):
            answer = self._send(method, self.url, body, headers)
        return multistatus_of(answer, self.client, method)

    def _has_moved(self, answer: Answer) -> bool:
        """Follow a calendar that its server moved for good, once a calendar is seen there; the URL is then another.

        Cyrus redirects to a place that does not exist where a right was taken away (sheet 2): NotFound then.
        """
        if answer.status not in MOVED_FOR_GOOD:
            return False
        there = Collection(self.client, as_collection(next_hop(self.url, answer)))
        there.exists()
        self.url = there.url
        return True

    def _send(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        answer = self.client.send(method, url, body=body, headers=headers)
        self.last_headers = dict(answer.headers)
        return answer


def multistatus_of(answer: Answer, client: Client, method: str) -> Multistatus:
    """Return what a 207 says; other statuses are raised as errors about the calendar, a web page is Malformed."""
    if answer.status == 200 and answer.content_type not in _XML_TYPES:
        raise Malformed(f"{method} answered with a web page")
    client.expect(answer, method, 207)
    if answer.content_type not in _XML_TYPES:
        raise Malformed(f"{method} answered 207 without XML")
    return parse_multistatus(answer.body)
