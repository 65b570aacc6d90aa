"""From "connect my calendar" to a login that works: a consent page and its return, or an address and a password.

Nothing is written anywhere but into the link's attempt. What fails is told in one of a few sentences: a provider
learns from none of them what stands in our network.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import TypeVar
from urllib.parse import urlsplit

import structlog

from calsync.connecting.reception import MAX_TRIES, Reception, Target, Visitor, request_for, target_of
from calsync.connector.consent import Consent, Consenting
from calsync.connector.errors import AuthRevoked, CalendarError, Throttled
from calsync.connector.looking import Look, Looking
from calsync.connector.protocol import OpenRequest
from calsync.errors import Problem, Refused, UserError
from calsync.store import connect_attempts
from calsync.store.connect_attempts import Attempt, Stage

_log = structlog.get_logger(__name__)

T = TypeVar("T")


def return_address(reception: Reception, connector: str) -> str:
    """Where a consent page sends the browser back to; the service must have it on its list."""
    public = reception.settings.web.public_url
    if public is None:
        raise UserError.of("is needed for consent pages", "[web] public_url", "Set it to this site's https address")
    return f"{public.rstrip('/')}/connect/return/{connector}"


def where_to_agree(reception: Reception, visitor: Visitor, connector: str) -> str | None:
    """The origin of a service's consent page, "" where a password is taken instead; None: it cannot be offered.

    It can if its connector is installed and the config has what its page needs.
    """
    try:
        found = reception.registry.get(connector)
        if connector not in reception.settings.connectors:
            return None
        if not isinstance(found, Consenting):
            return "" if isinstance(found, Looking) else None
        target = Target(f"{visitor.provider.id}-{connector}", connector, "dedicated", {})
        consent = Consent(return_address(reception, connector), "state", "verifier")
        parts = urlsplit(found.consent_url(request_for(reception, visitor, target), consent, ""))
    except UserError:
        return None
    return f"{parts.scheme}://{parts.netloc}"


def consent_page(reception: Reception, visitor: Visitor, connector: str, placement: str) -> str:
    """Begin an attempt; returns the address to which the browser goes."""
    found = reception.registry.get(connector)
    if not isinstance(found, Consenting):
        raise UserError.of(f"{connector} has no consent page")
    back = return_address(reception, connector)
    with reception.database.transaction() as conn:
        target = target_of(conn, visitor, connector, placement)
        if target.known is None and connector == "google" and placement == "existing":
            target = replace(target, keys={"calendar_id": "primary"})
        consent = Consent(back, reception.token(), reception.token())
        url = found.consent_url(request_for(reception, visitor, target), consent, visitor.provider.email)
        before = connect_attempts.get(conn, visitor.link, reception.clock.now())
        attempt = _attempt(reception, visitor, target, Stage.ASKED, _tries(before))
        sealed = reception.seal(visitor.link, consent.verifier)
        connect_attempts.put(conn, replace(attempt, state_hash=_hash(consent.state), sealed=sealed))
    return url


def come_back(reception: Reception, visitor: Visitor, connector: str, state: str, code: str) -> bool:
    """Redeem what the consent page sent along; False for a return that is not this attempt's, or came before.

    Refused with a sentence for the provider if the service does not give a login.
    """
    with reception.database.transaction() as conn:
        attempt = connect_attempts.get(conn, visitor.link, reception.clock.now())
        wanted = (attempt.state_hash or "") if attempt is not None else ""
        is_ours = hmac.compare_digest(wanted.encode(), _hash(state).encode())
        if attempt is None or not is_ours or attempt.stage is not Stage.ASKED or attempt.connector != connector:
            return False
        # One return is one try, whatever comes of it.
        connect_attempts.put(conn, replace(attempt, state_hash=None))
        target = target_of(conn, visitor, connector, attempt.placement)
    found = reception.registry.get(connector)
    assert isinstance(found, Consenting)
    assert attempt.sealed is not None
    consent = Consent(return_address(reception, connector), state, reception.unseal(visitor.link, attempt.sealed))
    target = replace(target, keys=attempt.keys) if target.known is None else target
    token = _told(lambda: found.redeem(request_for(reception, visitor, target), consent, code))
    with reception.database.transaction() as conn:
        kept = replace(attempt, state_hash=None, stage=Stage.AGREED, sealed=reception.seal(visitor.link, token))
        connect_attempts.put(conn, replace(kept, updated_at=reception.clock.now()))
    return True


def log_in(reception: Reception, visitor: Visitor, connector: str, keys: dict[str, str], secret: str) -> Look:
    """Try an address, a name and a password, and keep them as agreed if they work.

    Refused with a sentence for the provider if not, and after too many tries.
    """
    found = reception.registry.get(connector)
    if not isinstance(found, Looking):
        raise UserError.of(f"{connector} takes no password here")
    with reception.database.transaction() as conn:
        before = connect_attempts.get(conn, visitor.link, reception.clock.now())
        tries = _tries(before) + 1
        if tries > MAX_TRIES:
            raise Refused([Problem("That was tried too often with this link. Please ask us for a new one")])
        target = target_of(conn, visitor, connector, "dedicated")
        target = replace(target, keys=keys) if target.known is None else target
        attempt = replace(_attempt(reception, visitor, target, Stage.ASKED, tries), state_hash=None)
        connect_attempts.put(conn, attempt)
    request = _checked(lambda: request_for(reception, visitor, target, lambda: secret))
    look = _told(lambda: found.look(request))
    with reception.database.transaction() as conn:
        agreed = replace(attempt, stage=Stage.AGREED, sealed=reception.seal(visitor.link, secret))
        if target.known is None:
            choices = [[one.address, one.name] for one in look.calendars[:50]]
            agreed = replace(agreed, choices=choices, placement="dedicated" if look.makes_one else "existing")
        connect_attempts.put(conn, agreed)
    return look


def attempt_of(reception: Reception, visitor: Visitor) -> Attempt | None:
    """The attempt behind this link, if there is one."""
    with reception.database.reading() as conn:
        return connect_attempts.get(conn, visitor.link, reception.clock.now())


def give_up(reception: Reception, visitor: Visitor) -> None:
    """Forget what was chosen, the login with it; the number of tries stays."""
    with reception.database.transaction() as conn:
        attempt = connect_attempts.get(conn, visitor.link, reception.clock.now())
        if attempt is not None and attempt.stage is not Stage.CONNECTED:
            empty = replace(attempt, stage=Stage.ASKED, keys={}, choices=[], state_hash=None, sealed=None)
            connect_attempts.put(conn, empty)


def _attempt(reception: Reception, visitor: Visitor, target: Target, stage: Stage, tries: int) -> Attempt:
    return Attempt(
        link=visitor.link,
        provider=visitor.provider.id,
        calendar=target.calendar,
        connector=target.connector,
        placement=target.placement,
        keys=dict(target.keys),
        choices=[],
        state_hash=None,
        sealed=None,
        stage=stage,
        tries=tries,
        updated_at=reception.clock.now(),
    )


def _tries(attempt: Attempt | None) -> int:
    return attempt.tries if attempt is not None else 0


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _checked(make: Callable[[], OpenRequest]) -> OpenRequest:
    try:
        return make()
    except UserError:
        raise _no("The address or the name cannot be right. Please look at both again") from None


def _told(ask: Callable[[], T]) -> T:
    """Ask the service; its refusal becomes one of few sentences. Details go into the log, as codes."""
    try:
        return ask()
    except AuthRevoked:
        raise _no("The service does not take this login. Please look at the name and the password again") from None
    except Throttled:
        raise _no("The service asks us to wait. Please try again in a few minutes") from None
    except CalendarError as problem:
        _log.info("connecting_failed", problem=type(problem).__name__)
        raise _no("We could not reach a calendar there. Please look at the address, or try again later") from None
    except UserError as problem:
        _log.info("connecting_refused", problem=[one.what for one in problem.problems])
        less = any("less was granted" in one.what for one in problem.problems)
        said = (
            "Not everything that is needed was allowed. Please leave every box ticked on the service's page"
            if less
            else "We could not reach a calendar there. Please look at the address, or try again later"
        )
        raise _no(said) from None


def _no(sentence: str) -> Refused:
    return Refused([Problem(sentence)], code="not-connected")
