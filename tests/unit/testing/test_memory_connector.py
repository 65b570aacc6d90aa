from typing import Any

import pytest

from calsync.connector.protocol import Connector, OpenRequest
from calsync.connector.registry import Registry
from calsync.errors import UserError
from calsync.testing.memory_connector import MemoryCalendarSettings, MemoryConnector, MemoryConnectorSettings
from calsync.testing.memory_service import MemoryService


def request(placement: str = "existing", **more: Any) -> OpenRequest:
    settings = MemoryCalendarSettings.model_validate(more.pop("settings", {}))
    return OpenRequest("cal-1", MemoryConnectorSettings(), settings, placement, "Europe/Berlin", lambda: "", **more)


def test_an_existing_calendar_is_found_or_named_as_missing() -> None:
    service = MemoryService()
    connector: Connector = MemoryConnector(default=service)
    service.add_calendar("private")
    with pytest.raises(UserError, match="Found instead: private"):
        connector.locate(request())
    service.add_calendar("cal-1")
    assert connector.locate(request()).remote == "cal-1"
    assert connector.locate(request(settings={"calendar": "private"})).remote == "private"
    with pytest.raises(UserError, match="account"):
        connector.locate(request(settings={"account": "nobody"}))


def test_a_dedicated_calendar_is_made_once_and_never_made_again_by_itself() -> None:
    service = MemoryService()
    connector = MemoryConnector(default=service)
    first = connector.locate(request("dedicated", dedicated_id="derived"))
    assert (first.remote, first.made) == ("derived", True)
    assert connector.locate(request("dedicated", dedicated_id="derived")).made is False
    service.delete_calendar("derived")
    assert connector.locate(request("dedicated", dedicated_id="derived", remote="derived")).made is False
    assert service.calendars == {}


def test_it_opens_through_the_registry_without_a_request() -> None:
    service = MemoryService()
    service.add_calendar("cal-1")
    connector = MemoryConnector(default=service)
    opened = Registry([connector], plugins=[]).get("memory").open(request(), connector.locate(request()))
    assert connector.opened == [opened]
    assert service.total_requests == 0
    assert opened.locate("nobody@x") is None
