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
from dataclasses import dataclass, field, replace
from datetime import datetime

from calsync.connector.errors import CalendarError, Conflict, Malformed
from calsync.connector.protocol import Outcome, Seen, Write, WriteResult
from calsync.domain.event import Appearance, Event
from calsync.domain.write import WriteKind
from calsync_google.aggregate import (
    Occurrence,
    is_series_version,
    occurrences,
    planned,
    seen_single,
)
from calsync_google.client import Answer
from calsync_google.composing import insert_body, look_patch, marker_patch, master_patch, same_schedule
from calsync_google.errors import SWITCHED_OFF, Refused
from calsync_google.mapping import Json, Reader, RowRefused, etag_of, id_of, is_cancelled, is_master
from calsync_google.reading import Family, Shelf, reading_of_series

_LEGAL_ID = re.compile(r"[a-v0-9]{5,1024}")
_ITEM_403 = {"forbiddenForNonOrganizer": "not-organizer", "forbiddenForServiceAccounts": "no-guests-allowed"}


def is_legal_id(name: str) -> bool:
    """Whether Google lets clients choose this id (sheet 4)."""
    return _LEGAL_ID.fullmatch(name) is not None


def google_id(asked: str) -> str:
    """Return the id under which an event is created: the asked one where Google takes it, else one made from it."""
    if is_legal_id(asked):
        return asked
    return "cs0" + base64.b32hexencode(asked.encode("utf-8")).decode("ascii").rstrip("=").lower()


class _Ended(Exception):
    """The write ends here with a result."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


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
        except _Ended as end:
            return WriteResult(write.key, end.outcome, name, reason=end.reason)

    # -- create

    def _create(self, write: Write, name: str) -> WriteResult:
        event = _wanted(write)
        answer = self.shelf.client.insert(self.shelf.calendar, insert_body(name, event, write.marker))
        if isinstance(answer, Refused):
            if answer.status != 409:
                raise self._end(answer)
            return self._revive(write, name, event)
        if id_of(answer) != name:
            raise Malformed("insert answered another event")
        if event.overrides:
            return self._series_done(write, name, event, self._finish_series(write, event, answer, touched=True))
        return self._single_answer(write, name, answer)

    def _revive(self, write: Write, name: str, event: Event) -> WriteResult:
        """The id is taken: by a living event (perhaps our own first try), or by a tombstone, which is brought back."""
        row = self.shelf.client.get(self.shelf.calendar, name)
        if isinstance(row, Refused):
            self.shelf.assert_there()
            raise _Ended(Outcome.REJECTED, "name-refused")
        if not is_cancelled(row):
            raise _Ended(Outcome.CONFLICT, "exists")
        patch = master_patch(row, event, reader=self.reader, title_was=None, keep_lines=False)
        patch.update(insert_body(name, event, write.marker) | patch)
        patch.pop("id")
        if event.recurrence is None and row.get("recurrence"):
            patch["recurrence"] = None
        patch["status"] = "confirmed"
        answer = self.shelf.client.patch(self.shelf.calendar, name, patch, etag_of(row))
        if isinstance(answer, Refused):
            if answer.status in (403, 404, 409, 410) and answer.reason not in _ACCOUNT_403 and not _is_rate(answer):
                self.shelf.assert_there()
                raise _Ended(Outcome.REJECTED, "name-refused")
            raise self._end(answer)
        if event.recurrence is None:
            return self._single_answer(write, name, answer)
        return self._series_done(write, name, event, self._finish_series(write, event, answer, touched=True))

    # -- update

    def _update(self, write: Write, name: str) -> WriteResult:
        event = _wanted(write)
        row = self.shelf.client.get(self.shelf.calendar, name)
        if isinstance(row, Refused):
            self.shelf.assert_there()
            raise _Ended(Outcome.CONFLICT, "gone")
        if is_cancelled(row):
            raise _Ended(Outcome.CONFLICT, "gone")
        if is_master(row):
            return self._update_series(write, name, event, row)
        if write.version is not None and etag_of(row) != write.version:
            raise _Ended(Outcome.CONFLICT, "other-version")
        keep = event.recurrence is None
        patch = master_patch(row, event, reader=self.reader, title_was=write.title_was, keep_lines=keep)
        if event.overrides:
            answer = self._patched(name, patch, row)
            return self._series_done(write, name, event, self._finish_series(write, event, answer, touched=True))
        patch.update(marker_patch(row, event, write.marker))
        return self._single_answer(write, name, self._patched(name, patch, row))

    def _update_series(self, write: Write, name: str, event: Event, master: Answer) -> WriteResult:
        family = self._family(name, master)
        now = reading_of_series(name, family, self.reader)
        version = getattr(now, "version", None)
        if write.version is not None and version != write.version:
            raise _Ended(Outcome.CONFLICT, "other-version")
        rows = _readable(family.rows, self.reader)
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
        done = self._finish_series(write, event, master, touched=True, rest=patch, family=None if schedule else family)
        return self._series_done(write, name, event, done)

    def _finish_series(
        self,
        write: Write,
        event: Event,
        master: Answer,
        *,
        touched: bool,
        rest: Mapping[str, object] = {},
        family: Family | None = None,
    ) -> Answer:
        """Bring each occurrence to what is wanted, then the rest of the master, the marker last; returns the master."""
        name = str(master["id"])
        if touched:
            known = family if family is not None else self._family(name, master)
            worker = _Occurrences(self, write, event, known)
            master = worker.bring(master)
        patch = {**rest, **marker_patch(master, event, write.marker)}
        return self._patched(name, patch, master)

    def _series_done(self, write: Write, name: str, event: Event, master: Answer) -> WriteResult:
        """Read the series as it stands now: several writes went into it."""
        del event
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
                raise _Ended(Outcome.CONFLICT, "other-version")
            version = etag_of(row)
        answer = self.shelf.client.delete(self.shelf.calendar, name, version)
        if not isinstance(answer, Refused):
            return WriteResult(write.key, Outcome.WRITTEN, name)
        if answer.status in (404, 410):
            return self._deleted(write, name, answer)
        about_it = answer.status == 403 and answer.reason not in _ACCOUNT_403 and not _is_rate(answer)
        if answer.status == 412 or about_it:
            # Some answer so for what is deleted already (sheet 5.4): its tombstone tells.
            row = self.shelf.client.get(self.shelf.calendar, name)
            if not isinstance(row, Refused) and is_cancelled(row):
                return self._deleted(write, name, None)
        raise self._end(answer)

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
            raise self._end(answer)
        return answer

    def _single_answer(self, write: Write, name: str, row: Answer) -> WriteResult:
        """Return the result that the answer to the only request tells: a single event, or a series without changes."""
        seen = seen_single(name, row, self.reader)
        if not isinstance(seen, Seen):
            raise Malformed("what was just written cannot be read")
        version = f"{seen.version}~" if seen.event.is_series else seen.version
        return WriteResult(write.key, Outcome.WRITTEN, name, version, seen.event)

    def _end(self, answer: Refused) -> Exception:
        """Return what a refusal of one event means: its result, or the calendar's or the account's trouble."""
        if answer.status in (409, 410, 412):
            return _Ended(Outcome.CONFLICT, f"status-{answer.status}")
        if answer.status == 403 and answer.reason in _ITEM_403:
            return _Ended(Outcome.REJECTED, _ITEM_403[answer.reason])
        if answer.status == 400:
            return _Ended(Outcome.REJECTED, f"refused-{answer.reason or 400}")
        return answer.error()


_ACCOUNT_403 = ("insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "requiredAccessLevel", "domainPolicy")


def _is_rate(answer: Refused) -> bool:
    return answer.status == 403 and (answer.reason.endswith("Exceeded") or answer.reason in SWITCHED_OFF)


@dataclass(slots=True)
class _Occurrences:
    """The occurrences of one series on their way to what is wanted.

    `shared`: the etag that master and occurrences have in common where Google versions a series as one; each write
    moves it for all of them.
    """

    writer: Writer
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
        rows = {one.slot: one for one in _readable(self.family.rows, self.writer.reader)}
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
        fresh = self.writer.shelf.client.get(self.writer.shelf.calendar, str(master["id"]))
        if isinstance(fresh, Refused):
            raise _Ended(Outcome.CONFLICT, "gone")
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
        patch = look_patch(one.row, look, reader=self.writer.reader, title_was=self.write.title_was)
        is_inherited = set(patch) == {"summary"} and look.title == self.event.master.title
        # A title that the whole series is to carry is the master's affair, unless this occurrence has one of its own.
        if patch and not (is_inherited and one.row.get("summary") == self.family.master.get("summary")):
            self._send(one.row, patch)

    def _find_and_make(self, slot: datetime, look: Appearance) -> None:
        shelf, name = self.writer.shelf, str(self.family.master["id"])
        row = shelf.occurrence(name, slot, all_day=self.event.master.span.all_day)
        if row is None:
            raise _Ended(Outcome.REJECTED, "no-such-occurrence")
        self._make(Occurrence(slot, None, row), look)

    def _take_away(self, one: Occurrence) -> None:
        client, calendar = self.writer.shelf.client, self.writer.shelf.calendar
        self.wrote = True
        answer = client.delete(calendar, str(one.row["id"]), self._etag(one.row))
        if isinstance(answer, Refused) and answer.status == 412:
            answer = client.delete(calendar, str(one.row["id"]), etag_of(self._unchanged(one.row)))
        if isinstance(answer, Refused) and answer.status not in (404, 410):
            raise self.writer._end(answer)  # noqa: SLF001 - one room, two parts
        self.shared = None

    def _send(self, row: Json, patch: Mapping[str, object]) -> None:
        client, calendar, name = self.writer.shelf.client, self.writer.shelf.calendar, str(row["id"])
        self.wrote = True
        answer = client.patch(calendar, name, patch, self._etag(row))
        if isinstance(answer, Refused) and answer.status == 412:
            answer = client.patch(calendar, name, patch, etag_of(self._unchanged(row)))
        if isinstance(answer, Refused):
            raise self.writer._end(answer)  # noqa: SLF001 - one room, two parts
        self.shared = etag_of(answer)

    def _etag(self, row: Json) -> str | None:
        return (self.shared or self.was) if etag_of(row) == self.was else etag_of(row)

    def _unchanged(self, row: Json) -> Answer:
        """Read an occurrence again after another version was met; a conflict unless it still looks the same.

        Writes of ours to its series move versions that people did not touch (sheet 8.2).
        """
        fresh = self.writer.shelf.client.get(self.writer.shelf.calendar, str(row["id"]))
        if isinstance(fresh, Refused):
            raise _Ended(Outcome.CONFLICT, "gone")
        kept = ("status", "start", "end", "summary", "transparency", "originalStartTime")
        if any(fresh.get(part) != row.get(part) for part in kept if part in row or part in fresh):
            raise _Ended(Outcome.CONFLICT, "other-version")
        return fresh


def _wanted(write: Write) -> Event:
    if write.event is None:
        raise Conflict("a write without an event")
    looks: Iterable[Appearance] = (write.event.master, *(one.appearance for one in write.event.overrides))
    if any(look.cancelled for look in looks):
        # Google knows deleted and there, and nothing between.
        raise _Ended(Outcome.REJECTED, "unsupported")
    return write.event


def _readable(rows: Iterable[Json], reader: Reader) -> list[Occurrence]:
    try:
        return occurrences(rows, reader)
    except RowRefused:
        raise _Ended(Outcome.CONFLICT, "unreadable-occurrence") from None
