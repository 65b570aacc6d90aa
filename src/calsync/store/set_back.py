"""What a clock that was ahead left on the books: stamps that have not come yet. Called once it was set right.

Nothing can have happened later than now. A reading with such a stamp may have been made at any time before: it is taken
away, and its event read again. Whatever else is stamped so happened by now at the latest, which is what it says then.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, or_, select, update

from calsync.store import claims
from calsync.store.rows import chunks
from calsync.store.schema import calendars, drifts, links, observations, owed_writes
from calsync.store.schema_claims import statements

SLACK: Final = timedelta(minutes=1)
"""Several hosts' clocks differ a little: only what lies further ahead shows that one was set back."""

_LONGEST_WAIT: Final = timedelta(hours=25)  # services may ask to be left alone for a day
_LONGEST_LEASE: Final = timedelta(hours=1)


def is_ahead(conn: Connection, now: datetime, due_now: datetime, longest: timedelta) -> bool:
    """Whether a calendar was read, or is put off, at a time that shows a clock ahead of this one.

    `due_now` is the time by which calendars are due, `longest` what one rests at most between two polls.
    """
    return conn.execute(_IS_AHEAD, _given(now, due_now, longest)).first() is not None


def bring_back(conn: Connection, now: datetime, due_now: datetime, longest: timedelta) -> dict[str, int]:
    """Take away readings from after `now`, bring other stamps back to it, and let passes be due; how many, by table.

    Claims that rest on such a reading are assessed again. Repeating it changes nothing.
    """
    given = _given(now, due_now, longest)
    void = conn.execute(_VOID, given).all()
    done = {"readings": len(void), "calendars": 0}
    for part in chunks(sorted({link for _, link in void})):
        conn.execute(_READ_AGAIN, {"ids": part, "now": now})
    claims.touch(conn, {appointment for appointment, _ in void})
    if void:
        conn.execute(_DUE_AGAIN, {"due_now": due_now, "names": sorted({link for _, link in void})})
    for name, statement in _BACK:
        done[name] = done.get(name, 0) + conn.execute(statement, given).rowcount
    return {name: count for name, count in done.items() if count}


def _given(now: datetime, due_now: datetime, longest: timedelta) -> dict[str, Any]:
    return {
        "now": now,
        "ahead": now + SLACK,
        "due_now": due_now,
        "too_late": due_now + longest,
        "too_long": due_now + _LONGEST_WAIT,
        "no_lease": due_now + _LONGEST_LEASE,
    }


_c, _l, _o, _d, _s, _w = calendars.c, links.c, observations.c, drifts.c, statements.c, owed_writes.c


def _at(name: str) -> Any:
    return bindparam(name, type_=_c.due_at.type)


def _back(table: Any, column: Any, **more: Any) -> Any:
    return update(table).where(column > _at("ahead")).values({column: _at("now"), **more})


_IDS: Any = bindparam("ids", expanding=True)
_PUT_OFF = and_(_c.not_before.is_(None), _c.due_at > _at("too_late"))
_PUT_OFF_LONG = _c.not_before > _at("too_long")
_HELD_LONG = _c.lease_until > _at("no_lease")
_IS_AHEAD = select(_c.id).where(or_(_c.last_read_at > _at("ahead"), _PUT_OFF, _PUT_OFF_LONG, _HELD_LONG)).limit(1)
_VOID = observations.delete().where(_o.read_at > _at("ahead")).returning(_o.appointment, _o.link)
_READ_AGAIN = update(links).where(_l.id.in_(_IDS), _l.state != "retired").values(read_after=_at("now"))
_DUE_AGAIN = (
    update(calendars)
    .where(
        _c.id.in_(select(_l.calendar).where(_l.id.in_(bindparam("names", expanding=True)))),
        _c.due_at > _at("due_now"),
    )
    .values(due_at=_at("due_now"), generation=_c.generation + 1)
)
_BACK: Final = (
    ("calendars", update(calendars).where(_PUT_OFF).values(due_at=_at("due_now"))),
    ("calendars", update(calendars).where(_PUT_OFF_LONG).values(due_at=_at("due_now"), not_before=None)),
    ("calendars", update(calendars).where(_HELD_LONG).values(lease_owner=None, lease_until=None)),
    ("calendars", _back(calendars, _c.last_read_at)),
    ("calendars", update(calendars).where(_c.inventory_at > _at("ahead")).values(inventory_at=None)),
    ("links", _back(links, _l.linked_at)),
    ("links", _back(links, _l.confirmed_at)),
    ("drifts", _back(drifts, _d.detected_at)),
    ("drifts", _back(drifts, _d.changed_at)),
    ("words", _back(statements, _s.at)),
    (
        "writes",
        update(owed_writes).where(_w.state == "owed", _w.not_before > _at("no_lease")).values(not_before=_at("now")),
    ),
)
