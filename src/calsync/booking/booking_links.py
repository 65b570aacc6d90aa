"""The booking link of a client for a provider: unguessable, never expiring, and the same whenever it is asked for.

It opens the page on which the client chooses a free slot. Like any link it is known by its hash in `action_links`, as
kind `book`; using it does not use it up.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from calsync.booking.command import Command, note
from calsync.errors import NotFoundError
from calsync.ports import Ids
from calsync.settings.secrets import KeyRing
from calsync.store import action_links, booking_links
from calsync.store.action_links import ActionLink
from calsync.store.booking_links import BookingLinkRow
from calsync.store.database import Database
from calsync.store.known import known_client, known_provider

BOOK: Final = "book"
"""Kind of these links in `action_links`; the payload names `client` and `provider`."""

NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sealer:
    """What keeps links readable for us alone."""

    keys: KeyRing
    ids: Ids


def booking_token(conn: Connection, command: Command, sealer: Sealer, client: str, provider: str) -> str:
    """Return the token of the link, which is made when it is first asked for. Its page is `/a/TOKEN`.

    `NotFoundError` if either is not on the books; `WrongKeyError` if the key that sealed it is gone.
    """
    known_client(conn, client)
    known_provider(conn, provider)
    known = booking_links.get(conn, client, provider)
    if known is None:
        known = _make(conn, command, sealer, client, provider)
    return sealer.keys.decrypt(known.sealed, bound_to=_bound_to(known)).decode("ascii")


def revoke_link(conn: Connection, command: Command, text: str) -> ActionLink:
    """Make a link in a mail useless, whatever it is for; `text` is the whole address or the part behind `/a/`.

    A client whose booking link it was gets a fresh one when it is next asked for. `NotFoundError` for an unknown one,
    and for one that was useless already.
    """
    token = text.strip().partition("?")[0].rstrip("/").rpartition("/")[2]
    link = action_links.get(conn, action_links.hash_of(token))
    if link is None or not action_links.revoke(conn, link.hash, command.now):
        raise NotFoundError("link in use", "given")
    booking_links.forget(conn, link.hash)
    note(conn, command, "link-revoked", link.recipient, {"kind": link.kind})
    return link


def reseal_booking_links(database: Database, sealer: Sealer) -> int:
    """Seal with the first key whatever another one sealed; how many. The links themselves stay as they are."""
    with database.transaction() as conn:
        others = booking_links.sealed_by_others(conn, sealer.keys.current.id)
        for one in others:
            plain = sealer.keys.decrypt(one.sealed, bound_to=_bound_to(one))
            booking_links.reseal(conn, _sealed(sealer, one, plain))
    return len(others)


def _make(conn: Connection, command: Command, sealer: Sealer, client: str, provider: str) -> BookingLinkRow:
    token = base64.urlsafe_b64encode(sealer.ids.token_bytes(32)).rstrip(b"=")
    empty = BookingLinkRow(client, provider, action_links.hash_of(token.decode("ascii")), "", "", command.now, "")
    made = _sealed(sealer, empty, token, command.actor)
    if not booking_links.add(conn, made):
        # Somebody else asked at the same moment.
        other = booking_links.get(conn, client, provider)
        assert other is not None
        return other
    link = ActionLink(
        hash=made.hash,
        kind=BOOK,
        recipient=f"client:{client}",
        payload={"client": client, "provider": provider},
        created_at=command.now,
        expires_at=NEVER,
    )
    action_links.insert(conn, link)
    note(conn, command, "booking-link-made", f"client:{client}", {"provider": provider})
    return made


def _sealed(sealer: Sealer, one: BookingLinkRow, plain: bytes, by: str | None = None) -> BookingLinkRow:
    text = sealer.keys.encrypt(plain, bound_to=_bound_to(one), ids=sealer.ids)
    key = sealer.keys.current.id
    return BookingLinkRow(one.client, one.provider, one.hash, key, text, one.made_at, by or one.made_by)


def _bound_to(one: BookingLinkRow) -> str:
    return f"booking-link:{one.client}:{one.provider}"
