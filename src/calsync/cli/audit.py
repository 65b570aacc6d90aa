"""`calsync audit`: says whether the log of all decisions and effects is whole."""

from __future__ import annotations

import json
from typing import Final

import click

from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import json_option
from calsync.store import audit as audit_store

_WORDS: Final = {
    "edited": "was changed after it was written",
    "missing": "is missing",
    "reordered": "does not follow the row before it",
    "truncated": "and all after it are gone, or the recorded end of the log was changed",
}


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(audit)


@click.group()
def audit() -> None:
    """The log of all decisions and effects."""


@audit.command()
@json_option
@pass_app
def verify(app: App) -> int:
    """Read the whole log and name the first row that is not as it was written. Exit code 1: it is not whole."""
    with app.database.reading() as conn:
        verdict = audit_store.verify(conn)
    if app.as_json:
        row = {"whole": verdict.is_whole, "rows": verdict.rows}
        click.echo(json.dumps(row | {"first_bad": verdict.first_bad, "problem": verdict.problem}, indent=2))
    elif verdict.is_whole:
        click.echo(f"The log is whole: {verdict.rows} rows.")
    else:
        problem = _WORDS.get(verdict.problem or "", verdict.problem)
        click.echo(f"Row {verdict.first_bad} {problem}; the {verdict.rows} rows before it are in order.")
    return ExitCode.FINE if verdict.is_whole else ExitCode.FAILED
