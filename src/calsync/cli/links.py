"""`calsync links`: clients' booking links, and taking back a link that went to the wrong person."""

from __future__ import annotations

import json

import click

from calsync.booking.booking_links import Sealer, booking_token, revoke_link
from calsync.cli.appointment_changes import command_of
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(links)


@click.group()
def links() -> None:
    """Links by which people act without a login."""


@links.command()
@click.option("--client", required=True, metavar="ID")
@click.option("--provider", required=True, metavar="ID")
@json_option
@actor_options
@pass_app
def show(app: App, client: str, provider: str) -> int:
    """Show a client's booking link for a provider. It stays the same; whoever has it can book for this client."""
    with app.books.transaction() as conn:
        token = booking_token(conn, command_of(app), Sealer(app.keys, app.ids), client, provider)
    public = app.settings.web.public_url
    url = f"{(public or '').rstrip('/')}/a/{token}"
    if app.as_json:
        click.echo(json.dumps({"client": client, "provider": provider, "url": url}, indent=2))
        return ExitCode.FINE
    click.echo(url)
    if public is None:
        click.echo("This is only its path: set [web] public_url to have whole links.", err=True)
    return ExitCode.FINE


@links.command()
@click.argument("address")
@json_option
@actor_options
@pass_app
def revoke(app: App, address: str) -> int:
    """Make a link in a mail useless: ADDRESS is all of it, or what follows /a/ in it. The next mail has a fresh one."""
    with app.books.transaction() as conn:
        link = revoke_link(conn, command_of(app), address)
    if app.as_json:
        click.echo(json.dumps({"kind": link.kind, "recipient": link.recipient}, indent=2))
    else:
        click.echo(f"Revoked: a link of {link.recipient} ({link.kind}).")
    return ExitCode.FINE
