"""Whole answers of the gate, word for word: what people and programs read, kept in `whole-answers.json`.

`python -m tests.unit.claims.whole_answers` writes them anew; look at the difference before you keep it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.unit.claims.cases import FILED, TABLE, drift, judge, judged, move, other, overlaid, read, row, utc, word

STORED = Path(__file__).parent / "whole-answers.json"


def _due(**at: str) -> dict[str, str | None]:
    return {calendar.replace("_", "-"): utc(when) for calendar, when in at.items()}


# What the table of scenarios does not show: several of a kind at once, and the words for each way of being held.
BESIDE: dict[str, dict[str, Any]] = {
    "three calendars, two differ, one with its edit": {
        "observations": [
            read("10T16:05", "differs", "cal-3"),
            read("10T16:05", "agrees", "cal-2"),
            read("10T16:05", "absent", "cal-1", drift="D-9"),
        ],
        "next_reads": _due(cal_1="11T18:00", cal_2="11T17:00", cal_3="11T19:00"),
    },
    "it differs everywhere": {
        "observations": [read("10T16:05", "differs", "cal-2", drift="D-9"), read("10T16:06", "absent", "cal-1")],
        "next_reads": _due(cal_1="11T18:00"),
    },
    "never read, and due": {"observations": [read(None, "never")], "next_reads": _due(cal_1="11T18:00")},
    "never read, and not due": {"observations": [read(None, "never")]},
    "read too early, then failed": {
        "observations": [read("10T15:00"), read("10T15:20", "failed"), read("10T15:10", "failed")],
        "next_reads": _due(cal_1="11T18:00"),
    },
    "failed at the very moment of the last good read": {
        "observations": [read("10T15:00"), read("10T15:00", "failed")],
    },
    "written after the session": {"observations": [read("10T17:00", confirmed_at=utc("10T16:00"))]},
    "stopped, and touched": {"observations": [read("10T16:05"), read("10T17:00", "stopped", touched=True)]},
    "stopped, and perhaps touched": {"observations": [read("10T16:05"), read("10T17:00", "stopped")]},
    "stopped before any proof": {"observations": [read("10T15:00"), read("10T15:30", "stopped", touched=False)]},
    "two stops, the later one touched it": {
        "observations": [
            read("10T16:05"),
            read("10T17:00", "stopped", touched=False),
            read("10T18:00", "stopped", touched=True),
        ]
    },
    "stopped at a time that nobody knows": {"observations": [read("10T16:05"), read(None, "stopped", touched=False)]},
    "no calendar at all": {"observations": []},
    "no calendar, declared, completed by an import": {
        "observations": [],
        "provider": {"calendars": "none", "reason": "paper", "since": "2026-01-01"},
        "record": {"completed_by_person": False},
    },
    "no calendar, declared, by an import that does not know": {
        "observations": [],
        "provider": {"calendars": "none", "reason": "paper", "since": "2026-01-01"},
        "record": {"completed_by_person": False, "status": "scheduled"},
    },
    "everything struck out by the log": {
        "observations": [read(None, "never", "cal-2"), read("10T15:00", "agrees"), read("10T15:30", "failed")],
        "evidence": [row("10T15:00", "10T15:45"), row("10T15:10", "10T15:40", "client")],
    },
    "reads that are not asked for": {
        "observations": [read(None, "never", "cal-2"), read("10T15:00", "agrees")],
        "policy": {"require_observation_after_session": False},
    },
    "two reads of one moment, the later write counts": {
        "observations": [
            read("10T17:00", "differs", written_at=utc("10T16:30")),
            read("10T17:00", "agrees", written_at=utc("10T16:40")),
            read("10T16:50", "agrees", written_at=utc("10T16:45")),
        ]
    },
    "six calendars, none of which was read": {
        "observations": [read(None, "never", f"cal-{number}") for number in (3, 6, 1, 5, 2, 4)]
    },
    "seen at a time that nobody knows": {"observations": [read(None, "agrees")]},
    "two reads of one moment, one of before any write": {
        "observations": [read("10T17:00", "differs"), read("10T17:00", written_at=utc("10T16:40"))]
    },
    "two reads of one moment, one of them told of": {
        "observations": [read("10T17:00", "differs"), read("10T17:00", "differs", drift="D-9", version="7")]
    },
    "two stops, one of a time that nobody knows": {
        "observations": [
            read("10T16:05"),
            read(None, "stopped", touched=False),
            read("10T18:00", "stopped", touched=False),
        ]
    },
    "gone and there at one moment": {"observations": [read("10T17:00", "absent"), read("10T17:00")]},
    "one differs, the other shows what was accepted": {
        "drifts": [drift(resolution="acknowledged", calendar="cal-2")],
        "observations": [read("10T19:00", "differs"), read("10T19:00", "differs", "cal-2", drift="D-1")],
    },
    "a read at this very moment": {"observations": [read("11T12:00")]},
    "two edits of one moment": {
        "drifts": [drift(id="D-2", detected_at=None), drift(), drift(id="D-3", calendar=None, observed_start=None)],
        "asks": [{"about": "D-1", "who": "provider", "at": utc("10T19:00"), "next_at": utc("12T09:00")}],
    },
    "an edit that was put back, and one that shortens": {
        "drifts": [
            drift(id="D-2", resolution="reverted", phase="upcoming"),
            drift(kind="resized", observed_start="2026-11-10T09:00", observed_end="2026-11-10T09:20"),
        ]
    },
    "a harmless move": {"drifts": [move("10:00", "10:45")]},
    "a move of the same day that still stands": {"drifts": [move("10:00", "10:45", resolution="open")]},
    "a shortening in the hour that the clocks repeat": {
        "record": {"start": "2026-11-01T09:00", "end": "2026-11-01T09:45"},
        "drifts": [drift(kind="resized", observed_start="2026-11-01T00:50", observed_end="2026-11-01T01:20")],
        "observations": [read("01T16:05")],
    },
    "a no-show that was dragged and put back": {
        "record": {"status": "no-show"},
        "drifts": [move("10:00", "10:45")],
        "observations": [read("10T18:00")],
    },
    "reverts that nobody asks about": {
        "drifts": [drift(resolution="reverted")],
        "policy": {"acknowledge_reverts": False},
    },
    "a record of the desk excuses": {
        "drifts": [drift(resolution="reverted")],
        "evidence": [row("10T15:02", "10T15:45", None, "desk")],
    },
    "dragged along with its series": {
        "drifts": [drift(scope="series", mixed=True, detected_at=utc("10T18:00"))],
        "observations": [read("10T16:05")],
    },
    "answered by a word": {
        "drifts": [drift()],
        "statements": [word("as-booked", saw=("D-1",))],
        "observations": [read("10T19:00", "differs", drift="D-1")],
    },
    "words that contradict": {
        "statements": [
            word("another-day", date="2026-11-12"),
            word("did-not-take-place", id="W-2", at="10T21:00"),
            word("took-place", id="W-3", at="10T22:00", start="2026-11-12T09:00", end="2026-11-12T09:45"),
        ]
    },
    "a word beside a no-show": {"record": {"status": "no-show"}, "statements": [word("as-booked")]},
    "another time of the same day, said and logged": {
        "statements": [word("took-place", start="2026-11-10T11:00", end="2026-11-10T11:45")],
        "evidence": [row("10T17:30", "10T18:15")],
        "observations": [read("10T20:00")],
    },
    "a log of another day, and of too short": {
        "evidence": [row("10T15:00", "10T15:05"), row("11T15:00", "11T15:45", id="E-2")],
        "now": "2026-11-13T12:00:00Z",
        "observations": [read("12T20:00")],
    },
    "a desk record of another time": {"evidence": [row("10T18:00", "10T18:45", None, "desk")]},
    "logged when another appointment was": {
        "evidence": [row("10T16:30", "10T17:15")],
        "others": [other("10:30", "11:20")],
        "observations": [read("10T20:00")],
    },
    "over midnight": {
        "record": {"start": "2026-11-10T23:30", "end": "2026-11-11T00:15"},
        "observations": [read("11T08:00")],
    },
    "over midnight, ruled": {
        "record": {"start": "2026-11-10T23:30", "end": "2026-11-11T00:15"},
        "observations": [read("11T08:00")],
        "policy": {"midnight": "end"},
    },
    "two zones, two dates": {"record": {"client_zone": "Asia/Tokyo"}},
    "a gap of the clocks": {
        "record": {"start": "2026-03-08T02:10", "end": "2026-03-08T02:50"},
        "observations": [read("10T16:05")],
    },
    "not over, and asked about": {"now": "2026-11-10T15:30:00Z", "record": {"status": "scheduled", "pending": "x"}},
    "a request that lapses": {
        "record": {"pending": "reschedule", "pending_until": "2026-11-12T09:00:00Z", "status": "scheduled"}
    },
    "a second claim of one day": {
        "others": [
            other("11:00", "11:45", code="90834", state="filed"),
            other(None, None, id="A-8", code="90834"),
            other("09:20", "10:00", id="A-9", code="99999", client="K-2"),
        ]
    },
    "another date asked for, while filed": {"asked": "2026-11-12", "filed": FILED},
    "filed, and in question": {
        "filed": FILED,
        "drifts": [drift(observed_start="2026-11-10T12:00", observed_end="2026-11-10T12:45")],
        "asks": [{"about": "D-1", "who": "provider", "at": utc("10T19:00"), "next_at": utc("12T09:00")}],
    },
    "filed with another code": {"filed": {**FILED, "code": "90837"}},
    "issued, and now another": {"issued": FILED, "observations": [read("10T16:05", "differs")]},
    "self-pay": {"record": {"payer": "self"}},
    "to be filed in time": {"observations": [], "policy": {"timely_filing_days": 90}},
}


def answers() -> dict[str, Any]:
    """Every scenario of the table, and every case above, with its whole answer."""
    found = {one["id"]: judged(overlaid(one["given"])).to_json() for one in TABLE["scenarios"]}
    return found | {name: judge(**given).to_json() for name, given in BESIDE.items()}


def stored() -> dict[str, Any]:
    """What is kept."""
    kept: dict[str, Any] = json.loads(STORED.read_text(encoding="utf-8"))
    return kept


if __name__ == "__main__":
    lines = [f"{json.dumps(name)}: {json.dumps(one, sort_keys=True)}" for name, one in sorted(answers().items())]
    STORED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
