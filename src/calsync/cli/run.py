"""`calsync run`, `worker` and `serve`: the resident processes."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click
import structlog

from calsync.answers.mail_book import BookForMails
from calsync.claims.gate import Gate, drain_touched
from calsync.cli import passing_time
from calsync.cli.context import App, pass_app
from calsync.cli.engine import make_dispatch, start_companions
from calsync.cli.exit_codes import ExitCode
from calsync.cli.records import add_record_timers
from calsync.cli.service_manager import ServiceManager
from calsync.cli.signals import Signals
from calsync.cli.webhooks import add_webhook_timers
from calsync.errors import UserError
from calsync.notices.reminding import Reminding
from calsync.notices.send import PostOffice, drain_outbox
from calsync.notices.smtp import SmtpMailer, SmtpServer
from calsync.notices.station import Station
from calsync.notices.texts import Texts
from calsync.settings.key_file import KeyFile
from calsync.settings.secrets import read_secret_file
from calsync.store.credentials import Credentials
from calsync.support.report_mail import owe_report
from calsync.system_ports import WakeEvent
from calsync.system_threads import Background, end_at_once
from calsync.worker import fleet, retention
from calsync.worker.farewell import say_farewell
from calsync.worker.loop import Loop
from calsync.worker.progress import Progress
from calsync.worker.timers import Timers

if TYPE_CHECKING:
    from calsync.web.server import WebServer

_log = structlog.get_logger(__name__)

_REQUESTS_EVERY = timedelta(seconds=30)
_RETENTION_EVERY = timedelta(hours=6)
_ADOPT_EVERY = timedelta(seconds=5)
_CLOCK_EVERY = timedelta(minutes=1)
_CLAIMS_EVERY = timedelta(seconds=2)
_OUTBOX_EVERY = timedelta(seconds=5)
_FLEET_EVERY = timedelta(seconds=15)
_REMINDERS_EVERY = timedelta(minutes=2)
_DAY_SHEETS_EVERY = timedelta(minutes=5)
_WEB_EVERY = timedelta(seconds=30)
_REPORT_EVERY = timedelta(hours=1)
_FAREWELL_EVERY = timedelta(seconds=10)


def register(app: click.Group) -> None:
    """Add the commands."""
    app.add_command(run)
    app.add_command(worker)
    app.add_command(serve)


@click.command()
@pass_app
def run(app: App) -> int:
    """Keep calendars and records in step until stopped, and answer over HTTP."""
    return work_until_stopped(app, with_web=True)


@click.command()
@pass_app
def worker(app: App) -> int:
    """The worker alone, without web pages."""
    return work_until_stopped(app, with_web=False)


@click.command()
@pass_app
def serve(app: App) -> int:
    """The web pages and the interface for programs alone, without a worker."""
    if not _has_web():
        raise UserError.of("the web pages are not installed", remedy="Install calsync with the extra: calsync[web]")
    with app.database.transaction() as conn:
        Credentials(lambda: app.keys, app.ids).require_own_keys(conn)
    manager, signals = ServiceManager(app.clock), Signals(app)
    ended_well = True
    while ended_well and not signals.is_ending:
        web = make_web(signals.app, None)
        web.start()
        after = _wait_beside(web, signals, manager)
        ended_well = web.stop() and (after is not None or signals.is_ending)
        if after is not None:
            signals.take(after)
    manager.stopping()
    return ExitCode.FINE if ended_well else ExitCode.FAILED


def _wait_beside(web: WebServer, signals: Signals, manager: ServiceManager) -> App | None:
    """Wait until the web ends, the process is to end, or there is an app to go on with."""
    while web.is_running and not signals.app.stop.wait(1.0):
        manager.alive()
        after = signals.replacement()
        if after is not None:
            manager.reloading()
            return after
    return None


def work_until_stopped(app: App, *, with_web: bool) -> int:
    """Run the loop in the foreground; SIGTERM and SIGINT ask it to end, SIGHUP to go on with the config as it is then.

    The worker never waits for the web: calendars and claims are right without it.
    """
    manager, signals = ServiceManager(app.clock), Signals(app)
    drained = True
    while not signals.is_ending:
        drained, after = _work(signals, manager, with_web=with_web)
        if after is None:
            break
        signals.take(after)
    manager.stopping()
    if not drained:
        # A pass that waits for a service which does not answer is cut off, as a crash may cut it off anywhere. Its
        # lease is given back; whoever takes it next asks the service what became of the write.
        _log.warning("passes_cut_off", because="they did not end in time")
        end_at_once(ExitCode.FINE)
    return ExitCode.FINE


def _work(signals: Signals, manager: ServiceManager, *, with_web: bool) -> tuple[bool, App | None]:
    """Work with one configuration to its end: whether all passes ended in time, and the app to go on with, if any."""
    app = signals.app
    wired = app.wired
    progress = Progress(app.clock, app.clock.now())
    replacement: list[App] = []

    def alive() -> None:
        progress.alive()
        manager.alive()
        after = signals.replacement()
        if after is not None:
            manager.reloading()
            replacement.append(after)
            app.stop.set()

    wake = WakeEvent()
    dispatch = make_dispatch(app, progress, wake)
    start_companions(app, wake)
    timers = Timers(app.clock)
    add_timers(app, timers)
    web = _web_beside(app, progress, timers) if with_web else None
    try:
        drained = Loop(wired.worker, dispatch, timers, alive, wake).run(app.stop)
    finally:
        if web is not None:
            web.stop()
        wired.opener.close()
    return drained, replacement[0] if replacement and not signals.is_ending else None


def add_timers(app: App, timers: Timers) -> None:
    """The work that comes with time."""
    database = app.wired.worker.database
    timers.add("clock", _CLOCK_EVERY, passing_time.clock_watch(app).look)
    timers.add("series-horizon", timedelta(hours=6), lambda now: passing_time.extend_series(app, now))
    timers.add("requests", _REQUESTS_EVERY, lambda now: passing_time.end_requests(app, now))
    past = app.settings.sync.window_past
    timers.add("settled-writes", _RETENTION_EVERY, lambda now: retention.forget(database, past, now))
    timers.add("adopt", _ADOPT_EVERY, lambda now: passing_time.adopt(app, now))
    timers.add("retention", timedelta(hours=24), lambda now: passing_time.forget(app, now))
    timers.add("fleet", _FLEET_EVERY, lambda now: fleet.watch(database, app.settings.fleet, now))
    timers.add("claims", _CLAIMS_EVERY, lambda _now: drain_touched(database, app.clock, app.ids, app.settings))
    parting = Background("farewell", lambda: say_farewell(app.wired.worker))
    timers.add("farewell", _FAREWELL_EVERY, lambda _now: parting.start())
    reminding = Reminding(database, app.settings)
    timers.add("reminders", _REMINDERS_EVERY, reminding.remind_clients)
    timers.add("day-sheets", _DAY_SHEETS_EVERY, reminding.owe_day_sheets)
    timers.add("questions", _REMINDERS_EVERY, reminding.escalate)
    office = make_post_office(app)
    # A mail server may be slow; the passes must not wait for it.
    sending = Background("mail", lambda: drain_outbox(office, app.clock.now()))
    timers.add("outbox", _OUTBOX_EVERY, lambda _now: sending.start())
    gate = Gate(database, app.settings, app.clock, app.ids)
    reporting = Background("report", lambda: owe_report(gate, app.clock.now()))
    timers.add("report", _REPORT_EVERY, lambda _now: reporting.start())
    add_webhook_timers(app, timers)
    add_record_timers(app, timers)


def make_post_office(app: App) -> PostOffice:
    """The installation's outgoing mail."""
    mail = app.settings.mail
    password_file = mail.password_file
    mailer = SmtpMailer(
        SmtpServer.at(mail.smtp_url),
        mail.username,
        lambda: read_secret_file(password_file) if password_file is not None else "",
    )
    texts = Texts(app.settings.folder / "templates")
    book = BookForMails(app.settings, app.ids, KeyFile(app.settings.secrets.key_file))
    return PostOffice(Station(app.database, app.clock, app.ids, app.settings, texts, book), mailer, app.stop)


def make_web(app: App, progress: Progress | None) -> WebServer:
    """The installation's HTTP face, not started yet."""
    # Only these commands need the web extra.
    from calsync.web.app import make_app  # noqa: PLC0415
    from calsync.web.hook_targets import OpenChannels  # noqa: PLC0415
    from calsync.web.server import WebServer  # noqa: PLC0415
    from calsync.web.site import Site  # noqa: PLC0415

    keys = KeyFile(app.settings.secrets.key_file)
    channels = OpenChannels(app.database, app.clock)
    site = Site(app.database, app.settings, app.clock, app.ids, keys, progress, channels)
    return WebServer(make_app(site), app.settings.web.address)


def _web_beside(app: App, progress: Progress, timers: Timers) -> WebServer | None:
    """The web, started if possible, and tried again from time to time if not."""
    if not _has_web():
        click.echo("No web pages: calsync was installed without its extra `web`. The worker runs.", err=True)
        return None
    web = make_web(app, progress)
    try:
        web.start()
    except UserError as problem:
        click.echo(f"{problem}. The worker runs; the web is tried again every 30 seconds.", err=True)

    def keep_up(_now: datetime) -> None:
        if not app.stop.is_set():
            web.keep_up()

    timers.add("web", _WEB_EVERY, keep_up)
    return web


def _has_web() -> bool:
    return all(find_spec(name) is not None for name in ("fastapi", "uvicorn", "httptools", "prometheus_client"))
