"""The CalDAV connector against a real SOGo."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calsync.testing.conformance import CalendarConformance, Subject
from tests.servers.caldav_subject import CaldavSubject
from tests.servers.process import Server
from tests.servers.service_account import shared_folder
from tests.servers.sogo_server import sogo


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with shared_folder("sogo") as folder:
        running = sogo(folder)
        running.start()
        yield running
        running.stop()


class TestSogo(CalendarConformance):
    @pytest.fixture(autouse=True)
    def _server(self, server: Server) -> None:
        self.server = server

    def make_subject(self) -> Subject:
        return CaldavSubject(self.server, None, in_seconds=True)
