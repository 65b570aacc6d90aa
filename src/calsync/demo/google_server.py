"""A provider on Google for the demo: the stand-in with her account, her part of the config, her hands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from calsync.domain.span import wall_time
from calsync.ports import Clock
from calsync.sandbox.google.discovery import SCOPE
from calsync.sandbox.google.people import Person
from calsync.sandbox.google.server import Sandbox
from calsync.sandbox.google.times import instant_of

RIGHT = f"{SCOPE}calendar.app.created"


@dataclass(frozen=True, slots=True)
class GoogleDesk:
    """The running stand-in and the person who has an account there."""

    sandbox: Sandbox
    person: Person
    zone: str

    def write_config(self, folder: Path, provider: str, name: str) -> str:
        """Write the secrets into a folder; returns her part of the config, with the connector's."""
        client = self.sandbox.tokens.clients["client-1"]
        token = self.sandbox.tokens.consent(self.person.email, {RIGHT})
        for file, secret in ((f"{provider}.token", token), ("google-client", client.secret)):
            path = folder / file
            path.touch(mode=0o600)
            path.write_text(f"{secret}\n", encoding="utf-8")
        return (
            f'\n[connectors.google]\napi_endpoint = "{self.sandbox.api_endpoint}"\n'
            f'token_uri = "{self.sandbox.token_uri}"\nclient_id = "{client.id}"\nclient_secret_file = "google-client"\n'
            f'\n[[providers]]\nid = "{provider}"\nname = "{name}"\nemail = "{self.person.email}"\n'
            f'zone = "{self.zone}"\n'
            f'[[providers.calendars]]\nid = "{provider}-calendar"\nconnector = "google"\n'
            f'refresh_token_file = "{provider}.token"\n'
        )

    def starts(self) -> list[datetime]:
        """Wall-time starts of all that her calendars show."""
        return sorted(start for _, _, start in self._events())

    def drag(self, start: datetime, by: timedelta) -> None:
        """Drag what starts at a wall time."""
        calendar, name = self._at(start)
        self.person.drag(calendar, name, by)

    def delete(self, start: datetime) -> None:
        """Delete what starts at a wall time."""
        self.person.delete(*self._at(start))

    def _at(self, start: datetime) -> tuple[str, str]:
        return next((calendar, name) for calendar, name, at in self._events() if at == start)

    def _events(self) -> list[tuple[str, str, datetime]]:
        with self.sandbox.lock:
            return [
                (calendar.id, body["id"], wall_time(instant_of(body["start"], self.zone), self.zone))
                for calendar in self.sandbox.state.calendars.values()
                for body in self.person.events(calendar.id)
            ]


@contextmanager
def running_google(clock: Clock, email: str, zone: str) -> Iterator[GoogleDesk]:
    """The stand-in on a free port of this machine, until the end of the block."""
    sandbox = Sandbox(clock).start()
    sandbox.tokens.add_client()
    try:
        yield GoogleDesk(sandbox, sandbox.add_person(email, zone), zone)
    finally:
        sandbox.stop()
