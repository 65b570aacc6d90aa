"""`calsync fees`: what clients owe for late cancellations and missed sessions. calsync moves no money."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from calsync.booking.commands import change_fee
from calsync.cli.amounts import read_amount
from calsync.cli.appointment_changes import command_of
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import instant_text, show_rows
from calsync.store import money
from calsync.store.money import Fee


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(fees)


@click.group()
def fees() -> None:
    """Fees that clients owe, as recorded decisions."""


@fees.command("list")
@click.option("--provider", metavar="ID", help="Only this provider's.")
@click.option("--client", metavar="ID", help="Only this client's.")
@json_option
@pass_app
def list_(app: App, provider: str | None, client: str | None) -> int:
    """List fees, the latest first."""
    with app.database.reading() as conn:
        found = money.fees(conn, provider=provider, client=client)
    rows = [_row(one) for one in found]
    show_rows(rows, map(_line, found), as_json=app.as_json, empty="There are no fees.")
    return ExitCode.FINE


@fees.command()
@click.argument("fee", metavar="ID")
@click.option("--amount", required=True, metavar="AMOUNT", help="The new amount, such as 40.00; 0 waives it.")
@click.option("--because", required=True, metavar="TEXT", help="Why; kept in the audit log.")
@json_option
@actor_options
@pass_app
def change(app: App, fee: str, amount: str, because: str) -> int:
    """Change a disputed fee."""
    wanted = read_amount(amount, "--amount")
    with app.books.transaction() as conn:
        changed = change_fee(conn, command_of(app, because), fee, wanted, because)
    click.echo(json.dumps(_row(changed), indent=2) if app.as_json else _line(changed))
    return ExitCode.FINE


def _row(one: Fee) -> dict[str, Any]:
    return asdict(one) | {"at": instant_text(one.at), "changed_at": instant_text(one.changed_at)}


def _line(one: Fee) -> str:
    changed = f"  changed by {one.changed_by}" if one.changed_by else ""
    return f"{one.id}  {one.amount} {one.currency}  {one.state}  client {one.client}  {one.provider}{changed}"
