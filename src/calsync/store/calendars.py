"""Calendars: what they are, where they were found, how they stand. Their work (due, lease) is in `work`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, bindparam, func, insert, select, update

from calsync.store import stops, webhooks
from calsync.store.rows import Shape
from calsync.store.schema import calendars, links
from calsync.store.stops import StopRow


class CalendarState(StrEnum):
    """How a calendar stands, everywhere in these words (rulings, last section)."""

    ACTIVE = "active"
    NEEDS_RECONNECT = "needs-reconnect"
    READ_ONLY = "read-only"
    UNREACHABLE = "unreachable"
    STOPPED = "stopped"
    PAUSED = "paused"


# The errors of a paused calendar that is to be removed: first it is read once more, then our events are taken out. What
# is missing from then on was taken out by us.
LEAVING = "leaving"
TAKING_OUT = "leaving: events are taken out"
GOING = frozenset({LEAVING, TAKING_OUT})

# The error of a calendar that is paused because no configuration names it any more.
NOT_IN_CONFIG = "not in the configuration any more: `calsync calendars remove` takes it away for good"

# The error of a calendar that is paused because the configuration means another one by its id.
DECLARED_ELSEWHERE = (
    "the configuration means another account, calendar or provider by this id: give that one an id of its own, or, if "
    "it is this very calendar under another name, `calsync calendars resume`"
)

# Errors of pauses that nobody gave, and that end when the configuration means the calendar again.
LET_GO = frozenset({NOT_IN_CONFIG, DECLARED_ELSEWHERE})


@dataclass(frozen=True, slots=True)
class CalendarSpec:
    """What a calendar is declared to be. `mode` is "mirror" or "busy", `source` "config" or "database"."""

    id: str
    provider: str
    connection: str
    connector: str
    mode: str
    placement: str
    source: str


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """A calendar's whole row. `remote` is the service's address of it; `making_since` an intent to make it (R-25)."""

    id: str
    provider: str
    connection: str
    connector: str
    mode: str
    placement: str
    source: str
    remote: str | None
    making_since: datetime | None
    state: CalendarState
    state_since: datetime | None
    last_error: str | None
    cursor: str | None
    last_read_at: datetime | None
    inventory_at: datetime | None
    removed_at: datetime | None
    due_at: datetime
    priority: int
    generation: int
    done_generation: int
    attempts: int
    not_before: datetime | None
    lease_owner: str | None
    lease_until: datetime | None
    fence: int
    titles: str | None = None
    declared: str | None = None
    books_restored_at: datetime | None = None


def get(conn: Connection, calendar: str) -> CalendarRow | None:
    """The calendar, removed or not; None when it is not on the books."""
    return _SHAPE.first(conn, _GET, {"the_id": calendar})


def rows(conn: Connection, provider: str | None = None, *, removed: bool = False) -> list[CalendarRow]:
    """All calendars, or one provider's, by id; removed ones only if asked for."""
    query = select(*_SHAPE.columns).order_by(_c.id)
    if provider is not None:
        query = query.where(_c.provider == provider)
    if not removed:
        query = query.where(_c.removed_at.is_(None))
    return _SHAPE.all(conn, query)


def register(conn: Connection, spec: CalendarSpec, now: datetime) -> bool:
    """Put the calendar on the books as declared, due at once if it is new or was removed; True if it is.

    One that is known keeps its state, cursor and work; it leaves the pause that its absence from the config caused, for
    the rest that a person gave it or has to end, if there is one.
    One that was removed begins anew: it is looked for, and read in full.
    """
    known = get(conn, spec.id)
    if known is None:
        conn.execute(_ADD, {**_SPEC.values(spec), "due_at": now, "state_since": now})
        return True
    change = {name: value for name, value in _SPEC.values(spec).items() if getattr(known, name) != value}
    if known.removed_at is not None:
        change |= {"removed_at": None, "remote": None, "cursor": None, "inventory_at": None, "due_at": now}
    was_let_go = known.removed_at is not None or known.last_error in LET_GO
    if known.state is CalendarState.PAUSED and was_let_go:
        stop = stops.standing(conn, spec.id) if known.removed_at is None else None
        set_state(conn, spec.id, *_as_it_was(stop), now)
        change |= {"due_at": now, "not_before": None, "attempts": 0}
    if change:
        conn.execute(update(calendars).where(_c.id == spec.id).values(change))
    return known.removed_at is not None


def set_remote(conn: Connection, calendar: str, remote: str | None) -> None:
    """Remember the service's address of the calendar; it is not being made any more."""
    conn.execute(_SET_REMOTE, {"the_id": calendar, "remote": remote})


def forget_remote(conn: Connection, calendar: str) -> None:
    """Forget the service's address and the place in its feed: the next pass finds or makes the calendar anew."""
    conn.execute(_FORGET_REMOTE, {"the_id": calendar})


def forget_cursor(conn: Connection, calendar: str) -> None:
    """Forget the place in its feed: the next pass compares everything."""
    conn.execute(_FORGET_CURSOR, {"the_id": calendar})


def set_placement(conn: Connection, calendar: str, placement: str) -> None:
    """Remember whether the calendar is our own ("dedicated") or the provider's ("existing")."""
    conn.execute(_SET_PLACEMENT, {"the_id": calendar, "to_placement": placement})


def set_titles(conn: Connection, calendar: str, titles: str) -> None:
    """Remember how titles name clients in this calendar's events from now on."""
    conn.execute(_SET_TITLES, {"the_id": calendar, "to_titles": titles})


def set_declared(conn: Connection, calendar: str, declared: str) -> None:
    """Remember where the config says it is (see `worker.declared`)."""
    conn.execute(_SET_DECLARED, {"the_id": calendar, "to_declared": declared})


def set_making(conn: Connection, calendar: str, at: datetime | None) -> None:
    """Remember, before asking the service, that a calendar is being made since `at`; None: no more (R-25)."""
    conn.execute(_SET_MAKING, {"the_id": calendar, "at": at})


def set_state(conn: Connection, calendar: str, state: CalendarState | str, error: str | None, at: datetime) -> bool:
    """Put the calendar into a state; True if it was in another one. The error is kept up to date in any case."""
    parameters = {"the_id": calendar, "to_state": CalendarState(state).value, "error": error, "at": at}
    if conn.execute(_SET_STATE, parameters).rowcount == 1:
        told = {"calendar": calendar, "state": parameters["to_state"]}
        effect = f"calendar.state:{calendar}:{parameters['to_state']}:{at.isoformat()}"
        webhooks.emit(conn, effect, "calendar.state", f"calendar:{calendar}", told, at)
        return True
    conn.execute(_SET_ERROR, {"the_id": calendar, "error": error})
    return False


def save_reading(
    conn: Connection, calendar: str, cursor: str | None, read_at: datetime, inventory_at: datetime | None = None
) -> None:
    """Remember where the feed goes on, when the request began, and when versions were last compared in full.

    Once all were compared, what an older copy of the books knows of earlier readings counts again.
    """
    parameters = {"the_id": calendar, "cursor": cursor, "read_at": read_at, "inventory_at": inventory_at}
    conn.execute(_SAVE_READING, parameters)
    if inventory_at is not None:
        conn.execute(_COMPARED, {"the_id": calendar})


def books_restored(conn: Connection, at: datetime) -> None:
    """These books are an older copy since `at`: places in feeds and leases are void, and all calendars due at once.

    Readings in them prove nothing until each calendar has been compared with them in full.
    """
    conn.execute(_BOOKS_RESTORED, {"at": at})


def remove(conn: Connection, calendar: str, at: datetime) -> None:
    """Take the calendar off the mirrored ones; its links and history stay, and where it is while events of ours do."""
    conn.execute(_REMOVE, {"the_id": calendar, "at": at})


def _as_it_was(stop: StopRow | None) -> tuple[CalendarState, str | None]:
    """How a calendar stands while a stop of it does, and why; None: nothing keeps it from being worked on."""
    if stop is None:
        return CalendarState.ACTIVE, None
    if stop.kind == "pause":
        return CalendarState.PAUSED, stop.evidence.get("note")
    return CalendarState.STOPPED, "calendar-gone" if stop.kind == "lost" else "mass-change"


def missing_from_config(conn: Connection, ids: Collection[str], at: datetime) -> list[str]:
    """Pause every calendar of the config that is not among `ids` any more; those that were not paused before."""
    known = conn.execute(_OF_CONFIG).scalars().all()
    missing = [one for one in known if one not in ids]
    for calendar in missing:
        set_state(conn, calendar, CalendarState.PAUSED, NOT_IN_CONFIG, at)
    return missing


def leaving(conn: Connection) -> list[str]:
    """Calendars whose provider has disconnected them, and that still have events of ours to take out."""
    return list(conn.execute(_LEAVING).scalars())


def link_counts(conn: Connection) -> dict[str, int]:
    """How many links every calendar has that are not history; calendars without any are left out."""
    return {row[0]: row[1] for row in conn.execute(_LINK_COUNTS)}


def link_count(conn: Connection, calendar: str) -> int:
    """How many links this calendar has that are not history."""
    return int(conn.execute(_LINK_COUNT, {"the_id": calendar}).scalar_one())


_c = calendars.c
_SHAPE = Shape(calendars, CalendarRow, state=CalendarState)
_SPEC = Shape(calendars, CalendarSpec)
_THIS = _c.id == bindparam("the_id")
_GET = select(*_SHAPE.columns).where(_THIS)
_ADD = insert(calendars)
_SET_REMOTE = update(calendars).where(_THIS).values(remote=bindparam("remote"), making_since=None)
_FORGET_REMOTE = update(calendars).where(_THIS).values(remote=None, cursor=None, inventory_at=None)
_FORGET_CURSOR = update(calendars).where(_THIS).values(cursor=None, inventory_at=None)
_SET_PLACEMENT = update(calendars).where(_THIS).values(placement=bindparam("to_placement"))
_SET_TITLES = update(calendars).where(_THIS).values(titles=bindparam("to_titles"))
_SET_DECLARED = update(calendars).where(_THIS).values(declared=bindparam("to_declared"))
_SET_MAKING = update(calendars).where(_THIS).values(making_since=bindparam("at"))
_SET_STATE = (
    update(calendars)
    .where(_THIS, _c.state != bindparam("to_state"))
    .values(state=bindparam("to_state"), state_since=bindparam("at"), last_error=bindparam("error"))
)
_SET_ERROR = (
    update(calendars)
    .where(_THIS, _c.last_error.is_distinct_from(bindparam("error", type_=_c.last_error.type)))
    .values(last_error=bindparam("error"))
)
_SAVE_READING = (
    update(calendars)
    .where(_THIS)
    .values(
        cursor=bindparam("cursor"),
        last_read_at=bindparam("read_at"),
        inventory_at=func.coalesce(bindparam("inventory_at", type_=_c.inventory_at.type), _c.inventory_at),
    )
)
_COMPARED = update(calendars).where(_THIS, _c.books_restored_at.is_not(None)).values(books_restored_at=None)
_BOOKS_RESTORED = update(calendars).values(
    cursor=None,
    inventory_at=None,
    due_at=bindparam("at"),
    lease_owner=None,
    lease_until=None,
    books_restored_at=bindparam("at"),
)
_REMOVE = update(calendars).where(_THIS).values(removed_at=bindparam("at"), state="paused", state_since=bindparam("at"))
_OF_CONFIG = select(_c.id).where(_c.source == "config", _c.removed_at.is_(None), _c.state != "paused").order_by(_c.id)
_LEAVING = (
    select(_c.id).where(_c.state == "paused", _c.last_error.in_(sorted(GOING)), _c.removed_at.is_(None)).order_by(_c.id)
)
_ALIVE = links.c.state != "retired"
_LINK_COUNTS = select(links.c.calendar, func.count()).where(_ALIVE).group_by(links.c.calendar)
_LINK_COUNT = select(func.count()).where(links.c.calendar == bindparam("the_id"), _ALIVE)
