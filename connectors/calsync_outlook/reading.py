"""Reading events by id, whole: singles, and series with their occurrences.

"Absent" and "could not look" stay apart: an event is Gone only where the service says so while the calendar itself is
there, or where the event lies in another calendar of the mailbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from calsync.connector.errors import Malformed
from calsync.connector.protocol import Gone, Reading, Seen, Unknown, Unreadable
from calsync.domain.span import Window, instant
from calsync.ports import Clock
from calsync_outlook.errors import Refused
from calsync_outlook.mailbox import BATCH, Mailbox, Part
from calsync_outlook.mapping import Aggregate, event_of, missing_slots
from calsync_outlook.ours import MARKER
from calsync_outlook.rows import EventRefused, Row, properties_of, read_row, version_of

Json = dict[str, Any]

_PAST, _FUTURE = timedelta(days=550), timedelta(days=1150)
_SHORTEST_GRAPH_ID = 64


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the service has under an id: an aggregate, or what else is true of it."""

    whole: Aggregate | None = None
    otherwise: Gone | Unreadable | Unknown | None = None


@dataclass(slots=True)
class Loader:
    """Reads whole events of one mailbox. `home`: the provider's zone; the clock says which occurrences matter."""

    mailbox: Mailbox
    home: str
    clock: Clock

    @property
    def extent(self) -> Window:
        """Where the occurrences of a series are looked at; it moves by months, so that versions seldom do."""
        month = self.clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return Window(month - _PAST, month + _FUTURE)

    def load(self, remote_ids: Sequence[str]) -> dict[str, Loaded]:
        """Read events, each under its id."""
        found: dict[str, Loaded] = {}
        for at in range(0, len(remote_ids), BATCH):
            found |= self._some(remote_ids[at : at + BATCH])
        return found

    def read(self, remote_ids: Sequence[str]) -> list[Reading]:
        """Return a reading for each id; NotFound where all are gone and the calendar with them."""
        wanted = list(dict.fromkeys(remote_ids))
        loaded = self.load(wanted)
        if wanted and not any(one.whole is not None for one in loaded.values()):
            self.mailbox.exists()  # all gone: the events, or the calendar?
        strayed = self._strayed([one.whole for one in loaded.values() if one.whole is not None])
        return [Gone(name) if name in strayed else reading_of(name, loaded[name]) for name in wanted]

    def _some(self, remote_ids: Sequence[str]) -> dict[str, Loaded]:
        parts = self.mailbox.read_all([self.mailbox.whole_event_path(name) for name in remote_ids])
        found: dict[str, Loaded] = {}
        masters: dict[str, Row] = {}
        for name, part in zip(remote_ids, parts, strict=True):
            loaded = self._first(name, part)
            found[name] = loaded
            if loaded.whole is not None and loaded.whole.is_series:
                masters[name] = loaded.whole.master
        return found | self._series(masters)

    def _first(self, name: str, part: Part) -> Loaded:
        if part.refused is not None:
            return Loaded(otherwise=_refused(name, part.refused))
        data = part.json or {}
        try:
            row = read_row(data)
        except EventRefused as refusal:
            marker = properties_of(data).get(MARKER.lower())
            return Loaded(otherwise=Unreadable(name, version_of(data), refusal.reason, marker))
        if row.series is not None:
            return Loaded(otherwise=Gone(name))  # an occurrence is no event of its own
        return Loaded(Aggregate(row, self.extent, self.home))

    def _series(self, masters: dict[str, Row]) -> dict[str, Loaded]:
        if not masters:
            return {}
        extent = self.extent
        parts = self.mailbox.read_all([self.mailbox.instances_path(name, extent) for name in masters])
        found: dict[str, Loaded] = {}
        for (name, row), part in zip(masters.items(), parts, strict=True):
            if part.refused is not None:
                found[name] = Loaded(otherwise=_refused(name, part.refused))
                continue
            found[name] = self._put_together(name, Aggregate(row, extent, self.home), part.json or {})
        return found

    def _put_together(self, name: str, bare: Aggregate, page: Json) -> Loaded:
        try:
            rows = tuple(read_row(data) for data in self.mailbox.listed(page))
            whole = replace(bare, occurrences=tuple({row.id: row for row in rows}.values()))
            return Loaded(self._with_those_far_away(whole))
        except EventRefused as refusal:
            return Loaded(otherwise=Unreadable(name, bare.version, refusal.reason, bare.marker))

    def _with_those_far_away(self, whole: Aggregate) -> Aggregate:
        """Add occurrences that were moved out of the extent: neither there nor cancelled (R-8)."""
        try:
            if not missing_slots(event_of(whole), whole):
                return whole
        except EventRefused:
            return whole
        path = self.mailbox.event_path(whole.master.id, "?$expand=exceptionOccurrences")
        answer = self.mailbox.client.call("GET", path)
        rows = [] if isinstance(answer, Refused) else answer.object().get("exceptionOccurrences", [])
        if not isinstance(rows, list):
            raise Malformed("exceptions that are no list")
        known = {row.id for row in whole.occurrences}
        far = [row for row in (read_row(data) for data in rows if isinstance(data, dict)) if row.id not in known]
        return replace(whole, occurrences=(*whole.occurrences, *far))

    def _strayed(self, wholes: Sequence[Aggregate]) -> set[str]:
        """Return ids of events that lie in another calendar: an immutable id is answered wherever it is."""
        places = {whole.master.id: _place(whole, self.home) for whole in wholes}
        asked = {name: place for name, place in places.items() if place is not None}
        if not asked:
            return set()
        paths = [self.mailbox.view_path(place, "id,seriesMasterId,type") for place in asked.values()]
        strayed = set()
        for at in range(0, len(paths), BATCH):
            names = list(asked)[at : at + BATCH]
            for name, part in zip(names, self.mailbox.read_all(paths[at : at + BATCH]), strict=True):
                if part.refused is not None:
                    raise part.refused.error()
                shown = self.mailbox.listed(part.json or {})
                if not any(name in (row.get("id"), row.get("seriesMasterId")) for row in shown):
                    strayed.add(name)
        return strayed


def reading_of(name: str, loaded: Loaded) -> Seen | Gone | Unreadable | Unknown:
    """Return what an aggregate says, or the rule that it breaks."""
    if loaded.whole is None:
        return loaded.otherwise or Unknown(name, "nothing-read")
    whole = loaded.whole
    try:
        return Seen(name, whole.version, event_of(whole), whole.marker)
    except EventRefused as refusal:
        return Unreadable(name, whole.version, refusal.reason, whole.marker)


def _refused(name: str, refused: Refused) -> Gone | Unknown:
    if refused.is_absent:
        return Gone(name)
    # A name that cannot be one of Graph's ids is no event of theirs; a real id that is "malformed" is a riddle.
    if refused.code == "errorinvalididmalformed" and len(name) < _SHORTEST_GRAPH_ID:
        return Gone(name)
    return Unknown(name, f"status-{refused.status}")


def _place(whole: Aggregate, home: str) -> Window | None:
    """Return where the calendar must show the event if it is there; None where it shows nowhere."""
    rows = [whole.master] if not whole.is_series else list(whole.occurrences)
    if not rows:
        return None
    row = min(rows, key=lambda one: _at(one.start, home))
    slack = timedelta(days=1) if row.all_day else timedelta(0)  # days may be counted from any midnight
    start, end = _at(row.start, home), _at(row.end, home)
    return Window(start - slack, max(end, start + timedelta(minutes=1)) + slack)


def _at(when: datetime, home: str) -> datetime:
    return when if when.tzinfo is not None else instant(when, home)
