"""The demo's provider on Outlook: the config that is written works, and what they drag is put back."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from calsync.demo.outlook_server import running_outlook
from calsync.testing.fake_ports import FakeClock
from tests.system.site import NOW, ZONE, Site, row

AT = datetime(2026, 11, 24, 10, 0)


def test_a_dragged_session_is_put_back(tmp_path: Path) -> None:
    with running_outlook(FakeClock(NOW), "emil@example.org", ZONE) as desk:
        site = Site(tmp_path, NOW)
        site.calendars.append(desk.write_config(tmp_path, "emil", "Emil Elder"))
        site.set_up()
        site.mirror([row("4821", "emil", AT)])
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
