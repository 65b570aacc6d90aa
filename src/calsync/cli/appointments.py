"""`calsync appointments`: the group. What it shows, changes and imports stands in modules of their own."""

from __future__ import annotations

import click

from calsync.cli import record_import


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(appointments)


@click.group()
def appointments() -> None:
    """Book, show and change appointments."""


for part in (record_import,):
    part.register(appointments)
