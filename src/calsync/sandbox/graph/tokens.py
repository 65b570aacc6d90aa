"""Entra's endpoints as msal needs them: discovery, client credentials, refresh tokens, device codes (sheet 2)."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from calsync.ports import Clock

Json = dict[str, Any]

LIFE = timedelta(seconds=3599)
_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access token stands for: the whole tenant's application, or one person."""

    expires_at: datetime
    person: str | None = None


@dataclass(slots=True)
class Registration:
    """An application known to the tenant."""

    client_id: str
    secret: str | None = None
    takes_assertions: bool = False


@dataclass(slots=True)
class Tokens:
    """Everything the token endpoint knows. `failures`: answers that come instead of tokens, the first one first."""

    clock: Clock
    tenant: str = "made-up-tenant"
    registrations: dict[str, Registration] = field(default_factory=dict)
    access: dict[str, Grant] = field(default_factory=dict)
    refresh: dict[str, str] = field(default_factory=dict)  # token -> person
    retired: set[str] = field(default_factory=set)  # refresh tokens that were used and replaced
    revoked: dict[str, int] = field(default_factory=dict)  # person -> AADSTS number
    devices: dict[str, str | None] = field(default_factory=dict)  # device code -> the person who agreed
    device_scopes: dict[str, str] = field(default_factory=dict)  # device code -> what was asked for
    codes: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # code -> person, challenge, redirect URI
    failures: list[tuple[int, Json, dict[str, str]]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    short_scopes: bool = False  # the answer names scopes without the root (open question 11)
    _count: int = 0

    def register(self, client_id: str, secret: str | None = None, *, takes_assertions: bool = False) -> None:
        """Add an application."""
        self.registrations[client_id] = Registration(client_id, secret, takes_assertions)

    def consent(self, person: str) -> str:
        """Let a person agree; returns a refresh token."""
        token = self._new("refresh")
        self.refresh[token] = person
        self.revoked.pop(person, None)
        return token

    def revoke(self, person: str, number: int = 50173) -> None:
        """Take a person's consent back."""
        self.revoked[person] = number
        self.access = {token: grant for token, grant in self.access.items() if grant.person != person}

    def agree_on_device(self, person: str) -> None:
        """Let a person type the code that is shown."""
        for code, agreed in self.devices.items():
            if agreed is None:
                self.devices[code] = person

    def authorise(self, person: str, challenge: str, redirect_uri: str) -> str:
        """Let a person agree in the browser; returns the code that goes back with them."""
        code = self._new("code")
        self.codes[code] = (person, challenge, redirect_uri)
        return code

    def grant_of(self, token: str) -> Grant | None:
        """What a bearer token stands for, None if it is unknown or too old."""
        grant = self.access.get(token)
        return grant if grant is not None and self.clock.now() < grant.expires_at else None

    def metadata(self, root: str, tenant: str) -> Json:
        """The discovery document."""
        base = f"{root}/{tenant}"
        return {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        }

    def device(self, root: str, scope: str) -> Json:
        """Begin a device flow."""
        code = self._new("device")
        self.devices[code] = None
        self.device_scopes[code] = scope
        return {
            "device_code": code, "user_code": "MADEUP1", "verification_uri": f"{root}/device", "expires_in": 900,
            "interval": 1, "message": "Open the page and type the code",
        }  # fmt: skip

    def answer(self, form: dict[str, str]) -> tuple[int, Json, dict[str, str]]:
        """Answer a request to the token endpoint."""
        self.asked.append(form)
        if self.failures:
            return self.failures.pop(0)
        registration = self.registrations.get(form.get("client_id", ""))
        if registration is None:
            return _error(400, "unauthorized_client", 700016)
        kind = form.get("grant_type", "")
        if kind == "client_credentials":
            return self._application(registration, form)
        # A person's flow without any credential is a public client's, which needs no secret.
        given = form.get("client_secret")
        if given is not None and given != registration.secret:
            return _error(401, "invalid_client", 7000215)
        return self._personal_answer(kind, form)

    def _personal_answer(self, kind: str, form: dict[str, str]) -> tuple[int, Json, dict[str, str]]:
        if kind == "refresh_token":
            return self._refreshed(form)
        if kind.endswith("device_code"):
            return self._device_answer(form)
        if kind == "authorization_code":
            return self._code_answer(form)
        return _error(400, "unsupported_grant_type", 70003)

    def _application(self, registration: Registration, form: dict[str, str]) -> tuple[int, Json, dict[str, str]]:
        by_secret = registration.secret is not None and form.get("client_secret") == registration.secret
        by_key = registration.takes_assertions and form.get("client_assertion_type") == _JWT_BEARER
        if not by_secret and not by_key:
            return _error(401, "invalid_client", 7000215)
        if not form.get("scope", "").endswith("/.default"):
            return _error(400, "invalid_scope", 70011)
        return 200, self._tokens(None), {}

    def _refreshed(self, form: dict[str, str]) -> tuple[int, Json, dict[str, str]]:
        token = form.get("refresh_token", "")
        person = self.refresh.get(token)
        if person is None or person in self.revoked:
            return _error(400, "invalid_grant", self.revoked.get(person or "", 700082))
        fresh = self._new("refresh")
        self.refresh[fresh] = person
        self.retired.add(token)
        return 200, {**self._tokens(person), **self._personal(person, form, fresh)}, {}

    def _device_answer(self, form: dict[str, str]) -> tuple[int, Json, dict[str, str]]:
        code = form.get("device_code", "")
        if code not in self.devices:
            return _error(400, "expired_token", 70020)
        person = self.devices[code]
        if person is None:
            return _error(400, "authorization_pending", 70016)
        del self.devices[code]
        asked = {**form, "scope": self.device_scopes.pop(code, "")}
        return 200, {**self._tokens(person), **self._personal(person, asked, self.consent(person))}, {}

    def _code_answer(self, form: dict[str, str]) -> tuple[int, Json, dict[str, str]]:
        person, challenge, redirect_uri = self.codes.pop(form.get("code", ""), ("", "", ""))
        proof = base64.urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if not person or proof != challenge or redirect_uri != form.get("redirect_uri"):
            return _error(400, "invalid_grant", 70008)
        return 200, {**self._tokens(person), **self._personal(person, form, self.consent(person))}, {}

    def _personal(self, person: str, form: dict[str, str], refresh: str) -> Json:
        scopes = [scope for scope in form.get("scope", "").split() if scope not in ("openid", "profile")]
        if self.short_scopes:
            scopes = [scope.rsplit("/", 1)[-1] for scope in scopes]
        claims = {"aud": form.get("client_id"), "iss": "https://made.up/v2.0", "sub": person, "exp": 4_000_000_000,
                  "iat": 0, "preferred_username": person, "oid": person, "tid": self.tenant}  # fmt: skip
        return {
            "refresh_token": refresh,
            "scope": " ".join(scopes),
            "client_info": _b64({"uid": person, "utid": self.tenant}),
            "id_token": f"{_b64({'alg': 'none'})}.{_b64(claims)}.",
        }

    def _tokens(self, person: str | None) -> Json:
        token = self._new("access")
        self.access[token] = Grant(self.clock.now() + LIFE, person)
        return {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token}

    def _new(self, kind: str) -> str:
        self._count += 1
        return f"made-up-{kind}-{self._count}"


def _error(status: int, error: str, number: int) -> tuple[int, Json, dict[str, str]]:
    text = f"AADSTS{number}: made-up words for a person."
    return status, {"error": error, "error_description": text, "error_codes": [number]}, {}


def _b64(value: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
