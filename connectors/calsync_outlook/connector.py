"""The Outlook plug-in: found through the entry point group `calsync.connectors` as `outlook`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import quote

from calsync.connector.consent import Consent, DeviceCode
from calsync.connector.errors import NotFound
from calsync.connector.protocol import PROTOCOL_VERSION, Calendar, CalendarPlace, OpenRequest
from calsync.errors import Problem, UserError
from calsync.ports import Clock
from calsync_outlook import consenting
from calsync_outlook.access import client_for, mailbox_prefix
from calsync_outlook.calendar import OutlookCalendar
from calsync_outlook.client import Client
from calsync_outlook.errors import Refused
from calsync_outlook.mailbox import Mailbox
from calsync_outlook.reading import Loader
from calsync_outlook.settings import CalendarSettings, ConnectorSettings

Json = dict[str, Any]


class OutlookConnector:
    """Opens calendars of Microsoft 365. `OpenRequest.extras` must hold `clock`, a `calsync.ports.Clock`."""

    name = "outlook"
    protocol_version = PROTOCOL_VERSION
    connector_settings = ConnectorSettings
    calendar_settings = CalendarSettings

    def locate(self, request: OpenRequest) -> CalendarPlace:
        """Find the calendar, or find-or-make the dedicated one; where that cannot be, UserError names those found."""
        calendar = cast("CalendarSettings", request.calendar_settings)
        prefix = mailbox_prefix(request, calendar)
        client = _client(request)
        try:
            return _Finder(client, prefix, request).find(calendar.calendar_id)
        finally:
            client.close()

    def open(self, request: OpenRequest, place: CalendarPlace) -> Calendar:
        """Return the calendar at a place, without any request yet."""
        prefix = mailbox_prefix(request, cast("CalendarSettings", request.calendar_settings))
        clock = cast("Clock", request.extras.get("clock") or _FixedClock())
        return OutlookCalendar(Loader(Mailbox(_client(request), prefix, place.remote), request.zone, clock))

    def consent_url(self, request: OpenRequest, consent: Consent, login_hint: str) -> str:
        """See `calsync.connector.consent.Consenting`."""
        return consenting.consent_url(cast("ConnectorSettings", request.connector_settings), consent, login_hint)

    def redeem(self, request: OpenRequest, consent: Consent, code: str) -> str:
        """See `calsync.connector.consent.Consenting`."""
        return consenting.redeem(request, cast("ConnectorSettings", request.connector_settings), consent, code)

    def device_code(self, request: OpenRequest) -> DeviceCode | None:
        """See `calsync.connector.consent.DeviceConsenting`."""
        return consenting.device_code(cast("ConnectorSettings", request.connector_settings))

    def redeem_device(self, request: OpenRequest, device: DeviceCode) -> str | None:
        """See `calsync.connector.consent.DeviceConsenting`."""
        return consenting.redeem_device(request, cast("ConnectorSettings", request.connector_settings), device)


class _FixedClock:
    """Stands in where no clock is given: occurrences of series are then looked at around this date only."""

    def now(self) -> datetime:
        """Always the same instant."""
        return datetime(2026, 1, 1, tzinfo=UTC)


class _Finder:
    """Finds, or makes, one calendar in a mailbox."""

    def __init__(self, client: Client, prefix: str, request: OpenRequest) -> None:
        self._client = client
        self._path = f"{prefix}/calendars"
        self._mailbox = Mailbox(client, prefix, "")
        self._prefix = prefix
        self._request = request

    def find(self, named: str | None) -> CalendarPlace:
        """Return the place of the calendar that the config means."""
        known = self._request.remote or named
        if known is not None:
            return self._known(known)
        if self._request.placement != "dedicated":
            return CalendarPlace(str(self._client.get(f"{self._prefix}/calendar").get("id")))
        return self._made()

    def _known(self, calendar: str) -> CalendarPlace:
        answer = self._client.call("GET", f"{self._path}/{quote(calendar, safe='')}")
        if not isinstance(answer, Refused):
            return CalendarPlace(str(answer.object().get("id", calendar)))
        if self._request.remote is not None or answer.status not in (400, 404):
            # One that a provider deleted is made again by a person only.
            raise NotFound("the calendar is no longer there") if answer.is_absent else answer.error()
        rows = ", ".join(f"{row.get('id')} ({row.get('name')})" for row in self._listed()[:20])
        where = f"calendar {self._request.calendar_id}, key calendar_id"
        raise UserError([Problem("there is no such calendar in the mailbox", where, f"Set it to one of them: {rows}")])

    def _made(self) -> CalendarPlace:
        """Make it under a name that only we would choose, so that a repeat finds it, and name it for people then."""
        name = self._request.dedicated_name
        tagged = f"{name} ({self._request.dedicated_id[:8]})" if self._request.dedicated_id else name
        there = self._named(tagged)
        if there is None:
            answer = self._client.call("POST", self._path, body={"name": tagged})
            if isinstance(answer, Refused) and answer.status != 409:
                raise answer.error()
            # The id in that answer is not always the one that lasts (sheet 4): it is looked up.
            there = self._named(tagged)
        if there is None:
            raise NotFound("the calendar that was made is not listed")
        if tagged != name:
            # A person may have a calendar of that name already; then ours keeps its tag.
            self._client.call("PATCH", f"{self._path}/{quote(there, safe='')}", body={"name": name})
        return CalendarPlace(there, made=True)

    def _named(self, name: str) -> str | None:
        return next((str(row.get("id")) for row in self._listed() if row.get("name") == name), None)

    def _listed(self) -> list[Json]:
        return list(self._mailbox.listing(self._path))


def _client(request: OpenRequest) -> Client:
    settings = cast("ConnectorSettings", request.connector_settings)
    return client_for(request, settings, cast("CalendarSettings", request.calendar_settings))


CONNECTOR = OutlookConnector()
