"""`calsync connect`: a provider agrees on the service's own page, or gives a password; or gets a link to do so.

Where the config names a file for the token, it goes there; else it is kept sealed on the books. Events, ids and the
calendar of one that is connected again stay what they were: only the secret is new.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import click

from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.loopback import Loopback
from calsync.cli.options import actor_options
from calsync.connecting import going_live
from calsync.connecting.links import make_link
from calsync.connecting.reception import Reception, Target, Visitor, request_for, target_of
from calsync.connector.consent import Consent, Consenting, DeviceConsenting
from calsync.connector.errors import CalendarError
from calsync.connector.looking import Looking
from calsync.connector.protocol import OpenRequest
from calsync.errors import NotFoundError, UserError
from calsync.settings.key_file import KeyFile
from calsync.settings.secrets import read_secret_file
from calsync.store import audit, calendars, connections, work
from calsync.store.known import known_provider

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
Placement = click.Choice(["dedicated", "existing"])


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(connect)


@click.group()
def connect() -> None:
    """Connect a provider's calendar, or connect it again: events and the calendar stay as they are."""


@connect.command()
@click.option("--provider", required=True, metavar="ID", help="Whose calendar it is.")
@click.option("--calendar", metavar="ID", help="Which one, where the provider has several of this service.")
@click.option("--placement", type=Placement, default="dedicated", help="A calendar of its own, or the main one.")
@click.option("--yes", is_flag=True, help="Do not ask before the first write.")
@actor_options
@pass_app
def google(app: App, provider: str, calendar: str | None, placement: str, yes: bool) -> int:
    """Let a provider agree on Google's page, in a browser on this machine."""
    desk = _Desk(app, "google", provider, calendar, placement, asks=not yes)
    return desk.connect(lambda request: _by_browser(desk, request))


@connect.command()
@click.option("--provider", required=True, metavar="ID", help="Whose calendar it is.")
@click.option("--calendar", metavar="ID", help="Which one, where the provider has several of this service.")
@click.option("--placement", type=Placement, default="dedicated", help="A calendar of its own, or the main one.")
@click.option("--yes", is_flag=True, help="Do not ask before the first write.")
@click.option(
    "--device/--browser",
    default=None,
    help="A code to type on any device, or a browser on this machine. Default: a code where there is no screen.",
)
@actor_options
@pass_app
def outlook(app: App, provider: str, calendar: str | None, placement: str, yes: bool, device: bool | None) -> int:
    """Let a provider agree on Microsoft's page."""
    desk = _Desk(app, "outlook", provider, calendar, placement, asks=not yes)
    by_code = device if device is not None else not any(os.environ.get(name) for name in _DISPLAYS)

    def ask(request: OpenRequest) -> str:
        found = _by_device(desk, request) if by_code else None
        if found is None and device:
            remedy = "Take client_secret_file out, and allow public client flows in Entra; or use --browser"
            raise UserError.of("gives no codes to an application with a secret", "connectors.outlook", remedy)
        return found if found is not None else _by_browser(desk, request)

    return desk.connect(ask)


@connect.command()
@click.option("--provider", required=True, metavar="ID", help="Whose calendar it is.")
@click.option("--calendar", metavar="ID", help="Which one, where the provider has several of this service.")
@click.option("--url", metavar="URL", help="A calendar, a home, a server, or a mail address at the service.")
@click.option("--username", metavar="NAME", help="Name for the login.")
@click.option("--password-file", type=click.Path(path_type=Path), help="File with the password; else it is asked for.")
@click.option("--yes", is_flag=True, help="Do not ask before the first write.")
@actor_options
@pass_app
def caldav(app: App, /, provider: str, yes: bool, password_file: Path | None, **given: str | None) -> int:
    """Connect a CalDAV calendar; the address is held to what providers may name (no private networks)."""
    desk = _Desk(app, "caldav", provider, given["calendar"], "dedicated", asks=not yes)
    keys = {name: value for name in ("url", "username") if (value := given[name]) is not None}

    def ask(_request: OpenRequest) -> str:
        secret = read_secret_file(password_file) if password_file else click.prompt("Password", hide_input=True)
        found = app.registry.get("caldav")
        if isinstance(found, Looking):
            desk.looked(found.look(desk.request(keys, lambda: secret)).makes_one)
        return str(secret)

    return desk.connect(ask, keys)


@connect.command()
@click.option("--provider", required=True, metavar="ID", help="For whom.")
@click.option("--calendar", metavar="ID", help="To connect this one again, and no other.")
@actor_options
@pass_app
def link(app: App, provider: str, calendar: str | None) -> int:
    """Make a link under which a provider connects a calendar. It is good for two weeks; send it to nobody else."""
    now = app.clock.now()
    with app.books.transaction() as conn:
        known_provider(conn, provider)
        row = calendars.get(conn, calendar) if calendar is not None else None
        if calendar is not None and (row is None or row.provider != provider or row.removed_at is not None):
            raise NotFoundError(f"calendar of {provider}", calendar)
        public_url = app.settings.web.public_url
        address = make_link(conn, public_url, app.ids, provider=provider, calendar=calendar, now=now)
        detail = {"calendar": calendar} if calendar is not None else {}
        subject = f"provider:{provider}"
        audit.append(conn, at=now, actor=app.actor, what="connect-link-made", subject=subject, detail=detail)
    click.echo(address)
    return ExitCode.FINE


@dataclass(slots=True)
class _Desk:
    """One connecting: whose calendar, of which service, and how it ends."""

    app: App
    service: str
    provider: str
    named: str | None
    placement: str
    asks: bool

    def connect(self, ask: Callable[[OpenRequest], str], keys: Mapping[str, str] | None = None) -> int:
        """Ask for the secret and keep it where it belongs."""
        file = self._token_file()
        if file is not None:
            calendar, path = file
            _keep_in_file(path, self._asked(ask, self.request()))
            self._retry(calendar)
            click.echo(f"\nConnected. The token is in {path}; the worker takes calendar {calendar} up at once.")
            return ExitCode.FINE
        secret = self._asked(ask, self.request(keys))
        target, visitor, reception = self._target(keys), self._visitor(), self.reception
        going_live.require_the_same_account(reception, visitor, target, secret)
        if target.known is None:
            self._agree_to_plan(reception, visitor)
        with self.app.database.transaction() as conn:
            going_live.put_on_books(conn, reception, visitor, target, secret)
        click.echo(f"\nConnected. The login is kept encrypted; the worker takes calendar {target.calendar} up at once.")
        return ExitCode.FINE

    def _asked(self, ask: Callable[[OpenRequest], str], request: OpenRequest) -> str:
        try:
            return ask(request)
        except CalendarError as problem:
            what = f"the service gave no login ({type(problem).__name__}: {problem})"
            raise UserError.of(what, f"provider {self.provider}", "Look at the login, and try again") from None

    def request(self, keys: Mapping[str, str] | None = None, secret: Callable[[], str] = lambda: "") -> OpenRequest:
        """What the connector is told."""
        return request_for(self.reception, self._visitor(), self._target(keys), secret)

    def looked(self, makes_one: bool) -> None:
        """The account was looked at: where no calendar can be made, the named one is used."""
        self.placement = "dedicated" if makes_one else "existing"

    @property
    def reception(self) -> Reception:
        """What connecting needs."""
        app = self.app
        keys = KeyFile(app.settings.secrets.key_file)
        return Reception(app.books, app.settings, app.registry, app.clock, app.ids, keys)

    def _visitor(self) -> Visitor:
        with self.app.books.reading() as conn:
            row = known_provider(conn, self.provider)
        return Visitor("command", row, self._chosen(), by=self.app.actor)

    def _chosen(self) -> str | None:
        """The calendar that is meant where there are several; UserError if it does not show which."""
        with self.app.books.reading() as conn:
            rows = [row for row in calendars.rows(conn, self.provider) if row.connector == self.service]
        if self.named is not None:
            if all(row.id != self.named for row in rows):
                raise NotFoundError(f"{self.service} calendar of {self.provider}", self.named)
            return self.named
        if len(rows) > 1:
            names = ", ".join(row.id for row in rows)
            raise UserError.of(
                "has several calendars of this service", f"provider {self.provider}", f"Add --calendar: {names}"
            )
        return rows[0].id if rows else None

    def _target(self, keys: Mapping[str, str] | None) -> Target:
        with self.app.books.reading() as conn:
            target = target_of(conn, self._visitor(), self.service, self.placement)
        if target.known is not None:
            return target
        wanted = dict(keys or {})
        if self.service == "google" and self.placement == "existing":
            wanted["calendar_id"] = "primary"
        return Target(target.calendar, self.service, self.placement, wanted)

    def _token_file(self) -> tuple[str, Path] | None:
        chosen = self._chosen()
        for _, config in self.app.settings.calendars():
            path = getattr(config.settings, "refresh_token_file", None)
            if config.id == chosen and isinstance(path, Path):
                return config.id, path
        return None

    def _retry(self, calendar: str) -> None:
        with self.app.books.transaction() as conn:
            now, row = self.app.clock.now(), calendars.get(conn, calendar)
            if row is not None:
                # Whoever agreed last counts; a sealed login would go before the file.
                connections.forget_credential(conn, row.connection)
            work.retry_now(conn, calendar, now)
            detail = {"note": self.app.note}
            subject = f"calendar:{calendar}"
            audit.append(conn, at=now, actor=self.app.actor, what="connected", subject=subject, detail=detail)

    def _agree_to_plan(self, reception: Reception, visitor: Visitor) -> None:
        """The plan before the first write (R-31)."""
        plan = going_live.plan(reception, visitor)
        click.echo(
            f"\nThis will be written: {plan.events} events ({plan.singles} single sessions, {plan.series} series, "
            f"{plan.blocks} blocks). Nothing has been written yet."
        )
        if self.asks:
            click.confirm("Go on?", abort=True)


def _by_browser(desk: _Desk, request: OpenRequest) -> str:
    found = desk.app.registry.get(desk.service)
    if not isinstance(found, Consenting):
        raise UserError.of(
            f"{desk.service} has no consent page", remedy="Give the account's keys in the config instead"
        )
    with Loopback() as loopback:
        consent = Consent(loopback.address, _secret(desk.app), _secret(desk.app))
        click.echo("Open this address in the provider's browser, on this machine:\n")
        click.echo(found.consent_url(request, consent, desk._visitor().provider.email))  # noqa: SLF001 - its own desk
        return found.redeem(request, consent, loopback.wait(consent.state))


def _by_device(desk: _Desk, request: OpenRequest) -> str | None:
    """Show a code and wait until it was typed somewhere; None where the service gives none."""
    found = desk.app.registry.get(desk.service)
    device = found.device_code(request) if isinstance(found, DeviceConsenting) else None
    if device is None or not isinstance(found, DeviceConsenting):
        return None
    click.echo(f"On any device, open {device.address} and type the code {device.code}")
    until = desk.app.clock.now() + timedelta(seconds=device.lasts_s)
    while desk.app.clock.now() < until:
        desk.app.sleep.sleep(device.every_s)
        token = found.redeem_device(request, device)
        if token is not None:
            return token
    raise UserError.of("nobody typed the code in time", "", "Run the command again")


def _secret(app: App) -> str:
    return base64.urlsafe_b64encode(app.ids.token_bytes(32)).rstrip(b"=").decode("ascii")


def _keep_in_file(path: Path, token: str) -> None:
    """Write the token so that nobody else can read it, and no reader ever meets half of it."""
    fresh = path.with_name(f".{path.name}.new")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
