"""Observations: what readings showed of sessions, as evidence for the claims gate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select

from calsync.domain.event import Appearance
from calsync.store.rows import Shape, chunks
from calsync.store.schema import observations
from calsync.store.titles import hide_title


@dataclass(frozen=True, slots=True)
class Observation:
    """What one reading showed of one session. `read_at`: when its request began. `seen` None: it was not there.

    `drift` recorded exactly this difference; `after_end`: read after end and settle; `linked_at` and `written_at` are
    the link's first and last confirmed write as they stood then (R-20).
    """

    calendar: str
    link: str
    appointment: str
    read_at: datetime
    seen: Appearance | None
    version: str | None
    drift: str | None = None
    after_end: bool = False
    linked_at: datetime | None = None
    written_at: datetime | None = None


def insert(conn: Connection, observation: Observation) -> None:
    """Add an observation; it takes the place of an earlier one of that session and calendar that proves nothing."""
    conn.execute(_REPLACE, {"the_appointment": observation.appointment, "the_calendar": observation.calendar})
    # A title is no evidence of a time, and may name a client.
    seen = None if observation.seen is None else hide_title(observation.seen, frozenset())
    conn.execute(_ADD, _SHAPE.values(replace(observation, seen=seen)))


def of_appointments(conn: Connection, ids: Iterable[str]) -> dict[str, list[Observation]]:
    """All observations of these appointments, by appointment, the first one first; those without any are left out."""
    found: dict[str, list[Observation]] = {}
    for part in chunks(sorted(set(ids))):
        for one in _SHAPE.all(conn, _OF_APPOINTMENTS, {"ids": part}):
            found.setdefault(one.appointment, []).append(one)
    return found


_c = observations.c
_SHAPE = Shape(observations, Observation)
_IDS: Any = bindparam("ids", expanding=True)
_ADD = observations.insert()
_PROVES_NOTHING = and_(_c.after_end.is_(False), _c.drift.is_(None))
_REPLACE = observations.delete().where(
    _c.appointment == bindparam("the_appointment"), _c.calendar == bindparam("the_calendar"), _PROVES_NOTHING
)
_OF_APPOINTMENTS = select(*_SHAPE.columns).where(_c.appointment.in_(_IDS)).order_by(_c.appointment, _c.read_at, _c.seq)
