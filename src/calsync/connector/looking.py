"""What a connector offers that can look around an account before anything is made in it.

An optional ability: where it is missing, a provider chooses between a calendar of our own and the account's main one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from calsync.connector.protocol import OpenRequest


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A calendar of the account: its address for the config, and the name that people see."""

    address: str
    name: str


@dataclass(frozen=True, slots=True)
class Look:
    """The calendars that hold events, and whether one of our own may be made beside them."""

    calendars: tuple[NamedPlace, ...]
    makes_one: bool


@runtime_checkable
class Looking(Protocol):
    """A connector that can log in and look around, changing nothing."""

    def look(self, request: OpenRequest) -> Look:
        """Return what there is; UserError and connector errors as `Connector.locate` raises them."""
