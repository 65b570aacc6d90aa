"""A session is cancelled whose event a person made into one of her own: it stays, asked about, and goes by her word."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calsync.answers.words import Answer
from calsync.domain.drift import Disposition, DriftKind, Resolution
from calsync.store import audit
from calsync.testing.weather import lost_request
from tests.unit.answers.test_edits import Desked


@pytest.fixture
def world() -> Desked:
    made = Desked()
    made.book("4821", "2026-11-24T10:00")
    made.book("4822", "2026-11-26T10:00")
    made.run()
    return made


def made_her_own(world: Desked) -> str:
    """She fills the first event with something else; its session is cancelled."""
    name = min(world.shown(), key=lambda one: world.shown()[one].start)
    world.people.drag(name, timedelta(hours=9))
    world.people.retitle(name, "Choir")
    world.book("4821", "2026-11-24T10:00", status="cancelled")
    return name


def test_it_stays_and_is_asked_about_once(world: Desked) -> None:
    hers = made_her_own(world)
    before = world.people.see(hers)
    for _ in range(3):
        world.run()
        world.later(minutes=3)
    world.run(full=True)
    assert world.people.see(hers) == before
    [told] = world.drifts()
    assert (told.kind, told.disposition, told.resolution) == (DriftKind.MOVED, Disposition.FLAG, Resolution.OPEN)


def test_restore_takes_it_away(world: Desked) -> None:
    hers = made_her_own(world)
    world.run()
    world.answer(Answer.RESTORE)
    world.run()
    assert hers not in world.people.ids()
    assert [one.resolution for one in world.drifts()] == [Resolution.ACKNOWLEDGED]
    with world.database.reading() as conn:
        assert audit.verify(conn).is_whole


@pytest.mark.parametrize("word", [Answer.STANDS, Answer.DISMISS])
def test_any_other_word_leaves_it_to_her_for_good(world: Desked, word: Answer) -> None:
    hers = made_her_own(world)
    world.run()
    world.answer(word)
    before = world.people.see(hers)
    for full in (False, True):
        world.later(minutes=3)
        world.run(full=full)
    assert world.people.see(hers) == before
    assert len(world.drifts()) == 1


def test_restore_does_not_take_what_she_changed_since(world: Desked) -> None:
    hers = made_her_own(world)
    world.run()
    world.answer(Answer.RESTORE)
    world.people.drag(hers, timedelta(days=1))
    before = world.people.see(hers)
    for _ in range(3):
        world.run()
        world.later(minutes=3)
    assert world.people.see(hers) == before


def test_a_title_that_nobody_has_read_is_on_the_books_before_its_event_goes(world: Desked) -> None:
    name = min(world.shown(), key=lambda one: world.shown()[one].start)
    world.people.retitle(name, "Ask about the move")
    world.book("4821", "2026-11-24T10:00", status="cancelled")
    world.service.weather.next("write", lost_request())
    for _ in range(3):
        world.run(full=True)
        world.later(minutes=3)
    assert name not in world.people.ids()
    [told] = world.drifts()
    assert (told.appointment, told.kind, told.resolution) == ("4821", DriftKind.RETITLED, Resolution.SUPERSEDED)
    assert told.observed is not None
    assert "move" not in told.observed.title
