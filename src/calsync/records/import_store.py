"""Between the file import and the books: loads what a file may touch, and writes what its plan says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.domain.series_slots import SeriesDefaults
from calsync.records.import_plan import Books, Change, Plan
from calsync.store import clients, import_rows, providers, record_batch, record_changes, records
from calsync.store.record_values import SeriesFacts
from calsync.store.rows import chunks

COMPLETED_BY: Final = "import"
"""Who recorded the attendance of a session that a file calls completed: nobody in person (R-32)."""

Progress = Callable[[int, int], None]
"""Told how many of how many changed appointments are written."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """When, by whom and why: what every change of one import has in common."""

    now: datetime
    actor: str
    note: str | None = None
    origin: str = "import"


def load_books(
    conn: Connection, ids: Collection[str], names: Collection[str | None], configured: Collection[str]
) -> Books:
    """Return what is on the books of the appointments and series that a file names."""
    known = records.appointments_by_ids(conn, ids)
    chains = _chains(conn, {name for name in names if name is not None})
    facts = {one.series.id: one for chain in chains.values() for one in chain}
    for key in facts:
        known |= {one.id: one for one in records.appointments_of_series(conn, key)}
    return Books(
        providers={*configured, *(one.id for one in providers.rows(conn))},
        appointments=known,
        chains={name: tuple(one.series for one in chain) for name, chain in chains.items()},
        defaults={key: SeriesDefaults.from_json(one.defaults) for key, one in facts.items()},
        said=import_rows.said(conn, ids),
        series_ids=set(import_rows.series_by_name(conn)),
    )


def write_plan(conn: Connection, plan: Plan, stamp: Stamp, progress: Progress | None = None) -> None:
    """Write everything that a plan says, in the caller's transaction."""
    for one in plan.series:
        action = "imported" if one.before is None else "changed"
        series = one.after if one.before is None else replace(one.after, version=one.before.version + 1)
        record_changes.put_series(conn, series, defaults=one.defaults.as_json(), **_change(stamp, action))
        if one.materialised_until is not None:
            record_changes.set_materialised(conn, series.id, one.materialised_until)
    clients.add_unknown(conn, sorted({change.after.client for change in plan.changes}))
    for change in plan.changes:
        if change.renamed_from is not None:
            import_rows.rename(conn, change.renamed_from, change.after.id)
    done = 0
    for (action, completion), changes in _alike(plan.changes).items():
        for part in chunks(changes):
            told = _change(stamp, action)
            if completion:
                told["completed_by"] = COMPLETED_BY
            record_changes.put_appointments(conn, [_as_written(change) for change in part], **told)
            done += len(part)
            if progress is not None:
                progress(done, len(plan.changes))
    import_rows.remember(conn, plan.said, stamp.now)


def _change(stamp: Stamp, action: str) -> record_batch.Change:
    return {"now": stamp.now, "actor": stamp.actor, "action": action, "origin": stamp.origin, "note": stamp.note}


def _alike(changes: Iterable[Change]) -> dict[tuple[str, bool], list[Change]]:
    """The changes by what their history says of them, so that each lot is written in few statements."""
    lots: dict[tuple[str, bool], list[Change]] = {}
    for change in changes:
        lots.setdefault((change.action, _is_completion(change)), []).append(change)
    return lots


def _as_written(change: Change) -> Appointment:
    return change.after if change.before is None else replace(change.after, version=change.before.version + 1)


def _is_completion(change: Change) -> bool:
    was = change.before.status if change.before is not None else None
    return change.after.status is AppointmentStatus.COMPLETED and was is not AppointmentStatus.COMPLETED


def _chains(conn: Connection, names: Iterable[str]) -> dict[str, list[SeriesFacts]]:
    continued = {before: after for after, before in import_rows.series_by_name(conn).items() if before is not None}
    chains: dict[str, list[SeriesFacts]] = {}
    for name in names:
        key: str | None = name
        while key is not None and (facts := records.series_facts(conn, key)) is not None:
            chains.setdefault(name, []).append(facts)
            key = continued.get(key)
    return chains
