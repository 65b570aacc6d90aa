"""More that goes wrong: notices that come late, twice or for nothing, accounts and names that change, an older copy of
the books put in their place; and a service that says no."""

from __future__ import annotations

from calsync.connector.errors import CalendarError
from calsync.store import work
from calsync.store.work import Priority
from calsync.testing.weather import Fault, FaultKind
from tests.simulation import passes
from tests.simulation.acts import doing
from tests.simulation.people_edits import back, person
from tests.simulation.plan import Act
from tests.simulation.services import ERRORS
from tests.simulation.world import World

# What `calsync db restore` does to an older copy before anybody works with it.
_AFTER_RESTORE = (
    "UPDATE calendars SET cursor = NULL, inventory_at = NULL, lease_owner = NULL, lease_until = NULL, "
    "books_restored_at = coalesce(last_read_at, 0)"
)


def _notice(world: World, calendar: str) -> None:
    with world.web.transaction() as conn:
        work.push(conn, calendar, world.clock.now(), Priority.PUSH)


@doing("hook")
def _hook(world: World, act: Act) -> None:
    """The service's notice of a change is `lost`, `doubled`, `late`, `forged` (nothing changed), or `early`."""
    how, calendar = act["how"], act["calendar"]
    world.fired(f"hook-{how}")
    if how == "late":
        world.clock.advance(900)
    elif how == "early":
        world.services.all[world.places[calendar]].weather.next(f"{calendar}/changes", Fault(FaultKind.LAG, count=2))
    if how != "lost":
        _notice(world, calendar)
    if how == "doubled":
        _notice(world, calendar)
        passes.work_due(world, 0)
        _notice(world, calendar)
    passes.work_due(world, 0)


@doing("trouble")
def _trouble(world: World, act: Act) -> None:
    service = world.services.all[act["service"] % len(world.services.all)]
    error: CalendarError | None = ERRORS[act["error"]] if act.get("error") else None
    service.trouble = error
    if error is not None:
        world.fired(f"trouble:{act['error']}")


@doing("read-only")
def _read_only(world: World, act: Act) -> None:
    service = world.services.all[world.places[act["calendar"]]]
    service.calendars[act["calendar"]].read_only = act["on"]
    if act["on"]:
        world.fired("read-only")


@doing("expire")
def _expire(world: World, act: Act) -> None:
    service = world.services.all[world.places[act["calendar"]]]
    if service.calendars[act["calendar"]].cursors:
        world.observer.mark("cursor-expired")
        world.fired("expire")
    service.calendars[act["calendar"]].expire_cursors()


@doing("short-listing")
def _short_listing(world: World, act: Act) -> None:
    """Everything has to be listed anew, and the listing lacks its last items."""
    calendar = act["calendar"]
    service = world.services.all[world.places[calendar]]
    service.calendars[calendar].expire_cursors()
    world.fired("short-listing")
    weather = service.weather
    # The first call is refused for its cursor; the listing is the second.
    nth = weather.calls[f"{calendar}/changes"]
    weather.at(f"{calendar}/changes", nth + 1, Fault(FaultKind.TRUNCATED, count=act["count"]))
    weather.at(f"{calendar}/changes", nth + 2, Fault(FaultKind.TRUNCATED, count=act["count"]))


@doing("swap-account")
def _swap_account(world: World, act: Act) -> None:
    """The provider signs in with another account: none of ours is there, but events of somebody else."""
    calendar = act["calendar"]
    service = world.services.all[world.places[calendar]]
    people = world.people(calendar)
    world.observer.begin_wipe(calendar)
    world.swapped.setdefault(calendar, []).extend(one.key[2] for one in world.observer.alive(calendar))
    people.wipe(0)
    world.observer.wipe = 0
    service.calendars[calendar].expire_cursors()
    world.fired("swap-account")


@doing("swap-back")
def _swap_back(world: World, act: Act) -> None:
    """And with the right one again."""
    calendar = act["calendar"]
    people = world.people(calendar)
    for name in world.swapped.pop(calendar, []):
        if name not in people.ids():
            back(world, calendar, name)
    world.services.all[world.places[calendar]].calendars[calendar].expire_cursors()


def _touch(world: World, act: Act, name: str) -> None:
    """The service gives an event another version; its content stays."""
    world.services.all[world.places[act["calendar"]]].calendars[act["calendar"]].touch(name)
    world.fired("touched")


def _rename(world: World, act: Act, name: str) -> None:
    """The service gives an event another id."""
    people = world.people(act["calendar"])
    people.duplicate(name)
    people.delete(name)
    world.fired("renamed")


person("touch", _touch)
person("rename", _rename)


@doing("backup")
def _backup(world: World, _act: Act) -> None:
    world.backup = world.books.image()


@doing("restore-backup")
def _restore_backup(world: World, _act: Act) -> None:
    """The books are those of the last backup again; calendars and mails stay as they are."""
    if world.backup is None:
        return
    world.fired("restored")
    world.observer.mark("backup-restored")
    world.observer.power_lost = True
    world.workers.clear()
    world.books.restore(world.backup)
    world.books.change(_AFTER_RESTORE)
    world.forget_books()
