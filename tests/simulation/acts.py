"""What can happen in a history, by name, and what the rooms of acts share.

An act whose object is not there does nothing. The rooms: `hosts` (time and processes), `bookings`, `staff`, `answers`,
`filing`, `people_edits` (on events of ours), `foreign_events` (that are not), `trouble`. `carrying` reads them all.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from calsync.domain.span import Span
from calsync.errors import NotFoundError, UserError
from calsync.store.errors import StoreUnavailable
from tests.simulation.plan import Act
from tests.simulation.world import ZONE, World

Doing = Callable[[World, Act], None]
DOINGS: dict[str, Doing] = {}


def doing(name: str) -> Callable[[Doing], Doing]:
    """Give an act its name."""

    def enter(act: Doing) -> Doing:
        DOINGS[name] = act
        return act

    return enter


def span_of(act: Act) -> Span:
    """When the session of an act is."""
    start = datetime.fromisoformat(act["start"])
    return Span(start, start + timedelta(minutes=act.get("minutes", 50)), ZONE)


def web(world: World, call: Callable[[Any], object], mark: str) -> None:
    """Carry out a command in a transaction of its own; a refusal is an answer, too."""
    try:
        with world.web.transaction() as conn:
            call(conn)
        world.observer.mark(mark)
    except StoreUnavailable:
        raise
    except (UserError, NotFoundError, ValueError):
        world.observer.mark("refused")


def member(world: World, act: Act) -> str | None:
    """An appointment by the subject's id and, for a series, the place of its session among all."""
    rows = world.books.rows(
        "SELECT id FROM appointments WHERE id = ? OR id LIKE ? ORDER BY start_at", act["id"], act["id"] + "@%"
    )
    if not rows:
        return None
    return str(rows[act.get("occurrence", 0) % len(rows)][0])
