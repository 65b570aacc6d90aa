"""`calsync connect SERVICE --provider ID`: a person agrees in the browser; their lasting secret goes into its file.

The browser comes back to this machine's loopback address (RFC 8252 7.3), with PKCE and a state that is compared in
constant time. Events, ids and the calendar stay what they were: only the secret is new.
"""

from __future__ import annotations

import base64
import hmac
import os
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click

from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import actor_options
from calsync.connector.consent import Consent, Consenting
from calsync.connector.protocol import OpenRequest
from calsync.errors import Problem, UserError
from calsync.settings.model import CalendarConfig, Provider
from calsync.store import audit, work

WAIT_S = 300


def register(app: click.Group) -> None:
    """Add the command."""
    app.add_command(connect)


@click.command()
@click.argument("service", metavar="google|outlook")
@click.option("--provider", required=True, metavar="ID", help="Whose calendar it is.")
@click.option("--calendar", metavar="ID", help="Which one, where the provider has several of this service.")
@actor_options
@pass_app
def connect(app: App, service: str, provider: str, calendar: str | None) -> int:
    """Let a provider agree in the browser, and keep the token in the calendar's refresh_token_file.

    Run it again to reconnect: events and the calendar itself stay as they are.
    """
    person, config = _configured(app, service, provider, calendar)
    path = _token_file(config)
    connector = app.registry.get(service)
    if not isinstance(connector, Consenting):
        raise UserError.of(f"{service} has no consent page", remedy="Give the account's keys in the config instead")
    request = _request(app, person, config)
    with _Loopback() as loopback:
        consent = Consent(loopback.address, _secret(app), _secret(app))
        click.echo("Open this address in the provider's browser, on this machine:\n")
        click.echo(connector.consent_url(request, consent, person.email))
        code = loopback.wait(consent.state)
    _keep(path, connector.redeem(request, consent, code))
    with app.books.transaction() as conn:
        now = app.clock.now()
        work.retry_now(conn, config.id, now)
        audit.append(
            conn, at=now, actor=app.actor, what="connected", subject=f"calendar:{config.id}", detail={"note": app.note}
        )
    click.echo(f"\nConnected. The token is in {path}; the worker takes calendar {config.id} up at once.")
    return ExitCode.FINE


def _configured(app: App, service: str, provider: str, calendar: str | None) -> tuple[Provider, CalendarConfig]:
    found = [
        (person, config)
        for person, config in app.settings.calendars()
        if person.id == provider and config.connector == service and calendar in (None, config.id)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(config.id for _, config in found)
        raise UserError.of("has several calendars of this service", f"provider {provider}", f"Add --calendar: {names}")
    remedy = f'Add a [[providers.calendars]] table with connector = "{service}" and a refresh_token_file'
    raise UserError.of(f"has no {service} calendar in the config", f"provider {provider}", remedy)


def _token_file(config: CalendarConfig) -> Path:
    path = getattr(config.settings, "refresh_token_file", None)
    if not isinstance(path, Path):
        raise UserError.of(
            "names no file for the token", f"calendar {config.id}", "Add refresh_token_file to its table in the config"
        )
    return path


def _request(app: App, person: Provider, config: CalendarConfig) -> OpenRequest:
    assert config.settings is not None
    return OpenRequest(
        calendar_id=config.id,
        connector_settings=app.settings.connectors[config.connector],
        calendar_settings=config.settings,
        placement=config.placement or "dedicated",
        zone=person.zone,
        secret=lambda: "",
    )


def _secret(app: App) -> str:
    return base64.urlsafe_b64encode(app.ids.token_bytes(32)).rstrip(b"=").decode("ascii")


def _keep(path: Path, token: str) -> None:
    """Write the token so that nobody else can read it, and no reader ever meets half of it."""
    fresh = path.with_name(f".{path.name}.new")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


class _Loopback:
    """Waits on this machine for the browser to come back, once, with the right state."""

    def __init__(self) -> None:
        self._server = HTTPServer(("127.0.0.1", 0), _Return)
        self._server.timeout = WAIT_S

    def __enter__(self) -> _Loopback:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    @property
    def address(self) -> str:
        """Where the browser comes back to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def wait(self, state: str) -> str:
        """Return the code. Calls with another state (other programs, old tabs) are answered and forgotten."""
        for _ in range(100):
            returns: list[dict[str, str]] = []
            self._server.RequestHandlerClass = partial(_Return, returns)
            self._server.handle_request()
            told = next(iter(returns), None)
            if told is None:
                break
            if not hmac.compare_digest(told.get("state", "").encode(), state.encode()):
                continue
            if code := told.get("code"):
                return code
            raise UserError(
                [Problem("was not agreed to", "the consent page", "Run the command again when it is wanted")]
            )
        raise UserError([Problem("nobody came back from the consent page in time", "", "Run the command again")])


class _Return(BaseHTTPRequestHandler):
    """The page that the browser comes back to."""

    timeout = 10

    def __init__(self, returns: list[dict[str, str]], *more: Any) -> None:
        self._returns = returns
        super().__init__(*more)

    def do_GET(self) -> None:
        """Take what the address carries; the page itself says nothing of it."""
        query = parse_qs(urlsplit(self.path).query)
        self._returns.append({name: values[0][:4096] for name, values in query.items()})
        page = b"<!doctype html><title>calsync</title><p>You can close this window now."
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Nothing: the address holds the code."""
