"""The CalDAV plug-in: found through the entry point group `calsync.connectors` as `caldav`."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast

import dns.resolver

from calsync.connector.errors import NotFound
from calsync.connector.looking import Look, NamedPlace
from calsync.connector.protocol import PROTOCOL_VERSION, Calendar, CalendarPlace, OpenRequest
from calsync.errors import Problem, UserError
from calsync.ports import Clock
from calsync_caldav.calendar import CaldavCalendar
from calsync_caldav.client import Client, Limits, Login, check_url, tls_context
from calsync_caldav.discovery import Discovery, Found, NotMade, Place
from calsync_caldav.guard import AddressRefused, Guard, networks, origin_of
from calsync_caldav.hrefs import as_collection
from calsync_caldav.mapping import Reader
from calsync_caldav.service_records import domain_of, services_of
from calsync_caldav.settings import CalendarSettings, ConnectorSettings


class CaldavConnector:
    """Opens calendars of CalDAV servers.

    `OpenRequest.extras` may hold `clock` (a `calsync.ports.Clock`, for the time stamps of what is written),
    `addresses` (the owner's mail addresses, whose answers count as the owner's), and `typed_by_provider` (true: not
    even the URL's own host may be a private address), and `resolver` (of dnspython, for mail addresses).
    """

    name = "caldav"
    protocol_version = PROTOCOL_VERSION
    connector_settings = ConnectorSettings
    calendar_settings = CalendarSettings

    def locate(self, request: OpenRequest) -> CalendarPlace:
        """Find the calendar, or find-or-make the dedicated one; where that cannot be, UserError names those found."""
        client = _client(request)
        try:
            return _located(Discovery(client), request)
        finally:
            client.close()

    def look(self, request: OpenRequest) -> Look:
        """See `calsync.connector.looking.Looking`."""
        client = _client(request)
        try:
            discovery = Discovery(client)
            start = _start(discovery, request, _calendar(request).url)
            if start.is_calendar:
                return Look((NamedPlace(as_collection(start.url), ""),), makes_one=False)
            homes = discovery.homes(start) or _home_itself(discovery, start)
            found = discovery.calendars(homes)
            return Look(tuple(NamedPlace(one.url, one.name) for one in found), makes_one=bool(homes))
        finally:
            client.close()

    def open(self, request: OpenRequest, place: CalendarPlace) -> Calendar:
        """Return the calendar at a place, without any request yet."""
        settings = _calendar(request)
        addresses = {settings.username.lower(), *(str(text).lower() for text in request.extras.get("addresses", ()))}
        reader = Reader(request.zone, frozenset(addresses))
        clock = cast("Clock", request.extras.get("clock") or _ServerlessClock())
        return CaldavCalendar(_client(request), as_collection(check_url(place.remote)), reader, clock)


class _ServerlessClock:
    """Stands in where no clock is given: DTSTAMP is required by RFC 5545 and means nothing to calsync."""

    def now(self) -> datetime:
        """Always the same instant."""
        return datetime(2000, 1, 1, tzinfo=UTC)


def _located(discovery: Discovery, request: OpenRequest) -> CalendarPlace:
    settings = _calendar(request)
    if request.remote:
        # Where it was put before. One that a provider deleted is made again by a person only.
        kept = discovery.place(as_collection(request.remote))
        if not kept.is_calendar:
            raise NotFound("the calendar is no longer there")
        return CalendarPlace(as_collection(kept.url))
    start = _start(discovery, request, settings.url)
    if start.is_calendar:
        return CalendarPlace(as_collection(start.url))
    homes = discovery.homes(start) or _home_itself(discovery, start)
    calendars = discovery.calendars(homes)
    if request.placement != "dedicated":
        raise UserError([Problem("the url is not that of a calendar", _where(request), _choice(calendars))])
    if not homes:
        remedy = "Give the URL of a calendar, or of the account's calendar home"
        raise UserError([Problem("no calendar home was found at the url", _where(request), remedy)])
    name = f"calsync-{request.dedicated_id}" if request.dedicated_id else "calsync"
    try:
        url, made = discovery.make(homes[0], name, request.dedicated_name)
    except NotMade as refusal:
        what = f"the server does not let calsync make a calendar ({refusal})"
        raise UserError([Problem(what, _where(request), _choice(calendars))]) from None
    return CalendarPlace(url, made)


def _start(discovery: Discovery, request: OpenRequest, url: str) -> Place:
    domain = domain_of(url)
    if domain is None:
        return discovery.start(url)
    seconds = cast("ConnectorSettings", request.connector_settings).timeout.total_seconds()
    resolver = request.extras.get("resolver") or dns.resolver.get_default_resolver()
    services = list(services_of(domain, resolver, seconds))
    if (place := discovery.service(service for service in services if service.own)) is not None:
        return place
    others = [service.url for service in services if not service.own]
    what = f"no calendar service was found at {domain}"
    remedy = (
        f"The domain names {' and '.join(others)}: if that is the provider's service, set url to it"
        if others
        else "Write the URL that the service names for CalDAV"
    )
    raise UserError([Problem(what, _where(request), remedy)])


def _home_itself(discovery: Discovery, start: Place) -> tuple[str, ...]:
    # A home that names no principal still lists calendars.
    return (as_collection(start.url),) if discovery.calendars((as_collection(start.url),)) else ()


def _choice(calendars: list[Found]) -> str:
    if not calendars:
        return "No calendar was found in this account; make one in its own web page and give its URL"
    lines = ", ".join(f"{found.url} ({found.name})" if found.name else found.url for found in calendars[:20])
    return f'Set url to one of them, with placement = "existing": {lines}'


def _where(request: OpenRequest) -> str:
    return f"calendar {request.calendar_id}, key url"


def _calendar(request: OpenRequest) -> CalendarSettings:
    return cast("CalendarSettings", request.calendar_settings)


def _client(request: OpenRequest) -> Client:
    settings, calendar = cast("ConnectorSettings", request.connector_settings), _calendar(request)
    if request.extras.get("typed_by_provider") and not (_is_under_tls(calendar.url) or settings.allow_networks):
        remedy = "Write the address that begins with https://"
        raise UserError([Problem("a password is sent under TLS only", _where(request), remedy)])
    guard = Guard(_trusted(request, calendar), networks(settings.allow_networks))
    limits = Limits(settings.timeout.total_seconds(), _tls(settings))
    return Client(Login(calendar.username, request.secret()), guard, limits)


def _is_under_tls(url: str) -> bool:
    return domain_of(url) is not None or url.lower().startswith("https://")


@lru_cache(maxsize=8)
def _tls(settings: ConnectorSettings) -> ssl.SSLContext:
    # Reading the certificates takes longer than a quiet pass; they are the same for every calendar.
    file = str(settings.ca_file) if settings.ca_file is not None else None
    try:
        return tls_context(verify=settings.verify_tls, ca_file=file)
    except OSError:
        remedy = "Name a file of certificates in PEM form that calsync may read"
        raise UserError([Problem("the file cannot be used", "connectors.caldav, key ca_file", remedy)]) from None


def _trusted(request: OpenRequest, calendar: CalendarSettings) -> frozenset[tuple[str, int]]:
    if request.extras.get("typed_by_provider") or domain_of(calendar.url) is not None:
        return frozenset()
    try:
        origin = origin_of(calendar.url)
    except AddressRefused as refusal:
        raise UserError(
            [Problem(str(refusal), _where(request), "Write the URL that the service names for CalDAV")]
        ) from None
    return frozenset({(origin.host, origin.port)})


CONNECTOR = CaldavConnector()
