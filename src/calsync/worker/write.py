"""Step five of a pass: send what is owed and due, conditionally on the version it was decided on.

What goes out is marked as sent and committed first, with its body: after a crash the next pass asks the calendar what
became of it, and never doubles it. Called by `calendar_pass`; what the answers mean is `confirm`'s business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calsync.connector.errors import CalendarError
from calsync.connector.protocol import Write, WriteResult
from calsync.domain.link import Link
from calsync.domain.marker import Marker, place_of, sign_marker
from calsync.store import links, owed_writes, work
from calsync.store.owed_writes import OwedWrite
from calsync.worker.confirm import Confirmed, confirm
from calsync.worker.context import LeaseLostError, PassContext
from calsync.worker.fleet import may_write
from calsync.worker.two_clocks import Exchange

# Writes that go out between two commits: small enough that a crash leaves few answers unknown, large enough that the
# commits do not dominate a first push.
BATCH = 20


@dataclass(frozen=True, slots=True)
class Sent:
    """What a round of writing came to. `conflicts` are links to read and decide again."""

    written: int = 0
    conflicts: tuple[str, ...] = ()


def write_due(context: PassContext) -> Sent:
    """Send everything that is due, a batch at a time; raises connector errors after confirming what was answered."""
    written = 0
    conflicts: list[str] = []
    while batch := _take_batch(context):
        confirmed = _send(context, batch)
        written += confirmed.written
        conflicts.extend(confirmed.conflicts)
    return Sent(written, tuple(dict.fromkeys(conflicts)))


def _take_batch(context: PassContext) -> list[tuple[OwedWrite, Link]]:
    """Mark the next writes as sent and commit, before a byte leaves."""
    worker = context.worker
    if worker.is_stopping:
        return []
    context.keep_lease()
    with worker.database.transaction() as conn:
        if not work.hold_fence(conn, context.lease):
            raise LeaseLostError(context.row.id)
        if not may_write(conn, context.row.id):
            return []
        now = worker.clock.now()
        due = owed_writes.due(conn, context.row.id, now, BATCH)
        if not due:
            return []
        owed_writes.mark_sent(conn, [owed.id for owed in due], now)
        by_id = {link.id: link for link in links.by_ids(conn, [owed.link for owed in due])}
        return [(owed, by_id[owed.link]) for owed in due]


def _send(context: PassContext, batch: Sequence[tuple[OwedWrite, Link]]) -> Confirmed:
    results: list[WriteResult] = []
    exchange = Exchange.begin(context)
    try:
        for result in context.calendar.write([_wire(context, owed, link) for owed, link in batch]):
            results.append(result)  # noqa: PERF402 - one by one, so that what was answered before a failure is known
    except CalendarError:
        # Those that were answered are known; the others stay marked as sent, of unknown effect.
        confirm(context, batch, results, exchange.written_at())
        raise
    return confirm(context, batch, results, exchange.written_at())


def _wire(context: PassContext, owed: OwedWrite, link: Link) -> Write:
    marker = None
    if owed.target is not None and owed.content is not None:
        place = place_of(context.worker.keys, context.row.id)
        marker = sign_marker(context.worker.keys, Marker(link.id, link.generation, owed.content, place))
    return Write(
        key=owed.id,
        kind=owed.kind,
        remote_id=owed.remote_id,
        event=owed.target,
        marker=marker,
        version=owed.version,
        title_was=link.baseline.master.title if link.baseline else None,
    )
