"""A folder into which a platform drops appointment files: each is imported once it is complete, and put away.

A file is taken by moving it, so that of several processes one imports it. A crash leaves it in `working/`, from where
it is taken again: importing twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from calsync.errors import CalsyncError, Refused, UserError
from calsync.records.file_import import ImportRequest, import_appointments
from calsync.settings.private_files import write_private
from calsync.store.database import Database
from calsync.store.errors import NotUpgraded, StoreUnavailable

_log = structlog.get_logger(__name__)

SUFFIXES: Final = (".csv", ".jsonl", ".ndjson")
_ABANDONED_AFTER: Final = timedelta(minutes=10)


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
        """Import every complete file, by name. Where the database cannot be used, files stay for the next time."""
        taken = []
        for file in self._complete(now):
            working = self._place("working", file.name, now)
            try:
                file.rename(working)
            except FileNotFoundError:
                continue  # another process was faster
            taken.append(self._import(working, file.name, now))
        return taken

    def _complete(self, now: datetime) -> Iterator[Path]:
        folders = ((self.path, self.quiet), (self.path / "working", _ABANDONED_AFTER))
        for folder, quiet in folders:
            if not folder.is_dir():
                continue
            for file in sorted(folder.iterdir()):
                if file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and _is_quiet(file, now - quiet):
                    yield file

    def _import(self, file: Path, name: str, now: datetime) -> Dropped:
        try:
            import_appointments(self.database, replace(self.request, path=file, now=now))
        except (StoreUnavailable, NotUpgraded):
            file.rename(self.path / name)
            raise
        except CalsyncError as problem:
            place = self._place("failed", name, now)
            _write_report(place, name, problem, now)
            file.rename(place)
            code = problem.code if isinstance(problem, Refused) else "refused"
            _log.warning("dropped_file_refused", file=name, code=code)
            return Dropped(name, place, code)
        place = self._place("done", name, now)
        file.rename(place)
        _log.info("dropped_file_imported", file=name)
        return Dropped(name, place)

    def _place(self, folder: str, name: str, now: datetime) -> Path:
        """Where to put a file, with the time in its name if that name is taken there."""
        target = self.path / folder
        target.mkdir(mode=0o700, exist_ok=True)
        place = target / name
        return place if not place.exists() else target / f"{now:%Y%m%dT%H%M%S%f}-{name}"


def _is_quiet(file: Path, since: datetime) -> bool:
    try:
        if file.is_symlink() or not file.is_file():
            return False
        return datetime.fromtimestamp(file.stat().st_mtime, UTC) <= since
    except FileNotFoundError:
        return False


def _write_report(place: Path, name: str, problem: CalsyncError, now: datetime) -> None:
    problems = problem.problems if isinstance(problem, UserError) else (problem,)
    lines = [f"{name} was not imported on {now:%Y-%m-%d %H:%M} UTC; nothing of it was taken over.", ""]
    lines += [str(one) for one in problems]
    lines += ["", "Mend the file and drop it again."]
    write_private(place.with_name(f"{place.name}.report.txt"), "\n".join(lines) + "\n")
