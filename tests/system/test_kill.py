"""The worker's process is killed at many moments of a first push; in the end every event is there exactly once."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

from tests.servers.meddling_proxy import MeddlingProxy
from tests.servers.process import Server
from tests.system.site import Site, client_calendar, row

EVENTS = 120
KILLS = 20
# As many writes may be out without an answer when the process dies (worker.write.BATCH); the next pass asks about them.
IN_FLIGHT = 20


def test_kills_during_a_first_push(site: Site, server: Server, proxy: MeddlingProxy) -> None:
    site.add_provider("P-1", f"http://127.0.0.1:{proxy.port}/user1/", "user1")
    site.set_up()
    tomorrow = a_morning()
    rows = [row(str(n), "P-1", tomorrow + timedelta(days=n // 10, hours=n % 10)) for n in range(EVENTS)]
    assert site.import_rows(rows).code == 0

    moments = random.Random(20261122)
    for number in range(KILLS):
        _kill_after(site, proxy, writes=max(1, int(EVENTS * (number + moments.random()) / KILLS)))

    assert site.sync()["calendars"][0]["state"] == "active"
    uids = Counter(
        e.icalendar_instance.walk("VEVENT")[0]["uid"] for e in client_calendar(server.account(1).home, "user1").events()
    )
    assert len(uids) == EVENTS
    assert set(uids.values()) == {1}
    # Finished work is not done again: only what was in flight at a kill is asked about, and sent again if missing.
    puts = Counter(exchange.path for exchange in proxy.exchanges if exchange.method == "PUT")
    assert len(puts) == EVENTS
    assert sum(puts.values()) <= EVENTS + KILLS * IN_FLIGHT
    assert max(puts.values()) <= 3
    proxy.clear()
    quiet = site.sync()
    assert (quiet["written"], quiet["drifts"], len(proxy.exchanges)) == (0, 0, 1)
    assert site.calsync("audit", "verify").code == 0


def a_morning() -> datetime:
    """Eight o'clock on the day after tomorrow."""
    today = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0, tzinfo=None)
    return today + timedelta(days=2)


def _kill_after(site: Site, proxy: MeddlingProxy, *, writes: int) -> None:
    """Start a sync and kill it, with the signal that cannot be caught, once so many writes in all have come through."""
    process = site.fork("sync")
    deadline = time.monotonic() + 60
    while process.poll() is None and proxy.count("PUT") < writes:
        assert time.monotonic() < deadline, (site.folder / "process.log").read_text()[-2000:]
        time.sleep(0.002)
    if process.poll() is None:
        process.kill()
    process.wait(10)
    assert process.returncode in (0, -9), (site.folder / "process.log").read_text()[-2000:]


def test_a_worker_that_is_asked_to_stop_ends_well(site: Site, server: Server) -> None:
    site.add_provider("P-1", server.account(1).home, "user1")
    site.set_up(more='[sync]\npoll_interval = "1s"\n')
    tomorrow = a_morning()
    assert site.import_rows([row(str(n), "P-1", tomorrow + timedelta(days=n)) for n in range(5)]).code == 0
    process = site.fork("worker")
    try:
        calendar_is_full(server, 5)
    finally:
        process.terminate()
    assert process.wait(10) == 0


def calendar_is_full(server: Server, events: int) -> None:
    """Wait until the calendar shows so many events."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if len(client_calendar(server.account(1).home, "user1").events()) == events:
                return
        except StopIteration:
            pass  # calsync has not made the calendar yet
        time.sleep(0.1)
    raise AssertionError(f"the calendar did not come to show {events} events")


def test_a_killed_workers_calendars_are_taken_over_at_once(site: Site, server: Server) -> None:
    site.add_provider("P-1", server.account(1).home, "user1")
    site.set_up()
    tomorrow = a_morning()
    assert site.import_rows([row("1", "P-1", tomorrow)]).code == 0
    process = site.fork("worker")
    calendar_is_full(server, 1)
    process.kill()
    process.wait(10)
    assert site.sync()["calendars"][0]["error"] is None
