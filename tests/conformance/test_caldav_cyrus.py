"""The CalDAV connector against a real Cyrus, whose kin is Fastmail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calsync.testing.conformance import CalendarConformance, Subject
from tests.servers.caldav_subject import BadToken, CaldavSubject
from tests.servers.cyrus_server import cyrus
from tests.servers.process import Server
from tests.servers.service_account import shared_folder


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with shared_folder("cyrus") as folder:
        running = cyrus(folder)
        running.start()
        yield running
        running.stop()


class TestCyrus(CalendarConformance):
    @pytest.fixture(autouse=True)
    def _server(self, server: Server) -> None:
        self.server = server

    def make_subject(self) -> Subject:
        return CaldavSubject(self.server, BadToken("data:,1-999999"))
