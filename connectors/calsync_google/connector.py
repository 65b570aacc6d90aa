"""The Google plug-in: found through the entry point group `calsync.connectors` as `google`."""

from __future__ import annotations

import hashlib
from typing import cast
from urllib.parse import urlsplit

from calsync.connector.consent import Consent
from calsync.connector.errors import CalendarError, Forbidden, NotFound
from calsync.connector.protocol import PROTOCOL_VERSION, Calendar, CalendarPlace, OpenRequest
from calsync.errors import Problem, UserError
from calsync_google import consenting
from calsync_google.access import account_of, credentials_for, is_dedicated
from calsync_google.account_lock import AccountLocks
from calsync_google.calendar import GoogleCalendar, require_writer, role_of
from calsync_google.client import Client, Endpoints
from calsync_google.errors import Refused
from calsync_google.mapping import Reader
from calsync_google.quirks import PRIMARY, intent_of
from calsync_google.settings import CalendarSettings, ConnectorSettings
from calsync_google.transport import Pool, Wire


class GoogleConnector:
    """Opens calendars of Google accounts.

    `OpenRequest.extras` may hold `addresses` (the owner's mail addresses, whose answers count as the owner's).
    """

    name = "google"
    protocol_version = PROTOCOL_VERSION
    connector_settings = ConnectorSettings
    calendar_settings = CalendarSettings

    def __init__(self) -> None:
        self._locks = AccountLocks()
        self._pool = Pool()

    def locate(self, request: OpenRequest) -> CalendarPlace:
        """Find the named calendar, or make one of our own; UserError where the named one cannot be used."""
        client = self._client(request)
        try:
            if is_dedicated(request, _calendar(request)):
                return _dedicated(client, request)
            return _existing(client, request)
        finally:
            client.close()

    def open(self, request: OpenRequest, place: CalendarPlace) -> Calendar:
        """Return the calendar at a place, without any request yet."""
        settings, calendar = _settings(request), _calendar(request)
        addresses = {str(text).lower() for text in request.extras.get("addresses", ())}
        if calendar.subject is not None:
            addresses.add(calendar.subject.lower())
        return GoogleCalendar(
            self._client(request),
            place.remote,
            Reader(request.zone, frozenset(addresses)),
            account=account_of(request, calendar),
            locks=self._locks,
            searches=settings.search_other_calendars,
        )

    def consent_url(self, request: OpenRequest, consent: Consent, login_hint: str) -> str:
        """See `calsync.connector.consent.Consenting`."""
        return consenting.consent_url(request, _settings(request), _calendar(request), consent, login_hint)

    def redeem(self, request: OpenRequest, consent: Consent, code: str) -> str:
        """See `calsync.connector.consent.Consenting`."""
        return consenting.redeem(request, _settings(request), _calendar(request), consent, code)

    def _client(self, request: OpenRequest) -> Client:
        settings, calendar = _settings(request), _calendar(request)
        delegated = settings.service_account_file is not None
        account = account_of(request, calendar)
        credentials = credentials_for(request, settings, calendar)
        return Client(
            endpoints_of(settings),
            Wire(self._pool, settings.timeout.total_seconds(), settings.token_uri),
            credentials,
            hashlib.sha256(account.encode()).hexdigest()[:32] if delegated else None,
        )


def endpoints_of(settings: ConnectorSettings) -> Endpoints:
    """Return where the service lies; batches go to the same host unless the config says otherwise."""
    parts = urlsplit(settings.api_endpoint)
    batch = settings.batch_endpoint or f"{parts.scheme}://{parts.netloc}/batch/calendar/v3"
    return Endpoints(settings.api_endpoint, batch, settings.token_uri)


def _dedicated(client: Client, request: OpenRequest) -> CalendarPlace:
    if request.remote:
        # Where it was put before. One that a provider deleted is made again by a person only.
        client.calendar(request.remote)
        return CalendarPlace(request.remote)
    intent = intent_of(request.dedicated_id)
    found = _made_before(client, intent) if _settings(request).search_other_calendars else None
    if found is not None:
        return CalendarPlace(found, made=True)
    body = {"summary": request.dedicated_name, "description": intent, "timeZone": request.zone}
    made = client.make_calendar(body).get("id")
    if not isinstance(made, str) or not made:
        raise NotFound("Google made a calendar without a name")
    return CalendarPlace(made, made=True)


def _made_before(client: Client, intent: str) -> str | None:
    """Return the calendar that an earlier try made whose answer was lost, where the account may list its calendars."""
    answer = client.calendar_list(minAccessRole="owner", maxResults=250)
    rows = [] if isinstance(answer, Refused) else answer.get("items", [])
    for row in rows:
        if isinstance(row, dict) and row.get("description") == intent and isinstance(row.get("id"), str):
            return str(row["id"])
    return None


def _existing(client: Client, request: OpenRequest) -> CalendarPlace:
    name = request.remote or _calendar(request).calendar_id or PRIMARY
    try:
        require_writer(role_of(client, name))
    except (Forbidden, NotFound) as refusal:
        if request.remote:
            raise
        raise UserError([Problem(_why(refusal), f"calendar {request.calendar_id}, key calendar_id", _REMEDY)]) from None
    return CalendarPlace(name)


_REMEDY = (
    'Write "primary", or the id that the calendar\'s settings page shows, and share it with the right to '
    "make changes to events"
)


def _why(refusal: CalendarError) -> str:
    gone = isinstance(refusal, NotFound)
    return "is no calendar that this account can see" if gone else f"cannot be written to ({refusal})"


def _settings(request: OpenRequest) -> ConnectorSettings:
    return cast("ConnectorSettings", request.connector_settings)


def _calendar(request: OpenRequest) -> CalendarSettings:
    return cast("CalendarSettings", request.calendar_settings)


CONNECTOR = GoogleConnector()
