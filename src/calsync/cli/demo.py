"""`calsync demo`: everything on one machine, in about a minute."""

from __future__ import annotations

import click

from calsync.cli.exit_codes import ExitCode
from calsync.cli.main import run
from calsync.errors import UserError


def register(app: click.Group) -> None:
    """Add the command."""
    app.add_command(demo)


@click.command()
@click.option("--keep", is_flag=True, help="Leave server and worker running, and the files in place, until Ctrl-C.")
def demo(keep: bool) -> int:
    """A CalDAV server, stand-ins for Google and Outlook, people who edit their calendars, and what comes of it."""
    try:
        # The demo brings a server and a calendar client of its own, which an ordinary installation need not have.
        from calsync.demo.performance import perform  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise UserError.of(
            f'the demo needs the Python package "{missing.name}"', remedy="Run: pip install 'calsync[demo]'"
        ) from missing
    perform(run, keep=keep)
    return ExitCode.FINE
