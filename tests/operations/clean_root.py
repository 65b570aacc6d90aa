"""Does what docs/start.md says, word by word, in a bare Debian root: `./dev clean-root ROOT WHEELS`.

ROOT is a fresh Debian 12 (`debootstrap --variant=minbase --include=systemd,ca-certificates bookworm ROOT`), WHEELS a
folder with calsync's wheel and all that it needs. Nothing runs as a service in there, so `systemctl` is left out and
the unit's own command is started in its place. The calendar is a Radicale on this machine.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.caldav_person import CaldavPerson
from tests.servers.radicale_server import radicale

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```sh\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_SOON = ("2031-03-04", 14)


def blocks() -> list[str]:
    """The commands of the page, block by block."""
    return [found["text"] for found in _BLOCK.finditer((ROOT / "docs" / "start.md").read_text())]


def in_root(root: Path, script: str) -> None:
    """Run a block as root would, stopping at the first command that fails."""
    print(f"--- {script.strip()}", flush=True)
    environ = {"PATH": "/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin", "HOME": "/srv", "LANG": "C.UTF-8"}
    environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels", "DEBIAN_FRONTEND": "noninteractive"}
    line = ["chroot", str(root), "bash", "-euo", "pipefail", "-c", f"cd; {script}"]
    subprocess.run(line, env=environ, check=True, cwd="/")


@contextmanager
def mounted(root: Path) -> Iterator[None]:
    """What every machine has and a bare root has not: /proc."""
    here = root / "proc"
    had = any(here.iterdir())
    if not had:
        subprocess.run(["mount", "-t", "proc", "proc", str(here)], check=True)
    try:
        yield
    finally:
        if not had:
            subprocess.run(["umount", str(here)], check=True)


def main(root: Path, wheels: Path) -> int:
    """Set up, book, mirror, drag, see; 0 if the calendar ends as the page promises."""
    shutil.copytree(wheels, root / "wheels", dirs_exist_ok=True)
    for wheel in wheels.glob("calsync-*.whl"):
        shutil.copy(wheel, root / "srv")
    with tempfile.TemporaryDirectory() as folder, mounted(root):
        server = radicale(Path(folder))
        server.start()
        try:
            account = server.account(1)
            for block in blocks():
                in_root(root, _here(block, account.home, account.username))
            in_root(root, "runuser -u calsync -- calsync sync")
            in_root(root, "runuser -u calsync -- calsync calendars list")
            person = CaldavPerson(account, account.home, "Europe/Berlin")
            shown = sum(len(calendar.events()) for calendar in person.client.principal().get_calendars())
            person.close()
        finally:
            server.stop()
    print(f"The calendar shows {shown} sessions.")
    return 0 if shown == 2 else 1


def _here(block: str, url: str, user: str) -> str:
    """The page's block with this trial's account and dates, and without what only a running systemd can do."""
    text = block.replace("https://dav.example.org/ada/", url).replace('username = "ada"', f'username = "{user}"')
    text = text.replace("the-password-of-the-account", user)
    soon = subprocess.run(["date", "-d", "+10 days", "+%F"], capture_output=True, text=True, check=True).stdout.strip()
    text = text.replace(_SOON[0], soon)
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("systemctl "))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
