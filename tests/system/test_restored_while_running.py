"""An older copy of the books is put back between real processes, while somebody edits the calendar."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.servers.meddling_proxy import MeddlingProxy, Spoil
from tests.servers.process import Server
from tests.system.hands import Hands
from tests.system.site import ZONE, Site, row
from tests.system.test_kill import a_morning


def ends_well(site: Site, *line: str, codes: tuple[int, ...] = (0,)) -> None:
    """Run a command as a process of its own."""
    assert site.fork(*line).wait(60) in codes, (site.folder / "process.log").read_text()


def test_a_copy_put_back_between_processes_doubles_nothing_and_keeps_the_edit(
    site: Site, server: Server, proxy: MeddlingProxy, tmp_path: Path
) -> None:
    copy, morning = tmp_path / "copy.db", a_morning()
    hands = Hands(server.account(1).home, "user1")
    site.add_provider("P-1", f"http://127.0.0.1:{proxy.port}/user1/", "user1")
    site.set_up(settle="0s")
    rows = [row(str(n), "P-1", morning + timedelta(hours=n)) for n in range(3)]
    assert site.import_rows(rows).code == 0
    site.sync()
    hands.find()
    ends_well(site, "backup", str(copy))
    moved = [rows[0], row("1", "P-1", morning + timedelta(hours=6)), rows[2]]
    site.mirror(moved)
    ends_well(site, "db", "restore", str(copy))
    assert site.import_rows([*moved[:2], row("2", "P-1", morning + timedelta(hours=7))]).code == 0

    def drag() -> None:
        start = morning + timedelta(hours=9)
        hands.drag(hands.name_of("SUMMARY:Session 2\n"), start, start + timedelta(minutes=50), ZONE)

    proxy.clear()
    proxy.spoil(Spoil("PUT", before=drag))
    ends_well(site, "sync", codes=(0, 3))
    puts = [one.status for one in proxy.exchanges if one.method == "PUT"]
    assert (puts[0], puts[-1] < 300) == (412, True)  # the edit was met, read, decided on and put back in one pass
    quiet = site.sync()
    assert (quiet["written"], quiet["drifts"]) == (0, 0)
    starts = [morning, morning + timedelta(hours=6), morning + timedelta(hours=7)]
    assert hands.starts() == sorted(f"{start:%Y%m%dT%H%M%S}" for start in starts)
    assert [one["appointment"] for one in site.drifts()] == ["2"]
    assert site.calsync("audit", "verify").code == 0
