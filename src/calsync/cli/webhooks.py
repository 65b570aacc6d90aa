"""`calsync webhooks`: what other programs were told, and telling it again; and the timers that tell it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any, Final

import click

from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options, json_option
from calsync.cli.record_rows import instant_text, show_rows
from calsync.cli.times import read_date
from calsync.errors import NotFoundError
from calsync.settings.webhooks import Webhook
from calsync.store import audit
from calsync.store import webhooks as store
from calsync.store.webhooks import DeliveryRow, EventRow
from calsync.system_threads import Background
from calsync.webhooks.deliver import Courier
from calsync.worker.timers import Timers

_EVERY: Final = timedelta(seconds=2)
_FORGET_EVERY: Final = timedelta(hours=6)


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(webhooks)


def add_webhook_timers(app: App, timers: Timers) -> None:
    """Sort and deliver events; each receiver on a thread of its own, so that a slow one keeps no other waiting."""
    courier = make_courier(app)
    timers.add("webhooks-old", _FORGET_EVERY, courier.forget_old)
    posting = [Background(f"webhook-{hook.id}", partial(courier.deliver, hook)) for hook in app.settings.webhooks]

    def act(_now: datetime) -> None:
        courier.sort()
        for one in posting:
            one.start()

    timers.add("webhooks", _EVERY, act)


def make_courier(app: App) -> Courier:
    """The installation's webhooks."""
    return Courier(app.database, app.settings, app.clock, app.ids, app.stop)


@click.group()
def webhooks() -> None:
    """Other programs that are told what happened."""


@webhooks.command("list")
@click.option("--endpoint", metavar="ID", help="Only those for this receiver.")
@click.option(
    "--state", "states", type=click.Choice(["due", "delivered", "failed"]), multiple=True, help="Only in this state."
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True, help="At most so many.")
@json_option
@pass_app
def list_(app: App, *, endpoint: str | None, states: tuple[str, ...], limit: int) -> int:
    """List what was told or is still to be told, the latest first. Exit code 3: something was given up."""
    with app.database.reading() as conn:
        found = store.rows(conn, endpoint=endpoint, states=states, limit=limit)
    show_rows([_row(*one) for one in found], [_line(*one) for one in found], as_json=app.as_json, empty="Nothing.")
    given_up = any(delivery.state == "failed" for _, delivery in found)
    return ExitCode.NEEDS_PERSON if given_up else ExitCode.FINE


@webhooks.command()
@click.argument("endpoint", metavar="ID")
@click.option("--event", metavar="EVENT", help="Only this event.")
@click.option("--since", metavar="DATE", help="Everything since this day, arrived or not.")
@json_option
@actor_options
@pass_app
def replay(app: App, *, endpoint: str, event: str | None, since: str | None) -> int:
    """Tell a receiver again: what was given up, or one event, or everything since a day. Ids stay the same."""
    _hook(app, endpoint)
    if event and since:
        raise click.UsageError("name an event or a day, not both")
    now = app.clock.now()
    first = None if since is None else datetime.combine(read_date(since, "--since"), time(), tzinfo=UTC)
    with app.database.transaction() as conn:
        count = store.replay(conn, endpoint, now, event=event, since=first)
        detail = {"event": event, "since": since, "events": count, "note": app.note}
        audit.append(
            conn, at=now, actor=app.actor, what="webhooks-replayed", subject=f"webhook:{endpoint}", detail=detail
        )
    show_rows([{"replayed": count}], [f"{count} events will be told again."], as_json=app.as_json, empty="")
    return ExitCode.FINE


@webhooks.command()
@json_option
@pass_app
def deliver(app: App) -> int:
    """Tell now what is due, for sites that run no worker. Exit code 3: something did not arrive."""
    courier = make_courier(app)
    courier.sort()
    arrived = {hook.id: courier.deliver(hook) for hook in app.settings.webhooks}
    with app.database.reading() as conn:
        waiting = len(store.rows(conn, states=["due", "failed"], limit=1))
    lines = [f"{name}: {count} arrived" for name, count in arrived.items()]
    show_rows([{"endpoint": k, "arrived": v} for k, v in arrived.items()], lines, as_json=app.as_json, empty="Nobody.")
    return ExitCode.NEEDS_PERSON if waiting else ExitCode.FINE


def _hook(app: App, name: str) -> Webhook:
    for hook in app.settings.webhooks:
        if hook.id == name:
            return hook
    raise NotFoundError("webhook", name)


def _row(event: EventRow, delivery: DeliveryRow) -> dict[str, Any]:
    return {
        "event": event.id,
        "type": event.type,
        "subject": event.subject,
        "at": instant_text(event.at),
        "endpoint": delivery.endpoint,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "last_at": instant_text(delivery.last_at),
        "next_at": instant_text(delivery.due_at) if delivery.state == "due" else None,
        "last_error": delivery.last_error,
    }


def _line(event: EventRow, delivery: DeliveryRow) -> str:
    fault = f", {delivery.last_error}" if delivery.last_error else ""
    return (
        f"{event.id}  {event.at:%Y-%m-%d %H:%M}  {event.type}  {event.subject}  "
        f"{delivery.endpoint}: {delivery.state} ({delivery.attempts} tries{fault})"
    )
