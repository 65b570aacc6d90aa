"""The CalDAV connector against a real Radicale."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calsync.testing.conformance import CalendarConformance, Subject
from tests.servers.caldav_subject import BadToken, CaldavSubject
from tests.servers.process import Server
from tests.servers.radicale_server import radicale


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = radicale(tmp_path_factory.mktemp("radicale"))
    running.start()
    yield running
    running.stop()


class TestRadicale(CalendarConformance):
    @pytest.fixture(autouse=True)
    def _server(self, server: Server) -> None:
        self.server = server

    def make_subject(self) -> Subject:
        return CaldavSubject(self.server, BadToken("http://radicale.org/ns/sync/" + "0" * 64))
