"""Two workers on one database, whatever carries the work between them: each event is written once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from tests.servers.meddling_proxy import MeddlingProxy
from tests.servers.process import Server
from tests.system.site import Site, row
from tests.system.test_kill import a_morning, calendar_is_full


def write_each_event_once(site: Site, server: Server, proxy: MeddlingProxy, events: int) -> None:
    """Have two workers fill the calendar of P-1, end them, and look at what they sent. The site is set up already."""
    rows = [row(str(n), "P-1", a_morning() + timedelta(days=n // 10, hours=n % 10)) for n in range(events)]
    assert site.import_rows(rows).code == 0
    workers = [site.fork("worker"), site.fork("worker")]
    try:
        calendar_is_full(server, events)
    finally:
        for worker in workers:
            worker.terminate()
    assert [worker.wait(20) for worker in workers] == [0, 0]
    puts = Counter(exchange.path for exchange in proxy.exchanges if exchange.method == "PUT")
    assert len(puts) == events
    assert set(puts.values()) == {1}
    assert site.calsync("audit", "verify").code == 0
