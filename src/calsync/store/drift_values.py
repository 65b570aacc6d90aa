"""How a drift lies in its table: its columns, its history, and what of a title is kept (R-6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, Executable, bindparam

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Appearance
from calsync.domain.notation import appearance_from_data, appearance_to_data
from calsync.store.rows import Shape, chunks
from calsync.store.schema import drifts
from calsync.store.titles import hide_title


def hidden(expected: Appearance | None, seen: Appearance | None) -> Appearance | None:
    """What is kept of what was seen: a title other than ours stays as a mark only."""
    return None if seen is None else hide_title(seen, frozenset((expected.title,) if expected else ()))


def history_entry(seen: Appearance | None) -> dict[str, Any] | None:
    """What was seen, as the history keeps it."""
    return None if seen is None else appearance_to_data(seen)


def _read_history(data: Iterable[dict[str, Any] | None]) -> tuple[Appearance | None, ...]:
    return tuple(None if one is None else appearance_from_data(one) for one in data)


def grouped(
    conn: Connection, statement: Executable, ids: Iterable[str], key: Callable[[Drift], str]
) -> dict[str, list[Drift]]:
    """The drifts that a statement finds for these ids, in its order, by key."""
    found: dict[str, list[Drift]] = {}
    for part in chunks(sorted(set(ids))):
        for drift in SHAPE.all(conn, statement, {"ids": part}):
            found.setdefault(key(drift), []).append(drift)
    return found


_c = drifts.c
SHAPE = Shape(
    drifts,
    Drift,
    kind=DriftKind,
    phase=Phase,
    scope=Scope,
    disposition=Disposition,
    resolution=Resolution,
    history=_read_history,
)
IDS: Any = bindparam("ids", expanding=True)
OPEN = _c.resolution == Resolution.OPEN.value
IN_ORDER = (_c.original_start, _c.episode, _c.id)
