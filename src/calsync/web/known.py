"""What an address or a body names: found on the books, or answered with 404."""

from __future__ import annotations

from typing import Final, TypeVar

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment, Series
from calsync.errors import NotFoundError
from calsync.store import clients, providers, records
from calsync.store.clients import ClientRow
from calsync.store.providers import ProviderRow

_SHOWN: Final = 128
Row = TypeVar("Row")


def known_appointment(conn: Connection, key: str) -> Appointment:
    """Return the appointment; NotFoundError where there is none."""
    return _known(records.appointment(conn, key), "appointment", key)


def known_series(conn: Connection, key: str) -> Series:
    """Return the series; NotFoundError where there is none."""
    return _known(records.series(conn, key), "series", key)


def known_provider(conn: Connection, key: str) -> ProviderRow:
    """Return the provider; NotFoundError where there is none."""
    return _known(providers.get(conn, key), "provider", key)


def known_client(conn: Connection, key: str) -> ClientRow:
    """Return the client; NotFoundError where there is none."""
    return _known(clients.get(conn, key), "client", key)


def _known(found: Row | None, what: str, key: str) -> Row:
    if found is None:
        raise NotFoundError(what, key[:_SHOWN])
    return found
