"""Rank 3, the linked calendars: was the event read after the session, and did it agree? (section 11, rule 8)."""

from dataclasses import dataclass
from datetime import datetime

from calsync.claims.answer import EvidenceItem
from calsync.claims.case import Observation, ReadResult
from calsync.claims.drifts import DriftsWord, Question
from calsync.claims.evidence import of_declaration, of_policy, of_read, of_record
from calsync.claims.findings import Bench, Finding
from calsync.claims.log import LogWord, of_rows
from calsync.claims.reads import Reads, began, complete, in_time, linked_calendars, proven_before, reads_of
from calsync.claims.reasons import AdvisoryCode, Party, ReasonCode, Rule

_STRUCK_BY_LOG = frozenset(
    {
        ReasonCode.NEVER_OBSERVED,
        ReasonCode.OBSERVATION_STALE,
        ReasonCode.CALENDAR_UNREACHABLE,
        ReasonCode.CALENDAR_STOPPED,
        ReasonCode.NO_LINKED_CALENDAR,
    }
)
_DROPPED_BY_POLICY = _STRUCK_BY_LOG - {ReasonCode.CALENDAR_STOPPED}


@dataclass(frozen=True)
class CalendarsJudge:
    """The linked calendars of one case, for a session that ended at `end` at the latest."""

    bench: Bench
    end: datetime
    drifts: DriftsWord
    log: LogWord

    def weigh(self) -> tuple[Question, ...]:
        """Hold for every reason that the calendars leave.

        Returns, as questions, the differences that no unanswered drift accounts for.
        """
        calendars = [reads_of(self.bench.case, one) for one in linked_calendars(self.bench.case)]
        found = [finding for reads in calendars for finding in self._unproven(reads)]
        self._keep(found if calendars else self._unlinked())
        differing = {reads.calendar: shown for reads in calendars if (shown := self._difference(reads)) is not None}
        agreeing = [one.calendar for one in calendars if one.calendar not in differing and self._agrees(one)]
        for reads in calendars:
            if reads.calendar in differing:
                self._hold_difference(reads, differing[reads.calendar], agreeing)
        return tuple(
            Question(frozenset({ReasonCode.EVENT_DIFFERS, ReasonCode.CALENDARS_DISAGREE}), shown.read_at)
            for shown in differing.values()
            if shown.drift not in self.drifts.unanswered
        )

    def _unproven(self, reads: Reads) -> list[Finding]:
        """Why this calendar does not vouch for the session, whatever it shows."""
        if self._proof_outlives(reads):
            self.bench.findings.note(of_read(reads.stops[0]), Rule.PROOF_BEFORE_STOP)
            return []
        found = [self._stopped(reads)] if reads.stops else []
        last = reads.last
        if last is None:
            found.append(self._never(reads))
        elif not self._is_proven(reads, last):
            found.append(self._stale(reads, last))
        elif not reads.stops and self._difference(reads) is None:
            self.bench.findings.note(of_read(last), Rule.POST_SESSION_READ)
            return []
        else:
            return found
        return found + self._unreachable(reads, last)

    def _is_proven(self, reads: Reads, last: Observation) -> bool:
        """True when a read in time shows the session as booked, or the last one, in time, shows something else."""
        counting = [one for one in reads.successful if self._as_booked(one) or one in reads.at_once_with(last)]
        return any(complete(self.bench, one, self.end) for one in counting)

    def _proof_outlives(self, reads: Reads) -> bool:
        """A complete proof older than the stop stands, if this occurrence is known not to be part of it."""
        stopped_at = reads.stopped_at
        untouched = all(one.touched is False for one in reads.stops)
        return stopped_at is not None and untouched and proven_before(self.bench, reads, self.end, stopped_at)

    def _shown(self, reads: Reads) -> Observation | None:
        """What the calendar shows; after a stop began, what reads show belongs to the stop."""
        before = reads.before(reads.stopped_at) if reads.stopped_at is not None else reads.successful
        return before[-1] if before else None

    def _as_booked(self, read: Observation) -> bool:
        return read.result is ReadResult.AGREES or read.drift in self.drifts.settled

    def _difference(self, reads: Reads) -> Observation | None:
        shown = self._shown(reads)
        alike = reads.at_once_with(shown) if shown is not None else ()
        return next((one for one in alike if not self._as_booked(one)), None)

    def _agrees(self, reads: Reads) -> bool:
        shown = self._shown(reads)
        return shown is not None and shown.result is ReadResult.AGREES

    def _hold_difference(self, reads: Reads, shown: Observation, agreeing: list[str]) -> None:
        code = ReasonCode.CALENDARS_DISAGREE if agreeing else ReasonCode.EVENT_DIFFERS
        facts = {
            "calendar": reads.calendar,
            "read_at": self._show(shown.read_at),
            "agreeing": agreeing[0] if agreeing else "",
        }
        about = (shown.drift,) if shown.drift is not None else ()
        finding = Finding(code=code, item=of_read(shown), facts=facts, about=about, next_at=reads.next_at)
        self.bench.findings.hold(finding)

    def _never(self, reads: Reads) -> Finding:
        item = EvidenceItem(kind="observation", id=reads.calendar, says=str(ReadResult.NEVER))
        facts = {"calendar": reads.calendar, "next": self._next(reads)}
        who = Party.SUPPORT if reads.removed else None
        return Finding(code=ReasonCode.NEVER_OBSERVED, item=item, facts=facts, next_at=reads.next_at, waiting_on=who)

    def _next(self, reads: Reads) -> str:
        """When it is read next; where nothing reads it any more, what to do."""
        if not reads.removed:
            return self._show(reads.next_at)
        return "never, as it was disconnected: connect it again, or import the session's log"

    def _stale(self, reads: Reads, last: Observation) -> Finding:
        """The last read proves nothing: it came too early, or the event was written only after the session began.

        The latter gets no better by reading again, so support must look.
        """
        backfilled = in_time(self.bench, last, self.end)
        facts = {
            "calendar": reads.calendar,
            "end": self._show(self.end),
            "read_at": self._show(last.read_at),
            "next": self._next(reads),
            "why": ", but the event was written only after the session began" if backfilled else "",
        }
        return Finding(
            code=ReasonCode.OBSERVATION_STALE,
            item=of_read(last),
            facts=facts,
            next_at=reads.next_at,
            waiting_on=Party.SUPPORT if backfilled or reads.removed else None,
        )

    def _unreachable(self, reads: Reads, last: Observation | None) -> list[Finding]:
        since = [one for one in reads.failed if last is None or began(one) > began(last)]
        if not since:
            return []
        facts = {"calendar": reads.calendar, "failed": self._show(since[0].read_at)}
        return [Finding(code=ReasonCode.CALENDAR_UNREACHABLE, item=of_read(since[0]), facts=facts)]

    def _stopped(self, reads: Reads) -> Finding:
        stop = reads.stops[0]
        touched = any(one.touched is not False for one in reads.stops)
        facts = {
            "calendar": reads.calendar,
            "stopped": self._show(stop.read_at),
            "why": "or may have been among what changed" if touched else "not proven before",
        }
        return Finding(code=ReasonCode.CALENDAR_STOPPED, item=of_read(stop), facts=facts)

    def _unlinked(self) -> list[Finding]:
        """No calendar at all: a declaration by name, the practice's rule, or a reason."""
        if self._is_declared():
            self.bench.findings.note(of_declaration(self.bench.case), Rule.DECLARED_NO_CALENDAR)
            since = self.bench.case.provider.since
            self.bench.findings.advise(AdvisoryCode.NO_CALENDAR_DECLARED, since=since)
            return self._completed_by_nobody()
        if self.bench.policy.unlinked == "clear":
            self.bench.findings.note(of_policy(self.bench.policy), Rule.UNLINKED_RULE)
            return []
        item = EvidenceItem(kind="observation", says="no linked calendar")
        return [Finding(code=ReasonCode.NO_LINKED_CALENDAR, item=item)]

    def _is_declared(self) -> bool:
        declared = self.bench.case.provider
        if declared.calendars != "none" or not declared.reason or declared.since is None:
            return False
        return declared.since <= min(self.bench.times.days)

    def _completed_by_nobody(self) -> list[Finding]:
        """With no calendar to ask, an import's default is not a person's word that the session took place (R-32)."""
        record = self.bench.record
        if record.completed_by_person or record.status != "completed" or self.log.proves:
            return []
        facts = {"start": self._show(record.start), "why": " by a person"}
        return [Finding(code=ReasonCode.NOT_COMPLETED, item=of_record(record), facts=facts)]

    def _keep(self, found: list[Finding]) -> None:
        """Strike out what the log or the practice's policy answers, and hold the rest."""
        struck = _STRUCK_BY_LOG if self.log.proves else frozenset()
        dropped = frozenset() if self.bench.policy.require_observation_after_session else _DROPPED_BY_POLICY
        by_log = sorted({str(one.code) for one in found if one.code in struck})
        if by_log:
            item = of_rows(self.log.rows)
            self.bench.findings.note(
                EvidenceItem(kind=item.kind, id=item.id, at=item.at, says=", ".join(by_log)), Rule.LOG_PROVES
            )
            self.bench.findings.advise(AdvisoryCode.PROVEN_BY_LOG, struck=", ".join(by_log))
        for one in found:
            if one.code in dropped - struck:
                self.bench.findings.note(one.item, Rule.READS_NOT_REQUIRED)
            elif one.code not in struck:
                self.bench.findings.hold(one)

    def _show(self, moment: datetime | None) -> str:
        return self.bench.times.show(moment)
