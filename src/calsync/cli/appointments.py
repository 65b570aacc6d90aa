"""`calsync appointments`: the group. What it shows, changes and imports stands in modules of their own."""

from __future__ import annotations

import click

from calsync.cli import appointment_changes, appointment_lists, appointment_requests, evidence, record_import


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(appointments)


@click.group()
def appointments() -> None:
    """Book, show and change appointments."""


for part in (appointment_changes, appointment_requests, appointment_lists, record_import, evidence):
    part.register(appointments)
