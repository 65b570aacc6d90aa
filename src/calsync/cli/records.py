"""`calsync records`: records that belong to another platform; and the timers that read them."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click
import structlog

from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import instant_text
from calsync.errors import Problem, Refused, UserError
from calsync.records.drop_folder import DropFolder
from calsync.records.file_import import ImportRequest
from calsync.records.sql_mapping import ACTOR, SOURCE, PullResult, SqlMapping
from calsync.records.sql_reading import cells_of
from calsync.settings.secrets import with_password
from calsync.store import foreign_records, record_sources
from calsync.store.foreign_records import SourceUnavailable
from calsync.system_threads import Background
from calsync.worker.timers import Timers

_DROP_EVERY: Final = timedelta(seconds=10)
_log = structlog.get_logger(__name__)


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(records)


def add_record_timers(app: App, timers: Timers) -> None:
    """Read the platform's table and the drop folder, beside the worker: neither may keep a pass waiting."""
    keys = app.settings.records
    if keys.is_elsewhere:
        reading = Background("records", lambda: _read_quietly(app))
        timers.add("records", keys.poll_interval, lambda _now: reading.start())
    if keys.drop_folder is not None:
        dropping = Background("drop-folder", lambda: make_drop_folder(app).take_all(app.clock.now()))
        timers.add("drop-folder", _DROP_EVERY, lambda _now: dropping.start())


def make_mapping(app: App) -> SqlMapping:
    """The mapped table. Raises UserError where none is configured."""
    keys = app.settings.records
    if keys.url is None:
        raise UserError.of("no table of another platform is configured", "[records]", "Set url, table and columns")
    return SqlMapping(app.books, app.settings, with_password(keys.url, keys.password_file))


def make_drop_folder(app: App) -> DropFolder:
    """The folder for dropped files. Raises UserError where none is configured, or it is not there."""
    keys = app.settings.records
    if keys.drop_folder is None:
        raise UserError.of("no drop folder is configured", "[records]", "Set drop_folder")
    path = app.settings.folder / Path(keys.drop_folder).expanduser()
    if not path.is_dir():
        raise UserError.of("the drop folder is not there", str(path), "Make it, and let calsync write in it")
    request = ImportRequest(
        path=path,
        actor=ACTOR,
        now=app.clock.now(),
        window_future=app.settings.sync.booked_ahead,
        configured={provider.id for provider in app.settings.providers},
        max_share_changed=app.settings.fleet.max_share_changed,
    )
    return DropFolder(path, app.books, keys.drop_quiet, request)


def _read_quietly(app: App) -> None:
    try:
        result = make_mapping(app).pull(app.clock.now())
    except SourceUnavailable as problem:
        _log.warning("records_unavailable", fault=problem.problems[0].what)
        return
    if result.problems:
        _log.warning("records_unreadable", count=len(result.problems))
    if result.stopped:
        _log.error("records_stopped", because=result.stopped)


@click.group()
def records() -> None:
    """Records that belong to another platform: its table, and files that it drops."""


@records.command()
@click.option("--full", is_flag=True, help="Compare everything, not only what changed.")
@json_option
@pass_app
def pull(app: App, *, full: bool) -> int:
    """Read the platform's table now. Exit code 3: rows are missing or unreadable, or reading is stopped."""
    result = make_mapping(app).pull(app.clock.now(), full=True if full else None)
    if app.as_json:
        told = asdict(result) | {"problems": [str(one) for one in result.problems]}
        click.echo(json.dumps(told, indent=2))
    else:
        _tell(result)
    needs = result.missing or result.problems or result.stopped
    return ExitCode.NEEDS_PERSON if needs else ExitCode.FINE


@records.command()
@json_option
@pass_app
def drop(app: App) -> int:
    """Import what lies complete in the drop folder now. Exit code 3: a file was refused; its report says why."""
    taken = make_drop_folder(app).take_all(app.clock.now())
    if app.as_json:
        click.echo(json.dumps([{"file": one.name, "path": str(one.path), "refused": one.refused} for one in taken]))
    for one in taken if not app.as_json else ():
        click.echo(f"{one.name}: {'imported' if one.refused is None else f'refused ({one.refused})'}, now {one.path}")
    if not taken and not app.as_json:
        click.echo("Nothing to import.")
    return ExitCode.NEEDS_PERSON if any(one.refused for one in taken) else ExitCode.FINE


@records.command()
@json_option
@pass_app
def status(app: App) -> int:
    """Say how far the platform's records are read. Exit code 3: reading is stopped."""
    with app.database.reading() as conn:
        source = record_sources.get(conn, SOURCE)
    row: dict[str, Any] = {
        "read_at": instant_text(source.read_at),
        "compared_at": instant_text(source.compared_at),
        "stopped_at": instant_text(source.stopped_at),
        "stopped_because": source.stopped_because,
        "last_error": source.last_error,
    }
    if app.as_json:
        click.echo(json.dumps(row, indent=2))
    else:
        for name, value in row.items():
            click.echo(f"{name.replace('_', ' ')}: {value or '-'}")
    return ExitCode.NEEDS_PERSON if source.stopped_at is not None else ExitCode.FINE


@records.command()
@pass_app
def check(app: App) -> int:
    """Try the mapping: read, take nothing, and say what the first rows would be. Warns of a login that may write."""
    mapping = make_mapping(app)
    with foreign_records.reading(mapping.table) as conn:
        found = foreign_records.rows(conn, mapping.table)
        first = [dict(row) for _, row in zip(range(3), found, strict=False)]
        may_write = foreign_records.may_write(conn, mapping.table)
    for cells in (cells_of(row, mapping.keys) for row in first):
        click.echo(", ".join(f"{name}={value}" for name, value in cells.items() if name != "client"))
    click.echo(f"{len(first)} rows shown; nothing was taken over.")
    if may_write:
        click.echo("The login may change the table. Give calsync one that may only read.", err=True)
    return ExitCode.NEEDS_PERSON if may_write else ExitCode.FINE


@records.command()
@actor_options
@pass_app
def resume(app: App) -> int:
    """Let reading go on after a person has looked; needs --note. The next reading may change as much as it says."""
    if not (app.note or "").strip():
        raise Refused([Problem("reading is not resumed without a reason", "records", "Add --note")])
    make_mapping(app).release(app.clock.now(), by=app.actor, note=app.note or "")
    click.echo("The next reading passes.")
    return ExitCode.FINE


def _tell(result: PullResult) -> None:
    if result.stopped:
        click.echo(f"Stopped, nothing was changed: {result.stopped}. Look, then: calsync records resume --note")
        return
    kind = "everything" if result.full else "what changed"
    click.echo(f"Read {kind}: {result.rows} rows, {result.changed} changed, {result.unchanged} unchanged.")
    for problem in result.problems[:20]:
        click.echo(f"  {problem}")
    for key in result.missing[:20]:
        click.echo(f"  {key} is not in the table any more; it stays, and its claim waits")
