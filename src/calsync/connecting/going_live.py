"""The step from a login to a calendar on the books, what is shown before it, and the way back out of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from calsync.connecting.agreeing import attempt_of
from calsync.connecting.reception import Reception, Target, Visitor, request_for, target_of
from calsync.connector.errors import CalendarError, Forbidden, NotFound
from calsync.errors import Problem, Refused, UserError
from calsync.settings.practice import DEFAULT_PRACTICE
from calsync.store import action_links, audit, calendars, claims, connect_attempts, connections, first_plan, links, work
from calsync.store.calendars import GOING, LEAVING, CalendarRow, CalendarSpec, CalendarState
from calsync.store.connect_attempts import Attempt, Stage
from calsync.store.connections import ConnectionRow
from calsync.store.credentials import Credentials
from calsync.store.first_plan import FirstPlan
from calsync.worker.accounts import TYPED_BY_PROVIDER
from calsync.worker.config_sync import link_calendar
from calsync.worker.context import Rules
from calsync.worker.opening import rules_of


@dataclass(frozen=True, slots=True)
class Standing:
    """How a connected calendar gets on: how many events are in place, and the next session to look for."""

    row: CalendarRow
    in_place: int
    next: tuple[str, datetime] | None


def plan(reception: Reception, visitor: Visitor) -> FirstPlan:
    """What the first pass will write, before anything is written (R-31)."""
    now = reception.clock.now()
    window = _rules(reception, visitor).window(now)
    with reception.database.reading() as conn:
        return first_plan.of_provider(conn, visitor.provider.id, window, now)


def go_live(reception: Reception, visitor: Visitor, choice: int | None = None) -> str:
    """Put the calendar on the books with its sealed login, due at once; returns its id. Once for each agreement.

    `choice`: which of the account's calendars, None for one of our own. Refused with a sentence if nothing was agreed
    to, or the account is not the one that holds the calendar's events.
    """
    attempt = attempt_of(reception, visitor)
    if attempt is None or attempt.stage is not Stage.AGREED or attempt.sealed is None:
        raise Refused([Problem("There is nothing to connect. Please begin again")], code="nothing-agreed")
    attempt = _chosen(attempt, choice)
    secret = reception.unseal(visitor.link, attempt.sealed or "")
    with reception.database.reading() as conn:
        target = target_of(conn, visitor, attempt.connector, attempt.placement)
    if target.known is None:
        target = replace(target, calendar=attempt.calendar, keys=attempt.keys, placement=attempt.placement)
    else:
        require_the_same_account(reception, visitor, target, secret)
    with reception.database.transaction() as conn:
        if not connect_attempts.finish(conn, visitor.link, reception.clock.now()):
            raise Refused([Problem("This was done already")], code="done-already")
        put_on_books(conn, reception, visitor, target, secret)
    return target.calendar


def put_on_books(conn: Connection, reception: Reception, visitor: Visitor, target: Target, secret: str) -> None:
    """Keep the login sealed, and have the worker take the calendar up at once; a new one goes on the books first."""
    now, row = reception.clock.now(), target.known
    source = row.source if row is not None else "database"
    connection = row.connection if row is not None else f"{target.connector}:{target.calendar}"
    settings = {"keys": dict(target.keys), TYPED_BY_PROVIDER: True} if source == "database" else {}
    connections.put(conn, ConnectionRow(connection, visitor.provider.id, target.connector, source, settings, now))
    Credentials(reception.keys, reception.ids).seal(conn, connection, secret.encode("utf-8"))
    if row is None:
        link_calendar(conn, _spec(visitor, target, connection), _rules(reception, visitor), now)
    work.retry_now(conn, target.calendar, now)
    detail = {"connector": target.connector, "again": row is not None}
    audit.append(
        conn, at=now, actor=visitor.actor, what="connected", subject=f"calendar:{target.calendar}", detail=detail
    )
    claims.touch_provider(conn, visitor.provider.id)


def standing(reception: Reception, visitor: Visitor, calendar: str) -> Standing | None:
    """How the provider's calendar stands; None if it is not there any more."""
    now = reception.clock.now()
    window = _rules(reception, visitor).window(now)
    with reception.database.reading() as conn:
        row = calendars.get(conn, calendar)
        if row is None or row.removed_at is not None or row.provider != visitor.provider.id:
            return None
        in_place = sum(1 for _, _, version in links.all_remote_ids(conn, calendar) if version is not None)
        ahead = first_plan.of_provider(conn, visitor.provider.id, window, now, 1).next
    return Standing(row, in_place, ahead[0] if ahead else None)


def disconnect(reception: Reception, visitor: Visitor, calendar: str) -> bool:
    """Let a calendar go that the provider connected: our events are taken out, its login is forgotten.

    The worker does both (`worker.farewell`). False for a calendar that is not theirs, is the config's, or is going.
    """
    with reception.database.transaction() as conn:
        now = reception.clock.now()
        row = calendars.get(conn, calendar)
        if row is None or not may_disconnect(row, visitor):
            return False
        let_go(conn, row, now, by=visitor.actor)
    return True


def let_go(conn: Connection, row: CalendarRow, now: datetime, *, by: str) -> None:
    """Have the worker take our events out of a calendar, and forget its login after that."""
    calendars.set_state(conn, row.id, CalendarState.PAUSED, LEAVING, now)
    audit.append(conn, at=now, actor=by, what="disconnected", subject=f"calendar:{row.id}", detail={})
    claims.touch_provider(conn, row.provider)


def may_disconnect(row: CalendarRow, visitor: Visitor) -> bool:
    """Whether the provider may let this calendar go."""
    mine = row.provider == visitor.provider.id and row.source == "database" and row.removed_at is None
    return mine and row.last_error not in GOING and visitor.calendar in (None, row.id)


def has_seen(reception: Reception, visitor: Visitor, calendar: str, *, seen: bool) -> None:
    """The answer to "can you see it on your phone?". Yes ends the link."""
    with reception.database.transaction() as conn:
        now = reception.clock.now()
        what = "calendar-seen" if seen else "calendar-not-seen"
        audit.append(conn, at=now, actor=visitor.actor, what=what, subject=f"calendar:{calendar}", detail={})
        if seen:
            action_links.use(conn, visitor.link, now)
            connect_attempts.remove(conn, visitor.link)


def _spec(visitor: Visitor, target: Target, connection: str) -> CalendarSpec:
    return CalendarSpec(
        id=target.calendar,
        provider=visitor.provider.id,
        connection=connection,
        connector=target.connector,
        mode="mirror",
        placement=target.placement,
        source="database",
    )


def _chosen(attempt: Attempt, choice: int | None) -> Attempt:
    """The attempt with the calendar that was picked from those of the account."""
    if not attempt.choices or (choice is None and attempt.placement == "dedicated"):
        return attempt
    if choice is None or not 0 <= choice < len(attempt.choices):
        raise Refused([Problem("Please choose a calendar")], code="no-choice")
    address = attempt.choices[choice][0]
    return replace(attempt, placement="existing", keys={**attempt.keys, "url": address})


def require_the_same_account(reception: Reception, visitor: Visitor, target: Target, secret: str) -> None:
    """A calendar that is connected again must be where it was: another account's would get everything anew."""
    if target.known is None or target.known.remote is None:
        return
    try:
        reception.registry.get(target.connector).locate(request_for(reception, visitor, target, lambda: secret))
    except (NotFound, Forbidden, UserError):
        sentence = "This login does not lead to the calendar that was connected. Please take the same account as before"
        raise Refused([Problem(sentence)], code="another-account") from None
    except CalendarError:
        raise Refused([Problem("The service cannot be reached just now. Please try again")], code="later") from None


def _rules(reception: Reception, visitor: Visitor) -> Rules:
    practice = visitor.provider.practice
    return rules_of(reception.settings, practice if practice in reception.settings.practices else DEFAULT_PRACTICE)
