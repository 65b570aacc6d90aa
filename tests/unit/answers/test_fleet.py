"""The stop of all writes (R-14): what it keeps back, what it lets happen, and how a person releases it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from calsync.answers import fleet as words
from calsync.answers.words import Desk
from calsync.errors import Refused
from calsync.notices.texts import Texts
from calsync.reconcile.fleet import is_released
from calsync.settings.model import Fleet, Settings
from calsync.store import audit, calendars, installation, outbox
from calsync.worker import fleet
from tests.unit.notices.office import Office
from tests.unit.worker.world import World

ONE_IS_ENOUGH = Fleet(min_calendars=1)


def found(world: World) -> None:
    """Have an installation, as every worker makes one at its start."""
    with world.database.transaction() as conn:
        installation.ensure(conn, "installation-1", "here", world.clock.now())


class Stopped(World):
    """Two calendars, each with an edit that would be put back, and the watch that sees them."""

    def __init__(self) -> None:
        super().__init__()
        found(self)
        self.desk = Desk(self.database, Settings(path=Path("calsync.toml")), self.clock, self.ids)
        self.book("1", "2026-11-24T10:00")
        self.run()
        self.service.add_calendar("home")
        self.link("home")
        self.run("home")

    def drag(self) -> None:
        for calendar in ("work", "home"):
            people = type(self.people)(self.service, calendar)
            people.drag(people.ids()[0], timedelta(hours=4))
            assert self.run(calendar).drifts == 1

    def starts(self) -> list[str]:
        shown = []
        for calendar in ("work", "home"):
            people = type(self.people)(self.service, calendar)
            shown += [f"{people.see(one).event.master.span.start:%H:%M}" for one in people.ids()]
        return shown

    def passes(self) -> None:
        for calendar in ("work", "home"):
            self.run(calendar)


@pytest.fixture
def world() -> Stopped:
    return Stopped()


def test_a_wave_of_edits_stops_all_writes_before_they_are_put_back(world: Stopped) -> None:
    assert fleet.watch(world.database, ONE_IS_ENOUGH, world.clock.now()) is None
    world.drag()
    assert fleet.watch(world.database, ONE_IS_ENOUGH, world.clock.now()) is not None
    assert fleet.watch(world.database, ONE_IS_ENOUGH, world.clock.now()) is None  # one alarm
    world.later(minutes=5)
    world.passes()
    assert world.starts() == ["14:00", "14:00"]
    assert len(world.drifts()) == 2
    with world.database.reading() as conn:
        told = outbox.of_recipient(conn, "support", world.clock.now().replace(year=2000))
        assert [one.kind for one in told] == ["fleet-stopped"]
        assert audit.verify(conn).is_whole


def test_a_release_goes_in_stages_and_ends_with_everything_in_step(world: Stopped) -> None:
    world.drag()
    fleet.watch(world.database, ONE_IS_ENOUGH, world.clock.now())
    world.later(minutes=5)
    world.passes()
    assert [one.writes for one in words.status(world.desk).stages] == [
        sum(is_released(name, share) for name in ("work", "home")) for share in (0.01, 0.1, 1.0)
    ]
    words.release(world.desk, 0.1, by="support:ann")
    with pytest.raises(Refused):
        words.release(world.desk, 0.01, by="support:ann")
    world.passes()
    assert world.starts() == ["10:00" if is_released(name, 0.1) else "14:00" for name in ("work", "home")]
    words.release(world.desk, 1.0, by="support:ann", note="a provider moved house")
    assert fleet.watch(world.database, ONE_IS_ENOUGH, world.clock.now()) is None  # judged already
    world.passes()
    assert world.starts() == ["10:00", "10:00"]
    assert words.status(world.desk).stop is None
    with pytest.raises(Refused):
        words.release(world.desk, 1.0, by="support:ann")


def test_the_stop_survives_a_restart(world: Stopped) -> None:
    words.stop(world.desk, by="support:ann", because="records look wrong")
    world.worker = world.new_worker()
    world.book("2", "2026-11-25T10:00")
    world.passes()
    assert len(world.starts()) == 2
    assert not words.stop(world.desk, by="support:ann", because="again")
    standing = words.status(world.desk).stop
    assert standing is not None
    assert standing.because == "records look wrong"


def test_lost_logins_stop_the_fleet_too(world: Stopped) -> None:
    with world.database.transaction() as conn:
        for calendar in ("work", "home"):
            calendars.set_state(conn, calendar, "needs-reconnect", "auth-revoked", world.clock.now())
    world.later(hours=2)
    assert fleet.watch(world.database, ONE_IS_ENOUGH, world.clock.now()) is None  # it is longer ago than the period
    world.clock.set(world.clock.now() - timedelta(minutes=90))
    assert fleet.watch(world.database, ONE_IS_ENOUGH, world.clock.now()) is not None


def test_mails_to_people_wait_and_the_alarm_goes() -> None:
    office = Office()
    found(office.world)
    office.world.book("1", "2026-11-24T10:00")
    office.world.run()
    office.world.people.drag(office.world.only(), timedelta(hours=4))
    office.world.run()
    desk = Desk(office.world.database, office.settings, office.world.clock, office.world.ids)
    words.stop(desk, by="support:ann", because="records look wrong")
    for _ in range(4):
        office.drained(minutes=20)
    assert [mail["To"] for mail in office.mails] == ["support@example.org"]
    assert "records look wrong" in office.texts[0]
    words.release(desk, 1.0, by="support:ann")
    office.drained(minutes=20)
    assert [mail["To"] for mail in office.mails][1:] == ["p1@example.org"]
    assert Texts().words("fleet-stopped", {"because": "x"}).subject
