"""Step six of a pass: what the calendar answered goes on the books, in one transaction with what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from calsync.connector.protocol import NAME_REFUSED, UID_TAKEN, Outcome, WriteResult
from calsync.domain.appointment import Appointment, SubjectKind
from calsync.domain.drift import Resolution
from calsync.domain.link import Link
from calsync.domain.marker import derived_remote_id
from calsync.domain.notation import content_hash
from calsync.domain.write import Cause, WriteKind
from calsync.store import (
    audit,
    calendars,
    claims,
    copies,
    drifts,
    link_changes,
    link_drifts,
    links,
    outbox,
    owed_writes,
    records,
    subject_changes,
    work,
)
from calsync.store.link_changes import Confirmation
from calsync.store.owed_writes import OwedWrite
from calsync.store.titles import hide_titles, titles_of, without_marks
from calsync.worker.context import ACTOR, READ_FIRST, LeaseLostError, PassContext

# After so long a write is tried again that an event of a person's stands in the way of.
_TRIED_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a batch came to. `conflicts`: links whose event is another version, or of unknown state."""

    written: int
    conflicts: tuple[str, ...]


@dataclass(slots=True)
class _Written:
    """What a batch's written events come to on the books, put there together."""

    sessions: Mapping[str, Appointment]  # the single appointments behind them
    done: list[str] = field(default_factory=list)
    confirmed: list[tuple[str, Confirmation]] = field(default_factory=list)
    reads: dict[str, datetime | None] = field(default_factory=dict)

    def store(self, conn: Connection, now: datetime) -> None:
        """Write all of it."""
        owed_writes.settle_all(conn, self.done, "done", now)
        link_changes.confirm_many(conn, self.confirmed)
        link_changes.set_reads_after(conn, self.reads)


def confirm(
    context: PassContext, batch: Sequence[tuple[OwedWrite, Link]], results: Sequence[WriteResult], at: datetime
) -> Confirmed:
    """Commit the answers under the fence. Writes without an answer stay marked as sent. Raises LeaseLostError.

    `at`: since when what was written stands, by the faster of our clock and the service's.
    """
    answers = {result.key: result for result in results}
    written = 0
    conflicts: list[str] = []
    with context.worker.database.transaction() as conn:
        if not work.hold_fence(conn, context.lease):
            raise LeaseLostError(context.row.id)
        now = context.worker.clock.now()
        singles = [link.subject.id for _, link in batch if link.subject.kind is SubjectKind.APPOINTMENT]
        together = _Written(records.appointments_by_ids(conn, singles))
        for owed, link in batch:
            result = answers.get(owed.id)
            if result is None:
                continue
            if result.outcome is Outcome.WRITTEN:
                _written(conn, context, (owed, link), (result, now, max(at, now)), together)
                written += 1
            elif result.outcome in (Outcome.CONFLICT, Outcome.UNKNOWN):
                _look_again(conn, owed, link, result, now)
                conflicts.append(link.id)
            else:
                _rejected(conn, context, owed, link, (result, now))
        together.store(conn, now)
    return Confirmed(written, tuple(conflicts))


def _look_again(conn: Connection, owed: OwedWrite, link: Link, result: WriteResult, now: datetime) -> None:
    """Nobody knows what became of it, or it met another version: the event is read before anything goes out again."""
    is_unknown = result.outcome is Outcome.UNKNOWN
    if is_unknown or owed.target is not None or owed.cause in (Cause.COPY, Cause.RESTORE):
        # What it met may be itself: sent before and unanswered, or carried twice. The reading tells. A copy is read for
        # its write's sake alone, once its link has no event any more; and what a person said is not forgotten because
        # a version moved.
        owed_writes.postpone(conn, [owed.id], now + READ_FIRST)
    else:
        owed_writes.settle(conn, owed.id, "superseded", now, "conflict")
    # Should the reading that follows fail, a later pass makes up for it: the feed may be silent. Not at once, or a
    # service that always answers so would be asked without end.
    link_changes.set_read_after(conn, link.id, now + READ_FIRST)
    _take_name(conn, owed, link, result)


def _written(
    conn: Connection,
    context: PassContext,
    write: tuple[OwedWrite, Link],
    answer: tuple[WriteResult, datetime, datetime],
    together: _Written,
) -> None:
    (owed, link), (result, now, stands_since) = write, answer
    together.done.append(owed.id)
    if owed.cause is Cause.COPY:
        copies.drop(conn, link.id, owed.remote_id)
    elif owed.kind is WriteKind.DELETE:
        link_changes.retire(conn, link.id, now)
    else:
        together.confirmed.append((link.id, _confirmation((owed, link), result, stands_since)))
        if link.subject.kind is not SubjectKind.BLOCK:
            together.reads[link.id] = _next_read(context, _sessions(conn, link, together), now)
    copy = owed.remote_id if owed.cause is Cause.COPY else None
    reverted = drifts.mark_reverted(conn, link.id, owed.reverts, now, copy=copy) if owed.reverts else []
    if owed.cause is Cause.RESTORE:
        # A person looked and said that the bookings stand: that is the answer, and nobody is asked again.
        for drift in reverted:
            drifts.resolve(conn, drift, Resolution.ACKNOWLEDGED, now, by=ACTOR)
    elif owed.cause is Cause.RECORD and _had_event(link) and _awaits_revert(conn, link):
        # The record's change could not wait for the settling edit beside it; the edit is decided on again from here.
        subject_changes.mark(conn, link.provider, link.subject)
    audit.append(
        conn,
        at=now,
        actor=ACTOR,
        what="write-confirmed",
        subject=f"link:{link.id}",
        detail={"kind": owed.kind.value, "cause": owed.cause.value, "calendar": context.row.id, "reverted": reverted},
    )
    if reverted:
        claims.touch(conn, drifts.appointments_of(conn, reverted))


def _had_event(link: Link) -> bool:
    """Whether people may have edited an event of this link: under its present name, or under an earlier one."""
    return link.linked_at is not None or link.generation > 1


def _awaits_revert(conn: Connection, link: Link) -> bool:
    open_ones = link_drifts.open_of_links(conn, [link.id]).get(link.id, ())
    return any(one.resolution is Resolution.OPEN and one.disposition.reverts for one in open_ones)


def _confirmation(write: tuple[OwedWrite, Link], result: WriteResult, at: datetime) -> Confirmation:
    """The baseline from now on: what the service answered, else what was sent.

    A title that the service kept because a person typed it is not what was agreed: ours stays the one to compare with,
    or our own would seem to have changed at every pass.
    """
    (owed, link), told = write, result.event
    baseline = owed.target
    if baseline is not None and owed.kind is WriteKind.UPDATE:
        # An event that its person gave another UID keeps that.
        there = link.observed or link.baseline
        baseline = baseline if there is None else replace(baseline, uid=there.uid)
    if told is not None and owed.target is not None:
        baseline = without_marks(hide_titles(told, titles_of(owed.target)), owed.target.master.title)
    return Confirmation(
        version=result.version,
        baseline=baseline,
        baseline_hash=owed.content if told is None or baseline is None else content_hash(baseline),
        remote_id=result.remote_id,
        confirmed_at=at,
    )


def _sessions(conn: Connection, link: Link, together: _Written) -> list[Appointment]:
    if link.subject.kind is SubjectKind.SERIES:
        return records.appointments_of_series(conn, link.subject.id)
    single = together.sessions.get(link.subject.id)
    return [single] if single is not None else []


def _next_read(context: PassContext, sessions: Iterable[Appointment], now: datetime) -> datetime | None:
    """After a write, sessions of the event that are over want a fresh read: readings before the write prove nothing."""
    settle = context.rules.counts_after
    ends = [a.span.end_at + settle for a in sessions if a.status.shows_in_calendars]
    past = [end for end in ends if context.window.start <= end <= now]
    return now if past else min((end for end in ends if end > now), default=None)


def _take_name(conn: Connection, owed: OwedWrite, link: Link, result: WriteResult) -> None:
    """Look where a service that names events itself says that the event of our name is, from now on.

    Somebody may have taken its marker off before anybody read it: then nothing else tells that it is there.
    """
    told = result.remote_id
    if owed.kind is not WriteKind.CREATE or not told or told == link.remote_id:
        return
    if not copies.ids_among(conn, link.calendar, [told]) and not links.by_remote_ids(conn, link.calendar, [told]):
        link_changes.rename(conn, link.id, told)


def _rejected(
    conn: Connection, context: PassContext, owed: OwedWrite, link: Link, answer: tuple[WriteResult, datetime]
) -> None:
    result, now = answer
    owed_writes.settle(conn, owed.id, "rejected", now, result.reason)
    audit.append(
        conn,
        at=now,
        actor=ACTOR,
        what="write-rejected",
        subject=f"link:{link.id}",
        detail={"kind": owed.kind.value, "calendar": context.row.id, "reason": result.reason},
    )
    if result.reason == NAME_REFUSED and owed.kind is WriteKind.CREATE:
        _next_generation(conn, context, owed, link, now)
        return
    if result.reason == UID_TAKEN and owed.kind is WriteKind.CREATE:
        _owe_later(conn, context, owed, now)
    outbox.put(
        conn,
        key=f"write-rejected:{link.id}:{link.generation}:{result.reason}",
        kind="write-rejected",
        recipient="support",
        payload={"link": link.id, "calendar": context.row.id, "reason": result.reason},
        now=now,
        due_at=now,
    )


def _owe_later(conn: Connection, context: PassContext, owed: OwedWrite, now: datetime) -> None:
    """Try the same again some time: what stands in the way is a person's to take away, and nobody says when it goes."""
    again = replace(
        owed,
        id=context.worker.ids.new_id("write"),
        state="owed",
        attempts=0,
        sent_at=None,
        not_before=now + _TRIED_AGAIN,
        created_at=now,
    )
    owed_writes.owe(conn, again)


def _next_generation(conn: Connection, context: PassContext, owed: OwedWrite, link: Link, now: datetime) -> None:
    """The service refuses the old name for good: the same subject goes on under the next generation's name.

    What it should show is decided anew, but for what a person said is to be restored: deciding knows nothing of that.
    """
    generation = link.generation + 1
    remote_id = derived_remote_id(context.worker.keys, link.id, generation)
    link_changes.next_generation(conn, link.id, generation=generation, remote_id=remote_id, uid=f"{remote_id}@calsync")
    # Books brought back may have given that name before: what carries its marker was somebody else's until now.
    calendars.forget_cursor(conn, context.row.id)
    if owed.cause is not Cause.RESTORE or owed.target is None:
        subject_changes.mark(conn, link.provider, link.subject)
        return
    again = OwedWrite(
        id=context.worker.ids.new_id("write"),
        calendar=owed.calendar,
        link=link.id,
        kind=owed.kind,
        remote_id=remote_id,
        target=(target := owed.target.with_uid(f"{remote_id}@calsync")),
        content=content_hash(target),
        version=None,
        cause=owed.cause,
        reverts=owed.reverts,
        not_before=now,
        created_at=now,
    )
    owed_writes.owe(conn, again)
