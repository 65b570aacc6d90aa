"""`./dev benchmark caldav [SIZE | in-turn | rounds]...`; without words, all of it."""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from tests.servers.caldav_person import CaldavPerson
from tests.servers.cyrus_server import cyrus
from tests.servers.process import Server
from tests.servers.service_account import shared_folder

from benchmarks.caldav import bare_side
from benchmarks.caldav.calsync_side import ZONE, Installation
from benchmarks.caldav.vdirsyncer_side import Vdirsyncer, installed
from benchmarks.caldav.wire import Wire
from benchmarks.figures import Section, section
from calsync_caldav import dav_xml
from calsync_caldav.dav_xml import CALDAV
from calsync_caldav.multistatus import parse_multistatus

SIZES = (50, 1000, 5000)
CHANGED_AT = 1000
QUIET_PASSES = 30
_TIME = re.compile(rb"(DT(?:START|END);TZID=[^:]+:\d{8}T)(\d\d)(\d\d)")
_XML = {"Content-Type": "application/xml; charset=utf-8", "Depth": "0"}


COLUMNS = ("work", "client", "CPU ms", "requests", "bytes", "peak MB")
IN_TURN = ("passes", "calsync, ms", "its connector alone, ms", "bare client, ms", "pass / bare", "connector / bare")
TOGETHER = 8


class Bench:
    """One server, one wire to it, and the lines so far."""

    def __init__(self, server: Server, folder: Path, vdirsyncer: Path) -> None:
        self.server = server
        self.folder = folder
        self.vdirsyncer = vdirsyncer
        self.wire = Wire(server.port)
        self.table = Section(COLUMNS)

    def add(self, work: str, who: str, cpu: float, *, rss: float, share: int = 1) -> None:
        """Keep a line; `share`: how many times the work was done while the wire counted."""
        counted = self.wire.take()
        self.table.add(work, who, cpu * 1000, round(counted.requests / share), round(counted.total / share), round(rss))

    def calendar(self, number: int, name: str) -> tuple[CaldavPerson, str]:
        """Make a calendar of a user; a person with a client of it, and its URL through the wire."""
        account = self.server.account(number)
        person = CaldavPerson(account, f"{account.home}{name}/", ZONE)
        person.make_calendar()
        return person, person.url.replace(f":{self.server.port}/", f":{self.wire.port}/")

    def size(self, size: int) -> None:
        """Everything at one number of events."""
        with section("caldav", f"events-{size}", *COLUMNS) as self.table:
            ours = self.all_at(size)
        ours.stop()

    def in_turn(self) -> None:
        """Quiet passes at all sizes, with the bare client's requests in between."""
        with section("caldav", "in-turn", *IN_TURN) as table:
            for size in SIZES:
                _, url = self.calendar(1, f"q{size}")
                ours = Installation(self.folder / f"calsync-quiet-{size}", url, "user1")
                ours.book(range(size))
                ours.start()
                ours.ask("push")
                ours.ask("pass 3")
                told = ours.ask(f"beside {5 * QUIET_PASSES} user1")
                ratios = told["pass"] / told["bare"], told["look"] / told["bare"]
                table.add(f"nothing changed, {size:,} links", told["pass"], told["look"], told["bare"], *ratios)
                ours.stop()

    def rounds(self) -> None:
        """Passes over several calendars that are due at once, as a worker runs them."""
        urls = [self.calendar(1, f"r{number}")[1] for number in range(TOGETHER)]
        ours = Installation(self.folder / "calsync-rounds", urls[0], "user1", urls[1:])
        ours.book(range(20))
        ours.start()
        ours.calsync("sync")
        ours.calsync("sync")
        with section("caldav", "rounds", *IN_TURN[:2], *IN_TURN[3:5]) as table:
            told = ours.ask(f"round {2 * QUIET_PASSES} user1")
            table.add(f"{TOGETHER} calendars due at once", told["pass"], told["bare"], told["pass"] / told["bare"])
        ours.stop()

    def all_at(self, size: int) -> Installation:
        """All clients in turn."""
        person, url = self.calendar(1, f"c{size}")
        ours = Installation(self.folder / f"calsync-{size}", url, "user1")
        ours.book(range(size))
        ours.start()
        bodies = self.first_push(size, ours, person)
        their_person, their_url = self.calendar(2, f"v{size}")
        theirs = Vdirsyncer(self.vdirsyncer, self.folder / f"vdirsyncer-{size}", their_url, "user2")
        for name, body in bodies.items():
            (theirs.events / name).write_bytes(body)
        self.wire.take()
        run = theirs.sync()
        self.add(f"first push of {size}", "vdirsyncer", run.cpu, rss=run.rss_mb)
        assert their_person.count() == size
        self.bare_push(size, bodies)
        self.quiet(size, ours, theirs, person)
        if size == CHANGED_AT:
            self.changed_in_the_calendar(size // 100, ours, theirs, (person, their_person))
            self.changed_in_the_records(size // 100, ours, theirs)
        return ours

    def first_push(self, size: int, ours: Installation, person: CaldavPerson) -> dict[str, bytes]:
        self.wire.take()
        told = ours.ask("push")
        assert told["written"] == size, told
        self.add(f"first push of {size}", "calsync", sum(told["cpu"]), rss=told["rss_mb"])
        return self.bodies(person)

    def bodies(self, person: CaldavPerson) -> dict[str, bytes]:
        """What a calendar holds, by name."""
        query = (
            '<c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">'
            "<d:prop><c:calendar-data/></d:prop>"
            '<c:filter><c:comp-filter name="VCALENDAR"/></c:filter></c:calendar-query>'
        )
        answer = parse_multistatus(person.client.report(person.url, query, 1).raw.encode())
        return {
            row.href.rpartition("/")[2]: row.props[f"{CALDAV}calendar-data"]
            .replace("\r\n", "\n")
            .replace("\n", "\r\n")
            .encode()
            for row in answer.responses
        }

    def bare_push(self, size: int, bodies: dict[str, bytes]) -> None:
        _, url = self.calendar(3, f"b{size}")
        path = url.partition(f":{self.wire.port}")[2]
        headers = {"Content-Type": "text/calendar; charset=utf-8", "If-None-Match": "*"}
        orders = [
            {"method": "PUT", "path": path + name, "headers": headers, "body": body.decode()}
            for name, body in bodies.items()
        ]
        self.wire.take()
        done = bare_side.send(self.wire.port, "user3", orders)
        self.add(f"first push of {size}", "bare client", done["cpu"], rss=done["rss_mb"])

    def quiet(self, size: int, ours: Installation, theirs: Vdirsyncer, person: CaldavPerson) -> None:
        ours.ask("pass 3")
        self.wire.take()
        told = ours.ask(f"pass {QUIET_PASSES}")
        assert told["requests"] == QUIET_PASSES, told
        work = f"nothing changed, {size} links"
        cpu = statistics.median(told["cpu"])
        self.add(work, "calsync", cpu, rss=told["rss_mb"], share=QUIET_PASSES)
        theirs.sync()
        self.wire.take()
        runs = [theirs.sync() for _ in range(3)]
        cpu = statistics.median(run.cpu for run in runs)
        self.add(work, "vdirsyncer", cpu, rss=runs[0].rss_mb, share=3)
        token = str(person.client.propfind(person.url, dav_xml.propfind("d:sync-token").decode(), 0).raw)
        token = token.partition("sync-token>")[2].partition("<")[0]
        path = person.url.partition(f":{self.server.port}")[2]
        order = {"method": "REPORT", "path": path, "headers": _XML, "body": dav_xml.sync_collection(token).decode()}
        self.wire.take()
        done = bare_side.send(self.wire.port, "user1", [order], times=QUIET_PASSES)
        self.add(work, "bare client", done["cpu"] / QUIET_PASSES, rss=done["rss_mb"], share=QUIET_PASSES)

    def changed_in_the_calendar(
        self, count: int, ours: Installation, theirs: Vdirsyncer, people: tuple[CaldavPerson, CaldavPerson]
    ) -> None:
        before = self.bodies(people[0])
        for person in people:
            for name in sorted(self.bodies(person))[:count]:
                person.put(name, _later(self.bodies_of(person, name), hours=1))
        self.wire.take()
        told = ours.ask("pass 1")
        assert (told["drifts"], told["written"]) == (count, count), told
        work = f"{count} of {len(before)} changed in the calendar"
        self.add(work, "calsync", sum(told["cpu"]), rss=told["rss_mb"])
        after = self.bodies(people[0])
        assert all(_times(after[name]) == _times(before[name]) for name in before)
        self.wire.take()
        run = theirs.sync()
        self.add(work, "vdirsyncer", run.cpu, rss=run.rss_mb)

    def bodies_of(self, person: CaldavPerson, name: str) -> bytes:
        return bytes(person._get(name))  # noqa: SLF001

    def changed_in_the_records(self, count: int, ours: Installation, theirs: Vdirsyncer) -> None:
        numbers = range(500, 500 + count)
        ours.ask("pass 3")
        ours.book(numbers, later=timedelta(minutes=5))
        self.wire.take()
        told = ours.ask("pass 1")
        assert told["written"] == count, told
        work = f"{count} of {CHANGED_AT} changed in the records"
        self.add(work, "calsync", sum(told["cpu"]), rss=told["rss_mb"])
        for path in sorted(theirs.events.iterdir())[500 : 500 + count]:
            path.write_bytes(_later(path.read_bytes(), minutes=5))
        self.wire.take()
        run = theirs.sync()
        self.add(work, "vdirsyncer", run.cpu, rss=run.rss_mb)


def _later(body: bytes, *, hours: int = 0, minutes: int = 0) -> bytes:
    """An event that begins and ends later; nothing carries over: all last from the hour to ten minutes before."""
    return _TIME.sub(lambda at: at[1] + b"%02d%02d" % (int(at[2]) + hours, int(at[3]) + minutes), body)


def _times(body: bytes) -> list[bytes]:
    return sorted(line for line in body.splitlines() if line.startswith((b"DTSTART;", b"DTEND;")))


def main(words: list[str]) -> None:
    """Measure what was named: sizes, `in-turn`, `rounds`; without words, all of it."""
    vdirsyncer = installed(Path(sys.prefix) / "peers")
    with shared_folder("bench-server") as place, tempfile.TemporaryDirectory() as folder:
        server = cyrus(place)
        server.start()
        try:
            bench = Bench(server, Path(folder), vdirsyncer)
            for word in words or [*map(str, SIZES), "in-turn", "rounds"]:
                if word == "rounds":
                    bench.rounds()
                elif word == "in-turn":
                    bench.in_turn()
                else:
                    bench.size(int(word))
            bench.wire.close()
        finally:
            server.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
