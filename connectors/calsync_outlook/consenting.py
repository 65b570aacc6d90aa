"""A person's consent in the browser: the address to go to, and the code that comes back (contract sheet 2.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msal
import requests

from calsync.connector.consent import Consent, DeviceCode
from calsync.connector.errors import Unavailable
from calsync.connector.protocol import OpenRequest
from calsync.errors import Problem, UserError
from calsync_outlook.access import PERSON_SCOPES, person_scopes, registration
from calsync_outlook.errors import token_error
from calsync_outlook.settings import ConnectorSettings


def consent_url(settings: ConnectorSettings, consent: Consent, hint: str) -> str:
    """Return Entra's consent page for exactly the right that calsync needs, and a token that lasts."""
    query = {
        "response_type": "code",
        "client_id": registration(settings).client_id,
        "redirect_uri": consent.redirect_uri,
        "scope": " ".join([*person_scopes(settings), "offline_access"]),
        "state": consent.state,
        "code_challenge": consent.challenge,
        "code_challenge_method": "S256",
        "prompt": "select_account",
        "login_hint": hint,
    }
    page = f"{settings.authority}/{settings.tenant}/oauth2/v2.0/authorize"
    return f"{page}?{urlencode({name: value for name, value in query.items() if value})}"


def redeem(request: OpenRequest, settings: ConnectorSettings, consent: Consent, code: str) -> str:
    """Return the refresh token for a code."""

    def ask(application: Any) -> Any:
        return application.acquire_token_by_authorization_code(
            code, person_scopes(settings), redirect_uri=consent.redirect_uri, data={"code_verifier": consent.verifier}
        )

    return _granted(request, _asked(settings, ask))


def device_code(settings: ConnectorSettings) -> DeviceCode | None:
    """Begin a device flow; None for an application with a credential, which Entra gives no codes (sheet 2.2)."""
    if registration(settings).credential is not None:
        return None
    told = _asked(settings, lambda application: application.initiate_device_flow(scopes=person_scopes(settings)))
    address, code = told.get("verification_uri"), told.get("user_code")
    if not isinstance(address, str) or not isinstance(code, str):
        raise token_error(told)
    return DeviceCode(address, code, _seconds(told, "interval", 5), _seconds(told, "expires_in", 900), told)


def redeem_device(request: OpenRequest, settings: ConnectorSettings, device: DeviceCode) -> str | None:
    """Ask once whether the person has agreed; None while not."""

    def ask(application: Any) -> Any:
        # Its own loop sleeps; with this it asks once and gives back what came.
        return application.acquire_token_by_device_flow(device.flow, exit_condition=lambda _flow: True)

    told = _asked(settings, ask)
    if told.get("error") in ("authorization_pending", "slow_down"):
        return None
    return _granted(request, told)


def _asked(settings: ConnectorSettings, ask: Callable[[Any], Any]) -> dict[str, Any]:
    held = registration(settings)
    try:
        told: dict[str, Any] = ask(held.application())
    except (requests.RequestException, msal.exceptions.MsalError, ValueError) as problem:
        raise Unavailable(f"the token endpoint: {type(problem).__name__}") from None
    finally:
        held.rest()
    return told


def _granted(request: OpenRequest, told: dict[str, Any]) -> str:
    if "error" in told:
        raise token_error(told)
    granted = {scope.rsplit("/", 1)[-1] for scope in str(told.get("scope", "")).split()}
    token = told.get("refresh_token")
    if not granted.issuperset(PERSON_SCOPES) or not isinstance(token, str) or not token:
        what = "less was granted than calsync needs" if token else "Microsoft gave no lasting token"
        remedy = "Run the command again, and let an administrator allow Calendars.ReadWrite if the page asks for one"
        raise UserError([Problem(what, f"calendar {request.calendar_id}", remedy)])
    return token


def _seconds(told: dict[str, Any], name: str, otherwise: float) -> float:
    value = told.get(name)
    return float(value) if isinstance(value, int) and 0 < value < 86_400 else otherwise
