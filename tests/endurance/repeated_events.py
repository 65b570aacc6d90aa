"""What is repeated and comes from no program of the platform: hooks, lines of files, timed work and its mails."""

from __future__ import annotations

import csv
import io
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from sqlalchemy import func, select, text

from calsync.domain.drift import Phase
from calsync.store import calendars, watches
from calsync.store.calendars import CalendarSpec
from calsync.store.schema_effects import outbox
from calsync.store.schema_lifecycle import requests
from calsync.store.watches import WatchRow
from tests.endurance.repeated_calls import Turn
from tests.endurance.repeated_calls import text as told_at
from tests.endurance.repeats import AT_ONCE, MANY, State, Told, Town, state_of
from tests.servers.process import free_port
from tests.system.site import ZONE
from tests.waiting import until

HOW = (("once", 1), ("three times", MANY), ("eight at once", AT_ONCE))
ROWS = 5
# One ring for the first of a burst, and one when it is over.
MOST_RINGS = 2
# Quiet is what is found the same so many times running, a fifth of a second apart.
LOOKS = 15


def _each(times: int, act: Callable[[int], object]) -> None:
    with ThreadPoolExecutor(times if times == AT_ONCE else 1) as pool:
        list(pool.map(act, range(times)))


# ---------------------------------------------------------------- hooks


def ring_all(town: Town, told: Told, hows: Sequence[tuple[str, int]] = HOW) -> None:
    """Each kind of hook, known and forged: a known one makes its calendar due, and changes nothing else."""
    for service in ("google", "graph"):
        for kind in ("changed", "forged", *(("lost",) if service == "graph" else ())):
            gains = {}
            for how, times in hows:
                name = f"{service}-{kind}-{times}"
                _open_channel(town, service, name)
                before = _generation(town, name)
                gains[how] = town.gained(lambda: _each(times, lambda _: _ring(town, service, kind, name)))  # noqa: B023
                rings = _rung(town, name, before)
                told.asked += times
                if not (rings == 0 if kind == "forged" else 1 <= rings <= MOST_RINGS):
                    told.problems.append(f"hook of {service}, {kind}, {how}: rung for {rings} times")
            told.cases += 1
            wrong = [how for how, gain in gains.items() if gain != (_LOST if kind == "lost" else Counter())]
            told.problems += [f"hook of {service}, {kind}, {how}: {gains[how]}" for how in wrong]


_LOST: State = Counter({("watches", watches.OPEN): -1})


def _open_channel(town: Town, service: str, name: str) -> None:
    now = datetime.now(UTC)
    spec = CalendarSpec(name, "P-2", "c", service, "mirror", "existing", "database")
    secret = watches.hash_of(f"secret-{name}".encode())
    with town.books.transaction() as conn:
        calendars.register(conn, spec, now)
        until_ = now + timedelta(days=1)
        watches.insert(conn, WatchRow(name, service, name, f"r-{name}", secret, watches.OPEN, now, until_))


def _ring(town: Town, service: str, kind: str, name: str) -> None:
    secret = f"secret-{name}" if kind != "forged" else "guessed"
    if service == "google":
        headers = {"X-Goog-Channel-ID": name, "X-Goog-Channel-Token": secret, "X-Goog-Resource-ID": f"r-{name}"}
        answer = town.client.post("/hooks/google", headers=headers | {"X-Goog-Resource-State": "exists"})
        assert answer.status_code == (404 if kind == "forged" else 204), answer.text
        return
    note = {"subscriptionId": name, "clientState": secret, "changeType": "updated"}
    if kind == "lost":
        note = {"subscriptionId": name, "clientState": secret, "lifecycleEvent": "subscriptionRemoved"}
    answer = town.client.post("/hooks/graph", json={"value": [note]})
    assert answer.status_code == 202, answer.text


def _generation(town: Town, calendar: str) -> int:
    with town.books.reading() as conn:
        found = conn.execute(text("SELECT generation FROM calendars WHERE id = :id"), {"id": calendar})
        return int(found.scalar_one())


def _rung(town: Town, calendar: str, before: int) -> int:
    """How often it was rung for, once it is quiet: a burst is over after two seconds."""
    last, since = _generation(town, calendar), time.monotonic()
    while time.monotonic() - since < 2.5:
        now = _generation(town, calendar)
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.05)
    return last - before


# ---------------------------------------------------------------- lines of files


def import_all(town: Town, told: Told) -> None:
    """Each file that a command takes, one after the other in this process and in eight of their own at once."""
    for name, (line, rows) in _FILES.items():
        gains: dict[str, State] = {}
        for how, times in HOW:
            path = town.site.folder / f"{name}-{times}"
            path.write_text(rows(town, times), encoding="utf-8")
            command = [str(path) if word == "FILE" else word for word in line]
            if times == AT_ONCE:
                gains[how] = town.gained(lambda: _together(town, command))  # noqa: B023
            else:
                gains[how] = town.gained(lambda: _each(times, lambda _: town.site.calsync(*command)))  # noqa: B023
            told.asked += times * ROWS
        told.cases += 1
        for how in ("three times", "eight at once"):
            if gains[how] != gains["once"]:
                beyond = {**(gains[how] - gains["once"])}
                told.problems.append(f"lines of {name}, {how}: beyond one effect {beyond}")
        told.problems += [f"lines of {name} had no effect at all"] * (not gains["once"])


def _together(town: Town, command: list[str]) -> None:
    programs = [town.site.fork(*command) for _ in range(AT_ONCE)]
    for program in programs:
        program.wait(120)


def _csv(*rows: Mapping[str, object]) -> str:
    told = io.StringIO()
    writer = csv.DictWriter(told, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return told.getvalue()


def _appointments(town: Town, times: int) -> str:
    made = []
    for number in range(ROWS):
        at = town.slot()
        row = {"id": f"F-{times}-{number}", "provider": "P-1", "client": "K-1", "start": at.isoformat()}
        end = (at + timedelta(minutes=50)).isoformat()
        made.append(row | {"end": end, "zone": ZONE, "kind": "follow-up", "status": "scheduled"})
    return _csv(*made)


def _clients(_town: Town, times: int) -> str:
    return _csv(
        *({"id": f"K-{times}-{n}", "name": "Made Up", "email": f"k{times}{n}@example.org"} for n in range(ROWS))
    )


def _providers(_town: Town, times: int) -> str:
    base = {"zone": ZONE, "practice": "made-up", "name": "Dr. Made"}
    return _csv(*(base | {"id": f"Q-{times}-{n}", "email": f"q{times}{n}@example.org"} for n in range(ROWS)))


def _evidence(town: Town, times: int) -> str:
    rows = []
    for _ in range(ROWS):
        turn = Turn(str(next(town.numbers)), town)
        name, at = turn.past(), turn.over
        row = {"appointment": name, "start": told_at(at), "end": told_at(at + timedelta(minutes=50))}
        rows.append(row | {"source": f"log-{times}", "who": "both"})
    return _csv(*rows)


_FILES: dict[str, tuple[tuple[str, ...], Callable[[Town, int], str]]] = {
    "appointments": (("appointments", "import", "FILE"), _appointments),
    "clients": (("clients", "import", "FILE"), _clients),
    "providers": (("providers", "import", "FILE"), _providers),
    "evidence": (("appointments", "evidence", "import", "FILE"), _evidence),
}


# ---------------------------------------------------------------- timed work, and its mails


class Box:
    """Keeps whom each mail was for, by its Message-ID."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        found = re.search(rb"^message-id:\s*(\S+)", envelope.content, re.IGNORECASE | re.MULTILINE)
        assert found is not None
        self.taken.append((envelope.rcpt_tos[0], found[1].decode()))
        return "250 taken"


@contextmanager
def post() -> Iterator[tuple[Box, int]]:
    """A mail server; what it took, and where it listens."""
    box, port = Box(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


def have_work(town: Town) -> None:
    """Something for each kind of timed work: requests that ran out, sessions soon, doubts, mails."""
    soon = town.now + timedelta(hours=3)
    for number in range(ROWS):
        client = f"K-job-{number}"
        town.call("PUT", f"/clients/{client}", {"name": "Made Up", "email": f"job-{number}@example.org"})
        turns = [Turn(str(next(town.numbers)), town) for _ in range(4)]
        asked = turns[0].booked(client=client)
        by = {"reason": "conference", "by": "provider:P-1"}
        town.call("POST", f"/appointments/{asked}/ask-to-reschedule", by)
        wanted = {"id": f"A-{turns[1].id}", "provider": "P-1", "client": client, "start": turns[1].later()}
        town.call("POST", "/appointments", wanted | {"minutes": 50, "by": "support:sam"})
        turns[2].booked(soon + timedelta(hours=number), client=client)
        town.edited(f"A-{turns[3].id}", Phase.PAST)
    past = datetime.now(UTC) - timedelta(hours=1)
    with town.books.transaction() as conn:
        conn.execute(requests.update().values(expires_at=past))
        conn.execute(outbox.update().values(due_at=past, created_at=past))


def let_work(town: Town, workers: int, box: Box) -> None:
    """So many workers at once, until nothing is left to do."""
    began = len(box.taken)
    programs = [town.site.fork("worker") for _ in range(workers)]
    try:
        seen: list[object] = []

        def is_quiet() -> bool:
            time.sleep(0.2)
            seen.append((state_of(town.books), len(box.taken)) if _is_done(town) else None)
            return len(seen) > LOOKS and seen[-1] is not None and all(one == seen[-1] for one in seen[-LOOKS:])

        until(is_quiet, 180)
    finally:
        for program in programs:
            program.terminate()
        codes = [program.wait(20) for program in programs]
    assert codes == [0] * workers, (codes, began)


def _is_done(town: Town) -> bool:
    with town.books.reading() as conn:
        left = "SELECT (SELECT count(*) FROM requests WHERE closed_at IS NULL) + (SELECT count(*) FROM claims_touched)"
        # What is new waits for more of its kind; what was there before is old enough. Providers get three a day.
        old = outbox.c.created_at <= datetime.now(UTC) - timedelta(minutes=30)
        to_clients = outbox.c.recipient.startswith("client:")
        going = select(func.count()).where(outbox.c.state.in_(("due", "sending")), old, to_clients)
        return int(conn.execute(text(left)).scalar_one()) + int(conn.execute(going).scalar_one()) == 0


def work_all(folder: Path, open_town: Callable[[Path, int], Any], told: Told, *, workers: int = AT_ONCE) -> None:
    """One worker in one installation; many at once, and again, in another just like it: the same must come of it."""
    gains: dict[str, State] = {}
    for how in ("once", "many"):
        with post() as (box, port), open_town(folder / how, port) as town:
            have_work(town)
            before = state_of(town.books)
            let_work(town, 1 if how == "once" else workers, box)
            for _ in range(0 if how == "once" else MANY - 1):
                let_work(town, 1, box)
            after = state_of(town.books)
            after.subtract(before)
            gains[how] = Counter({name: number for name, number in after.items() if number})
            mails = Counter(to for to, _ in box.taken)
            twice = [one for one, number in Counter(box.taken).items() if number > 1]
            told.problems += [f"a mail went twice: {one}" for one in twice]
            gains[how].update({("mails", to): number for to, number in mails.items()})
    told.cases += 1
    told.asked += workers + MANY - 1
    if gains["many"] != gains["once"]:
        more = {**(gains["many"] - gains["once"])}
        less = {**(gains["once"] - gains["many"])}
        told.problems.append(f"timed work of {workers} workers, beyond one: {more}, lacking: {less}")
    told.problems += ["timed work did nothing"] * (len(gains["once"]) < ROWS)
