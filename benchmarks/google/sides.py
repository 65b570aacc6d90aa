"""Both clients of Google for the sweeps: the bare one, and calsync's connector."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httplib2

from benchmarks.google.stand_in import ZONE
from benchmarks.hosted.sweeps import Service
from calsync.connector.protocol import Calendar, CalendarPlace, OpenRequest
from calsync_google.connector import CONNECTOR
from calsync_google.settings import CalendarSettings, ConnectorSettings

SECRET = "sandbox-secret-1"


def bearer(http: httplib2.Http, tokens: str, refresh: str) -> str:
    """The header's value for a consent."""
    form = {"grant_type": "refresh_token", "client_id": "client-1", "client_secret": SECRET, "refresh_token": refresh}
    _, content = http.request(tokens, "POST", body=urlencode(form))
    return f"Bearer {json.loads(content)['access_token']}"


class Bare:
    """Sends the same requests and reads the answers as JSON, no more."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._http = httplib2.Http(timeout=30)
        token = bearer(self._http, told["tokens"], told["refresh"])
        self._headers = {"authorization": token, "accept": "application/json"}
        self._api = told["api"]
        self.tokens: dict[str, str] = {}

    def look(self, name: str) -> int:
        """See `Side`."""
        query = {"singleEvents": "false", "showDeleted": "true", "maxResults": "1000", "alt": "json"}
        if name in self.tokens:
            query["syncToken"] = self.tokens[name]
        uri = f"{self._api}calendars/{quote(name, safe='')}/events?{urlencode(query)}"
        _, content = self._http.request(uri, "GET", headers=self._headers)
        page = json.loads(content)
        self.tokens[name] = page["nextSyncToken"]
        return len(page["items"])


def ours(told: dict[str, Any], folder: Path) -> dict[str, Calendar]:
    """calsync's calendars."""
    secret = folder / "secret"
    secret.write_text(SECRET, encoding="utf-8")
    settings = ConnectorSettings(
        api_endpoint=told["api"], token_uri=told["tokens"], client_id="client-1", client_secret_file=secret
    )
    opened: dict[str, Calendar] = {}
    for name in told["calendars"]:
        request = OpenRequest(
            calendar_id=name,
            connector_settings=settings,
            calendar_settings=CalendarSettings(calendar_id=name),
            placement="existing",
            zone=ZONE,
            secret=lambda: str(told["refresh"]),
        )
        opened[name] = CONNECTOR.open(request, CalendarPlace(name))
    return opened


GOOGLE = Service("google", lambda told: list(told["calendars"]), Bare, ours, extra=0)
