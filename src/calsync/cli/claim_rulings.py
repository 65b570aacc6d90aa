"""`calsync claims decide` and `claims map`: what billing tells the gate beforehand."""

from __future__ import annotations

from pathlib import Path

import click

from calsync.claims.deciding import WORDS, decide
from calsync.claims.gate import Gate, Question
from calsync.cli.answer_text import answer_lines
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import show_rows, show_rows_taken
from calsync.records.claims_map_file import import_claims_map


def register(claims: click.Group) -> None:
    """Add the commands to the group of claims."""
    claims.add_command(decide_)
    claims.add_command(map_)


@click.command("decide")
@click.argument("appointment", metavar="ID")
@click.option("--as", "says", type=click.Choice([*WORDS]), help="The day that counts: its start, its end, whose zone.")
@click.option("--distinct-from", "other", metavar="ID", help="The other session of that day is another service.")
@json_option
@actor_options
@pass_app
def decide_(app: App, appointment: str, says: str | None, other: str | None) -> int:
    """Rule on one case that the practice has no rule for; needs --note. It counts until the session's times change."""
    if (says is None) == (other is None):
        raise click.UsageError("say which day counts with --as, or name the other session with --distinct-from")
    gate = Gate(app.database, app.settings, app.clock, app.ids)
    decide(gate, appointment, says or other or "", by=app.actor, note=app.note or "")
    (answer,) = gate.check([Question(appointment)])
    show_rows([answer.to_json()], answer_lines(answer), as_json=app.as_json, empty="")
    return ExitCode.FINE


@click.command("map")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@json_option
@actor_options
@pass_app
def map_(app: App, file: Path) -> int:
    """Take the billing system's own list of which session a claim stands for: claim, line (optional), appointment."""
    result = import_claims_map(app.books, file, actor=app.actor, now=app.clock.now())
    show_rows_taken(result, as_json=app.as_json)
    return ExitCode.FINE
