"""How often something was put back, and how much at once: neither fights nor mass changes (R-12, R-13)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from calsync.testing.memory_state import Actor, Change
from tests.simulation.held import STAMPEDE_PERIOD, Held
from tests.simulation.on_books import was_never_heard, writes_under_way
from tests.simulation.sights import Shown

if TYPE_CHECKING:
    from tests.simulation.observer import Observer


def count_revert(observer: Observer, held: Held, span: Shown, change: Change, causes: set[str]) -> None:
    """Count what is put back: too often in a day is a fight."""
    # What is over goes back along with its series; only sessions to come are fought about.
    if causes & {"restore"} or span[0] <= observer.clock.now().timestamp():
        return
    # A write that arrived and was undone before anybody read it: nobody knows that it was ever there, and what
    # follows is that write once more. It counts once if it put something back, and not at all if it was the
    # record's own.
    under_way = writes_under_way(observer, held.link)
    known = _remembered(observer, observer.reverted.get((held.link, span), []), under_way)
    times = [(at, sent) for at, sent in known if not was_never_heard(observer, sent)]
    if len(times) < len(known) or not was_never_heard(observer, held.sent):
        times.append((change.at, under_way))
    observer.reverted[held.link, span] = times
    period = timedelta(hours=24) if not observer.clock_jumped else timedelta(hours=21)
    recent = [at for at, _ in times if abs(change.at - at) < period]
    if len(recent) > observer.policy["revert_limit"]:
        observer.fail("I5-fight", f"put {span} in {held.key} back {len(recent)} times in a day")
    if held.removed_by is Actor.PERSON and held.wipe and held.stored is None:
        _count_mass(observer, held, change)


def _remembered(
    observer: Observer, known: list[tuple[datetime, tuple[str, ...]]], under_way: tuple[str, ...]
) -> list[tuple[datetime, tuple[str, ...]]]:
    """Without what older books know nothing of, once they were brought back; nor what they have go out again."""
    if not observer.power_lost:
        return known
    query = "SELECT 1 FROM owed_writes WHERE id = ? AND sent_at IS NOT NULL"
    return [
        (at, sent)
        for at, sent in known
        if sent != under_way and (not sent or any(observer.books.rows(query, one) for one in sent))
    ]


def _count_mass(observer: Observer, held: Held, change: Change) -> None:
    # Counted are upcoming events that the books knew of: one whose write was never heard of was never there.
    # Not what was called off before, nor what was over when it was read.
    gone_at, now = (held.removed[0] if held.removed else 0), observer.clock.now().timestamp()
    ahead = any(span[0] > now and held.gone.get(span, gone_at) >= gone_at for span in held.ours)
    if not ahead or was_never_heard(observer, held.sent):
        return
    restored = observer.restored.setdefault(held.wipe, {})
    restored[held.link] = change.at
    # What a service kept to itself until the period was over is counted anew.
    together = {link for link, at in restored.items() if abs(change.at - at) < STAMPEDE_PERIOD}
    if observer.books.rows("SELECT 1 FROM stops WHERE calendar = ? AND released_at IS NOT NULL", change.calendar):
        return
    # What the books had when it was read counts: events may have come in since it happened.
    others = upcoming_links(observer, change.calendar) - together
    upcoming = max(observer.upcoming_at.get(held.wipe, 0), len(together) + len(others))
    spans = (span for link in together for one in observer.of_link[link] for span in one.ours)
    weeks = {_week(observer, span) for span in spans if span[0] > now}
    every = upcoming >= 2 and len(together) >= upcoming
    many = len(together) >= observer.policy["stampede_min"] and len(together) >= 0.2 * upcoming and len(weeks) > 1
    if every or many:
        observer.fail("I6-mass", f"wrote {len(together)} of {upcoming} events again that vanished together")


def upcoming_links(observer: Observer, calendar: str) -> set[str]:
    """The links of a calendar with something still ahead of them."""
    query = (
        "SELECT id FROM links WHERE calendar = ? AND state != 'retired' AND linked_at IS NOT NULL"
        " AND (last_end IS NULL OR last_end > ?)"
    )
    return {link for (link,) in observer.books.rows(query, calendar, int(observer.clock.now().timestamp() * 1_000_000))}


def _week(observer: Observer, span: Shown) -> tuple[int, int]:
    at = datetime.fromtimestamp(span[0], ZoneInfo(observer.zone))
    return at.isocalendar()[0], at.isocalendar()[1]
