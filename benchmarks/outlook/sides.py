"""Both clients of Graph for the sweeps: the bare one, and calsync's connector."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from benchmarks.hosted.sweeps import WINDOW, Service
from benchmarks.outlook.stand_in import HOME, TENANT
from calsync.connector.protocol import Calendar, CalendarPlace, OpenRequest
from calsync.sandbox.graph.server import CLIENT_ID, CLIENT_SECRET
from calsync.system_ports import SystemClock
from calsync_outlook.client import PREFER
from calsync_outlook.connector import CONNECTOR
from calsync_outlook.mailbox import instant_text
from calsync_outlook.ours import EXPANSION
from calsync_outlook.settings import CalendarSettings, ConnectorSettings


def client(ca_file: str) -> httpx.Client:
    """The HTTP library as calsync sets it up: connections are kept."""
    context = ssl.create_default_context(cafile=ca_file)
    return httpx.Client(verify=context, trust_env=False, timeout=30, limits=httpx.Limits(keepalive_expiry=60))


def bearer(http: httpx.Client, authority: str) -> str:
    """The header's value for the application."""
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    answer = http.post(f"{authority}/{TENANT}/oauth2/v2.0/token", data=form | {"scope": f"{authority}/.default"})
    return f"Bearer {answer.json()['access_token']}"


class Bare:
    """Sends the same requests and reads the answers as JSON, no more."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._root = told["graph"]
        self._http = client(told["ca"])
        token = bearer(self._http, told["authority"])
        self._headers = {"Authorization": token, "Accept": "application/json", "Prefer": PREFER}
        self._pages = {**self._headers, "Prefer": f"{PREFER}, odata.maxpagesize=200"}
        self._places = dict(told["mailboxes"])
        self.links: dict[str, str] = {}

    def look(self, name: str) -> int:
        """See `Side`; what changed is read, as a delta row is only a hint."""
        link = self.links.get(name) or self._first(name)
        is_first, changed = name not in self.links, []
        while link:
            page = self._http.get(link, headers=self._pages).json()
            changed += [row["id"] for row in page["value"]]
            link = page.get("@odata.nextLink", "")
            self.links[name] = page.get("@odata.deltaLink", "")
        if not is_first:
            self._read(name, changed)
        return len(changed)

    def _first(self, name: str) -> str:
        start = WINDOW.start - timedelta(days=30)
        times = {"startDateTime": instant_text(start), "endDateTime": instant_text(WINDOW.end + timedelta(days=90))}
        place = quote(self._places[name], safe="")
        return f"{self._root}/users/{quote(name, safe='@')}/calendars/{place}/calendarView/delta?{urlencode(times)}"

    def _read(self, name: str, changed: list[str]) -> None:
        query = urlencode({"$select": "*", "$expand": EXPANSION}, quote_via=quote, safe="$*/():,'")
        for event in changed:
            path = f"/users/{quote(name, safe='@')}/events/{quote(event, safe='')}?{query}"
            self._http.get(self._root + path, headers=self._headers).json()


def ours(told: dict[str, Any], folder: Path) -> dict[str, Calendar]:
    """calsync's calendars."""
    secret = folder / "secret"
    secret.write_text(CLIENT_SECRET, encoding="utf-8")
    settings = ConnectorSettings(
        graph_url=told["graph"],
        authority=told["authority"],
        tenant=TENANT,
        client_id=CLIENT_ID,
        client_secret_file=secret,
        ca_file=told["ca"],
    )
    opened: dict[str, Calendar] = {}
    for upn, calendar in told["mailboxes"]:
        request = OpenRequest(
            calendar_id=upn,
            connector_settings=settings,
            calendar_settings=CalendarSettings(user=upn, calendar_id=calendar),
            placement="existing",
            zone=HOME,
            secret=lambda: "",
            extras={"clock": SystemClock()},
        )
        opened[upn] = CONNECTOR.open(request, CalendarPlace(calendar))
    return opened


OUTLOOK = Service("outlook", lambda told: [upn for upn, _ in told["mailboxes"]], Bare, ours, extra=1)
