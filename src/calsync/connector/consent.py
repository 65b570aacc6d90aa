"""What a connector offers whose users agree in the browser (OAuth 2.0 with PKCE): an address, and a code to redeem.

Optional abilities: whoever connects a calendar asks whether a connector has them. State and verifier are the caller's
to make, keep and compare.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol, runtime_checkable

from calsync.connector.protocol import OpenRequest


@dataclass(frozen=True, slots=True)
class Consent:
    """One attempt: where the browser comes back to, and the two secrets that tie its return to this attempt."""

    redirect_uri: str
    state: str
    verifier: str

    @property
    def challenge(self) -> str:
        """What of the verifier goes out at first (RFC 7636, S256)."""
        digest = sha256(self.verifier.encode("ascii")).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


@runtime_checkable
class Consenting(Protocol):
    """A connector whose users agree in the browser."""

    def consent_url(self, request: OpenRequest, consent: Consent, login_hint: str) -> str:
        """Return the address where the user agrees; UserError where the config lacks the client's keys."""

    def redeem(self, request: OpenRequest, consent: Consent, code: str) -> str:
        """Turn the code into the lasting secret (a refresh token); UserError where less was granted than is needed."""


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A code that a person types on any device: where, which, how often to ask meanwhile; `flow` is the connector's."""

    address: str
    code: str
    every_s: float
    lasts_s: float
    flow: Any


@runtime_checkable
class DeviceConsenting(Protocol):
    """A connector whose users may agree on another device than this one (RFC 8628)."""

    def device_code(self, request: OpenRequest) -> DeviceCode | None:
        """Begin; None where this registration does not do it."""

    def redeem_device(self, request: OpenRequest, device: DeviceCode) -> str | None:
        """Ask once for the lasting secret; None while the person has not agreed. Raises as `Consenting.redeem`."""
