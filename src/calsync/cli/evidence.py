"""`calsync appointments evidence import`: session logs."""

from __future__ import annotations

from pathlib import Path

import click

from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import show_rows_taken
from calsync.records.evidence_file import import_evidence


def register(appointments: click.Group) -> None:
    """Add the group to the group of appointments."""
    appointments.add_command(evidence)


@click.group()
def evidence() -> None:
    """Records of sessions: who was present, from when to when."""


@evidence.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@actor_options
@pass_app
def import_(app: App, file: Path) -> int:
    """Take a session log (CSV or JSON lines): appointment, start, end, source, and who (both, provider, client)."""
    result = import_evidence(app.books, file, actor=app.actor, now=app.clock.now())
    show_rows_taken(result, as_json=app.as_json)
    return ExitCode.FINE
