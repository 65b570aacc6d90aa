"""What every desk of the demo must stand: the config that it writes works, and what the provider drags is put back."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from tests.system.site import NOW, Site, row

AT = datetime(2026, 11, 24, 10, 0)


class Desk(Protocol):
    """A provider's calendar at a service that the demo has started."""

    def write_config(self, folder: Path, provider: str, name: str) -> str:
        """See the demo."""

    def starts(self) -> list[datetime]:
        """See the demo."""

    def drag(self, start: datetime, by: timedelta) -> None:
        """See the demo."""

    def delete(self, start: datetime) -> None:
        """See the demo."""


def edits_are_put_back(desk: Desk, folder: Path) -> None:
    """Drag a session, then delete it; each time it is back after the quiet time."""
    site = Site(folder, NOW)
    site.calendars.append(desk.write_config(folder, "dora", "Dora Dill"))
    site.set_up()
    site.mirror([row("4821", "dora", AT)])
    assert desk.starts() == [AT]
    desk.drag(AT, timedelta(hours=4))
    assert desk.starts() == [AT + timedelta(hours=4)]
    site.sync()
    site.settle()
    assert desk.starts() == [AT]
    desk.delete(AT)
    site.sync()
    site.settle()
    assert desk.starts() == [AT]
