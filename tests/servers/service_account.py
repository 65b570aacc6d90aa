"""Under which account a server of somebody else's runs: its own when the tests run as root, else that of the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """An account, and its main group."""

    name: str
    uid: int
    gid: int

    def owns(self, *places: Path) -> None:
        """Make folders (as needed) and give them to the account."""
        for place in places:
            if not place.exists():
                place.mkdir(parents=True)
            os.chown(place, self.uid, self.gid)


def account_for(name: str) -> ServiceAccount:
    """Return the account `name` for root, and the present account for everybody else (who cannot change it)."""
    entry = pwd.getpwnam(name) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    return ServiceAccount(entry.pw_name, entry.pw_uid, entry.pw_gid)


@contextmanager
def shared_folder(name: str) -> Iterator[Path]:
    """A folder that other accounts can walk into, which those of pytest are not; removed with all that is in it."""
    folder = Path(tempfile.mkdtemp(prefix=f"calsync-{name}-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def program(name: str, *places: str, package: str) -> str:
    """Return the path of a program of a Debian package; AssertionError that names the package."""
    found = shutil.which(name, path=os.pathsep.join((*places, "/usr/sbin", "/usr/bin", "/sbin", "/bin")))
    assert found, f"{name} was not found: the tests need the Debian package {package}"
    return found
