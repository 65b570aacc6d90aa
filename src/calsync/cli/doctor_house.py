"""What `calsync doctor` finds out about the installation itself: database, clock, zones, files, mail, reachability."""

from __future__ import annotations

import smtplib
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from cryptography import x509

from calsync.cli.context import App
from calsync.cli.doctor_platform import examine_platform
from calsync.connector.protocol import Finding
from calsync.errors import CalsyncError
from calsync.notices.smtp import SmtpMailer, SmtpServer
from calsync.settings.secrets import read_secret_file
from calsync.store import connections
from calsync.store import upgrade as store_upgrade

_SKEW: Final = timedelta(seconds=5)
_ZONES_AGE: Final = timedelta(days=400)
_SOON: Final = timedelta(days=30)
# Google ends the refresh tokens of apps in "Testing" after seven days.
_TESTING: Final = timedelta(days=7)
_TIMEOUT_S: Final = 10.0
_ENDPOINTS: Final = ("api_endpoint", "graph_url")


def examine(app: App) -> Iterator[Finding]:
    """Each thing that all calendars rely on, tried out. Sends no mail and changes nothing."""
    yield from _database(app)
    yield from _clock(app)
    yield _zones(app)
    yield from _files(app)
    yield from _web(app)
    yield from _mail(app)
    yield from _secrets(app)
    yield from examine_platform(app)


def _database(app: App) -> Iterator[Finding]:
    what = "open the database"
    try:
        state = store_upgrade.check(app.database_url)
    except CalsyncError as problem:
        yield Finding(what, ok=False, detail=str(problem))
        return
    yield Finding(what, ok=True)
    detail = "" if state.is_current else f"it is at {state.current}, this program needs {state.head}"
    yield Finding("tables of this version", ok=state.is_current, detail=detail, remedy="Run `calsync db upgrade`")


def _clock(app: App) -> Iterator[Finding]:
    if not app.database.is_sqlite:
        with app.database.reading() as conn:
            yield _skew("the database's clock", app.database.now(conn, app.clock), app.clock.now())
    for host in sorted(_hosts(app)):
        told = _date_of(host)
        if told is not None:
            yield _skew(f"the clock of {host.rpartition('//')[2]}", told, app.clock.now())


def _skew(what: str, theirs: datetime, ours: datetime) -> Finding:
    apart = abs(theirs - ours)
    detail = f"{apart.total_seconds():.0f} seconds apart" if apart > _SKEW + timedelta(seconds=1) else ""
    return Finding(f"agree with {what}", ok=not detail, detail=detail, remedy="Keep this machine's time by NTP")


def _hosts(app: App) -> set[str]:
    """Where the services' clocks can be asked for: the endpoints in the config, and addresses of its calendars."""
    found: set[str] = set()
    in_use = {calendar.connector for _, calendar in app.settings.calendars()}
    for name, keys in app.settings.connectors.items():
        if name in in_use:
            found |= {str(url) for key in _ENDPOINTS if (url := getattr(keys, key, None))}
    found |= {str(url) for _, one in app.settings.calendars() if (url := getattr(one.settings, "url", None))}
    parts = (urlsplit(url) for url in found)
    return {f"{one.scheme}://{one.netloc.rpartition('@')[2]}" for one in parts if one.scheme in ("http", "https")}


def _date_of(host: str) -> datetime | None:
    answer = _get(urlsplit(host), "HEAD")
    if answer is None or answer[2] is None:
        return None
    try:
        return parsedate_to_datetime(answer[2]).astimezone(UTC)
    except ValueError:
        return None


def _get(address: SplitResult, method: str = "GET") -> tuple[int, bytes, str | None] | None:
    """Status, the body's beginning and the date that a server answers with; None if it does not answer."""
    kind: Callable[..., HTTPConnection] = HTTPSConnection if address.scheme == "https" else HTTPConnection
    try:
        connection = kind(address.hostname or "", address.port, timeout=_TIMEOUT_S)
        try:
            connection.request(method, address.path or "/")
            response = connection.getresponse()
            return response.status, response.read(64), response.getheader("Date")
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError):
        return None


def _zones(app: App) -> Finding:
    release = version("tzdata")
    year = int(release.split(".", maxsplit=1)[0])
    is_old = app.clock.now() - datetime(year, 12, 31, tzinfo=UTC) > _ZONES_AGE
    remedy = "Upgrade the Python package tzdata: rules of daylight time change every year"
    return Finding("know the time zones' rules", ok=not is_old, detail=f"release {release}", remedy=remedy)


def _files(app: App) -> Iterator[Finding]:
    place = store_upgrade.sqlite_place(app.database_url)
    for name, path in (("the key file", app.settings.secrets.key_file), ("the database", place)):
        if path.exists():
            yield _closed(name, path)


def _closed(name: str, path: Path) -> Finding:
    is_open = bool(path.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP))
    detail = f"{path} is open to others" if is_open else ""
    return Finding(f"keep {name} to itself", ok=not is_open, detail=detail, remedy=f"Run: chmod 600 {path}")


def _web(app: App) -> Iterator[Finding]:
    url = app.settings.web.public_url
    if url is None:
        detail = "web.public_url is not set: no push and no links in mails; polling does the work"
        yield Finding("be reached from outside", ok=True, detail=detail)
        return
    answer = _get(urlsplit(url.rstrip("/") + "/healthz"))
    ok = answer is not None and answer[0] == 200 and answer[1].startswith(b"fine")
    detail = "" if ok else "no answer" if answer is None else f"answered {answer[0]}, and not as calsync does"
    remedy = "Start `calsync run` or `serve`, and lead the public address to [web] listen, TLS included"
    yield Finding(f"be reached at {url}", ok=ok, detail=detail, remedy=remedy)


def _mail(app: App) -> Iterator[Finding]:
    mail = app.settings.mail
    if mail.sender is None:
        yield Finding("send mail", ok=True, detail="mail.sender is not set: no mail leaves")
        return
    file = mail.password_file
    mailer = SmtpMailer(
        SmtpServer.at(mail.smtp_url),
        mail.username,
        lambda: read_secret_file(file) if file is not None else "",
        timeout_s=_TIMEOUT_S,
    )
    try:
        mailer.knock()
    except (OSError, smtplib.SMTPException, CalsyncError) as problem:
        detail = f"{mail.smtp_url}: {type(problem).__name__}"
        yield Finding(
            "talk to the mail server", ok=False, detail=detail, remedy="Look at [mail] smtp_url and the login"
        )
        return
    yield Finding("talk to the mail server", ok=True)


def _secrets(app: App) -> Iterator[Finding]:
    now = app.clock.now()
    for name, keys in sorted(app.settings.connectors.items()):
        file = getattr(keys, "certificate_file", None)
        if isinstance(file, Path) and file.exists():
            yield _certificate(name, file, now)
    yield from _testing(app)


def _certificate(name: str, file: Path, now: datetime) -> Finding:
    what, remedy = f"keep {name}'s certificate valid", "Make a new one, register it with the app, and replace the file"
    try:
        ends = min(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(file.read_bytes()))
    except ValueError:
        return Finding(what, ok=False, detail=f"{file} holds no certificate that can be read", remedy=remedy)
    return Finding(what, ok=ends - now > _SOON, detail=f"until {ends:%d %b %Y}", remedy=remedy)


def _testing(app: App) -> Iterator[Finding]:
    """Logins that all end on their seventh day are those of a Google app that is still in "Testing"."""
    with app.database.reading() as conn:
        lost = connections.lost_after(conn, "google", _TESTING - timedelta(hours=12), _TESTING + timedelta(hours=12))
    if lost:
        yield Finding(
            "keep Google's logins longer than a week",
            ok=False,
            detail=f"{lost} of them ended seven days after they were given; that is how apps in Testing behave",
            remedy="Publish the app in Google's console (user type Internal, or External and In production)",
        )
