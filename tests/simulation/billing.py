"""Billing asks the gate, and the observer checks each yes against the world, not against the books' readings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from calsync.claims.answer import Answer
from calsync.claims.gate import Gate, Question
from calsync.claims.reasons import Verdict
from tests.simulation.held import HOLDS_NOTHING, Held, Revision
from tests.simulation.sights import Shown
from tests.simulation.truth import Read
from tests.simulation.world import World

SETTLE = timedelta(minutes=2)
ENDED = frozenset({"acknowledged", "withdrawn", "adopted", "record-corrected", "superseded", "ignored"})


def ask_gate(world: World) -> None:
    """Ask about every session that has begun."""
    now = int(world.clock.now().timestamp() * 1_000_000)
    rows = world.books.rows("SELECT id FROM appointments WHERE start_at < ? ORDER BY id", now)
    if not rows:
        return
    gate = Gate(world.web, world.settings, world.clock, world.ids)
    for answer in gate.check(Question(number) for (number,) in rows):
        world.observer.mark(f"gate-{answer.verdict}")
        if answer.verdict is Verdict.CLEARED:
            _check(world, answer)


def _check(world: World, answer: Answer) -> None:
    """A cleared claim: the record says so, and every calendar agreed when it was read after the end."""
    number = answer.appointment
    [(provider, series, status, start, end, wall)] = world.books.rows(
        'SELECT provider, series, status, start_at, end_at, "start" FROM appointments WHERE id = ?', number
    )
    if status != "completed":
        world.observer.fail("I1-status", f"{number} is cleared and {status}")
    if str(answer.date_of_service) != str(wall)[:10]:
        world.observer.fail("I1-date", f"{number} is cleared for {answer.date_of_service}; its record says {wall}")
    span: Shown = (start // 1_000_000, end // 1_000_000, False)
    subject = ("series", series) if series else ("appointment", number)
    theirs = [place["id"] for place in world.plan.calendars if place["provider"] == provider]
    # One that got its event only after the session's end had none that anybody could have moved.
    in_time = [calendar for calendar in theirs if _stood_in_time(world, subject, calendar, span[1])]
    for calendar in in_time or theirs:
        _check_calendar(world, (str(number), subject), calendar, span)
    _check_doubts(world, str(number))


def _check_calendar(world: World, what: tuple[str, Any], calendar: str, span: Shown) -> None:
    number, subject = what
    links = [link for link in world.observer.of_link if world.expected.subject_of(link) == subject]
    held = [one for link in links for one in world.observer.of_link[link] if one.key[1] == calendar]
    # What a copy beside our event shows, or that it is gone, says nothing of the session's own event.
    # Under a name that it had before, it was the session's event all the same.
    booked = "SELECT 1 FROM links WHERE remote_id = ? AND calendar = ?"
    held = [one for one in held if not one.is_copy or world.books.rows(booked, one.key[2], calendar)] or held
    reads = [reads for one in held if (reads := _reads_after(world, one, span[1]))]
    proves = world.services.all[world.places[calendar]].personality.traits.feed_proves
    if not reads:
        fed = any(_is_after(at, span[1]) for at in world.readings.feeds.get(calendar, ()))
        if not (proves and fed):
            world.observer.fail("I1-unread", f"{number} is cleared; {calendar} was not read after its end")
        return
    # One that has another name by now is gone under the old one.
    last = [shown for of_one in reads for shown in max(of_one, key=lambda read: read.began).spans]
    days = {datetime.fromtimestamp(one[0], UTC).date() for one in last}
    if span not in last and datetime.fromtimestamp(span[0], UTC).date() not in days:
        told = [one for one in world.observer.drifts.values() if one.appointment == number]
        stopped = world.books.rows("SELECT 1 FROM stops WHERE calendar = ?", calendar) != []
        if stopped and any(span in read.spans for of_one in reads for read in of_one):
            return  # the proof is older than the stop
        if not any(_is_answered(world, one) for one in told):
            world.observer.fail("I1-disagrees", f"{number} is cleared; {calendar} last showed {tuple(last)}")


def _reads_after(world: World, held: Held, end: int) -> list[Read]:
    return [read for read in world.readings.of.get(held.key, ()) if _is_after(read.began, end)]


def _is_after(moment: datetime, end: int) -> bool:
    return moment >= datetime.fromtimestamp(end, UTC) + SETTLE


def _is_answered(world: World, drift: Revision) -> bool:
    """Whether a person has said what is true, be it that it waits to be put back, or the edit came after the proof."""
    return drift.resolution in ENDED or drift.resolved_by is not None or _is_collateral(world, drift.id)


def _stood_in_time(world: World, subject: tuple[str, Any], calendar: str, end: int) -> bool:
    """Whether a calendar had the session's event before its end, or it is not known since when."""
    rows = world.books.rows("SELECT id, linked_at FROM links WHERE calendar = ?", calendar)
    linked = [at for link, at in rows if world.expected.subject_of(link) == subject]
    return any(at is None or at <= end * 1_000_000 for at in linked)


def _check_doubts(world: World, number: str) -> None:
    """No edit that a person has not answered stands about a session that is cleared."""
    for drift in unanswered(world, number):
        world.observer.fail("I1-doubt", f"{number} is cleared while drift {drift.id} ({drift.kind}) is open")


def unanswered(world: World, number: str) -> Iterator[Revision]:
    """Open edits of a session that leave a second date possible."""
    for drift in world.observer.drifts.values():
        if drift.appointment != number or drift.kind in ("retitled", "marked-free", "marker-lost", "made-public"):
            continue
        if not drift.open or drift.disposition in HOLDS_NOTHING or _is_collateral(world, drift.id):
            continue
        if not _day(drift.expected) == _day(drift.observed) is not None and drift.resolved_by is None:
            yield drift


def _is_collateral(world: World, drift: str) -> bool:
    """Whether it is part of a series edit that spans past and future: proof that was whole before stays whole (R-9)."""
    return world.books.rows("SELECT 1 FROM drifts WHERE id = ? AND mixed", drift) != []


def _day(span: Shown | None) -> object:
    return None if span is None else datetime.fromtimestamp(span[0], UTC).date()
