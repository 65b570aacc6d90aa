"""Where providers are received: the books, the connectors, the keys; who is there, and which calendar it is about."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import Connection

from calsync.connector.protocol import OpenRequest
from calsync.connector.registry import Registry
from calsync.errors import Problem, Refused
from calsync.ports import Clock, Ids
from calsync.settings.model import Settings
from calsync.settings.secrets import KeyRing
from calsync.store import calendars, connections
from calsync.store.calendars import GOING, CalendarRow
from calsync.store.database import Database
from calsync.store.providers import ProviderRow
from calsync.store.sealed_texts import bound_to_attempt
from calsync.worker.accounts import TYPED_BY_PROVIDER, keys_of

MAX_TRIES: Final = 30
"""How often one link may ask a calendar service anything; more would be guessing at passwords, or at our network."""


@dataclass(frozen=True, slots=True)
class Reception:
    """What connecting needs."""

    database: Database
    settings: Settings
    registry: Registry
    clock: Clock
    ids: Ids
    keys: Callable[[], KeyRing]

    def token(self) -> str:
        """A fresh text that nobody can guess, fit for addresses."""
        return base64.urlsafe_b64encode(self.ids.token_bytes(32)).rstrip(b"=").decode("ascii")

    def seal(self, link: str, text: str) -> str:
        """What is kept of a secret while a link's attempt is under way."""
        return self.keys().encrypt(text.encode("utf-8"), bound_to=bound_to_attempt(link), ids=self.ids)

    def unseal(self, link: str, sealed: str) -> str:
        """The secret again; WrongKeyError if the key is gone."""
        return self.keys().decrypt(sealed, bound_to=bound_to_attempt(link)).decode("utf-8")


@dataclass(frozen=True, slots=True)
class Visitor:
    """A provider behind a link. `calendar`: the only one that the link is for; None: any, and new ones."""

    link: str  # its hash
    provider: ProviderRow
    calendar: str | None = None
    by: str | None = None  # who acts, if it is not the provider

    @property
    def actor(self) -> str:
        """How audit rows name whoever acts."""
        return self.by or f"provider:{self.provider.id}"


@dataclass(frozen=True, slots=True)
class Target:
    """The calendar that an attempt is about. `known`: it is on the books already, and is connected again."""

    calendar: str
    connector: str
    placement: str
    keys: Mapping[str, Any]
    known: CalendarRow | None = None


def target_of(conn: Connection, visitor: Visitor, connector: str, placement: str) -> Target:
    """Which calendar connecting this service means: the provider's that there is, or a new one.

    Refused while the former one is still being let go, and for another than the one that the link is for.
    """
    for row in calendars.rows(conn, visitor.provider.id):
        if row.connector != connector or row.mode != "mirror" or visitor.calendar not in (None, row.id):
            continue
        if row.last_error in GOING:
            raise Refused([Problem("it is just being disconnected", f"calendar {row.id}", "Try again in a minute")])
        held = connections.get(conn, row.connection)
        keys = held.settings.get("keys", {}) if held is not None else {}
        return Target(row.id, connector, row.placement, keys, row)
    if visitor.calendar is not None:
        raise Refused([Problem("This link is for one calendar only", f"calendar {visitor.calendar}")])
    return Target(_free_id(conn, visitor.provider.id, connector), connector, placement, {})


def request_for(
    reception: Reception, visitor: Visitor, target: Target, secret: Callable[[], str] = lambda: ""
) -> OpenRequest:
    """What the connector is told about the account."""
    own = _configured(reception.settings, target.calendar)
    keys = own if own is not None else keys_of(reception.registry, target.connector, target.keys, "the account")
    return OpenRequest(
        calendar_id=target.calendar,
        connector_settings=reception.settings.connectors[target.connector],
        calendar_settings=keys,
        placement=target.placement,
        zone=visitor.provider.zone,
        secret=secret,
        keep_secret=lambda _fresh: None,
        remote=target.known.remote if target.known is not None else None,
        # What the admin's own config names is trusted; what a provider types is not (face.md, Config).
        extras={"clock": reception.clock, TYPED_BY_PROVIDER: own is None},
    )


def _configured(settings: Settings, calendar: str) -> BaseModel | None:
    return next((config.settings for _, config in settings.calendars() if config.id == calendar), None)


def _free_id(conn: Connection, provider: str, connector: str) -> str:
    """The same name each time, so that a calendar that was let go comes back as itself."""
    number = 1
    while True:
        name = f"{provider}-{connector}" + (f"-{number}" if number > 1 else "")
        row = calendars.get(conn, name)
        if row is None or (row.provider == provider and row.removed_at is not None and row.connector == connector):
            return name
        number += 1
