"""Access tokens through msal: as the application, or for a person who logged in (contract sheet 2).

msal remembers failures (an answer 400 is replayed for a minute) and keeps dead refresh tokens: each source here has a
response cache of its own that `forget_failures` empties, and asks for the reasons that msal would swallow. Its HTTP
session ignores the environment: `REQUESTS_CA_BUNDLE` would beat the CA file of the config.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

import msal
import requests

from calsync.connector.errors import AuthRevoked, Unavailable
from calsync_outlook.errors import token_error

Result = dict[str, Any]


class TokenSource(Protocol):
    """Gives access tokens."""

    def token(self, *, force: bool = False, claims: str | None = None) -> str:
        """Return a token, a fresh one with `force` or with a challenge's `claims`; raises connector errors."""

    def forget_failures(self) -> None:
        """Ask anew next time, whatever was answered before."""


class _Session(requests.Session):
    """What msal sends with: never redirected, never endless."""

    def __init__(self, ca_file: str | None, timeout: float) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = ca_file if ca_file is not None else True
        self._timeout = timeout

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """See `requests.Session`."""
        kwargs["timeout"] = self._timeout
        kwargs["allow_redirects"] = False
        return super().request(*args, **kwargs)


class Registration:
    """Where and as what msal asks. `credential`: a secret, or the private key and certificate in msal's form."""

    def __init__(self, authority: str, client_id: str, credential: object, *, ca_file: str | None) -> None:
        self.authority = authority
        self.client_id = client_id
        self.credential = credential
        self.http_cache: dict[str, object] = {}
        self._session = _Session(ca_file, timeout=30.0)

    def rest(self) -> None:
        """Give back connections: tokens are asked for once an hour."""
        self._session.close()

    def application(self, **more: Any) -> Any:
        """Return msal's application object; a confidential one where there is a credential."""
        common = {
            "authority": self.authority,
            "http_client": self._session,
            "http_cache": self.http_cache,
            # Known hosts are looked up at a public address otherwise, even after a mere failure.
            "instance_discovery": False,
            **more,
        }
        if self.credential is None:
            return msal.PublicClientApplication(self.client_id, **common)
        return msal.ConfidentialClientApplication(self.client_id, client_credential=self.credential, **common)


class ApplicationTokens:
    """The application as itself: one token for all mailboxes."""

    def __init__(self, registration: Registration, scope: str) -> None:
        self._registration = registration
        self._scopes = [scope]
        self._application: Any = None

    def token(self, *, force: bool = False, claims: str | None = None) -> str:
        """See `TokenSource`."""

        def ask() -> Result:
            if self._application is None:
                self._application = self._registration.application()
            if force:
                self._application.remove_tokens_for_client()
            return cast("Result", self._application.acquire_token_for_client(self._scopes, claims_challenge=claims))

        return _token_of(_asked(ask, self._registration))

    def forget_failures(self) -> None:
        """See `TokenSource`."""
        self._registration.http_cache.clear()


class PersonTokens:
    """A person who logged in. Refresh tokens rotate: `keep` stores each new one."""

    def __init__(
        self, registration: Registration, scopes: list[str], secret: Callable[[], str], keep: Callable[[str], None]
    ) -> None:
        self._registration = registration
        self._scopes = scopes
        self._secret = secret
        self._keep = keep
        self._application: Any = None
        self._kept = ""

    def token(self, *, force: bool = False, claims: str | None = None) -> str:
        """See `TokenSource`."""

        def ask() -> Result:
            if self._application is None:
                return self._first()
            accounts = self._application.get_accounts()
            if not accounts:
                return self._first()
            told = self._application.acquire_token_silent_with_error(
                self._scopes, account=accounts[0], force_refresh=force, claims_challenge=claims
            )
            # None: nothing in the cache; the stored token is all there is.
            return cast("Result", told) if told is not None else self._first()

        found = _token_of(_asked(ask, self._registration))
        self._store_rotated()
        return found

    def forget_failures(self) -> None:
        """See `TokenSource`."""
        self._registration.http_cache.clear()
        self._application = None

    def _first(self) -> Result:
        # A new object each time: a dead refresh token stays listed in the old one.
        self._application = self._registration.application(token_cache=msal.SerializableTokenCache())
        self._kept = self._secret().strip()
        return cast("Result", self._application.acquire_token_by_refresh_token(self._kept, self._scopes))

    def _store_rotated(self) -> None:
        cache = self._application.token_cache
        if not cache.has_state_changed:
            return
        cache.serialize()
        held = list(cache.search(msal.TokenCache.CredentialType.REFRESH_TOKEN))
        newest = str(held[-1]["secret"]) if held else ""
        if newest and newest != self._kept:
            self._keep(newest)
            self._kept = newest


def _asked(ask: Callable[[], Result], registration: Registration) -> Result:
    try:
        return ask()
    except (requests.RequestException, msal.exceptions.MsalError) as problem:
        # msal answers protocol failures, and raises for a server's trouble.
        raise Unavailable(f"the token endpoint: {type(problem).__name__}") from None
    except ValueError:
        # msal's word for an authority whose metadata cannot be read or are not https.
        raise Unavailable("the authority gave no usable metadata") from None
    finally:
        registration.rest()


def _token_of(result: Result) -> str:
    token = result.get("access_token")
    if isinstance(token, str) and token:
        return token
    if "error" not in result:
        raise AuthRevoked("the token endpoint gave no token")
    raise token_error(result)
