"""The first page: what waits, what is wrong, how the last two weeks went."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from calsync.answers import fleet
from calsync.store import calendars, counts, review_rows
from calsync.store.calendars import CalendarState
from calsync.support.queue import Wanted, load_queue
from calsync.web.support.charts import Drawn, bars, columns
from calsync.web.support.door import Here, LoggedIn

router = APIRouter()

DAYS: Final = 14
_FIRST: Final = 8


@router.get("/support")
def show(at: LoggedIn) -> Response:
    """The overview."""
    now = at.site.clock.now()
    rows = load_queue(at.gate, Wanted(me=at.agent.name))
    with at.site.database.reading() as conn:
        numbers = counts.read(conn, now, timedelta(minutes=10))
        seen = review_rows.edits_by_day(conn, now - timedelta(days=DAYS))
        troubled = [one for one in calendars.rows(conn) if one.state is not CalendarState.ACTIVE]
    return at.show(
        "overview",
        numbers=numbers,
        waiting=len(rows),
        claims=sum(row.claim is not None for row in rows),
        urgent=rows[:_FIRST],
        mine=sum(row.assigned == at.agent.name for row in rows),
        troubled=troubled[:_FIRST],
        more_troubled=max(0, len(troubled) - _FIRST),
        stop=fleet.status(at.desk).stop,
        charts=[one for one in (*_of_days(at, seen), _of_states(numbers.calendars)) if one.drawing],
    )


def _of_days(at: Here, seen: list[tuple[datetime, str]]) -> list[Drawn]:
    today = at.site.clock.now().date()
    days = Counter({today - timedelta(days=back): 0 for back in reversed(range(DAYS))})
    kinds: Counter[str] = Counter()
    for moment, kind in seen:
        days[moment.date()] += 1
        kinds[kind] += 1
    by_day = {f"{day:%d %b}": count for day, count in days.items()}
    return [
        columns("Edits seen, day by day", by_day),
        bars("What was done, in these two weeks", dict(kinds.most_common())),
    ]


def _of_states(states: dict[str, int]) -> Drawn:
    return bars("Calendars", dict(sorted(states.items(), key=lambda pair: -pair[1])))
