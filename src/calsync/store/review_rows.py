"""What the review queue and an appointment's timeline read of the books. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select, text

from calsync.domain.drift import COSMETIC, Disposition, Drift
from calsync.domain.write import Cause, WriteKind
from calsync.store import edits
from calsync.store.edits import EditRow
from calsync.store.owed_writes import OwedWrite
from calsync.store.rows import Shape, chunks
from calsync.store.schema import drifts as drifts_table
from calsync.store.schema import edits as edits_table
from calsync.store.schema import owed_writes as owed_writes_table
from calsync.store.schema_effects import action_links as action_links_table
from calsync.store.schema_support import UNANSWERED

MOST_WRITES = 100
MOST = 2000
"""Edits that one look at the queue takes in: the oldest come first."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """What became of an address that was mailed: when it was made, opened, used."""

    kind: str
    payload: dict[str, Any]
    created_at: datetime
    expires_at: datetime
    opened_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Which edits: those of a provider or a calendar, or all. `observed`: also those that a practice only observes."""

    provider: str | None = None
    calendar: str | None = None
    observed: bool = False


def waiting_edits(conn: Connection, wanted: Waiting) -> list[EditRow]:
    """Edits of which at least one drift waits for a person's answer, the oldest first, at most `MOST`."""
    ids = [str(one) for one in conn.execute(_narrowed(wanted)).scalars()]
    known = edits.by_ids(conn, ids)
    return [known[one] for one in ids if one in known]


def is_waiting(drift: Drift, answered_by: str | None) -> bool:
    """Whether a person still has to say something about this drift; the same rule as `waiting_edits`."""
    return (
        drift.resolution.value in ("open", "reverted")
        and answered_by is None
        and drift.kind not in COSMETIC
        and drift.disposition is not Disposition.IGNORE
    )


def links_of(conn: Connection, recipient: str, since: datetime) -> list[LinkState]:
    """Addresses that were mailed to somebody from then on, the first one first."""
    return _LINK.all(conn, _LINKS, {"the_recipient": recipient, "since": since})


def writes_of(conn: Connection, link_ids: Iterable[str]) -> list[OwedWrite]:
    """What was written, or is to be, to these events, settled writes included: the latest `MOST_WRITES`, in order."""
    found: list[OwedWrite] = []
    for part in chunks(sorted(set(link_ids))):
        found += _WRITE.all(conn, _WRITES, {"ids": part})
    return sorted(found, key=lambda one: (one.created_at, one.id))[-MOST_WRITES:]


def edits_by_day(conn: Connection, since: datetime) -> list[tuple[datetime, str]]:
    """When each drift since then was seen, and what it was: for a chart of days."""
    return [(row[0], row[1]) for row in map(tuple, conn.execute(_SEEN, {"since": since}))]


def _narrowed(wanted: Waiting) -> Select[Any]:
    query = _WAITING
    if wanted.provider is not None:
        query = query.where(_d.provider == wanted.provider)
    if wanted.calendar is not None:
        query = query.where(_d.calendar == wanted.calendar)
    return query if wanted.observed else query.where(_d.disposition.not_in(_OBSERVED))


_d = drifts_table.c
_l = action_links_table.c
_OBSERVED = (Disposition.WOULD_REVERT.value, Disposition.WOULD_FLAG.value)
_WAITING = (
    select(_d.edit)
    .join(edits_table, edits_table.c.id == _d.edit)
    .where(
        text(f"drifts.{UNANSWERED}".replace("AND ", "AND drifts.")),
        _d.kind.not_in([one.value for one in COSMETIC]),
        _d.disposition != Disposition.IGNORE.value,
    )
    .group_by(_d.edit)
    .order_by(func.min(_d.detected_at), _d.edit)
    .limit(MOST)
)
_LINK = Shape(action_links_table, LinkState)
_LINKS = (
    select(*_LINK.columns)
    .where(_l.recipient == bindparam("the_recipient"), _l.created_at >= bindparam("since", type_=_l.created_at.type))
    .order_by(_l.created_at, _l.hash)
)
_SEEN = (
    select(_d.detected_at, _d.kind)
    .where(
        _d.detected_at >= bindparam("since", type_=_d.detected_at.type),
        _d.kind.not_in([one.value for one in COSMETIC]),
    )
    .order_by(_d.detected_at)
)
_w = owed_writes_table.c
_IDS: Any = bindparam("ids", expanding=True)
_WRITE = Shape(owed_writes_table, OwedWrite, kind=WriteKind, cause=Cause)
_WRITES = (
    select(*_WRITE.columns).where(_w.link.in_(_IDS)).order_by(_w.created_at.desc(), _w.id.desc()).limit(MOST_WRITES)
)
