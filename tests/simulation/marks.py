"""Sometimes-marks: places that a run must have reached at least once, or it proves nothing."""

from __future__ import annotations

from collections import Counter

# Each is set where it happens: by the observer (what the books came to), the world (how passes ended) or an act.
MUST_REACH = (
    "answered-dismiss",
    "answered-restore",
    "answered-stands",
    "booked-series",
    "cancelled-one",
    "cancelled-all-upcoming",
    "cancelled-this",
    "clock-back",
    "completed",
    "copied-across",
    "crash-after-commit",
    "crash-after-effect",
    "crash-before-begin",
    "crash-before-commit",
    "crash-before-send",
    "cursor-expired",
    "drift-cancelled",
    "drift-deleted",
    "drift-duplicated",
    "drift-made-all-day",
    "drift-marker-lost",
    "drift-moved",
    "drift-relocated",
    "drift-resized",
    "drift-split",
    "drift-unreadable",
    "drift-zone-changed",
    "edited-again-while-open",
    "error-throttled",
    "forged-place",
    "forged-signature",
    "full-read",
    "gate-cleared",
    "gate-held",
    "lease-refused",
    "limit-reached",
    "meanwhile",
    "phase-past",
    "phase-started",
    "power-loss",
    "quiet-pass",
    "released-as-edits",
    "released-as-restore",
    "rescheduled-one",
    "rescheduled-this",
    "rescheduled-this-and-following",
    "resolution-record-corrected",
    "resolution-reverted",
    "resolution-superseded",
    "resolution-withdrawn",
    "stampede-stopped",
    "state-needs-reconnect",
    "state-unreachable",
    "zombie-fenced",
)


def unreached(marks: Counter[str]) -> list[str]:
    """Places that no history of a run came to."""
    return [name for name in MUST_REACH if not marks[name]]
