"""What somebody names in a command, an address or a file: found on the books, or NotFoundError."""

from __future__ import annotations

from typing import Final, TypeVar

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment, Series
from calsync.errors import NotFoundError
from calsync.store import calendars, clients, providers, records
from calsync.store.calendars import CalendarRow
from calsync.store.clients import ClientRow
from calsync.store.providers import ProviderRow

_SHOWN: Final = 128  # names come from strangers, and may be of any length
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


def known_calendar(conn: Connection, key: str) -> CalendarRow:
    """Return the calendar, one that was taken off the books too; NotFoundError where there is none."""
    return _known(calendars.get(conn, key), "calendar", key)


def calendar_in_use(conn: Connection, key: str) -> CalendarRow:
    """Return the calendar; NotFoundError where there is none, or none any more."""
    row = calendars.get(conn, key)
    return _known(None if row is None or row.removed_at is not None else row, "calendar", key)


def _known(found: Row | None, what: str, key: str) -> Row:
    if found is None:
        raise NotFoundError(what, key[:_SHOWN])
    return found
