"""A folder into which a platform drops appointment files: each is imported once it is complete, and put away.

A file is taken by moving it, so that of several processes one imports it. A crash leaves it in `working/`, from where
it is taken again before any other: importing twice changes nothing, but an older file after a newer one would.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from calsync.errors import CalsyncError, Refused, UserError
from calsync.records.file_import import ImportRequest, import_appointments
from calsync.records.refused_file import hold_what_it_doubts
from calsync.settings.private_files import write_private
from calsync.store.database import Database
from calsync.store.errors import NotUpgraded, StoreUnavailable

_log = structlog.get_logger(__name__)

SUFFIXES: Final = (".csv", ".jsonl", ".ndjson")
_ABANDONED_AFTER: Final = timedelta(minutes=10)
_STAMP: Final = "%Y%m%dT%H%M%S%f"
_LONGEST_NAME: Final = 180
"""Bytes; what is put before and behind a name must still fit into what a file system takes."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """What became of one file: where it is now, and why it was not imported, if it was not."""

    name: str
    path: Path
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class DropFolder:
    """The folder. `quiet`: how long a file must not have changed; `request` is what all imports have in common."""

    path: Path
    database: Database
    quiet: timedelta
    request: ImportRequest

    def take_all(self, now: datetime) -> list[Dropped]:
        """Import every complete file, in the order in which they were last changed, one at a time.

        An older file never comes after a newer one: while another process is at work on one, or has crashed over one
        less than ten minutes ago, nothing is taken. Where the database cannot be used, files stay for the next time.
        """
        self._make_rooms()
        taken = []
        for file in [*self._abandoned(now), *self._complete(now)]:
            if file.parent == self.path and not _is_quiet(file, now - self.quiet):
                continue  # it was written again while others were imported
            if self._at_work(now):
                break
            name = _plain_name(file.name)
            working = self._take(file, name, now)
            if working is None:
                continue  # another process was faster
            if working != min(self._at_work(now), key=_turn):
                self._put_back(working, name, now)
                break
            taken.append(self._import(working, name, now))
        return taken

    def _complete(self, now: datetime) -> list[Path]:
        files = [one for one in self.path.iterdir() if _is_ours(one) and _is_quiet(one, now - self.quiet)]
        return sorted(files, key=_turn)

    def _abandoned(self, now: datetime) -> list[Path]:
        at_work = self._at_work(now)
        return sorted((one for one in self._in_working() if one not in at_work), key=_turn)

    def _at_work(self, now: datetime) -> list[Path]:
        """Files that a process has taken lately."""
        return [one for one in self._in_working() if abs(now - _taken_at(one)) < _ABANDONED_AFTER]

    def _in_working(self) -> Iterator[Path]:
        for pattern in ("*", "*/*"):
            yield from (one for one in (self.path / "working").glob(pattern) if _is_ours(one) and _is_file(one))

    def _take(self, file: Path, name: str, now: datetime) -> Path | None:
        """Move a file into a folder that says when it was taken; None where it is gone."""
        working = self.path / "working" / f"{now:{_STAMP}}" / name
        working.parent.mkdir(mode=0o700, exist_ok=True)
        if not _moved(file, working):
            return None
        _remove_empty(file.parent)
        return working

    def _put_back(self, working: Path, name: str, now: datetime) -> None:
        """Put a file back, never over one of its name that has come since."""
        place = self.path / name
        _moved(working, place if not place.exists() else self.path / f"{now:{_STAMP}}-{name}")
        _remove_empty(working.parent)

    def _import(self, file: Path, name: str, now: datetime) -> Dropped:
        request = replace(self.request, path=file, now=now)
        try:
            import_appointments(self.database, request)
        except (StoreUnavailable, NotUpgraded):
            self._put_back(file, name, now)
            raise
        except CalsyncError as problem:
            held = self._hold(request, name, now)
            code = problem.code if isinstance(problem, Refused) else "refused"
            _log.warning("dropped_file_refused", file=name, code=code, held=len(held))
            return Dropped(name, self._refuse(file, name, problem, now, held=len(held)), code)
        except Exception:
            # Whatever it is, it must not come again for ever, and not keep the files behind it waiting.
            fault = UserError.of("calsync met something in it that it was not made for", name, "Report it")
            self._refuse(file, name, fault, now)
            raise
        place = self._put_away(file, "done", name, now)
        _log.info("dropped_file_imported", file=name)
        return Dropped(name, place)

    def _hold(self, request: ImportRequest, name: str, now: datetime) -> list[str]:
        try:
            return hold_what_it_doubts(self.database, request)
        except (StoreUnavailable, NotUpgraded):
            self._put_back(request.path, name, now)
            raise

    def _refuse(self, file: Path, name: str, problem: CalsyncError, now: datetime, *, held: int = 0) -> Path:
        place = self._put_away(file, "failed", name, now)
        _write_report(place, name, problem, now, held)
        return place

    def _put_away(self, file: Path, room: str, name: str, now: datetime) -> Path:
        """Move a file out of `working/`, with the time in its name if that name is taken there."""
        place = self.path / room / name
        place = place if not place.exists() else place.with_name(f"{now:{_STAMP}}-{name}")
        _moved(file, place)
        _remove_empty(file.parent)
        return place

    def _make_rooms(self) -> None:
        for room in ("working", "done", "failed"):
            try:
                (self.path / room).mkdir(mode=0o700, exist_ok=True)
            except OSError as problem:
                what = f"{room}/ cannot be made in the drop folder: {problem.strerror}"
                raise UserError.of(what, str(self.path / room), "Make it a folder that calsync may write in") from None


def _is_ours(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def _is_file(file: Path) -> bool:
    return not file.is_symlink() and file.is_file()


def _is_quiet(file: Path, since: datetime) -> bool:
    return _is_file(file) and _changed_at(file) <= since


def _changed_at(file: Path) -> datetime:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except FileNotFoundError:
        return datetime.max.replace(tzinfo=UTC)


def _taken_at(file: Path) -> datetime:
    """When a file in `working/` was taken: its folder says so."""
    try:
        return datetime.strptime(file.parent.name, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return _changed_at(file)


def _turn(file: Path) -> tuple[datetime, str]:
    """The order of files: by the second in which they were last changed, then by name, 9 before 10."""
    named = re.sub(r"\d+", lambda digits: digits.group().zfill(20), file.name)
    return _changed_at(file).replace(microsecond=0), named


def _plain_name(name: str) -> str:
    """A file's name as it can be stored and shown: text without control characters, and not too long."""
    shown = "".join(sign if sign.isprintable() else "_" for sign in os.fsencode(name).decode(errors="replace"))
    stem, dot, ending = shown.rpartition(".")
    return stem.encode()[:_LONGEST_NAME].decode(errors="ignore") + dot + ending


def _moved(file: Path, place: Path) -> bool:
    """Whether a file was still there to be moved: of two processes one moves it."""
    try:
        file.rename(place)
    except FileNotFoundError:
        return False
    return True


def _remove_empty(folder: Path) -> None:
    """Remove the folder that said when a file was taken, if this is one and nothing is in it."""
    if folder.parent.name == "working":
        with suppress(OSError):
            folder.rmdir()


def _write_report(place: Path, name: str, problem: CalsyncError, now: datetime, held: int) -> None:
    problems = problem.problems if isinstance(problem, UserError) else (problem,)
    lines = [f"{name} was not imported on {now:%Y-%m-%d %H:%M} UTC; nothing of it was taken over.", ""]
    lines += [str(one) for one in problems]
    if held:
        lines += [
            "",
            f"It tells otherwise of {held} known session(s): their claims wait until a file says what is right.",
        ]
    lines += ["", "Mend the file and drop it again."]
    write_private(place.with_name(f"{place.name}.report.txt"), "\n".join(lines) + "\n")
