"""A world of one link: pretends that what a decision says is recorded and written, as the worker would do it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.drift import Drift, Resolution
from calsync.domain.event import Event, OriginalStart
from calsync.domain.link import Link
from calsync.domain.marker import Marker
from calsync.domain.notation import appearance_to_text, content_hash, event_to_data
from calsync.domain.span import Window
from calsync.domain.write import WriteKind
from calsync.reconcile.case import (
    ConfirmedAbsent,
    Copy,
    DecisionPolicy,
    LinkCase,
    Moment,
    PastRevert,
    SeenNow,
    SentWrite,
    Sight,
    Slot,
)
from calsync.reconcile.compare import standing
from calsync.reconcile.decide import decide
from calsync.reconcile.disposition import DEFAULT_DISPOSITIONS
from calsync.reconcile.plan import Decision, WantedWrite
from calsync.reconcile.shown import same_state

POLICY = DecisionPolicy(dispositions=DEFAULT_DISPOSITIONS)
NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(days=30), NOW + timedelta(days=100))


def link(baseline: Event | None = None, **changes: object) -> Link:
    """A link that was written once, if it has a baseline."""
    made = Link(
        id="L1",
        calendar="K-1",
        provider="P-1",
        subject=Subject(SubjectKind.APPOINTMENT, "A-1"),
        generation=1,
        remote_id="r-1",
        uid="u-1",
        version=None if baseline is None else "1",
        baseline=baseline,
        baseline_hash=None if baseline is None else content_hash(baseline),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass(repr=False)
class World:
    """The calendar (one event and its copies), the books, and the record."""

    expected: Event | None
    link: Link
    there: Event | None = None
    marked: str | None = None  # content hash in the event's marker
    version: int = 1
    copies: dict[str, Copy] = field(default_factory=dict)
    drifts: list[Drift] = field(default_factory=list)
    sent: list[SentWrite] = field(default_factory=list)
    reverts: list[PastRevert] = field(default_factory=list)
    now: datetime = NOW
    policy: DecisionPolicy = POLICY
    window: Window = WINDOW
    lose_answers: int = 0
    copies_gone: set[str] = field(default_factory=set)

    def __repr__(self) -> str:
        lines = [f"record   {event_to_data(self.expected) if self.expected else None}"]
        lines.append(f"baseline {event_to_data(self.link.baseline) if self.link.baseline else None}")
        lines.append(f"calendar {event_to_data(self.there) if self.there else None}")
        lines += [f"copy {name} {event_to_data(copy.event)}" for name, copy in self.copies.items()]
        lines += [
            f"{one.id} {one.kind} {one.original_start} {one.disposition} {one.resolution} "
            f"{appearance_to_text(one.expected)} -> {appearance_to_text(one.observed)}"
            for one in self.drifts
        ]
        return "\n" + "\n".join(lines) + f"\nanswers to lose {self.lose_answers}, observe {self.policy.observe_only}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    @classmethod
    def agreed(cls, event: Event, **more: object) -> World:
        return cls(expected=event, link=link(event), there=event, marked=content_hash(event), **more)  # type: ignore[arg-type]

    def edit(self, event: Event | None) -> None:
        self.there = event
        self.version += 1

    def sight(self) -> Sight:
        if self.there is None:
            return ConfirmedAbsent()
        marker = None if self.marked is None else Marker(self.link.id, 1, self.marked, "place")
        return SeenNow(str(self.version), self.there, marker)

    def case(self) -> LinkCase:
        keys: set[OriginalStart] = set()
        for event in (self.expected, self.link.baseline):
            keys |= set() if event is None else set(standing(event, self.window))
        return LinkCase(
            link=self.link,
            expected=self.expected,
            slots={key: Slot(f"A-{key}") for key in keys},
            sight=self.sight(),
            copies=tuple(self.copies.values()),
            sent=tuple(self.sent),
            drifts=tuple(drift for drift in self.drifts if drift.resolution is Resolution.OPEN or drift.accepted),
            reverts=tuple(self.reverts),
            gone_copies=frozenset(self.copies_gone),
        )

    def decide(self) -> Decision:
        return decide(self.case(), Moment(self.now, self.window), self.policy)

    def one_pass(self) -> Decision:
        """Decide, record, then write what is due and confirm it."""
        decision = self.decide()
        self.record(decision)
        for write in decision.writes:
            if write.not_before <= self.now:
                self.write(write)
        return decision

    def record(self, decision: Decision) -> None:
        for found in decision.found:
            open_already = [
                one
                for one in self.drifts
                if one.resolution is Resolution.OPEN
                and (one.original_start, one.copy_id if one.kind == "duplicated" else None)
                == (found.original_start, found.copy_id if found.kind == "duplicated" else None)
                and one.id not in {change.drift for change in decision.changed if change.ended}
            ]
            assert not open_already or found.ended, "a second open episode on one occurrence"
            self.drifts.append(self._drift(found))
        for change in decision.changed:
            index = next(i for i, one in enumerate(self.drifts) if one.id == change.drift)
            before = self.drifts[index]
            self.drifts[index] = replace(
                before,
                observed=change.observed,
                kind=change.kind,
                disposition=change.disposition,
                resolution=change.ended or Resolution.OPEN,
                accepted=change.ended is Resolution.IGNORED,
                changed_at=before.changed_at if same_state(before.observed, change.observed) else self.now,
                copy_id=change.copy_id or before.copy_id,
            )
            if change.ended is Resolution.REVERTED:
                self.reverts.append(PastRevert(before.original_start, self.now, before.observed))
        if decision.adopt is not None:
            self.link = replace(self.link, baseline=decision.adopt.baseline, version=decision.adopt.version)
            if decision.adopt.content is not None or decision.adopt.baseline is None:
                self.link = replace(self.link, baseline_hash=decision.adopt.content)
            self.sent = [one for one in self.sent if one.content != decision.adopt.content]
        if decision.looked:
            self.link = replace(
                self.link,
                observed=decision.remember,
                absent=decision.absent,
                version=decision.version_seen or self.link.version,
            )
        # What a copy shows is on the books from now on, until it is edited.
        self.copies = {name: replace(copy, told=True) for name, copy in self.copies.items()}
        if decision.renamed is not None:
            copy = self.copies.pop(decision.renamed)
            self.link = replace(self.link, remote_id=copy.remote_id, version=copy.version)
            self.version = int(copy.version)
            self.there, self.marked = copy.event, content_hash(copy.event)

    def _drift(self, found: object) -> Drift:
        values = {name: getattr(found, name) for name in Drift.__slots__ if hasattr(found, name)}
        return Drift(
            id=f"D{len(self.drifts)}",
            edit="E",
            link=self.link.id,
            calendar="K-1",
            provider="P-1",
            block=None,
            series=None,
            episode=len(self.drifts),
            resolution=values.pop("ended", None) or getattr(found, "ended", None) or Resolution.OPEN,
            detected_at=self.now,
            changed_at=self.now,
            accepted=getattr(found, "ended", None) is Resolution.IGNORED,
            **values,
        )

    def write(self, write: WantedWrite) -> None:
        """Carry out a write under its condition; the answer is lost as often as the world says."""
        if write.remote_id != self.link.remote_id:
            copy = self.copies.pop(write.remote_id, None)
            assert copy is None or copy.version == write.version
            self.copies_gone.add(write.remote_id)
            self._end_reverted(write, copies=True)
            return
        if write.kind is WriteKind.CREATE:
            assert self.there is None, "created over something"
        elif write.kind is WriteKind.UPDATE:
            assert self.there is not None
            assert write.version == str(self.version), "overwrote an unseen version"
        self.version += 1
        self.there = write.target
        self.marked = None if write.target is None else content_hash(write.target)
        if self.lose_answers:
            self.lose_answers -= 1
            self.sent.append(SentWrite(f"W{self.version}", write.target, self.marked))
            return
        self.link = replace(
            self.link,
            baseline=write.target,
            baseline_hash=self.marked,
            version=str(self.version),
            observed=None,
            absent=write.target is None,
            confirmed_at=self.now,
        )
        self.sent = []
        self._end_reverted(write, copies=False)

    def _end_reverted(self, write: WantedWrite, *, copies: bool) -> None:
        for index, drift in enumerate(self.drifts):
            about_copy = drift.kind == "duplicated"
            if (
                drift.resolution is Resolution.OPEN
                and drift.original_start in write.reverts
                and about_copy is copies
                and (not copies or drift.copy_id == write.remote_id)
            ):
                self.drifts[index] = replace(drift, resolution=Resolution.REVERTED)
                self.reverts.append(PastRevert(drift.original_start, self.now, drift.observed))

    def settle(self, rounds: int = 5) -> int:
        """Run passes, well apart, until one records and writes nothing; return how many it took."""
        decision = None
        for count in range(rounds):
            decision = self.one_pass()
            if not (decision.found or decision.changed or decision.writes or decision.adopt):
                return count
            self.now += self.policy.settle
        raise AssertionError(f"did not settle in {rounds} rounds: {decision}")

    def shows(self) -> dict[OriginalStart, object]:
        return {} if self.there is None else dict(standing(self.there, self.window))
