"""The CalDAV connector against a real Xandikos."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calsync.testing.conformance import CalendarConformance, Subject
from tests.servers.caldav_subject import BadToken, CaldavSubject
from tests.servers.process import Server
from tests.servers.xandikos_server import xandikos


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = xandikos(tmp_path_factory.mktemp("xandikos"))
    running.start()
    yield running
    running.stop()


class TestXandikos(CalendarConformance):
    @pytest.fixture(autouse=True)
    def _server(self, server: Server) -> None:
        self.server = server

    def make_subject(self) -> Subject:
        return CaldavSubject(self.server, BadToken("0" * 40))
