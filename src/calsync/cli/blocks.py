"""`calsync blocks`: out-of-office times."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from calsync.booking.commands import add_block, remove_block
from calsync.cli.appointment_changes import command_of
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import block_row, show_rows
from calsync.cli.times import read_wall, read_zone, show_span
from calsync.domain.appointment import Block
from calsync.domain.span import Span
from calsync.store import records
from calsync.store.known import known_provider


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(blocks)


@click.group()
def blocks() -> None:
    """Times at which a provider is out of office."""


@blocks.command()
@click.option("--provider", required=True, metavar="ID")
@click.option("--start", required=True, metavar="TIME")
@click.option("--end", required=True, metavar="TIME")
@click.option("--title", default="", metavar="TEXT", help="Shown in the provider's calendar.")
@click.option("--zone", metavar="ZONE", help="IANA name. Default: the provider's.")
@click.option("--id", "key", metavar="ID", help="Default: a new one.")
@json_option
@actor_options
@pass_app
def add(app: App, /, provider: str, title: str, **told: Any) -> int:
    """Block a provider's time. Sessions inside it stay booked, and are named."""
    with app.books.transaction() as conn:
        zone = read_zone(told["zone"]) if told["zone"] else known_provider(conn, provider).zone
        key = told["key"] or app.ids.new_id("b")
        block = Block(key, provider, _span(told["start"], told["end"], zone), title)
        inside = add_block(conn, command_of(app), block)
    if app.as_json:
        click.echo(json.dumps(block_row(block) | {"sessions_inside": inside}, indent=2))
    else:
        click.echo(f"Blocked: {block.id}  {show_span(block.span)}")
        if inside:
            click.echo(f"Still booked inside it, cancel or move them: {', '.join(inside)}")
    return ExitCode.NEEDS_PERSON if inside else ExitCode.FINE


@blocks.command("list")
@click.option("--provider", metavar="ID")
@click.option("--all", "everything", is_flag=True, help="Removed ones, too.")
@json_option
@pass_app
def list_(app: App, provider: str | None, *, everything: bool) -> int:
    """List blocks."""
    with app.database.reading() as conn:
        found = [one for one in records.blocks(conn, provider) if everything or not one.cancelled]
    lines = (
        f"{one.id}  {show_span(one.span)}  {one.provider}  {one.title}{'  removed' if one.cancelled else ''}"
        for one in found
    )
    show_rows([block_row(one) for one in found], lines, as_json=app.as_json, empty="There are no blocks.")
    return ExitCode.FINE


@blocks.command()
@click.argument("block", metavar="ID")
@json_option
@actor_options
@pass_app
def remove(app: App, block: str) -> int:
    """Give the time back."""
    with app.books.transaction() as conn:
        removed = remove_block(conn, command_of(app), block)
    if app.as_json:
        click.echo(json.dumps({"id": block, "removed": removed}, indent=2))
    else:
        click.echo(f"Removed: {block}" if removed else f"{block} was removed before.")
    return ExitCode.FINE


def _span(start: str, end: str, zone: str) -> Span:
    first: datetime = read_wall(start, zone, "--start")
    last: datetime = read_wall(end, zone, "--end")
    try:
        return Span(first, last, zone)
    except ValueError as problem:
        raise click.UsageError("--end lies before --start") from problem
