"""A person's consent in the browser: the address to go to, and the code that comes back (contract sheet 2.3)."""

from __future__ import annotations

import http.client
from urllib.parse import urlencode

import httplib2

from calsync.connector import strict_json
from calsync.connector.consent import Consent
from calsync.connector.errors import Unavailable
from calsync.connector.protocol import OpenRequest
from calsync.errors import Problem, UserError
from calsync_google.access import client_secret, is_dedicated, scopes_for
from calsync_google.errors import grant_error
from calsync_google.settings import CalendarSettings, ConnectorSettings
from calsync_google.transport import TooLarge, Transport


def consent_url(
    request: OpenRequest, settings: ConnectorSettings, calendar: CalendarSettings, consent: Consent, hint: str
) -> str:
    """Return Google's consent page for exactly the rights that the calendar needs."""
    query = {
        "response_type": "code",
        "client_id": _client(request, settings),
        "redirect_uri": consent.redirect_uri,
        "scope": " ".join(scopes_for(settings, calendar, dedicated=is_dedicated(request, calendar))),
        "state": consent.state,
        "code_challenge": consent.challenge,
        "code_challenge_method": "S256",
        # Without these two a second consent may bring no refresh token.
        "access_type": "offline",
        "prompt": "consent",
        "login_hint": hint,
    }
    return f"{settings.auth_uri}?{urlencode({name: value for name, value in query.items() if value})}"


def redeem(
    request: OpenRequest, settings: ConnectorSettings, calendar: CalendarSettings, consent: Consent, code: str
) -> str:
    """Return the refresh token for a code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": _client(request, settings),
        "client_secret": client_secret(settings.client_secret_file) if settings.client_secret_file else "",
        "redirect_uri": consent.redirect_uri,
        "code_verifier": consent.verifier,
    }
    answer = _asked(settings, form)
    granted = str(answer.get("scope", "")).split()
    missing = [
        scope
        for scope in scopes_for(settings, calendar, dedicated=is_dedicated(request, calendar))
        if scope not in granted
    ]
    token = answer.get("refresh_token")
    if missing or not isinstance(token, str) or not token:
        what = "less was granted than calsync needs" if missing else "Google gave no lasting token"
        remedy = "Run the command again and leave every box on Google's page ticked"
        raise UserError([Problem(what, f"calendar {request.calendar_id}", remedy)])
    return token


def _asked(settings: ConnectorSettings, form: dict[str, str]) -> dict[str, object]:
    transport = Transport(settings.timeout.total_seconds())
    try:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        _, content = transport.request(settings.token_uri, "POST", body=urlencode(form), headers=headers)
        answer = strict_json.parse(content)
    except (OSError, http.client.HTTPException, httplib2.HttpLib2Error, TooLarge, strict_json.BadJson) as fault:
        raise Unavailable(f"the token endpoint: {type(fault).__name__}") from None
    finally:
        transport.close()
    if not isinstance(answer, dict) or "error" in answer:
        raise grant_error(answer.get("error") if isinstance(answer, dict) else None, retryable=False)
    return answer


def _client(request: OpenRequest, settings: ConnectorSettings) -> str:
    if settings.client_id is None:
        remedy = "Add client_id and client_secret_file under [connectors.google]; a service account needs no consent"
        raise UserError([Problem("has no OAuth client to ask with", f"calendar {request.calendar_id}", remedy)])
    return settings.client_id
