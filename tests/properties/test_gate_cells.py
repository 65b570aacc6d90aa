"""Every cell of the gate's inputs: six things that bear on a claim, each in all its states, against a list of doubts.

The oracle knows the names of the states and nothing of calsync: what a state means is told once as a doubt that it
leaves, once as the rows that a case has.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from tests.unit.claims.cases import drift, judge, move, read, row

STATUS = ("completed", "scheduled", "cancelled", "no-show")
PENDING = (None, "reschedule")
LOGS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "together": [row("10T15:00", "10T15:45")],
    "another day": [row("11T15:00", "11T15:45")],
    "alone": [row("10T15:00", "10T15:45", "provider")],
    "desk": [row("10T15:00", "10T15:45", None, "desk")],
}
READS: dict[str, list[dict[str, Any]]] = {
    "agrees": [read("12T16:05")],
    "too early": [read("10T14:00")],
    "differs": [read("12T16:05", "differs", drift="D-1")],
    "gone": [read("12T16:05", "absent", drift="D-1")],
    "unreachable": [read("12T16:05", "failed")],
    "stopped later": [read("12T16:05"), read("12T17:00", "stopped", touched=False)],
}
EDITS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "open": [drift()],
    "open, same day": [move("14:00", "14:45", resolution="open")],
    "put back": [drift(phase="upcoming", resolution="reverted")],
    "put back, same day": [move("14:00", "14:45")],
    "accepted": [drift(resolution="acknowledged")],
    "another session's": [drift(appointment="A-2")],
}
ASKED = ("2026-11-10", "2026-11-11")


def oracle(status: str, pending: str | None, log: str, shown: str, edit: str, asked: str) -> str:
    """What must become of a claim for a session of 10 November, from the states' names alone."""
    took_place = status not in ("cancelled", "no-show")
    proven = log == "together" and took_place
    # A session that is said not to have been: only what speaks of one brings it back.
    if not took_place:
        perhaps = edit.startswith("open") or log in ("together", "another day", "desk")
        return "held" if perhaps else "not-billable"
    doubts = [
        status == "scheduled",
        pending is not None,
        asked != "2026-11-10",
        log in ("another day", "alone"),
        edit.startswith("open") and not proven,
        edit == "put back" and not proven and log != "desk",
        shown in ("too early", "unreachable") and not proven,
    ]
    if shown in ("differs", "gone"):
        # What shows is as good as agreement only when this session's own edit was accepted, or answered by the log.
        own = edit.startswith(("open", "put back"))
        doubts.append(not (edit == "accepted" or (own and proven)))
    return "held" if any(doubts) else "cleared"


def test_every_cell() -> None:
    cells = list(product(STATUS, PENDING, LOGS, READS, EDITS, ASKED))
    assert len(cells) == 3360
    wrong, found = [], {"held": 0, "cleared": 0, "not-billable": 0}
    for status, pending, log, shown, edit, asked in cells:
        answer = judge(
            record={"status": status, "pending": pending},
            evidence=LOGS[log],
            observations=READS[shown],
            drifts=EDITS[edit],
            asked=asked,
            now="2026-11-13T12:00:00Z",
        )
        verdict = str(answer.verdict)
        found[verdict] += 1
        expected = oracle(status, pending, log, shown, edit, asked)
        day = answer.date_of_service
        right_day = str(day) == "2026-11-10" if verdict == "cleared" else day is None
        if verdict != expected or not right_day:
            wrong.append((status, pending, log, shown, edit, asked, expected, verdict, day))
    assert wrong == []
    assert min(found.values()) > 20, "no verdict is rare enough to be right by chance"
