"""Billing sends what was cleared, and sends it again where a recall asks for that; and what must hold in the end.

What stands filed is judged by the record and by the edits that nobody has answered, not by what the gate makes of them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from calsync.claims.filing import CloseReason, FiledLine, Frequency, close_recall, file_claims
from calsync.claims.gate import Gate
from calsync.errors import NotFoundError, UserError
from calsync.store.errors import StoreUnavailable
from tests.simulation.acts import doing
from tests.simulation.billing import unanswered
from tests.simulation.plan import Act
from tests.simulation.world import World

BILLING = "billing:sim"
ABSENT = frozenset({"cancelled", "late-cancelled", "no-show"})
_NOT_FILED = (
    "SELECT appointment, date FROM clearances WHERE ended_at IS NULL AND issued_at IS NOT NULL AND appointment NOT IN"
    " (SELECT appointment FROM filings WHERE ended_at IS NULL) ORDER BY appointment"
)
_RECALLED = (
    "SELECT id, appointment, action, new_date FROM recalls WHERE state = 'open' AND filing IS NOT NULL"
    " ORDER BY detected_at, id"
)


@doing("file")
def _file(world: World, _act: Act) -> None:
    """Whatever billing was told yes about goes out, by the date that it was told."""
    lines = [FiledLine(appointment=number, date=_day(day)) for number, day in world.books.rows(_NOT_FILED)]
    if lines:
        _tell(world, lambda gate: file_claims(gate, lines, by=BILLING), "filed")


@doing("correct")
def _correct(world: World, act: Act) -> None:
    """The oldest recall of a filed claim is done as it asks, or closed by a person's word (`how` is its reason)."""
    rows = world.books.rows(_RECALLED)
    if not rows:
        return
    recall, number, action, new = rows[act.get("which", 0) % len(rows)]
    if "how" in act:
        how = CloseReason(act["how"])
        _tell(world, lambda gate: close_recall(gate, recall, how, by=BILLING, note="simulated"), "recall-closed")
    elif action in ("replace", "void"):
        frequency = Frequency.VOID if action == "void" else Frequency.REPLACEMENT
        line = FiledLine(appointment=number, date=_day(new), frequency=frequency)
        _tell(world, lambda gate: file_claims(gate, [line], by=BILLING), f"filed-{action}")


def _tell(world: World, what: Callable[[Gate], object], mark: str) -> None:
    try:
        what(Gate(world.web, world.settings, world.clock, world.ids))
    except StoreUnavailable:
        raise
    except (UserError, NotFoundError):
        world.observer.mark("refused")
    else:
        world.observer.mark(mark)


def _day(text: Any) -> date | None:
    return None if text is None else date.fromisoformat(str(text)[:10])


def check_filed(world: World) -> None:
    """What stands filed and is not so is recalled; what is in doubt is at least in question; the rest stands."""
    if world.plan.policy.get("observe"):
        return
    rows = world.books.rows("SELECT id, appointment, date, state FROM filings WHERE ended_at IS NULL ORDER BY id")
    numbers = [number for _, number, _, _ in rows]
    for number in sorted({one for one in numbers if numbers.count(one) > 1}):
        world.observer.fail("I7-filed-twice", f"two claims stand filed for {number}")
    for filing, number, day, state in rows:
        _check_one(world, filing, (number, str(day), state))


def _check_one(world: World, filing: str, told: tuple[str, str, str]) -> None:
    number, day, state = told
    recalls = [one for (one,) in world.books.rows("SELECT state FROM recalls WHERE filing = ?", filing)]
    if (state == "recalled") != ("open" in recalls) or recalls.count("open") > 1:
        world.observer.fail("I1-recall-state", f"{filing} of {number} is {state}; its recalls are {recalls}")
    if "closed" in recalls:
        return  # a person's word stands until other facts come
    [(status, wall)] = world.books.rows('SELECT status, "start" FROM appointments WHERE id = ?', number)
    if status in ABSENT or str(wall)[:10] != day[:10]:
        world.observer.mark("filed-wrong")
        if state != "recalled":
            world.observer.fail("I1-filed", f"{number} stands filed ({state}) for {day}; it is {status} at {wall}")
    elif any(True for _ in unanswered(world, number)):
        world.observer.mark("filed-in-doubt")
        if state == "filed":
            world.observer.fail("I1-filed", f"{number} stands filed, and its session is in doubt")
