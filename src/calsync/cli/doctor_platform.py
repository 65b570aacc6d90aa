"""What `calsync doctor` finds out about other programs: the platform's table, dropped files, webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from calsync.cli.context import App
from calsync.connector.protocol import Finding
from calsync.errors import CalsyncError
from calsync.records.sql_mapping import SOURCE
from calsync.store import record_sources, webhooks

_TOO_OLD: Final = timedelta(minutes=10)


def examine_platform(app: App) -> Iterator[Finding]:
    """How reading from the platform and telling it stand; nothing for what is not configured."""
    try:
        yield from _examine(app)
    except CalsyncError as problem:
        yield Finding("other programs", ok=False, detail=str(problem))


def _examine(app: App) -> Iterator[Finding]:
    keys = app.settings.records
    if keys.is_elsewhere:
        yield _records(app)
    if keys.drop_folder is not None:
        path = app.settings.folder / Path(keys.drop_folder).expanduser()
        yield Finding("the drop folder", ok=path.is_dir(), detail=str(path), remedy="Make it, for calsync to write in")
    if app.settings.webhooks:
        with app.database.reading() as conn:
            given_up = {row.endpoint for _, row in webhooks.rows(conn, states=["failed"])}
        for hook in app.settings.webhooks:
            detail = "events were given up" if hook.id in given_up else ""
            remedy = f"Look at `calsync webhooks list --state failed`, then `calsync webhooks replay {hook.id}`"
            yield Finding(f"webhook {hook.id}", ok=hook.id not in given_up, detail=detail, remedy=remedy)


def _records(app: App) -> Finding:
    what = "reading the platform's records"
    with app.database.reading() as conn:
        source = record_sources.get(conn, SOURCE)
    if source.stopped_because is not None:
        remedy = "Look at the platform's table, then `calsync records resume --note`"
        return Finding(what, ok=False, detail=f"stopped: {source.stopped_because}", remedy=remedy)
    if source.last_error is not None:
        return Finding(what, ok=False, detail=source.last_error, remedy="Mend the rows, or see `calsync records check`")
    late = source.read_at is None or app.clock.now() - source.read_at > max(
        _TOO_OLD, 3 * app.settings.records.poll_interval
    )
    detail = "never read" if source.read_at is None else f"last read {source.read_at:%Y-%m-%d %H:%M} UTC"
    return Finding(
        what, ok=not late, detail=detail if late else "", remedy="Is the worker running? `calsync records pull`"
    )
