"""Real servers for whole-installation tests: started once per module, in folders of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.meddling_proxy import MeddlingProxy
from tests.servers.process import Server
from tests.servers.radicale_server import radicale
from tests.system.site import Site


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A Radicale of this test's own."""
    folder = tmp_path / "radicale"
    folder.mkdir()
    running = radicale(folder)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def proxy(server: Server) -> Iterator[MeddlingProxy]:
    """A proxy before that Radicale."""
    with MeddlingProxy(server.port) as running:
        yield running


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An installation that is not set up yet."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder)
