"""A platform beside calsync: its table is read, its files are taken, it is told what happens; a billing job's file."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime, timedelta

from tests.servers.process import Server
from tests.system.hands import Hands
from tests.system.site import NOW, Site, row
from tests.unit.webhooks.receiver import SECRET, Receiver
from tests.waiting import until

KEYS = """
[[webhooks]]
id = "platform"
url = "{url}"
secret_file = "hook.secret"

[records]
url = "sqlite:///platform.db"
table = "sessions"
updated_at = "updated"
poll_interval = "1s"
drop_folder = "inbox"
drop_quiet = "1s"

[records.columns]
id = "id"
provider = "who"
client = "client"
start = "starts"
end = "ends"
zone = "=America/New_York"
"""


def ids(site: Site) -> set[str]:
    return {one["id"] for one in site.calsync("appointments", "list", "--json").json}


def test_the_worker_reads_table_and_folder_and_tells_what_it_finds(site: Site, server: Server) -> None:
    start = (datetime.now(UTC) + timedelta(days=2)).replace(hour=15, minute=0, second=0, microsecond=0, tzinfo=None)
    platform = sqlite3.connect(site.folder / "platform.db")
    platform.execute("CREATE TABLE sessions (id, who, client, starts, ends, updated INTEGER)")
    platform.execute(
        "INSERT INTO sessions VALUES ('A-1', 'P-1', 'C-1', ?, ?, 1)", (str(start), str(start + timedelta(minutes=50)))
    )
    platform.commit()
    (site.folder / "hook.secret").write_text(SECRET)
    (site.folder / "hook.secret").chmod(0o600)
    (site.folder / "inbox").mkdir()
    with Receiver() as receiver:
        site.add_provider("P-1", server.account(1).home, "user1")
        site.set_up(settle="1s", more=KEYS.format(url=receiver.url))
        worker = site.start("worker")
        try:
            until(lambda: ids(site) == {"A-1"})
            hands = Hands(server.account(1).home, "user1")
            until(lambda: hands.calendars() != [] and hands.find().names() != [])
            dropped = site.folder / "inbox" / "more.csv"
            moment = f"{start + timedelta(days=1):%Y-%m-%dT%H:%M},{start + timedelta(days=1, hours=1):%Y-%m-%dT%H:%M}"
            dropped.write_text(f"id,provider,client,start,end,zone\nB-1,P-1,C-2,{moment},America/New_York\n")
            os.utime(dropped, (0, 0))
            until(lambda: ids(site) == {"A-1", "B-1"})
            hands.delete(hands.names()[0])
            # While the worker has the calendar, a look from outside is refused: ask until one was made.
            until(lambda: site.calsync("sync", "--json").code in (0, 3) and "edit.found" in receiver.types)
            assert (site.folder / "inbox" / "done" / "more.csv").exists()
        finally:
            worker.terminate()
            assert worker.wait(30) == 0
    found = next(one for one in receiver.arrived if one["type"] == "edit.found")
    assert (found["data"]["kind"], found["data"]["provider"]) == ("deleted", "P-1")
    platform.close()


def test_a_billing_jobs_file_with_the_calendars_read_first(practice: Site, hands: Hands) -> None:
    practice.set_up()
    day = NOW.date() + timedelta(days=1)
    practice.mirror([row("1", "P-1", datetime(day.year, day.month, day.day, 10))])
    practice.now = NOW + timedelta(days=1, hours=6)
    assert practice.calsync("appointments", "complete", "1", "--by", "provider:P-1").code == 0
    path, out = practice.folder / "claims.csv", practice.folder / "clean.csv"
    path.write_text(f"claim_id,appointment,service_date\nC-1,1,{day}\n")
    stale = practice.calsync("claims", "check", "--file", str(path), "--write-cleared", str(out))
    assert (stale.code, out.exists()) == (3, False)
    fresh = practice.calsync("claims", "check", "--file", str(path), "--write-cleared", str(out), "--refresh")
    assert (fresh.code, out.read_text()) == (0, path.read_text()), fresh
    hands.find()
    hands.delete(hands.names()[0])
    practice.later(minutes=1)
    practice.sync()
    again = practice.calsync("claims", "check", "--file", str(path), "--write-cleared", str(out), "--refresh", "--json")
    assert (again.code, out.exists()) == (3, False)
    assert "drift-open" in {one["code"] for one in again.json[0]["reasons"]}
