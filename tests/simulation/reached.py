"""Places that a history came to, as its books tell at the end: what no single step shows."""

from __future__ import annotations

from tests.simulation.world import World

_LATE = 30_000_000  # microseconds: a confirmation comes within the pass, an adoption in a later one
_AND_LATER = "SELECT 1 FROM owed_writes a JOIN owed_writes b ON b.link = a.link"
_QUESTIONS = {
    # A write that met another version was decided again, and went out again.
    "conflict-redecided": f"{_AND_LATER} AND b.sent_at > a.settled_at"
    " WHERE a.state = 'superseded' AND a.reason = 'conflict'",
    # A create whose answer was lost turned out to have arrived.
    "adopted-after-lost-create": "SELECT 1 FROM owed_writes WHERE kind = 'create' AND state = 'done'"
    f" AND settled_at - sent_at > {_LATE}",
    "adopted-after-lost-update": "SELECT 1 FROM owed_writes WHERE kind = 'update' AND state = 'done'"
    f" AND settled_at - sent_at > {_LATE}",
    # One that never arrived was found out to be so.
    "lost-write-redecided": f"{_AND_LATER} AND b.sent_at > a.sent_at"
    " WHERE a.state = 'superseded' AND a.reason IS NULL AND a.sent_at IS NOT NULL",
    "write-rejected": "SELECT 1 FROM owed_writes WHERE state = 'rejected'",
    "generation-raised": "SELECT 1 FROM links WHERE generation > 1",
    "link-retired": "SELECT 1 FROM links WHERE state = 'retired'",
    "copy-put-away": "SELECT 1 FROM drifts WHERE kind = 'duplicated' AND resolution IN ('reverted', 'acknowledged')",
    "split-seen": "SELECT 1 FROM drifts WHERE kind = 'split'",
    "series-edit-over-past-and-future": "SELECT 1 FROM drifts WHERE mixed",
    "edited-thrice": "SELECT 1 FROM drifts WHERE json_array_length(history) >= 2",
    "recall-issued": "SELECT 1 FROM recalls",
    "clearance-ended": "SELECT 1 FROM clearances WHERE ended_at IS NOT NULL",
    "request-answered": "SELECT 1 FROM requests WHERE state = 'answered'",
    "request-lapsed": "SELECT 1 FROM requests WHERE state = 'expired'",
    "mail-given-up": "SELECT 1 FROM outbox WHERE state = 'failed'",
    "mails-folded": "SELECT 1 FROM outbox WHERE state = 'merged'",
}


def mark_reached(world: World) -> None:
    """Mark each of them that this history came to."""
    for name, question in _QUESTIONS.items():
        if world.books.rows(f"{question} LIMIT 1"):
            world.observer.mark(name)
