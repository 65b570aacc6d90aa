"""The CalDAV connector against a real DAViCal; run by `./dev conformance davical`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calsync.testing.conformance import CalendarConformance, Subject
from tests.conformance.split_series import SplitSeriesChecks
from tests.servers.caldav_subject import CaldavSubject
from tests.servers.davical_server import davical
from tests.servers.process import Server
from tests.servers.service_account import shared_folder

pytestmark = pytest.mark.on_request


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with shared_folder("davical") as folder:
        running = davical(folder)
        running.start()
        yield running
        running.stop()


class TestDavical(SplitSeriesChecks, CalendarConformance):
    @pytest.fixture(autouse=True)
    def _server(self, server: Server) -> None:
        self.server = server

    def make_subject(self) -> Subject:
        return CaldavSubject(self.server, None)
