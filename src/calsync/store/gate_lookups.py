"""What the gate looks up about appointments by other things than their ids. Called by `claims` only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, bindparam, func, select, type_coerce

from calsync.store.gate_rows import NEIGHBOUR
from calsync.store.gate_values import NeighbourRow
from calsync.store.rows import chunks
from calsync.store.schema import providers
from calsync.store.schema_claims import clearances
from calsync.store.schema_records import appointments, record_history

# No session is longer than a day; instants are microseconds.
_A_DAY: Final = 24 * 3600 * 1_000_000


def overlapping(conn: Connection, ids: Iterable[str]) -> dict[str, list[NeighbourRow]]:
    """The other appointments of each one's provider that run at the same time, by appointment."""
    found: dict[str, list[NeighbourRow]] = defaultdict(list)
    for part in chunks(ids):
        for row in conn.execute(_OVERLAPPING, {"ids": part}):
            found[row[0]].append(NEIGHBOUR.of(row[1:]))
    return dict(found)


def times_since(conn: Connection, ids: Iterable[str]) -> dict[str, datetime]:
    """Since when each one has had the times that it has; those that never had others are left out."""
    found: dict[str, datetime] = {}
    for part in chunks(ids):
        changes = conn.execute(_CHANGES, {"ids": part})
        # A later change takes the place of an earlier one.
        found |= {subject: at for subject, at, before, after in changes if _has_other_times(before, after)}
    return found


def _has_other_times(before: dict[str, Any] | None, after: dict[str, Any] | None) -> bool:
    if before is None or after is None:
        return False
    return any(before.get(name) != after.get(name) for name in _TIMES)


def parties(conn: Connection, ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Provider and client of those of the appointments that are on the books, by id."""
    return {row.id: (row.provider, row.client) for part in chunks(ids) for row in conn.execute(_PARTIES, {"ids": part})}


def codes_cleared(conn: Connection, ids: Iterable[str]) -> dict[str, frozenset[str]]:
    """The codes that somebody was told yes for, whatever was planned, by appointment; those without are left out."""
    found: dict[str, set[str]] = defaultdict(set)
    for part in chunks(sorted(set(ids))):
        for row in conn.execute(_CLEARED, {"ids": part}):
            if row.answer.get("code") is not None:
                found[row.appointment].add(row.answer["code"])
    return {key: frozenset(codes) for key, codes in found.items()}


def in_any_case(conn: Connection, ids: Iterable[str]) -> dict[str, list[str]]:
    """The appointments whose ids are these but for the case of their letters, by the id in small letters."""
    found: dict[str, list[str]] = defaultdict(list)
    for part in chunks(sorted({one.lower() for one in ids})):
        for row in conn.execute(_IN_ANY_CASE, {"ids": part}):
            found[row.small].append(row.id)
    return dict(found)


def known_providers(conn: Connection, ids: Iterable[str]) -> set[str]:
    """Those of the ids that are providers'."""
    return {str(one) for part in chunks(ids) for one in conn.execute(_PROVIDERS, {"ids": part}).scalars()}


def known_clients(conn: Connection, ids: Iterable[str]) -> set[str]:
    """Those of the ids that some appointment has as its client."""
    return {str(one) for part in chunks(ids) for one in conn.execute(_CLIENTS, {"ids": part}).scalars()}


_TIMES: Final = ("start", "end", "zone")
_a = appointments.c
_h = record_history.c
_b = appointments.alias("beside").c
_IDS: Any = bindparam("ids", expanding=True)
_LATEST: Any = type_coerce(_a.end_at, BigInteger) + _A_DAY
_OVERLAPPING = (
    select(_a.id, *(_b[name] for name in NEIGHBOUR.names))
    .where(
        _a.id.in_(_IDS),
        _b.provider == _a.provider,
        _b.id != _a.id,
        # Both ends of a range, so that little more than the overlap itself is read from the index.
        _b.end_at > _a.start_at,
        type_coerce(_b.end_at, BigInteger) <= _LATEST,
        _b.start_at < _a.end_at,
    )
    .order_by(_a.id, _b.start_at, _b.id)
)
_CHANGES = (
    select(_h.subject, _h.at, _h.before, _h.after)
    .where(_h.kind == "appointment", _h.subject.in_(_IDS))
    .order_by(_h.subject, _h.seq)
)
_CLEARED = select(clearances.c.appointment, clearances.c.answer).where(clearances.c.appointment.in_(_IDS))
_PARTIES = select(_a.id, _a.provider, _a.client).where(_a.id.in_(_IDS))
_IN_ANY_CASE = select(_a.id, func.lower(_a.id).label("small")).where(func.lower(_a.id).in_(_IDS))
_PROVIDERS = select(providers.c.id).where(providers.c.id.in_(_IDS))
_CLIENTS = select(_a.client).where(_a.client.in_(_IDS)).distinct()
