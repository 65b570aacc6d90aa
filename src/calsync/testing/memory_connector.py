"""A connector whose calendars are in memory, so that whatever opens calendars by name can open these in tests."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

from calsync.connector.protocol import PROTOCOL_VERSION, CalendarPlace, OpenRequest
from calsync.errors import UserError
from calsync.testing.memory_calendar import MemoryCalendar
from calsync.testing.memory_service import MemoryService

NAME: Final = "memory"


class MemoryConnectorSettings(BaseModel):
    """`[connectors.memory]`: no keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MemoryCalendarSettings(BaseModel):
    """A calendar's keys: the account, and for an existing calendar its name there (else the calendar's id)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: str = "default"
    calendar: str = ""


class MemoryConnector:
    """Opens the calendars of the services it was given, by account name. Secrets are neither needed nor read."""

    name = NAME
    protocol_version = PROTOCOL_VERSION
    connector_settings: type[BaseModel] = MemoryConnectorSettings
    calendar_settings: type[BaseModel] = MemoryCalendarSettings

    def __init__(self, **accounts: MemoryService) -> None:
        self.accounts = accounts
        self.opened: list[MemoryCalendar] = []

    def locate(self, request: OpenRequest) -> CalendarPlace:
        """Find or make the calendar; `UserError` when an existing one or the account is not there."""
        service, settings = self._service(request)
        if request.remote is not None:
            return CalendarPlace(request.remote)  # where it was put before; if it is gone, its requests will say so
        if request.placement == "dedicated":
            name = request.dedicated_id or request.dedicated_name
            made = name not in service.calendars
            service.add_calendar(name)
            return CalendarPlace(name, made=made)
        name = settings.calendar or request.calendar_id
        if name not in service.calendars:
            found = ", ".join(sorted(service.calendars)) or "none"
            raise UserError.of(f"there is no calendar {name!r}", settings.account, f"Found instead: {found}")
        return CalendarPlace(name)

    def open(self, request: OpenRequest, place: CalendarPlace) -> MemoryCalendar:
        """Return a client of the calendar at a place."""
        calendar = MemoryCalendar(self._service(request)[0], place.remote)
        self.opened.append(calendar)
        return calendar

    def _service(self, request: OpenRequest) -> tuple[MemoryService, MemoryCalendarSettings]:
        settings = MemoryCalendarSettings.model_validate(request.calendar_settings.model_dump())
        if settings.account not in self.accounts:
            raise UserError.of(f"there is no account {settings.account!r}", request.calendar_id)
        return self.accounts[settings.account], settings
