"""`calsync run`, `worker` and `serve`: the resident processes."""

from __future__ import annotations

import signal
from datetime import timedelta

import click

from calsync.booking import horizon
from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.system_ports import StopEvent
from calsync.worker.dispatch import EmbeddedDispatch
from calsync.worker.loop import Loop
from calsync.worker.timers import Timers


def register(app: click.Group) -> None:
    """Add the commands."""
    app.add_command(run)
    app.add_command(worker)


@click.command()
@pass_app
def run(app: App) -> int:
    """Keep calendars and records in step until stopped."""
    return work_until_stopped(app)


@click.command()
@pass_app
def worker(app: App) -> int:
    """The worker alone, without web pages."""
    return work_until_stopped(app)


def work_until_stopped(app: App) -> int:
    """Run the loop in the foreground; SIGTERM and SIGINT ask it to end."""
    stop = app.stop
    _stop_on_signals(stop)
    wired = app.wired
    dispatch = EmbeddedDispatch(wired.worker, threads=app.settings.sync.workers)
    timers = Timers(app.clock)
    add_timers(app, timers)
    try:
        drained = Loop(wired.worker, dispatch, timers).run(stop)
    finally:
        wired.opener.close()
    return ExitCode.FINE if drained else ExitCode.FAILED


def add_timers(app: App, timers: Timers) -> None:
    """The work that comes with time."""
    database = app.wired.worker.database
    window = app.settings.sync.window_future
    timers.add("series-horizon", timedelta(hours=6), lambda now: horizon.extend_all(database, now, now + window))


def _stop_on_signals(stop: StopEvent) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
