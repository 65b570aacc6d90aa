"""A calendar on a real CalDAV server as a subject of the conformance suite."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from calsync.connector.protocol import Calendar, CalendarPlace, OpenRequest
from calsync.testing.conformance import Subject, Weakness
from calsync.testing.fake_ports import FakeClock
from calsync_caldav.connector import CONNECTOR
from calsync_caldav.settings import CalendarSettings, ConnectorSettings
from tests.servers.caldav_person import CaldavPerson, other_calendar
from tests.servers.process import Account, Server

ZONE = "America/New_York"


def open_request(
    account: Account, url: str, *, password: str | None = None, placement: str = "existing"
) -> OpenRequest:
    """A request to open what lies at a URL."""
    return OpenRequest(
        calendar_id="cal-1",
        connector_settings=ConnectorSettings(),
        calendar_settings=CalendarSettings(url=url, username=account.username),
        placement=placement,
        zone=ZONE,
        secret=lambda: account.password if password is None else password,
        dedicated_id="0123abcd",
        extras={"clock": FakeClock()},
    )


@dataclass(frozen=True, slots=True)
class BadToken:
    """A sync token in the server's own form that it never gave out."""

    text: str


class CaldavSubject(Subject):
    """One fresh calendar of a user of the server, with a second one beside it.

    `weaknesses`: see `Subject`. `in_seconds`: the server tells changes apart by the second only.
    """

    def __init__(
        self,
        server: Server,
        bad_token: BadToken | None,
        *,
        weaknesses: Mapping[Weakness, str] = MappingProxyType({}),
        in_seconds: bool = False,
        number: int = 1,
    ) -> None:
        self.weaknesses = weaknesses if bad_token else {**weaknesses, Weakness.NO_EXPIRY: "takes any token"}
        self._in_seconds = in_seconds
        self._looking = False
        self._account = server.account(number)
        self._bad_token = bad_token
        self.url = f"{self._account.home}{uuid.uuid4().hex[:12]}/"
        self.hands: CaldavPerson = CaldavPerson(self._account, self.url, ZONE)
        self.hands.make_calendar()
        self.hands.make_calendar(other_calendar(self.url))

    def open(self) -> Calendar:
        """See `Subject`."""
        return CONNECTOR.open(open_request(self._account, self.url), CalendarPlace(self.url))

    def expire(self, cursor: str) -> str:
        """See `Subject`."""
        assert self._bad_token is not None
        return json.dumps({**json.loads(cursor), "token": self._bad_token.text})

    def settle(self) -> None:
        """See `Subject`. What a server that counts in seconds says twice, it says within the second of the change."""
        self._looking = not self._looking
        if self._looking and self._in_seconds:
            second = int(time.time())
            while int(time.time()) == second:
                time.sleep(0.01)

    def open_with_wrong_password(self) -> Calendar:
        """See `Subject`."""
        return CONNECTOR.open(open_request(self._account, self.url, password="wrong"), CalendarPlace(self.url))

    def take_away(self) -> None:
        """See `Subject`."""
        self.hands.remove_calendar()

    def close(self) -> None:
        """See `Subject`."""
        self.hands.remove_calendar()
        self.hands.remove_calendar(other_calendar(self.url))
        self.hands.close()
