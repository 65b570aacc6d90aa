"""What the reads of one calendar are worth for a session (claims sheet, 11, rules 7 and 8; rulings R-20)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from calsync.claims.case import LONG_AGO, Case, Observation, ReadResult, Says, Statement
from calsync.claims.findings import Bench

_SUCCESSFUL = frozenset({ReadResult.AGREES, ReadResult.DIFFERS, ReadResult.ABSENT})


def linked_calendars(case: Case) -> tuple[str, ...]:
    """The calendars that must agree: every one that has a row or a read to come."""
    return tuple(sorted({one.calendar for one in case.observations} | {one.calendar for one in case.next_reads}))


@dataclass(frozen=True)
class Reads:
    """All that is known of one calendar, oldest first."""

    calendar: str
    successful: tuple[Observation, ...]
    failed: tuple[Observation, ...]
    stops: tuple[Observation, ...]
    next_at: datetime | None
    removed: bool = False  # disconnected: nothing will read it again

    @property
    def last(self) -> Observation | None:
        """The latest successful read."""
        return self.successful[-1] if self.successful else None

    @property
    def stopped_at(self) -> datetime | None:
        """Since when a standing stop stands (long ago, if that is not known); None without one."""
        return min((began(one) for one in self.stops), default=None)

    def at_once_with(self, read: Observation) -> tuple[Observation, ...]:
        """The successful reads that began at the same instant as `read`, itself among them: all of them count."""
        return tuple(one for one in self.successful if began(one) == began(read))

    def before(self, moment: datetime) -> tuple[Observation, ...]:
        """The successful reads that began before `moment`."""
        return tuple(one for one in self.successful if began(one) < moment)


def reads_of(case: Case, calendar: str) -> Reads:
    """The rows of one calendar, sorted out."""
    rows = [one for one in case.observations if one.calendar == calendar]
    return Reads(
        calendar=calendar,
        successful=_by_time(_not_overwritten([one for one in rows if one.result in _SUCCESSFUL and one.read_at])),
        failed=_by_time(one for one in rows if one.result is ReadResult.FAILED),
        stops=_by_time(one for one in rows if one.result is ReadResult.STOPPED),
        next_at=min((one.due_at for one in case.next_reads if one.calendar == calendar), default=None),
        removed=any(one.removed for one in rows),
    )


def _not_overwritten(rows: list[Observation]) -> Iterable[Observation]:
    """Leave out reads of before a write of ours, if one of after it began at the same instant (a clock may stand)."""
    written = {(began(one), one.written_at) for one in rows if one.written_at is not None}
    last = {at: max(when for began_at, when in written if began_at == at) for at, _ in written}
    return (one for one in rows if one.written_at is None or one.written_at == last[began(one)])


def _by_time(rows: Iterable[Observation]) -> tuple[Observation, ...]:
    several = tuple(rows)
    return tuple(sorted(several, key=_order)) if len(several) > 1 else several


def _order(read: Observation) -> tuple[datetime, list[str]]:
    """By time, and among rows of one instant by their content, so that no order of rows changes an answer."""
    return (began(read), [str(read.result), read.drift or "", str(read.touched), repr(read)])


def began(read: Observation) -> datetime:
    """When the read began; long ago when that is not known."""
    return read.read_at if read.read_at is not None else LONG_AGO


def in_time(bench: Bench, read: Observation, end: datetime) -> bool:
    """True when the read began after `end` + settle, not before the last write was confirmed and not in the future.

    One instant for both is fine: a pass reads after it has confirmed, and a clock may stand still between them.
    """
    rewritten = read.written_at is not None and began(read) < read.written_at
    return end + bench.policy.settle < began(read) <= bench.now and not rewritten


def stood(bench: Bench, read: Observation) -> bool:
    """True when the event stood confirmed there before the session began, or the practice does not ask (R-20)."""
    if bench.policy.backfilled == "clear":
        return True
    if _is_our_own_news(bench, read):
        return False
    return read.confirmed_at is not None and read.confirmed_at < bench.times.start


def _is_our_own_news(bench: Bench, read: Observation) -> bool:
    """True when we wrote these times there after the session had begun by them, and no person has said them.

    Then the calendar shows what we wrote, and no more.
    """
    since = bench.record.times_since
    if since is None or since < bench.times.start or read.written_at is None or read.written_at < since:
        return False
    return not any(_vouches(bench, word, since) for word in bench.case.statements)


def _vouches(bench: Bench, word: Statement, since: datetime) -> bool:
    if word.says is Says.AS_BOOKED:
        return since <= word.at <= bench.now
    said = bench.times.read(word.start, word.end) if word.says is Says.TOOK_PLACE else ()
    return word.at <= bench.now and bool(said) and not any(bench.times.distance(span) for span in said)


def complete(bench: Bench, read: Observation, end: datetime) -> bool:
    """True when what the read shows is proof for a session that ended at `end`."""
    return in_time(bench, read, end) and stood(bench, read)


def proven_before(bench: Bench, reads: Reads, end: datetime, moment: datetime) -> bool:
    """True when the calendar gave complete, agreeing proof before `moment`."""
    return any(one.result is ReadResult.AGREES and complete(bench, one, end) for one in reads.before(moment))
