"""Writing one event: conditional, touching what is ours, never in doubt about what stands (contract sheet 5, 9).

Every function answers a `WriteResult` about its one event, or raises what is true of the calendar or the account.
`REJECTED` reasons are stable: `name-refused`, `unsupported`, `not-organizer`, `no-guests-allowed`, `refused-REASON`.

A series with single changes takes several requests. Its marker goes last, so that a half-done write is never taken for
a whole one: each occurrence then shows its old look or the wanted one, and the next pass finishes the work.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from calsync.connector.errors import CalendarError, Conflict, Malformed
from calsync.connector.protocol import Outcome, Seen, Write, WriteResult
from calsync.domain.event import Appearance, Event
from calsync.domain.write import WriteKind
from calsync_google.aggregate import is_series_version, seen_single
from calsync_google.client import Answer
from calsync_google.composing import insert_body, marker_patch, master_patch, same_schedule
from calsync_google.ending import Ended, end_of, is_about_the_event
from calsync_google.errors import Refused
from calsync_google.mapping import Json, Reader, etag_of, id_of, is_cancelled, is_master
from calsync_google.occurrence_writing import Occurrences, readable
from calsync_google.reading import Family, Shelf, reading_of_series

_LEGAL_ID = re.compile(r"[a-v0-9]{5,1024}")


def is_legal_id(name: str) -> bool:
    """Whether Google lets clients choose this id (sheet 4)."""
    return _LEGAL_ID.fullmatch(name) is not None


def google_id(asked: str) -> str:
    """Return the id under which an event is created: the asked one where Google takes it, else one made from it."""
    if is_legal_id(asked):
        return asked
    return "cs0" + base64.b32hexencode(asked.encode("utf-8")).decode("ascii").rstrip("=").lower()


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes into one calendar."""

    shelf: Shelf

    @property
    def reader(self) -> Reader:
        """Whose eyes read."""
        return self.shelf.reader

    def carry_out(self, write: Write) -> WriteResult:
        """Carry out one write."""
        name = google_id(write.remote_id) if write.kind is WriteKind.CREATE else write.remote_id
        try:
            if write.kind is WriteKind.CREATE:
                return self._create(write, name)
            if write.kind is WriteKind.UPDATE:
                return self._update(write, name)
            return self._delete(write, name)
        except Ended as end:
            return WriteResult(write.key, end.outcome, name, reason=end.reason)

    # -- create

    def _create(self, write: Write, name: str) -> WriteResult:
        event = _wanted(write)
        answer = self.shelf.client.insert(self.shelf.calendar, insert_body(name, event, write.marker))
        if isinstance(answer, Refused):
            if answer.status != 409:
                raise end_of(answer)
            return self._revive(write, name, event)
        if id_of(answer) != name:
            raise Malformed("insert answered another event")
        if event.overrides:
            return self._series_done(write, name, self._finish_series(write, event, answer))
        return self._single_answer(write, name, answer)

    def _revive(self, write: Write, name: str, event: Event) -> WriteResult:
        """The id is taken: by a living event (perhaps our own first try), or by a tombstone, which is brought back."""
        row = self.shelf.client.get(self.shelf.calendar, name)
        if isinstance(row, Refused):
            self.shelf.assert_there()
            raise Ended(Outcome.REJECTED, "name-refused")
        if not is_cancelled(row):
            raise Ended(Outcome.CONFLICT, "exists")
        patch = master_patch(row, event, reader=self.reader, title_was=None, keep_lines=False)
        patch.update(insert_body(name, event, write.marker) | patch)
        patch.pop("id")
        if event.recurrence is None and row.get("recurrence"):
            patch["recurrence"] = None
        patch["status"] = "confirmed"
        answer = self.shelf.client.patch(self.shelf.calendar, name, patch, etag_of(row))
        if isinstance(answer, Refused):
            if answer.status in (404, 409, 410) or is_about_the_event(answer):
                self.shelf.assert_there()
                raise Ended(Outcome.REJECTED, "name-refused")
            raise end_of(answer)
        if event.recurrence is None:
            return self._single_answer(write, name, answer)
        return self._series_done(write, name, self._finish_series(write, event, answer))

    # -- update

    def _update(self, write: Write, name: str) -> WriteResult:
        event = _wanted(write)
        row = self.shelf.client.get(self.shelf.calendar, name)
        if isinstance(row, Refused):
            self.shelf.assert_there()
            raise Ended(Outcome.CONFLICT, "gone")
        if is_cancelled(row):
            raise Ended(Outcome.CONFLICT, "gone")
        if is_master(row):
            return self._update_series(write, name, event, row)
        if write.version is not None and etag_of(row) != write.version:
            raise Ended(Outcome.CONFLICT, "other-version")
        keep = event.recurrence is None
        patch = master_patch(row, event, reader=self.reader, title_was=write.title_was, keep_lines=keep)
        if event.overrides:
            answer = self._patched(name, patch, row)
            return self._series_done(write, name, self._finish_series(write, event, answer))
        patch.update(marker_patch(row, event, write.marker))
        return self._single_answer(write, name, self._patched(name, patch, row))

    def _update_series(self, write: Write, name: str, event: Event, master: Answer) -> WriteResult:
        family = self._family(name, master)
        now = reading_of_series(name, family, self.reader)
        version = getattr(now, "version", None)
        if write.version is not None and version != write.version:
            raise Ended(Outcome.CONFLICT, "other-version")
        rows = readable(family.rows, self.reader)
        deleted = [one.slot for one in rows if one.look is None]
        keep = same_schedule(master, event, excluded=deleted, reader=self.reader)
        patch = master_patch(master, event, reader=self.reader, title_was=write.title_was, keep_lines=keep)
        had_changes = not isinstance(now, Seen) or bool(now.event.overrides) or bool(deleted)
        touched = event.recurrence is not None and (had_changes or bool(event.overrides))
        if not touched:
            patch.update(marker_patch(master, event, write.marker))
            answer = self._patched(name, patch, master)
            return self._single_answer(write, name, answer)
        schedule = {"start", "end", "recurrence", "status"} & patch.keys()
        if schedule:
            master = self._patched(name, patch, master)
            patch = {}
        done = self._finish_series(write, event, master, rest=patch, family=None if schedule else family)
        return self._series_done(write, name, done)

    def _finish_series(
        self,
        write: Write,
        event: Event,
        master: Answer,
        *,
        rest: Mapping[str, object] = {},
        family: Family | None = None,
    ) -> Answer:
        """Bring each occurrence to what is wanted, then the rest of the master, the marker last; returns the master."""
        name = str(master["id"])
        known = family if family is not None else self._family(name, master)
        master = Occurrences(self.shelf, write, event, known).bring(master)
        patch = {**rest, **marker_patch(master, event, write.marker)}
        return self._patched(name, patch, master)

    def _series_done(self, write: Write, name: str, master: Answer) -> WriteResult:
        """Read the series as it stands now: several writes went into it."""
        family = self._family(name, self._fresh(name, master))
        seen = reading_of_series(name, family, self.reader)
        if not isinstance(seen, Seen):
            raise Malformed("a series that was just written cannot be read")
        return WriteResult(write.key, Outcome.WRITTEN, name, seen.version, seen.event)

    def _fresh(self, name: str, master: Answer) -> Answer:
        row = self.shelf.client.get(self.shelf.calendar, name)
        return master if isinstance(row, Refused) else row

    def _family(self, name: str, master: Json) -> Family:
        family = self.shelf.families({name: master})[name]
        if isinstance(family, CalendarError):
            raise family
        return family

    # -- delete

    def _delete(self, write: Write, name: str) -> WriteResult:
        version = write.version
        if version is not None and is_series_version(version):
            row = self.shelf.client.get(self.shelf.calendar, name)
            if isinstance(row, Refused) or is_cancelled(row):
                return self._deleted(write, name, row if isinstance(row, Refused) else None)
            now = reading_of_series(name, self._family(name, row), self.reader)
            if getattr(now, "version", None) != version:
                raise Ended(Outcome.CONFLICT, "other-version")
            version = etag_of(row)
        answer = self.shelf.client.delete(self.shelf.calendar, name, version)
        if not isinstance(answer, Refused):
            return WriteResult(write.key, Outcome.WRITTEN, name)
        if answer.status in (404, 410):
            return self._deleted(write, name, answer)
        if answer.status == 412 or is_about_the_event(answer):
            # Some answer so for what is deleted already (sheet 5.4): its tombstone tells.
            row = self.shelf.client.get(self.shelf.calendar, name)
            if not isinstance(row, Refused) and is_cancelled(row):
                return self._deleted(write, name, None)
        raise end_of(answer)

    def _deleted(self, write: Write, name: str, answer: Refused | None) -> WriteResult:
        if answer is not None and answer.status == 404:
            self.shelf.assert_there()
        return WriteResult(write.key, Outcome.WRITTEN, name)

    # -- what both need

    def _patched(self, name: str, patch: Mapping[str, object], row: Answer) -> Answer:
        if not patch:
            return row
        answer = self.shelf.client.patch(self.shelf.calendar, name, patch, etag_of(row))
        if isinstance(answer, Refused):
            if answer.status == 404:
                self.shelf.assert_there()
            raise end_of(answer)
        return answer

    def _single_answer(self, write: Write, name: str, row: Answer) -> WriteResult:
        """Return the result that the answer to the only request tells: a single event, or a series without changes."""
        seen = seen_single(name, row, self.reader)
        if not isinstance(seen, Seen):
            raise Malformed("what was just written cannot be read")
        version = f"{seen.version}~" if seen.event.is_series else seen.version
        return WriteResult(write.key, Outcome.WRITTEN, name, version, seen.event)


def _wanted(write: Write) -> Event:
    if write.event is None:
        raise Conflict("a write without an event")
    looks: Iterable[Appearance] = (write.event.master, *(one.appearance for one in write.event.overrides))
    if any(look.cancelled for look in looks):
        # Google knows deleted and there, and nothing between.
        raise Ended(Outcome.REJECTED, "unsupported")
    return write.event
