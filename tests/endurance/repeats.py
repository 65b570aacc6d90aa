"""Everything that comes from outside, or with time, is done once, three times, and eight times at once (I7).

What one effect is, is told by the books: what they gained by one is what they must have gained by many. Commands of
the interface for programs come with an Idempotency-Key and without; hooks, lines of files, mails and timed work have
none. A web process really runs, and workers where it is they who act.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from sqlalchemy import Integer, Select, func, select

from calsync.domain.drift import Phase
from calsync.store import drifts
from calsync.store.database import Database, open_database
from calsync.store.schema import metadata
from calsync.testing.fake_ports import FakeClock
from tests.endurance.progress import Progress
from tests.endurance.repeated_calls import ALL, CASES, Body, Case, Turn
from tests.servers.process import free_port
from tests.system.site import ZONE, Site
from tests.waiting import until

MANY, AT_ONCE = 3, 8
API = "/api/v1"
# Kept to see who does what, or bumped at will: none of them is an effect.
_NOT_COUNTED = {"tokens", "budgets", "audit_head", "claims_touched", "subject_changes", "api_answers", "workers"}
_WORDS = ("kind", "state", "status", "what", "action", "resolution", "decision", "amount", "act", "says", "cancelled")
_SUMS = ("version", "sessions", "change", "paused", "attempts", "repeats")
PRACTICE = """
[booking]
confirm_within = "48h"
[cancel]
by = ["provider", "client", "support", "system"]
client_notice = "24h"
client_late = "fee"
late_notice = "24h"
refund = "always"
[reschedule]
by = ["provider", "client", "support", "system"]
client_notice = "24h"
[ask_to_reschedule]
by = ["provider", "support"]
[fees]
currency = "USD"
late_cancellation = "50.00"
no_show = "50.00"
[packages]
give_back = "always"
"""

State = Counter[tuple[object, ...]]


@dataclass(slots=True)
class Told:
    """What it came to. `asked`: how often something was asked for, in all."""

    operations: int = 0
    cases: int = 0
    asked: int = 0
    problems: list[str] = field(default_factory=list)


@cache
def _questions() -> list[tuple[str, list[str], list[str], Select[Any]]]:
    """For each table: the words by which its rows are told apart, the numbers that are summed up, and how to ask."""
    made = []
    for table in metadata.sorted_tables:
        if table.name not in _NOT_COUNTED:
            words = [one for one in table.columns if one.name in _WORDS]
            sums = [one for one in table.columns if one.name in _SUMS and isinstance(one.type, Integer)]
            asked = select(*words, func.count(), *(func.coalesce(func.sum(one), 0) for one in sums)).select_from(table)
            names = ([one.name for one in words], [one.name for one in sums])
            made.append((table.name, *names, asked.group_by(*words) if words else asked))
    return made


def state_of(books: Database) -> State:
    """How many rows of each kind and state there are, and the sums that a second effect would raise."""
    found: State = Counter()
    with books.reading() as conn:
        for table, words, sums, asked in _questions():
            for row in conn.execute(asked):
                found[table, *map(str, row[: len(words)])] += int(row[len(words)])
                for name, value in zip(sums, row[len(words) + 1 :], strict=True):
                    found[table, f"sum of {name}"] += int(value)
    return +found


@dataclass
class Town:
    """A running installation, what cases need to get ready, and its books."""

    site: Site
    books: Database
    client: httpx.Client
    begun: datetime
    numbers: Iterator[int] = field(default_factory=count)
    slots: Iterator[int] = field(default_factory=count)

    @property
    def now(self) -> datetime:
        """See `Desk`."""
        return self.begun

    def slot(self) -> datetime:
        """See `Desk`."""
        day, hour = divmod(next(self.slots), 12)
        return self.begun.replace(hour=8, minute=0) + timedelta(days=3 + day, hours=hour)

    def call(self, method: str, path: str, body: Body) -> Any:
        """See `Desk`."""
        answer = self.client.request(method, API + path, json=body or None)
        assert answer.status_code in (200, 201), f"{method} {path} {body}: {answer.text}"
        return answer.json()

    def edited(self, appointment: str, phase: Phase) -> tuple[str, str]:
        """See `Desk`."""
        # Only here: a worker that is started from this process should not have to read the web's tests.
        from tests.unit.web.conftest import House as Books  # noqa: PLC0415

        house = Books(self.books, clock=FakeClock(datetime.now(UTC)))
        house.ids.seed = next(self.numbers)
        edit = house.edit(appointment, phase)
        with self.books.reading() as conn:
            (drift,) = drifts.of_edit(conn, edit)
        return drift.id, edit

    def fee_of(self, appointment: str) -> str:
        """See `Desk`."""
        fees = self.call("GET", "/fees?limit=200", {})["items"]
        return next(str(one["id"]) for one in fees if one["appointment"] == appointment)

    def gained(self, act: Callable[[], object]) -> State:
        """What the books have more, or less, after something."""
        before = state_of(self.books)
        act()
        after = state_of(self.books)
        after.subtract(before)
        return Counter({name: number for name, number in after.items() if number})


@contextmanager
def town(folder: Path, database: str = "", mail_port: int = 9) -> Iterator[Town]:
    """Set it up, with a web process that runs. `database`: an address, "" for SQLite."""
    folder.mkdir(exist_ok=True)
    site, port = Site(folder), free_port()
    (folder / "practices").mkdir()
    (folder / "practices" / "made-up.toml").write_text(PRACTICE, encoding="utf-8")
    for name in ("P-1", "P-2"):
        site.calendars.append(
            f'[[providers]]\nid = "{name}"\nname = "Dr. {name}"\nemail = "{name.lower()}@example.org"\n'
            f'zone = "{ZONE}"\npractice = "made-up"\n'
        )
    books = f'[database]\nurl = "{database}"\n' if database else ""
    more = f'{books}[web]\nlisten = "127.0.0.1:{port}"\npublic_url = "https://calsync.example.org"\n'
    site.set_up(more=more + '[claims]\ntrusted_evidence = ["video"]\nunlinked = "clear"\n' + _mail(mail_port))
    assert site.calsync("sync").code == 0  # puts the config's providers on the books
    token = site.calsync("tokens", "add", "--role", "admin", "--json").json["token"]
    process = site.fork("serve")
    opened = open_database(database or f"sqlite:///{folder / 'calsync.db'}")
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: httpx.get(f"{address}/readyz", timeout=2).status_code == 200, 60)
        limits = httpx.Limits(max_connections=AT_ONCE)
        with httpx.Client(
            base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60, limits=limits
        ) as client:
            begun = datetime.now(ZoneInfo(ZONE)).replace(second=0, microsecond=0, tzinfo=None)
            made = Town(site, opened, client, begun)
            every_day = {day: ["07:00-23:30"] for day in _DAYS}
            made.call("PUT", "/availability/P-1", {"every": "30m", "weekly": every_day, "by": "support:sam"})
            made.call("PUT", "/availability/P-2", {"weekly": every_day, "by": "support:sam"})
            made.call("PUT", "/clients/K-1", {"name": "Cleo Made", "email": "k-1@example.org"})
            yield made
    finally:
        opened.dispose()
        process.terminate()
        process.wait(15)


def _mail(port: int) -> str:
    return (
        f'[mail]\nsmtp_url = "smtp://127.0.0.1:{port}"\nsender = "calendars@example.org"\n'
        'support = "support@example.org"\n[fleet]\nmax_share_changed = 1.0\n'
    )


_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


# ---------------------------------------------------------------- operations


def operations(town: Town) -> set[str]:
    """Every described operation that may change something."""
    described = town.client.get(f"{API}/openapi.json").json()["paths"]
    return {
        f"{method.upper()} {path.removeprefix(API)}"
        for path, methods in described.items()
        for method in methods
        if method != "get"
    }


def call_all(town: Town, told: Told, progress: Progress, *, short: bool = False) -> None:
    """Every case of every operation, with a key and without. `short`: the first of each, few of them without."""
    known = operations(town)
    if known != CASES.keys():
        told.problems.append(f"described and not tried: {known - CASES.keys()}; the other way: {CASES.keys() - known}")
    todo = [(name, case) for name in sorted(known & CASES.keys()) for case in CASES[name][: 1 if short else None]]
    told.operations = len(known)
    for number, (name, case) in enumerate(todo):
        for with_key in (True, False):
            if with_key or not short or number % 5 == 0:
                told.problems += _case(town, name, case, with_key=with_key, told=told)
        told.cases += 1
        progress.step(number + 1, len(todo), name)


def _case(town: Town, name: str, case: Case, *, with_key: bool, told: Told) -> list[str]:
    """Once, three times, eight at once: each with names of its own."""
    gains: dict[str, State] = {}
    first = ""
    for how, times in (("once", 1), ("three times", MANY), ("eight at once", AT_ONCE)):
        turn = Turn(f"{next(town.numbers)}", town)
        method, path, body = _ready(turn, name, case)
        headers = {"Idempotency-Key": f"k-{turn.id}"} if with_key else {}

        calls = [town.client.build_request(method, API + path, json=body, headers=headers) for _ in range(times)]
        answers: list[httpx.Response] = []
        gains[how] = town.gained(partial(_send, town, calls, answers))
        codes = [one.status_code for one in answers]
        first = first or answers[0].text
        told.asked += times
        if how == "once" and codes[0] not in (200, 201):
            return [f"{name}: {codes[0]} when asked once: {answers[0].text}"]
        if max(codes) >= 500 or (with_key and set(codes) - {200, 201}):
            return [f"{name}, {how}, with key {with_key}: {sorted(set(codes))}"]
    found = []
    for how, times in (("three times", MANY), ("eight at once", AT_ONCE)):
        want, have = gains["once"], gains[how]
        if case.keyless or not with_key:
            want, have = (_without_calls(state) for state in (_times(want, case, times), have))
        if have != want:
            beyond = {**(have - want), **{one: -number for one, number in (want - have).items()}}
            found.append(f"{name}, {how}, {'with a key' if with_key else 'without a key'}: beyond one effect {beyond}")
    return found + [f"{name} had no effect at all: {first}"] * (not gains["once"])


def _send(town: Town, calls: list[httpx.Request], answers: list[httpx.Response]) -> None:
    """Three come one after the other, eight at the same time."""
    with ThreadPoolExecutor(AT_ONCE if len(calls) == AT_ONCE else 1) as pool:
        answers.extend(pool.map(town.client.send, calls))


def _ready(turn: Turn, name: str, case: Case) -> tuple[str, str, Body]:
    method, _, path = name.partition(" ")
    place, body = case.act(turn)
    head, brace, tail = path.partition("{")
    return method, head + place + tail.partition("}")[2] if brace else path, body


def _times(state: State, case: Case, times: int) -> State:
    """What so many repeats come to where each of them is meant to count."""
    return Counter(
        {name: number * (times if case.each == ALL or name[0] in case.each else 1) for name, number in state.items()}
    )


def _without_calls(state: State) -> State:
    """Each call that came is noted in the log, whether it changed anything or not."""
    return Counter({name: number for name, number in state.items() if name != ("audit", "api-command")})
