"""Writing the single occurrences of one series, each by a request of its own (contract sheet 8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from calsync.connector.protocol import Outcome, Write
from calsync.domain.event import Appearance, Event
from calsync_google.aggregate import Occurrence, occurrences, planned
from calsync_google.client import Answer
from calsync_google.composing import look_patch
from calsync_google.ending import Ended, end_of
from calsync_google.errors import Refused
from calsync_google.mapping import Json, Reader, RowRefused, etag_of
from calsync_google.reading import Family, Shelf


@dataclass(slots=True)
class Occurrences:
    """The occurrences of one series on their way to what is wanted.

    `shared`: the etag that master and occurrences have in common where Google versions a series as one; each write
    moves it for all of them.
    """

    shelf: Shelf
    write: Write
    event: Event
    family: Family
    was: str | None = field(init=False)
    shared: str | None = field(init=False)
    wrote: bool = False

    def __post_init__(self) -> None:
        """Start from the master's etag."""
        self.was = self.shared = etag_of(self.family.master)

    def bring(self, master: Answer) -> Answer:
        """Write what differs; returns the master's row, fresh if anything was written."""
        if self.family.horizon is None:
            return master
        rows = {one.slot: one for one in readable(self.family.rows, self.shelf.reader)}
        wanted = self._wanted()
        for slot, one in rows.items():
            look = wanted.get(slot)
            if look is not None:
                self._make(one, look)
            elif one.look is not None:
                self._take_away(one)
        for slot in wanted.keys() - rows.keys():
            self._find_and_make(slot, wanted[slot])
        if not self.wrote:
            return master
        fresh = self.shelf.client.get(self.shelf.calendar, str(master["id"]))
        if isinstance(fresh, Refused):
            raise Ended(Outcome.CONFLICT, "gone")
        return fresh

    def _wanted(self) -> dict[datetime, Appearance]:
        assert self.family.horizon is not None
        looks = {
            at: replace(self.event.master, span=span) for at, span in planned(self.event, self.family.horizon).items()
        }
        excluded = set(self.event.recurrence.excluded) if self.event.recurrence is not None else set()
        looks |= {one.original_start: one.appearance for one in self.event.overrides}
        return {at: look for at, look in looks.items() if at not in excluded}

    def _make(self, one: Occurrence, look: Appearance) -> None:
        patch = look_patch(one.row, look, reader=self.shelf.reader, title_was=self.write.title_was)
        is_inherited = set(patch) == {"summary"} and look.title == self.event.master.title
        # A title that the whole series is to carry is the master's affair, unless this occurrence has one of its own.
        if patch and not (is_inherited and one.row.get("summary") == self.family.master.get("summary")):
            self._send(one.row, patch)

    def _find_and_make(self, slot: datetime, look: Appearance) -> None:
        shelf, name = self.shelf, str(self.family.master["id"])
        row = shelf.occurrence(name, slot, all_day=self.event.master.span.all_day)
        if row is None:
            raise Ended(Outcome.REJECTED, "no-such-occurrence")
        self._make(Occurrence(slot, None, row), look)

    def _take_away(self, one: Occurrence) -> None:
        client, calendar = self.shelf.client, self.shelf.calendar
        self.wrote = True
        answer = client.delete(calendar, str(one.row["id"]), self._etag(one.row))
        if isinstance(answer, Refused) and answer.status == 412:
            answer = client.delete(calendar, str(one.row["id"]), etag_of(self._unchanged(one.row)))
        if isinstance(answer, Refused) and answer.status not in (404, 410):
            raise end_of(answer)
        self.shared = None

    def _send(self, row: Json, patch: Mapping[str, object]) -> None:
        client, calendar, name = self.shelf.client, self.shelf.calendar, str(row["id"])
        self.wrote = True
        answer = client.patch(calendar, name, patch, self._etag(row))
        if isinstance(answer, Refused) and answer.status == 412:
            answer = client.patch(calendar, name, patch, etag_of(self._unchanged(row)))
        if isinstance(answer, Refused):
            raise end_of(answer)
        self.shared = etag_of(answer)

    def _etag(self, row: Json) -> str | None:
        return (self.shared or self.was) if etag_of(row) == self.was else etag_of(row)

    def _unchanged(self, row: Json) -> Answer:
        """Read an occurrence again after another version was met; a conflict unless it still looks the same.

        Writes of ours to its series move versions that people did not touch (sheet 8.2).
        """
        fresh = self.shelf.client.get(self.shelf.calendar, str(row["id"]))
        if isinstance(fresh, Refused):
            raise Ended(Outcome.CONFLICT, "gone")
        kept = ("status", "start", "end", "summary", "transparency", "originalStartTime")
        if any(fresh.get(part) != row.get(part) for part in kept if part in row or part in fresh):
            raise Ended(Outcome.CONFLICT, "other-version")
        return fresh


def readable(rows: Iterable[Json], reader: Reader) -> list[Occurrence]:
    """The occurrences, or the end of the write where one of them cannot be understood."""
    try:
        return occurrences(rows, reader)
    except RowRefused:
        raise Ended(Outcome.CONFLICT, "unreadable-occurrence") from None
