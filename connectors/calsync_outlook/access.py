"""Who logs in: the application with a secret or a certificate, or a person with a refresh token (contract sheet 2)."""

from __future__ import annotations

import hashlib
import os
import ssl
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, urlsplit

from calsync.connector.protocol import OpenRequest
from calsync.errors import Problem, UserError
from calsync_outlook.client import Client, Line, Pool
from calsync_outlook.gate import gate_of
from calsync_outlook.settings import CalendarSettings, ConnectorSettings
from calsync_outlook.tokens import ApplicationTokens, PersonTokens, Registration, TokenSource

PERSON_SCOPES = ("Calendars.ReadWrite",)


def client_for(request: OpenRequest, settings: ConnectorSettings, calendar: CalendarSettings) -> Client:
    """Return a client for an account, without any request; UserError where the config does not name one."""
    client_id = _client_id(settings)
    line = Line(
        root=settings.graph_url,
        timeout=settings.timeout.total_seconds(),
        gate=gate_of(settings.graph_url, client_id),
        pool=_pool(settings.graph_url, str(settings.ca_file or ""), settings.timeout.total_seconds()),
    )
    return Client(line, _tokens(request, settings, calendar, client_id))


def mailbox_prefix(request: OpenRequest, calendar: CalendarSettings) -> str:
    """Return the path of the mailbox: the person's own, or the named one."""
    if calendar.user is not None:
        return f"/users/{quote(calendar.user, safe='@')}"
    if calendar.refresh_token_file is None and request.keep_secret is None:
        remedy = "Add user, the mailbox's id or user principal name, or refresh_token_file"
        raise UserError([Problem("names no mailbox", f"calendar {request.calendar_id}, key user", remedy)])
    return "/me"


def registration(settings: ConnectorSettings) -> Registration:
    """Return a registration of its own, with an empty memory of failures."""
    ca_file = str(settings.ca_file) if settings.ca_file else None
    authority = f"{settings.authority}/{settings.tenant}"
    return Registration(authority, _client_id(settings), _credential(settings), ca_file=ca_file)


def person_scopes(settings: ConnectorSettings) -> list[str]:
    """Return what a person is asked for; msal adds the refresh token's own scope."""
    return [f"{_origin(settings)}/{name}" for name in PERSON_SCOPES]


def keep_in(path: Path, token: str) -> None:
    """Write a rotated refresh token into its file, whole or not at all, readable by its owner only."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{token}\n")
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _tokens(
    request: OpenRequest, settings: ConnectorSettings, calendar: CalendarSettings, client_id: str
) -> TokenSource:
    keep = request.keep_secret or _keeper(calendar.refresh_token_file)
    if keep is not None:
        return PersonTokens(registration(settings), person_scopes(settings), request.secret, keep)
    credential = _credential(settings)
    if credential is None or not settings.is_for_one_tenant:
        remedy = "Give tenant (not common), client_id, and client_secret_file or certificate_file"
        raise UserError([Problem("the application cannot log in", "connectors.outlook", remedy)])
    authority = f"{settings.authority}/{settings.tenant}"
    key = hashlib.sha256(repr(credential).encode()).hexdigest()
    source = _application(authority, client_id, f"{_origin(settings)}/.default", (key, str(settings.ca_file or "")))
    source.give(registration(settings))
    return source


def _keeper(path: Path | None) -> Callable[[str], None] | None:
    if path is None:
        return None

    def keep(token: str) -> None:
        try:
            keep_in(path, token)
        except OSError:
            return  # the old one goes on working for weeks; `calsync doctor` says that the file is not writable

    return keep


class _SharedTokens(ApplicationTokens):
    """One token for all mailboxes; the credential is given once, and its failures are forgotten at each opening."""

    def __init__(self, scope: str) -> None:
        super().__init__(_NO_REGISTRATION, scope)

    def give(self, held: Registration) -> None:
        """Take a registration if there is none yet."""
        if self._registration is _NO_REGISTRATION:
            self._registration = held
        self.forget_failures()


_NO_REGISTRATION = Registration("", "", None, ca_file=None)


@lru_cache(maxsize=64)
def _application(authority: str, client_id: str, scope: str, held: tuple[str, str]) -> _SharedTokens:
    # Keyed by a hash of the credential, so that a new secret is taken up at once.
    del authority, client_id, held
    return _SharedTokens(scope)


def _client_id(settings: ConnectorSettings) -> str:
    if settings.client_id is None:
        remedy = "Register an application in Entra and give its id"
        raise UserError([Problem("is missing", "connectors.outlook, key client_id", remedy)])
    return settings.client_id


def _credential(settings: ConnectorSettings) -> object:
    if settings.client_secret_file is not None:
        return _read(settings.client_secret_file).strip()
    if settings.certificate_file is not None:
        pem = _read(settings.certificate_file)
        if "PRIVATE KEY" not in pem or "BEGIN CERTIFICATE" not in pem:
            what = "does not hold a private key and a certificate"
            raise UserError([Problem(what, str(settings.certificate_file), "Put both into it, in PEM form")])
        return {"private_key": pem, "public_certificate": pem[pem.index("-----BEGIN CERTIFICATE") :]}
    return None


def _origin(settings: ConnectorSettings) -> str:
    parts = urlsplit(settings.graph_url)
    return f"{parts.scheme}://{parts.netloc}"


@lru_cache(maxsize=64)
def _pool(graph_url: str, ca_file: str, timeout: float) -> Pool:
    del graph_url  # connections lead to one place only
    return Pool(_tls(ca_file or None), timeout)


@lru_cache(maxsize=8)
def _tls(ca_file: str | None) -> ssl.SSLContext:
    # Reading the certificates takes longer than a quiet pass; they are the same for every calendar.
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError:
        remedy = "Name a file of certificates in PEM form that calsync may read"
        raise UserError([Problem("the file cannot be used", "connectors.outlook, key ca_file", remedy)]) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as problem:
        raise UserError([Problem(f"cannot be read ({type(problem).__name__})", str(path), "Check the path")]) from None
