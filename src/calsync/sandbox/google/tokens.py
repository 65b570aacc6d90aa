"""Google's token endpoint: refresh tokens, service accounts with delegation, authorisation codes (contract sheet 2)."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from calsync.ports import Clock

Json = dict[str, Any]

AUDIENCE = "https://oauth2.googleapis.com/token"
LIFE = timedelta(seconds=3599)
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(slots=True)
class Grant:
    """What a token stands for."""

    account: str
    scopes: frozenset[str]
    client: str
    expires_at: datetime | None = None


@dataclass(slots=True)
class ServiceAccount:
    """A service account whose key is known, and the scopes an admin delegated to it."""

    email: str
    key: rsa.RSAPublicKey
    scopes: set[str]


@dataclass(slots=True)
class Client:
    """An OAuth client."""

    id: str
    secret: str


@dataclass(slots=True)
class Tokens:
    """All tokens. `trouble`: an answer to give instead, as (status, body)."""

    clock: Clock
    access: dict[str, Grant] = field(default_factory=dict)
    refresh: dict[str, Grant] = field(default_factory=dict)
    codes: dict[str, tuple[Grant, str, str]] = field(default_factory=dict)  # grant, challenge, redirect URI
    clients: dict[str, Client] = field(default_factory=dict)
    services: dict[str, ServiceAccount] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)
    trouble: tuple[int, object] | None = None
    asked: int = 0
    made: int = 0

    def add_service_account(self, email: str, scopes: set[str], token_uri: str) -> Json:
        """Make a service account and return its key file's content."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.services[email] = ServiceAccount(email, key.public_key(), scopes)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": "sandbox",
            "private_key_id": "1",
            "private_key": pem.decode("ascii"),
            "client_email": email,
            "client_id": "100",
            "token_uri": token_uri,
        }

    def add_client(self, client: str = "client-1", secret: str = "sandbox-secret-1") -> Client:  # noqa: S107
        """Register an OAuth client."""
        self.clients[client] = Client(client, secret)
        return self.clients[client]

    def consent(self, account: str, scopes: set[str], client: str = "client-1") -> str:
        """A person agrees; returns a refresh token."""
        token = f"1//{self._name('refresh')}"
        self.refresh[token] = Grant(account, frozenset(scopes), client)
        return token

    def authorise(self, account: str, scopes: set[str], client: str, challenge: str, redirect_uri: str) -> str:
        """A person agrees in the browser; returns the code that goes to the redirect URI."""
        code = f"4/{self._name('code')}"
        self.codes[code] = (Grant(account, frozenset(scopes), client), challenge, redirect_uri)
        return code

    def revoke(self, account: str) -> None:
        """The person takes their consent back: all their tokens die, delegation included."""
        self.accounts.discard(account)
        self.refresh = {token: grant for token, grant in self.refresh.items() if grant.account != account}
        self.access = {token: grant for token, grant in self.access.items() if grant.account != account}

    def drop_access(self) -> None:
        """Let all access tokens expire now."""
        self.access.clear()

    def of(self, token: str) -> Grant | None:
        """What an access token stands for, None if it is unknown or expired."""
        grant = self.access.get(token)
        if grant is None or (grant.expires_at is not None and grant.expires_at <= self.clock.now()):
            return None
        return grant

    def answer(self, form: dict[str, str]) -> tuple[int, object]:
        """Answer a request to the token endpoint."""
        self.asked += 1
        if self.trouble is not None:
            return self.trouble
        match form.get("grant_type"):
            case "refresh_token":
                return self._refreshed(form)
            case "authorization_code":
                return self._exchanged(form)
            case kind if kind == JWT_BEARER:
                return self._asserted(form.get("assertion", ""))
            case _:
                return _refused("unsupported_grant_type")

    def _refreshed(self, form: dict[str, str]) -> tuple[int, object]:
        if (bad := self._bad_client(form)) is not None:
            return bad
        grant = self.refresh.get(form.get("refresh_token", ""))
        if grant is None or grant.client != form["client_id"] or grant.account not in self.accounts:
            return _refused("invalid_grant")
        wanted = frozenset(form["scope"].split()) if form.get("scope") else grant.scopes
        if not wanted <= grant.scopes:
            return _refused("invalid_scope")
        return 200, {**self._issued(grant, wanted), "scope": " ".join(sorted(wanted))}

    def _exchanged(self, form: dict[str, str]) -> tuple[int, object]:
        if (bad := self._bad_client(form)) is not None:
            return bad
        grant, challenge, redirect = self.codes.pop(form.get("code", ""), (None, "", ""))
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if grant is None or redirect != form.get("redirect_uri") or proof.decode().rstrip("=") != challenge:
            return _refused("invalid_grant")
        token = self.consent(grant.account, set(grant.scopes), grant.client)
        answer = self._issued(grant, grant.scopes)
        return 200, {**answer, "refresh_token": token, "scope": " ".join(sorted(grant.scopes))}

    def _bad_client(self, form: dict[str, str]) -> tuple[int, object] | None:
        client = self.clients.get(form.get("client_id", ""))
        if client is None:
            return 401, {"error": "deleted_client", "error_description": "The OAuth client was deleted."}
        if client.secret != form.get("client_secret"):
            return 401, {"error": "invalid_client", "error_description": "Unauthorized"}
        return None

    def _asserted(self, assertion: str) -> tuple[int, object]:
        claims = self._claims(assertion)
        if claims is None or claims.get("aud") != AUDIENCE:
            return _refused("invalid_grant")
        service = self.services[claims["iss"]]
        scopes = frozenset(str(claims.get("scope", "")).split())
        if not scopes:
            return _refused("invalid_scope")
        subject = claims.get("sub", service.email)
        if subject != service.email and not scopes <= service.scopes:
            return 401, {"error": "unauthorized_client", "error_description": "Client is unauthorized"}
        if subject not in self.accounts and subject != service.email:
            return _refused("invalid_grant")
        return 200, self._issued(Grant(subject, scopes, service.email), scopes)

    def _claims(self, assertion: str) -> Json | None:
        parts = assertion.split(".")
        if len(parts) != 3:
            return None
        claims: Json = json.loads(_unpadded(parts[1]))
        service = self.services.get(claims.get("iss", ""))
        if service is None:
            return None
        try:
            service.key.verify(
                _unpadded(parts[2]), f"{parts[0]}.{parts[1]}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return None
        return claims

    def _issued(self, grant: Grant, scopes: frozenset[str]) -> Json:
        token = f"ya29.{self._name('access')}"
        self.access[token] = Grant(grant.account, scopes, grant.client, self.clock.now() + LIFE)
        return {"access_token": token, "expires_in": int(LIFE.total_seconds()), "token_type": "Bearer"}

    def _name(self, kind: str) -> str:
        self.made += 1
        return hashlib.sha256(f"{kind}-{self.made}".encode()).hexdigest()[:40]


def _refused(error: str) -> tuple[int, object]:
    return 400, {"error": error, "error_description": "Token has been expired or revoked."}


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
