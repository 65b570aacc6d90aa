"""`calsync tokens`: who may use the HTTP interface, and as what."""

import json

import click

from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import show_rows
from calsync.errors import NotFoundError
from calsync.store import audit
from calsync.store import tokens as books
from calsync.store.tokens import Role, TokenRow


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(tokens)


@click.group()
def tokens() -> None:
    """Tokens with which programs use the HTTP interface."""


@tokens.command()
@click.option(
    "--role", required=True, type=click.Choice([role.value for role in Role]), help="What the program may do."
)
@click.option("--name", default="", metavar="TEXT", help="What it is for, for the list.")
@json_option
@actor_options
@pass_app
def add(app: App, role: str, name: str) -> int:
    """Make a token. It is shown this once and never again: only its hash is kept."""
    now = app.clock.now()
    token, hashed = books.make_token(app.ids)
    row = TokenRow(app.ids.new_id("token"), hashed, Role(role), name, now, app.actor)
    with app.database.transaction() as conn:
        books.insert(conn, row)
        detail = {"role": role, "name": name}
        audit.append(conn, at=now, actor=app.actor, what="token-added", subject=f"token:{row.id}", detail=detail)
    if app.as_json:
        click.echo(json.dumps({"id": row.id, "role": role, "token": token}))
        return ExitCode.FINE
    click.echo(token)
    click.echo(f"Token {row.id}, role {role}. Keep it now: it is not shown again.", err=True)
    return ExitCode.FINE


@tokens.command("list")
@json_option
@pass_app
def list_(app: App) -> int:
    """All tokens, revoked ones as well; never the tokens themselves."""
    with app.database.reading() as conn:
        rows = books.rows(conn)
    data = [_row(row) for row in rows]
    lines = [f"{one['id']}  {one['role']:8}  {_standing(one)}  {one['name']}".rstrip() for one in data]
    show_rows(data, lines, as_json=app.as_json, empty="There are no tokens.")
    return ExitCode.FINE


@tokens.command()
@click.argument("token_id", metavar="ID")
@json_option
@actor_options
@pass_app
def revoke(app: App, token_id: str) -> int:
    """End a token: from now on nothing is answered with it."""
    now = app.clock.now()
    with app.database.transaction() as conn:
        if not books.revoke(conn, token_id, now):
            raise NotFoundError("token in force", token_id)
        audit.append(conn, at=now, actor=app.actor, what="token-revoked", subject=f"token:{token_id}", detail={})
    click.echo(json.dumps({"id": token_id, "revoked": True}) if app.as_json else f"Token {token_id} is revoked.")
    return ExitCode.FINE


def _row(row: TokenRow) -> dict[str, str | None]:
    return {
        "id": row.id,
        "role": row.role.value,
        "name": row.name,
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
        "last_used_at": row.last_used_at.isoformat() if row.last_used_at else None,
        "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
    }


def _standing(one: dict[str, str | None]) -> str:
    if one["revoked_at"]:
        return f"revoked {one['revoked_at']}"
    return f"used {one['last_used_at']}" if one["last_used_at"] else "never used"
