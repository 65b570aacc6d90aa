"""The key file over time: following it while a process runs, and putting a new first key into it."""

from __future__ import annotations

import base64
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from calsync.errors import CalsyncError
from calsync.ports import Ids
from calsync.settings.secrets import KEY_BYTES, Key, KeyRing

_HEADER: Final = (
    "# The keys of this calsync installation. Keep a copy apart from the database: without them\n"
    "# calsync cannot tell its own events. The first one signs and encrypts, all of them verify and decrypt.\n"
)


@dataclass(slots=True)
class KeyFile:
    """The keys as they stand in the file now. Read again when the file was replaced; calling it gives the ring.

    A file that was readable once and is not any more leaves the last ring in force: only a start needs the file.
    """

    path: Path
    _seen: tuple[int, int] | None = None
    _ring: KeyRing | None = field(default=None, repr=False)

    def __call__(self) -> KeyRing:
        """The keys; the first time, raises what `KeyRing.read` raises."""
        try:
            found = self.path.stat()
            state = (found.st_ino, found.st_mtime_ns)
            if self._ring is None or state != self._seen:
                self._ring, self._seen = KeyRing.read(self.path), state
        except (OSError, CalsyncError):
            if self._ring is None:
                return KeyRing.read(self.path)
        return self._ring


@dataclass(frozen=True, slots=True)
class LiveMarkerKeys(Mapping[str, bytes]):
    """The keys that verify markers, by id, following the file: another process may sign with a key made just now."""

    file: KeyFile

    def __getitem__(self, key_id: str) -> bytes:
        """The marker key of an id; KeyError for an unknown one."""
        found = next((key for key in self.file().keys if key.id == key_id), None)
        if found is None:
            raise KeyError(key_id)
        return found.derive("marker")

    def __iter__(self) -> Iterator[str]:
        """The ids, the first key's first."""
        return (key.id for key in self.file().keys)

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self.file().keys)


def add_first_key(path: Path, ids: Ids) -> KeyRing:
    """Put a fresh key before the ones in the file, and return them all.

    The file is replaced whole: whoever is killed at any moment leaves the old one or the new one. Of two at once, one
    waits. Raises what `KeyRing.read` raises.
    """
    with _only_one(path.parent):
        before = KeyRing.read(path)
        keys = (Key(ids.new_id("k"), ids.token_bytes(KEY_BYTES)), *before.keys)
        _replace(path, _HEADER + "".join(map(_table, keys)))
    return KeyRing(keys)


def _table(key: Key) -> str:
    return f'\n[[keys]]\nid = "{key.id}"\nkey = "{base64.b64encode(key.secret).decode("ascii")}"\n'


def _replace(path: Path, text: str) -> None:
    mode = path.stat().st_mode & 0o770
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        _take_over_owner(descriptor, path)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _sync_folder(path.parent)


def _take_over_owner(descriptor: int, path: Path) -> None:
    # Run as root, it must not lock the service's own account out of its keys.
    if os.geteuid() == 0:
        found = path.stat()
        os.fchown(descriptor, found.st_uid, found.st_gid)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
