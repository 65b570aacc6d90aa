"""The demo's provider on Google: the config that is written works, and what she drags is put back."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from calsync.demo.google_server import running_google
from calsync.testing.fake_ports import FakeClock
from tests.system.site import NOW, ZONE, Site, row

AT = datetime(2026, 11, 24, 10, 0)


def test_a_dragged_session_is_put_back(tmp_path: Path) -> None:
    with running_google(FakeClock(NOW), "dora@example.org", ZONE) as desk:
        site = Site(tmp_path, NOW)
        site.calendars.append(desk.write_config(tmp_path, "dora", "Dora Dill"))
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
