"""What must be so after a storm: nothing lost, doubled or invented, and the books whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from zoneinfo import ZoneInfo

from sqlalchemy import text

from tests.endurance.fleet import Editors, Fleet
from tests.system.site import ZONE


def whole(fleet: Fleet) -> list[str]:
    """What is wrong with the books right now: the file (SQLite) and the audit chain."""
    found = []
    if not fleet.database:
        with closing(sqlite3.connect(fleet.folder / "calsync.db", timeout=60)) as conn:
            told = conn.execute("PRAGMA integrity_check").fetchall()
        if told != [("ok",)]:
            found.append(f"integrity_check: {told[:3]}")
    verified = fleet.site.calsync("audit", "verify")
    if verified.code != 0:
        found.append(f"audit verify: {verified.out} {verified.err}")
    return found


def settled(fleet: Fleet, editors: Editors) -> list[str]:
    """What is wrong once everything is at rest: edits against drifts, calendars against records."""
    return [*_edits(fleet, editors), *_calendars(fleet), *_leftovers(fleet)]


def _edits(fleet: Fleet, editors: Editors) -> Iterator[str]:
    with fleet.books.reading() as conn:
        told = conn.execute(text("SELECT appointment, count(*) FROM drifts GROUP BY appointment")).all()
    drifts = {str(session): int(count) for session, count in told}
    for session in sorted(editors.done.keys() | drifts.keys()):
        if editors.done.get(session, 0) != drifts.get(session, 0):
            yield f"session {session}: {editors.done.get(session, 0)} edits, {drifts.get(session, 0)} drifts"


def _calendars(fleet: Fleet) -> Iterator[str]:
    shown = fleet.shown()
    for one in fleet.booked:
        starts = [start for _, start in shown.pop(one.id, [])]
        if starts != [one.start.replace(tzinfo=ZoneInfo(ZONE))]:
            yield f"session {one.id} is shown at {starts} and booked at {one.start}"
    for session in shown:
        yield f"{session!r} is shown and not booked"


def _leftovers(fleet: Fleet) -> Iterator[str]:
    held = fleet.number("SELECT count(*) FROM calendars WHERE lease_owner IS NOT NULL")
    if held:
        yield f"{held} leases are held by nobody"
    wrong = fleet.number("SELECT count(*) FROM calendars WHERE state <> 'active'")
    if wrong:
        yield f"{wrong} calendars are not active"
    with suppress(FileNotFoundError):
        if "Traceback" in (fleet.folder / "process.log").read_text(errors="replace"):
            yield "a process told of something that it was not made for"
