"""The demo's provider on Google: the config that is written works, and what she drags is put back."""

from __future__ import annotations

from pathlib import Path

from calsync.demo.google_server import running_google
from calsync.testing.fake_ports import FakeClock
from tests.system.site import NOW, ZONE
from tests.unit.demo.desk import edits_are_put_back


def test_a_dragged_session_is_put_back(tmp_path: Path) -> None:
    with running_google(FakeClock(NOW), "dora@example.org", ZONE) as desk:
        edits_are_put_back(desk, tmp_path)
