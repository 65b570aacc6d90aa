"""Real servers for whole-installation tests: started once per module, in folders of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from tests.servers.meddling_proxy import MeddlingProxy
from tests.servers.process import Server
from tests.servers.radicale_server import radicale
from tests.system.hands import Hands
from tests.system.site import NOW, Site


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


@dataclass(slots=True)
class House:
    """A Radicale that a module's tests share; each test takes an account that nobody has used."""

    server: Server
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def account(self) -> Hands:
        """The next unused account."""
        one = self.server.account(next(self.numbers))
        return Hands(one.home, one.username)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A Radicale for all tests of a module."""
    running = radicale(tmp_path_factory.mktemp("radicale"), users=99)
    running.start()
    yield House(running)
    running.stop()


@pytest.fixture
def hands(house: House) -> Hands:
    """An account of its own for a test."""
    return house.account()


@pytest.fixture
def practice(site: Site, hands: Hands) -> Site:
    """An installation with one provider, whose calendar is the account of `hands`; its clock stands."""
    site.now = NOW
    site.add_provider("P-1", hands.home, hands.user)
    return site
