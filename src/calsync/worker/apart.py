"""Series that a service cannot hold as one event: each of their sessions is mirrored as an event of its own.

Which those are, the connector declares (`Traits.unheld`). Links of such sessions have the appointment as their subject;
a mark of the series stands for all of them, so that whatever changes a series reaches its sessions' events, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from calsync.connector.traits import holds_every_series
from calsync.domain.appointment import Subject, SubjectKind
from calsync.store import links, records
from calsync.worker.context import PassContext
from calsync.worker.subjects import AtHand, Showing, facts_of


@dataclass(slots=True)
class Apart:
    """Tells, for one calendar within one transaction, which series are mirrored session by session."""

    conn: Connection
    context: PassContext
    _known: dict[str, bool] = field(default_factory=dict)

    def showing_of(self, subject: Subject, showing: Showing, at_hand: AtHand) -> Showing:
        """How the subject is shown here."""
        if self._holds_all:
            return showing
        series = subject.id
        if subject.kind is SubjectKind.APPOINTMENT:
            one = at_hand.appointments.get(subject.id)
            series = (one.series or "") if one is not None else ""
        if subject.kind is SubjectKind.BLOCK or not series or not self._is_apart(series):
            return showing
        return Showing(showing.provider, showing.uid, showing.privacy, apart=True)

    def spread(self, subjects: Iterable[Subject]) -> list[Subject]:
        """The subjects, and for each series among them its sessions as far as they have, or want, events of their own.

        Where a series became one that is held, the former events of its sessions are looked at, and taken away.
        """
        wanted = dict.fromkeys(subjects)
        if self._holds_all:
            return list(wanted)
        for subject in [one for one in wanted if one.kind is SubjectKind.SERIES]:
            sessions = [Subject(SubjectKind.APPOINTMENT, one) for one in self._appointments(subject.id)]
            if not self._is_apart(subject.id):
                sessions = list(links.by_subjects(self.conn, self.context.row.id, sessions))
            wanted |= dict.fromkeys(sessions)
        return list(wanted)

    @property
    def _holds_all(self) -> bool:
        traits = self.context.calendar.traits
        return traits.series and traits.unheld is holds_every_series

    def _appointments(self, series: str) -> list[str]:
        return [one.id for one in records.appointments_of_series(self.conn, series)]

    def _is_apart(self, series: str) -> bool:
        if series not in self._known:
            showing = Showing(self.context.row.provider, "", "id")
            expected = facts_of(self.conn, Subject(SubjectKind.SERIES, series), showing).expected
            # One that is over or called off has no event, and its sessions say for themselves what became of them.
            self._known[series] = expected is not None and self.context.calendar.traits.why_apart(expected) is not None
        return self._known[series]
