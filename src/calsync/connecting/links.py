"""Links under which a provider connects calendars, or connects one again. Only their hashes are kept."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from calsync.errors import UserError
from calsync.notices.answer_links import RECONNECT
from calsync.ports import Ids
from calsync.store import action_links
from calsync.store.action_links import ActionLink

CONNECT: Final = "connect"
"""A provider connects a calendar; the payload is empty."""

LIFE: Final = timedelta(days=14)


def make_link(
    conn: Connection, public_url: str | None, ids: Ids, *, provider: str, calendar: str | None, now: datetime
) -> str:
    """A fresh address for one provider, good for two weeks, on the books with the caller's transaction."""
    if public_url is None:
        remedy = "Set it to the https address under which people reach `calsync run` or `serve`"
        raise UserError.of("is needed to make links", "[web] public_url", remedy)
    token = base64.urlsafe_b64encode(ids.token_bytes(32)).rstrip(b"=").decode("ascii")
    link = ActionLink(
        hash=action_links.hash_of(token),
        kind=CONNECT if calendar is None else RECONNECT,
        recipient=f"provider:{provider}",
        payload={} if calendar is None else {"calendar": calendar},
        created_at=now,
        expires_at=now + LIFE,
    )
    action_links.insert(conn, link)
    return f"{public_url.rstrip('/')}/connect/{token}"
