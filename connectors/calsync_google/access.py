"""Who logs in, and with which rights: service accounts that act for a person, or a person's own consent (sheet 2).

The least rights for each placement, and never all that the library would ask for by itself.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from google.oauth2 import credentials as people
from google.oauth2 import service_account

from calsync.connector.protocol import OpenRequest
from calsync.errors import Problem, UserError
from calsync_google.settings import CalendarSettings, ConnectorSettings

SCOPE = "https://www.googleapis.com/auth/"


def is_dedicated(request: OpenRequest, calendar: CalendarSettings) -> bool:
    """Whether the calendar is one of calsync's own making; a named one never is."""
    return request.placement == "dedicated" and calendar.calendar_id is None


def scopes_for(settings: ConnectorSettings, calendar: CalendarSettings, *, dedicated: bool) -> list[str]:
    """Return the rights to ask for: calendars of our own making, or the events of those that the person owns."""
    if dedicated:
        wanted = ["calendar.app.created"]
    else:
        wanted = ["calendar.events" if calendar.shared else "calendar.events.owned"]
    if settings.search_other_calendars:
        wanted.append("calendar.calendarlist.readonly")
    return [SCOPE + name for name in wanted]


def credentials_for(request: OpenRequest, settings: ConnectorSettings, calendar: CalendarSettings) -> Any:
    """Return the library's credentials for an account; UserError where the config does not name any."""
    scopes = scopes_for(settings, calendar, dedicated=is_dedicated(request, calendar))
    if settings.service_account_file is not None:
        if calendar.subject is None:
            raise _incomplete(request, "subject", "has no person to act for", "Add subject, the person's address")
        info = _key_file(settings.service_account_file, settings.token_uri)
        return info.with_subject(calendar.subject).with_scopes(scopes)
    if settings.client_id is None or settings.client_secret_file is None:
        remedy = "Give service_account_file, or client_id with client_secret_file, under [connectors.google]"
        raise _incomplete(request, "connectors.google", "has nothing to log in with", remedy)
    return people.Credentials(  # type: ignore[no-untyped-call]
        token=None,
        refresh_token=request.secret(),
        token_uri=settings.token_uri,
        client_id=settings.client_id,
        client_secret=client_secret(settings.client_secret_file),
        scopes=scopes,
    )


def account_of(request: OpenRequest, calendar: CalendarSettings) -> str:
    """Return a name for the account whose limits count: the person, where the config names one."""
    return calendar.subject or f"calendar:{request.calendar_id}"


def client_secret(path: Path) -> str:
    """Return the client's secret from a file that holds it alone, or as the JSON of Google's console."""
    text = _read(path).strip()
    if not text.startswith("{"):
        return text
    try:
        data = json.loads(text)
        held = data.get("installed") or data.get("web") or data
        secret = held["client_secret"]
    except (ValueError, KeyError, AttributeError):
        secret = None
    if not isinstance(secret, str):
        raise UserError([Problem("holds no client_secret", str(path), "Download the client's JSON again")])
    return secret


@lru_cache(maxsize=8)
def _key_file(path: Path, token_uri: str) -> Any:
    try:
        info = json.loads(_read(path))
        return service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
            {**info, "token_uri": token_uri}
        )
    except (ValueError, TypeError, KeyError):
        what = "is not the key file of a service account"
        raise UserError([Problem(what, str(path), "Make a new key (JSON) in Google's console")]) from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as problem:
        raise UserError([Problem(f"cannot be read ({type(problem).__name__})", str(path), "Check the path")]) from None


def _incomplete(request: OpenRequest, key: str, what: str, remedy: str) -> UserError:
    return UserError([Problem(what, f"calendar {request.calendar_id}, key {key}", remedy)])
