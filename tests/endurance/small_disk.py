"""An installation on a file system of five megabytes: `unshare -rm python -m tests.endurance.small_disk FOLDER`.

Tells as JSON what commands answered with room, on a full disk, on one that cannot be written, with a clock set back an
hour, and afterwards. The file system is this process's own and goes with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.system.site import ZONE, Site, row

NOW = datetime(2026, 11, 16, 20, 0, tzinfo=UTC)  # three in the afternoon in New York
PROVIDER = (
    f'[[providers]]\nid = "P-1"\nname = "Dr. Ash"\nemail = "ash@practice.example"\nzone = "{ZONE}"\n'
    'calendars = "none"\ncalendars_reason = "keeps a paper diary"\ncalendars_since = "2026-01-01"\n'
)


def answers(site: Site) -> dict[str, Any]:
    """What a claim's check, a booking and the audit say now."""
    check = site.calsync("claims", "check", "1", "--json")
    path = site.folder.parent / "more.csv"
    more = [row(f"m{number}", "P-1", datetime(2026, 12, 1, 9) + timedelta(days=number)) for number in range(300)]
    lines = [",".join(more[0]), *(",".join(one.values()) for one in more)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    booked = site.calsync("appointments", "import", str(path))
    told = [check, booked]
    return {
        "cleared": '"cleared"' in check.out,
        "codes": [one.code for one in told],
        "errors": [one.err[:400] for one in told],
        "tracebacks": any("Traceback" in one.out + one.err or "not made for" in one.err for one in told),
    }


@contextmanager
def no_room(site: Site) -> Iterator[None]:
    """Fill the disk to its last byte."""
    filler = site.folder / "filler"
    with filler.open("wb", buffering=0) as file:
        size = 65_536
        while size:
            try:
                if file.write(b"x" * size) < size:
                    size //= 2
            except OSError:
                size //= 2
    yield
    filler.unlink()


@contextmanager
def no_writing(site: Site) -> Iterator[None]:
    """Make the file system one that can be read only."""
    subprocess.run(["mount", "-o", "remount,ro", str(site.folder)], check=True)
    yield
    subprocess.run(["mount", "-o", "remount,rw", str(site.folder)], check=True)


@contextmanager
def an_hour_back(site: Site) -> Iterator[None]:
    """Set the clock back."""
    site.later(hours=-1)
    yield
    site.later(hours=1)


def main(folder: Path) -> None:
    """Go through all of it."""
    place = folder / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", str(place)], check=True)
    site = Site(place, now=NOW, calendars=[PROVIDER])
    site.set_up()
    assert site.import_rows([row("1", "P-1", datetime(2026, 11, 16, 13, 30))]).code == 0
    assert site.calsync("appointments", "complete", "1", "--by", "provider:P-1").code == 0
    told: dict[str, Any] = {"with room": site.check("1")["1"]}
    troubles: dict[str, Callable[[Site], Any]] = {
        "full": no_room,
        "read-only": no_writing,
        "an hour back": an_hour_back,
    }
    for name, trouble in troubles.items():
        with trouble(site):
            told[name] = answers(site) if name != "an hour back" else site.check("1")["1"]
        told[f"after {name}"] = site.check("1")["1"]
    told["afterwards"] = answers(site)
    told["audit"] = site.calsync("audit", "verify").code
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
