"""The Outlook connector against the Graph stand-in, in each reading of what the contract sheet is unsure of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calsync.sandbox.graph.knobs import Knobs, SeriesRows
from calsync.sandbox.graph.server import Sandbox
from calsync.testing.conformance import CalendarConformance, Subject
from tests.servers.graph_subject import GraphSubject, graph


class OnTheStandIn(CalendarConformance):
    """Each class has a stand-in of its own; whatever a check does, nobody gets mail."""

    __test__ = False
    knobs = Knobs()

    @pytest.fixture(scope="class")
    @classmethod
    def sandbox(cls) -> Iterator[Sandbox]:
        with graph(cls.knobs) as running:
            yield running

    @pytest.fixture(autouse=True)
    def _places(self, sandbox: Sandbox, tmp_path: Path) -> Iterator[None]:
        self.graph, self.folder = sandbox, tmp_path
        yield
        assert [box.outbox for box in sandbox.state.mailboxes.values() if box.outbox] == []

    def make_subject(self) -> Subject:
        return GraphSubject(self.graph, self.folder)


class TestOccurrencesAndMasterInDelta(OnTheStandIn):
    __test__ = True


class TestMasterAloneInDelta(OnTheStandIn):
    __test__ = True
    knobs = Knobs(series_rows=SeriesRows.MASTER_ONLY, exception_moves_master_key=False)


class TestOccurrencesAloneInDelta(OnTheStandIn):
    __test__ = True
    knobs = Knobs(
        series_rows=SeriesRows.INSTANCES_ONLY, exception_moves_master_key=False, honours_if_match=False,
        empty_pages=True, government=True, remembers_deleted_transactions=False,
    )  # fmt: skip
