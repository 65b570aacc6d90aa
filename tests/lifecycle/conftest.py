"""Practices by their rules' file; those with a calendar share one real server, an account each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lifecycle.practice import Practice, wall
from tests.servers.radicale_server import radicale
from tests.system.conftest import House
from tests.system.site import Site

Make = Callable[..., Practice]


@pytest.fixture(scope="session")
def calendars(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A calendar server for all tests."""
    running = radicale(tmp_path_factory.mktemp("radicale"), users=99)
    running.start()
    yield House(running)
    running.stop()


@pytest.fixture
def make(tmp_path: Path, empty_books: Path, request: pytest.FixtureRequest) -> Make:
    """Makes the test's practice: `make("grow-therapy")`, with `mirrored=True` where P-1 has a calendar.

    Its clock stands at nine in the morning of Monday 2 November 2026, after the clocks went back on the day before.
    """

    def set_up(rules: str, *, mirrored: bool = False, more: str = "", changed: tuple[str, str] = ("", "")) -> Practice:
        folder = tmp_path / "site"
        folder.mkdir()
        hands = request.getfixturevalue("calendars").account() if mirrored else None
        practice = Practice(Site(folder, wall("2026-11-02T09:00")), hands)
        practice.set_up(rules, empty_books, more=more, changed=changed)
        return practice

    return set_up


@pytest.fixture
def grow(make: Make) -> Practice:
    """A practice with Grow Therapy's rules, without calendars."""
    return make("grow-therapy")


@pytest.fixture
def better(make: Make) -> Practice:
    """A practice with Practice Better's rules, without calendars."""
    return make("practice-better")


@pytest.fixture
def harley(make: Make) -> Practice:
    """A practice with Harley Therapy's rules, without calendars."""
    return make("harley-therapy")
