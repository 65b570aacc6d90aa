"""`calsync users`: people of the practice who may use the support pages."""

from __future__ import annotations

import json
import sys

import click

from calsync.answers.words import Desk
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import instant_text, show_rows
from calsync.store import users as books
from calsync.store.tokens import Role
from calsync.support.accounts import add_user, remove_user
from calsync.support.passwords import SHORTEST
from calsync.support.roles import PEOPLE


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(users)


@click.group()
def users() -> None:
    """People who may use the support pages."""


@users.command()
@click.argument("name", metavar="NAME")
@click.option(
    "--role", required=True, type=click.Choice([role.value for role in PEOPLE]), help="What they may see and do."
)
@json_option
@actor_options
@pass_app
def add(app: App, name: str, role: str) -> int:
    """Make an account.

    The password is asked for, or read from the first line of the standard input; it is never an argument.
    """
    add_user(_desk(app), name, Role(role), _password(), by=app.actor)
    click.echo(json.dumps({"name": name, "role": role}) if app.as_json else f"{name} may log in, as {role}.")
    return ExitCode.FINE


@users.command("list")
@json_option
@pass_app
def list_(app: App) -> int:
    """Everybody who has an account; never their passwords."""
    with app.database.reading() as conn:
        found = books.rows(conn)
    rows = [
        {
            "name": one.name,
            "role": one.role.value,
            "created_at": instant_text(one.created_at),
            "created_by": one.created_by,
            "last_seen_at": instant_text(one.last_seen_at),
        }
        for one in found
    ]
    lines = [f"{one['name']:20}  {one['role']:8}  last login {one['last_seen_at'] or 'never'}" for one in rows]
    show_rows(rows, lines, as_json=app.as_json, empty="Nobody has an account: calsync users add NAME --role ROLE")
    return ExitCode.FINE


@users.command()
@click.argument("name", metavar="NAME")
@json_option
@actor_options
@pass_app
def remove(app: App, name: str) -> int:
    """End an account; whatever its person has open ends at once."""
    remove_user(_desk(app), name, by=app.actor)
    click.echo(json.dumps({"name": name, "removed": True}) if app.as_json else f"{name} may not log in any more.")
    return ExitCode.FINE


def _password() -> str:
    if sys.stdin.isatty():
        text: str = click.prompt(
            f"Password ({SHORTEST} characters or more)", hide_input=True, confirmation_prompt=True, err=True
        )
        return text
    return sys.stdin.readline().rstrip("\r\n")


def _desk(app: App) -> Desk:
    return Desk(app.database, app.settings, app.clock, app.ids)
