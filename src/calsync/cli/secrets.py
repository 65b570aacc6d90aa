"""`calsync secrets`: the keys that sign and encrypt."""

import click

from calsync.booking.booking_links import Sealer, reseal_booking_links
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options
from calsync.settings.key_file import KeyFile, add_first_key
from calsync.store import audit, sealed_texts
from calsync.store.credentials import Credentials


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(secrets)


@click.group()
def secrets() -> None:
    """Keys that sign events and links, and encrypt credentials."""


@secrets.command()
@actor_options
@pass_app
def rotate(app: App) -> int:
    """Put a new first key into the key file and encrypt every stored secret anew with it.

    Broken off, it goes on where it was when it is called again. Resident processes take up the new key by themselves.
    """
    path = app.settings.secrets.key_file
    credentials = Credentials(KeyFile(path), app.ids)
    with app.database.transaction() as conn:
        credentials.require_own_keys(conn)
    if credentials.is_rotating(app.database):
        click.echo("An earlier rotation was broken off; this finishes it.")
    else:
        add_first_key(path, app.ids)
    keys = credentials.keys()
    done = sealed_texts.reseal(app.database, keys, app.ids)
    # The last step of this one is what tells that a rotation is over.
    done += reseal_booking_links(app.database, Sealer(keys, app.ids)) + credentials.reseal(app.database)
    with app.database.transaction() as conn:
        detail = {"key": keys.current.id, "credentials": done}
        audit.append(
            conn, at=app.clock.now(), actor=app.actor, what="keys-rotated", subject="installation", detail=detail
        )
    click.echo(f"Key {keys.current.id} signs and encrypts from now on; {done} secrets were encrypted anew.")
    old = ", ".join(key.id for key in keys.keys[1:])
    if old:
        click.echo(
            f"Older keys ({old}) open nothing any more, but still tell calsync which events in calendars are its own. "
            "Leave them in the file unless one of them may have been stolen. Copy the file to where its copy is kept."
        )
    return ExitCode.FINE
