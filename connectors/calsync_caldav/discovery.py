"""From what an admin wrote to a calendar: RFC 6764, RFC 5397 and RFC 4791 6.2.1, one PROPFIND at a time.

Redirects are followed here and nowhere else, at most five, and only within the host that the config names; never from
https to http. Credentials are therefore sent to that host alone (and to hosts that it names as homes, past the guard).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

from calsync.connector.errors import Forbidden, Malformed, NotFound, Unavailable
from calsync_caldav import dav_xml
from calsync_caldav.client import Client
from calsync_caldav.collection import multistatus_of
from calsync_caldav.dav_xml import CALDAV, DAV
from calsync_caldav.errors import error_for
from calsync_caldav.guard import AddressRefused, Origin, origin_of
from calsync_caldav.hrefs import as_collection, located, path_of
from calsync_caldav.multistatus import Response
from calsync_caldav.quirks import well_known_roots
from calsync_caldav.redirects import REDIRECTS, next_hop
from calsync_caldav.service_records import Service

_HOPS = 5
_XML = {"Content-Type": "application/xml; charset=utf-8"}
_SELF = ("d:resourcetype", "d:displayname", "d:current-user-principal", "c:calendar-home-set")


class NotMade(Exception):
    """The server makes no calendar; the message says how it answered."""


@dataclass(frozen=True, slots=True)
class Found:
    """A calendar of events in an account: its URL (ending in a slash) and the name that people see."""

    url: str
    name: str


@dataclass(frozen=True, slots=True)
class Place:
    """What lies at a URL: whether it is a calendar, and the homes it leads to directly or through its principal."""

    url: str
    is_calendar: bool
    principal: str | None
    homes: tuple[str, ...]


class Discovery:
    """Looks around one account."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def place(self, url: str) -> Place:
        """Return what lies at a URL, following redirects on its host."""
        final, row = self._look(url)
        types = row.inner.get(f"{DAV}resourcetype", ())
        return Place(
            final,
            is_calendar=f"{CALDAV}calendar" in types,
            principal=next(iter(self._hrefs(final, row, f"{DAV}current-user-principal")), None),
            homes=tuple(self._hrefs(final, row, f"{CALDAV}calendar-home-set")),
        )

    def start(self, url: str) -> Place:
        """Return what lies at the URL that an admin wrote: without its last slash, or just a server's name, is fine.

        A longer path that leads nowhere is not looked for elsewhere: it may be a calendar's, misspelt.
        """
        try:
            return self.place(url)
        except (NotFound, Malformed, Forbidden) as failure:
            roots = well_known_roots("/") if path_of(url) == "/" else ()
            for candidate in (as_collection(url), *(urljoin(url, root) for root in roots)):
                if candidate != url and (found := self._maybe(candidate)) is not None:
                    return found
            raise failure from None

    def service(self, services: Iterable[Service]) -> Place | None:
        """Return what lies at the first service that answers as a CalDAV server; AuthRevoked where one refuses us."""
        for service in services:
            for url in (service.url, urljoin(service.url, "/.well-known/caldav")):
                try:
                    place = self._maybe(url)
                except Unavailable:
                    break  # nobody listens there: the next one
                if place is not None and (place.is_calendar or place.homes or place.principal):
                    return place
        return None

    def _maybe(self, url: str) -> Place | None:
        try:
            return self.place(url)
        except (NotFound, Malformed, Forbidden):
            return None

    def homes(self, start: Place) -> tuple[str, ...]:
        """Return the calendar homes that a place leads to; empty where none can be found."""
        if start.homes:
            return start.homes
        if start.principal and (homes := self._homes_of(start.principal)):
            return homes
        for root in well_known_roots(path_of(start.url)):
            place = self._maybe(urljoin(start.url, root))
            if place is None:
                continue
            homes = place.homes or (self._homes_of(place.principal) if place.principal else ())
            if homes:
                return homes
        return ()

    def calendars(self, homes: tuple[str, ...]) -> list[Found]:
        """Return the calendars that hold events, over all homes, without inboxes, outboxes and task lists."""
        return [found for home in homes for found in self._calendars_in(home)]

    def make(self, home: str, name: str, title: str) -> tuple[str, bool]:
        """Return the URL of our own calendar `name` in a home, made if it is not there, and whether it was made now.

        NotMade where the server does not want to; a repeat after a lost answer finds the calendar of the first try.
        """
        url = f"{as_collection(home)}{name}/"
        if self._is_calendar(url):
            return url, False
        answer = self._client.send("MKCALENDAR", url, body=dav_xml.mkcalendar(title), headers=_XML)
        if answer.status in {429, 503}:
            raise error_for("MKCALENDAR", answer.status, answer.headers)
        if not self._is_calendar(url):
            raise NotMade(f"MKCALENDAR answered {answer.status}")
        return url, answer.status in {200, 201}

    def _is_calendar(self, url: str) -> bool:
        try:
            return self.place(url).is_calendar
        except (NotFound, Malformed):
            return False

    def _homes_of(self, principal: str) -> tuple[str, ...]:
        return self.place(principal).homes

    def _calendars_in(self, home: str) -> Iterator[Found]:
        names = ("d:resourcetype", "d:displayname", "c:supported-calendar-component-set")
        answer = self._client.send("PROPFIND", home, body=dav_xml.propfind(*names), headers={**_XML, "Depth": "1"})
        for row in multistatus_of(answer, self._client, "PROPFIND").responses:
            url = located(home, row.href)
            components = row.inner.get(f"{CALDAV}supported-calendar-component-set", ())
            if url is None or f"{CALDAV}calendar" not in row.inner.get(f"{DAV}resourcetype", ()):
                continue
            if not components or "VEVENT" in components:
                yield Found(as_collection(url), row.props.get(f"{DAV}displayname", "").strip())

    def _look(self, url: str) -> tuple[str, Response]:
        for _ in range(_HOPS):
            body = dav_xml.propfind(*_SELF)
            answer = self._client.send("PROPFIND", url, body=body, headers={**_XML, "Depth": "0"})
            if answer.status not in REDIRECTS:
                rows = multistatus_of(answer, self._client, "PROPFIND").responses
                return url, _own(url, rows)
            url = next_hop(url, answer)
        raise Malformed("too many redirects")

    def _hrefs(self, base: str, row: Response, name: str) -> Iterator[str]:
        for href in row.inner.get(name, ()):
            if href.startswith("{"):
                continue  # <unauthenticated/>: a login that was not taken (sheet 1.1, Cyrus)
            try:
                url = urljoin(base, href)
                there, here = origin_of(url), origin_of(base)
            except (AddressRefused, ValueError):
                continue
            if _may_see_the_login(here, there):
                yield as_collection(url)


def _may_see_the_login(here: Origin, there: Origin) -> bool:
    # A home on another host (iCloud's partitions) must be of the same domain, and under TLS.
    if here.host == there.host:
        return there.scheme == "https" or here.scheme == "http"
    return there.scheme == "https" and there.host.split(".")[-2:] == here.host.split(".")[-2:]


def _own(url: str, rows: tuple[Response, ...]) -> Response:
    if not rows:
        raise Malformed("an empty multistatus")
    wanted = as_collection(path_of(url))
    row = next((row for row in rows if as_collection(path_of(row.href)) == wanted), rows[0])
    if row.status >= 400:
        raise error_for("PROPFIND", row.status, {})
    return row


def elsewhere(discovery: Discovery, collection: str) -> list[Found]:
    """Return the account's other calendars; empty where the server does not lead to them."""
    try:
        found = discovery.calendars(discovery.homes(discovery.place(collection)))
    except (NotFound, Forbidden, Malformed):
        return []
    return [calendar for calendar in found if path_of(calendar.url) != path_of(collection)]
