"""Whether the config still means the calendar that its id stood for when it was put on the books.

An id whose table now names another account, another calendar or another provider is another calendar: what is in the
old one goes on counting under the id, so nothing is read or written there, and no login is sent, until a person has
decided.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from calsync.errors import Problem, Refused
from calsync.settings.checks import plain_url
from calsync.settings.model import CalendarConfig, Settings
from calsync.store import audit, calendars
from calsync.store.calendars import DECLARED_ELSEWHERE, LET_GO, CalendarRow, CalendarState

_PLACE = ("url", "calendar_id")
_ACCOUNT = ("username", "subject", "user")


def declared_as(config: CalendarConfig) -> str:
    """Where the config says a calendar is: a digest of the place and one of the account, without any secret."""
    return f"{_digest(config, _PLACE)}:{_digest(config, _ACCOUNT)}"


def is_another(row: CalendarRow | None, provider: str, config: CalendarConfig) -> bool:
    """Whether the config means another calendar by an id than the books do; never for one that was not yet found."""
    if row is None or row.removed_at is not None or row.remote is None or row.source != "config":
        return False
    is_elsewhere = row.declared is not None and row.declared != declared_as(config)
    return is_elsewhere or (row.provider, row.connector) != (provider, config.connector)


def declared_elsewhere(one: CalendarRow, other: CalendarRow) -> bool:
    """Whether the config has, or had, these calendars in two accounts, so that one address means two calendars."""
    if one.declared is None or other.declared is None:
        return False
    return one.declared.partition(":")[2] != other.declared.partition(":")[2]


def set_aside(conn: Connection, row: CalendarRow, now: datetime) -> None:
    """Pause a calendar that the config means no more, saying what to do; a person's own pause stays as it is."""
    if row.state is CalendarState.PAUSED and row.last_error not in LET_GO:
        return
    if calendars.set_state(conn, row.id, CalendarState.PAUSED, DECLARED_ELSEWHERE, now):
        what, subject = "calendar-declared-elsewhere", f"calendar:{row.id}"
        audit.append(conn, at=now, actor="config", what=what, subject=subject, detail={})


def accept(conn: Connection, settings: Settings, row: CalendarRow) -> None:
    """A person says that it is the same calendar under another name: it is looked for where the config has it.

    Refused where the config gives it to another provider or connector.
    """
    found = next(((owner.id, one) for owner, one in settings.calendars() if one.id == row.id), None)
    if found is None:
        return
    owner, config = found
    if (row.provider, row.connector) != (owner, config.connector):
        remedy = "Give the new calendar an id of its own; then `calsync calendars remove` takes the old one away"
        what = f"the configuration means another calendar by it; on the books it is one of {row.provider}"
        raise Refused([Problem(what, f"calendar {row.id}", remedy)], code="declared-elsewhere")
    if row.declared is None or row.declared.partition(":")[0] != _digest(config, _PLACE):
        calendars.forget_remote(conn, row.id)
    calendars.set_declared(conn, row.id, declared_as(config))


def _digest(config: CalendarConfig, keys: tuple[str, ...]) -> str:
    values = [str(getattr(config.settings, key, None) or "") for key in keys]
    named = [
        plain_url(value) or value.lower() if key == "url" else value for key, value in zip(keys, values, strict=True)
    ]
    return sha256("\n".join(named).encode()).hexdigest()[:16]
