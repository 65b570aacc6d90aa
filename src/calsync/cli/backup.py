"""`calsync backup`: a copy of the books while calsync runs. `calsync db restore` is the way back."""

from __future__ import annotations

from pathlib import Path

import click

from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options
from calsync.store import audit
from calsync.store import backup as store_backup
from calsync.store.errors import StoreUnavailable


def register(app: click.Group) -> None:
    """Add the command."""
    app.add_command(backup)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@actor_options
@pass_app
def backup(app: App, file: Path) -> int:
    """Copy the database to FILE, while everything runs. Keep the key file apart from it: both together open it."""
    store_backup.make(app.database_url, file)
    _note(app, file)
    click.echo(f"Written: {file} ({file.stat().st_size:,} bytes). It holds session times; keep it as you keep records.")
    click.echo(f"Not in it: the key file {app.settings.secrets.key_file}. Without that one, no copy is of use.")
    return ExitCode.FINE


def _note(app: App, file: Path) -> None:
    """Who copied the books. A full disk is a reason to make a copy, not to refuse one."""
    detail = {"file": file.name}
    try:
        with app.database.transaction() as conn:
            audit.append(
                conn, at=app.clock.now(), actor=app.actor, what="copied", subject="installation", detail=detail
            )
    except StoreUnavailable as problem:
        click.echo(f"The copy is made, but could not be noted in the log of decisions: {problem}", err=True)
