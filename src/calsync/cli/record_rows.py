"""Records as programs and people read them: one row of JSON or one line of text. Made from values; decides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import click

from calsync.booking.commands import Outcome
from calsync.cli.times import show_span, show_wall
from calsync.domain.appointment import Appointment, Block, Series
from calsync.domain.span import Span
from calsync.store.record_values import AppointmentFacts
from calsync.store.records import HistoryRow


def appointment_row(one: Appointment, facts: AppointmentFacts | None = None, client_name: str = "") -> dict[str, Any]:
    """An appointment; times are wall times in `zone`, `start_at` and `end_at` the same as instants."""
    row: dict[str, Any] = {
        "id": one.id,
        "provider": one.provider,
        "client": one.client,
        "client_name": client_name,
        **_span(one.span),
        "kind": one.kind.value,
        "status": one.status.value,
        "series": one.series,
        "original_start": instant_text(one.original_start),
        "code": one.code,
        "payer": one.payer,
        "format": one.format,
        "session": one.session,
        "client_zone": one.client_zone,
        "pending": one.pending,
        "version": one.version,
    }
    if facts is not None:
        row |= {
            "origin": facts.origin,
            "completed_by": facts.completed_by,
            "missing_since": instant_text(facts.missing_since),
            "updated_at": instant_text(facts.updated_at),
        }
    return row


def appointment_line(row: Mapping[str, Any], span: Span) -> str:
    """An appointment on one line."""
    name = f" {row['client_name']}" if row["client_name"] else ""
    series = f"  series {row['series']}" if row["series"] else ""
    missing = "  missing from its file" if row.get("missing_since") else ""
    return f"{row['id']}  {show_span(span)}  {row['status']}  {row['provider']}  {row['client']}{name}{series}{missing}"


def series_row(one: Series) -> dict[str, Any]:
    """A series; `added` and `excluded` are instants."""
    return {
        "id": one.id,
        "provider": one.provider,
        "client": one.client,
        **_span(one.span),
        "rule": one.rule,
        "added": [instant_text(at) for at in one.added],
        "excluded": [instant_text(at) for at in one.excluded],
        "continues": one.continues,
        "cancelled": one.cancelled,
        "version": one.version,
    }


def block_row(one: Block) -> dict[str, Any]:
    """An out-of-office block."""
    return {"id": one.id, "provider": one.provider, **_span(one.span), "title": one.title, "cancelled": one.cancelled}


def history_row(row: HistoryRow) -> dict[str, Any]:
    """One change of a record."""
    return {
        "at": instant_text(row.at),
        "actor": row.actor,
        "action": row.action,
        "reason": row.reason,
        "note": row.note,
        "before": row.before,
        "after": row.after,
    }


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


def instant_text(at: datetime | None) -> str | None:
    """An instant for programs, or None."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def _span(span: Span) -> dict[str, Any]:
    return {
        "start": show_wall(span.start),
        "end": show_wall(span.end),
        "zone": span.zone,
        "start_at": instant_text(span.start_at),
        "end_at": instant_text(span.end_at),
    }
