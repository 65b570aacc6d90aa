"""Records as programs and people read them: one row of JSON or one line of text. Made from values; decides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import click

from calsync.booking.commands import Outcome
from calsync.cli.times import show_span
from calsync.domain.span import Span
from calsync.records.json_rows import appointment_row, block_row, history_row, instant_text, series_row
from calsync.records.rows import RowsTaken

__all__ = [
    "appointment_line",
    "appointment_row",
    "block_row",
    "history_row",
    "instant_text",
    "series_row",
    "show_outcome",
    "show_rows",
    "show_rows_taken",
]


def appointment_line(row: Mapping[str, Any], span: Span) -> str:
    """An appointment on one line."""
    name = f" {row['client_name']}" if row["client_name"] else ""
    series = f"  series {row['series']}" if row["series"] else ""
    missing = "  missing from its file" if row.get("missing_since") else ""
    return f"{row['id']}  {show_span(span)}  {row['status']}  {row['provider']}  {row['client']}{name}{series}{missing}"


def show_outcome(outcome: Outcome, done: str, *, as_json: bool, more: Mapping[str, Any] | None = None) -> None:
    """Say what a command did; `more` are further keys for programs."""
    if as_json:
        click.echo(
            json.dumps(
                {
                    "appointments": list(outcome.appointments),
                    "series": list(outcome.series),
                    "refused": dict(outcome.refused),
                    "codes": dict(outcome.codes),
                    "fees": list(outcome.fees),
                    "refunds": list(outcome.refunds),
                    "blocks": list(outcome.blocks),
                    "packages": list(outcome.packages),
                    "rebook": outcome.rebook,
                    "resources": [{"text": text, "url": url} for text, url in outcome.resources],
                }
                | dict(more or {}),
                indent=2,
            )
        )
        return
    listed = ", ".join(outcome.appointments[:10])
    others = f" and {len(outcome.appointments) - 10} more" if len(outcome.appointments) > 10 else ""
    click.echo(f"{done}: {listed}{others}" if listed else f"{done}: nothing")
    for key, why in outcome.refused.items():
        click.echo(f"  left as it is: {key}: {why}")
    told = {"fee": outcome.fees, "refund decided": outcome.refunds, "blocked": outcome.blocks}
    for word, keys in (told | {"credit given back to package": outcome.packages}).items():
        if keys:
            click.echo(f"  {word}: {', '.join(keys)}")
    for text, url in outcome.resources:
        click.echo(f"  for the client: {text}: {url}")


def show_rows(rows: Iterable[Mapping[str, Any]], lines: Iterable[str], *, as_json: bool, empty: str) -> None:
    """Print rows for programs or lines for people."""
    if as_json:
        click.echo(json.dumps(list(rows), indent=2, ensure_ascii=False))
        return
    told = list(lines)
    for line in told:
        click.echo(line)
    if not told:
        click.echo(empty)


def show_rows_taken(taken: RowsTaken, *, as_json: bool) -> None:
    """Print what an import of a file did."""
    click.echo(json.dumps(asdict(taken)) if as_json else f"{taken.rows} rows read, {taken.new} new.")
