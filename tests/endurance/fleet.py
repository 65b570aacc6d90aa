"""A whole installation in front of the Google stand-in, with many providers, and people who edit in it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from calsync.sandbox.google.knobs import Knobs
from calsync.sandbox.google.people import Person
from calsync.sandbox.google.server import Sandbox
from calsync.sandbox.google.times import instant_of
from calsync.store.database import Database, open_database
from calsync.system_ports import SystemClock
from tests.servers.google_subject import secret_file
from tests.system.programs import Program
from tests.system.site import ZONE, Site, row

SCOPE = "https://www.googleapis.com/auth/calendar.events.owned"
SESSIONS_A_DAY = 8
FIRST_DAY = 7
LEFT_ALONE = 2


@dataclass(frozen=True, slots=True)
class Session:
    """One booked session, and where it is shown."""

    id: str
    provider: int
    start: datetime


@dataclass
class Fleet:
    """`count` providers with `sessions` each, beginning a week from now. `database`: an address, "" for SQLite."""

    folder: Path
    count: int
    sessions: int
    database: str = ""
    more: str = ""
    site: Site = field(init=False)
    google: Sandbox = field(init=False)
    people: list[Person] = field(default_factory=list)
    remotes: list[str] = field(default_factory=list)
    booked: list[Session] = field(default_factory=list)
    books: Database = field(init=False)

    def __enter__(self) -> Fleet:
        self.site = Site(self.folder)
        self.google = Sandbox(SystemClock(), Knobs(rate_per_minute=0, shuffled=False, empty_pages=False)).start()
        self.google.state.keep_calls = False
        self.google.tokens.add_client()
        secret_file(self.folder)
        for number in range(self.count):
            self._add_provider(number)
        self.site.set_up(settle="0s", brakes="stampede_min = 1000000\nrevert_limit = 1000\n", more=self._config())
        self.books = open_database(self.database or f"sqlite:///{self.folder / 'calsync.db'}")
        return self

    def __exit__(self, *_: object) -> None:
        self.books.dispose()
        self.google.stop()

    def _add_provider(self, number: int) -> None:
        email = f"p{number}@practice.example"
        person = self.google.add_person(email, ZONE)
        remote = person.make_calendar("Work", ZONE)
        self.people.append(person)
        self.remotes.append(remote)
        token = self.folder / f"{number}.token"
        token.touch(mode=0o600)
        token.write_text(self.google.tokens.consent(email, {SCOPE}) + "\n", encoding="utf-8")
        self.site.calendars.append(
            f'[[providers]]\nid = "P-{number}"\nname = "Dr. {number}"\nemail = "{email}"\nzone = "{ZONE}"\n'
            f'[[providers.calendars]]\nid = "c-{number}"\nconnector = "google"\ncalendar_id = "{remote}"\n'
            f'refresh_token_file = "{number}.token"\n\n'
        )

    def _config(self) -> str:
        books = f'[database]\nurl = "{self.database}"\n' if self.database else ""
        # The brakes are for people to see; here somebody edits all day long.
        brakes = "[fleet]\nmax_share_drifting = 1.0\nmax_share_reconnect = 1.0\nmax_share_changed = 1.0\n"
        return (
            f"{books}{brakes}"
            f'[connectors.google]\napi_endpoint = "{self.google.api_endpoint}"\ntoken_uri = "{self.google.token_uri}"\n'
            f'client_id = "client-1"\nclient_secret_file = "client_secret"\n{self.more}\n'
        )

    def book(self, first_day: int = FIRST_DAY, status: str = "scheduled") -> None:
        """Book all sessions, as a platform's file."""
        monday = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0, tzinfo=None)
        monday += timedelta(days=first_day)
        for provider in range(self.count):
            for number in range(self.sessions):
                day, hour = divmod(number, SESSIONS_A_DAY)
                start = monday + timedelta(days=day, hours=hour)
                self.booked.append(Session(f"{provider}x{number}", provider, start))
        rows = [row(one.id, f"P-{one.provider}", one.start, status=status) for one in self.booked]
        answer = self.site.import_rows(rows)
        assert answer.code == 0, answer

    def start(self, *line: str) -> Program:
        """Start a command as a process of its own."""
        return self.site.fork(*line)

    def log(self) -> str:
        """The end of what all processes told."""
        path = self.folder / "process.log"
        return path.read_text()[-3000:] if path.exists() else ""

    # What there is.

    def shown(self) -> dict[str, list[tuple[str, datetime]]]:
        """By session: each event of it that any calendar shows, with its id and its start as an instant."""
        found: dict[str, list[tuple[str, datetime]]] = {}
        with self.google.lock:
            for person, remote in zip(self.people, self.remotes, strict=True):
                for body in person.events(remote):
                    session = str(body["summary"]).removeprefix("Session ")
                    found.setdefault(session, []).append((body["id"], instant_of(body["start"], ZONE)))
        return found

    def all_shown(self) -> bool:
        """Whether every session is in its calendar."""
        return len(self.shown()) >= len(self.booked)

    def number(self, statement: str, **parameters: Any) -> int:
        """The one number that a query answers."""
        with self.books.reading() as conn:
            return int(conn.execute(text(statement), parameters).scalar_one())

    def rows(self) -> dict[str, int]:
        """How many rows every table has."""
        from calsync.store.schema import metadata  # noqa: PLC0415

        with self.books.reading() as conn:
            return {
                table.name: int(conn.execute(text(f"SELECT count(*) FROM {table.name}")).scalar_one())
                for table in metadata.sorted_tables
            }

    def is_at_rest(self) -> bool:
        """Whether nothing is owed, and no calendar asks for a pass."""
        owed = self.number("SELECT count(*) FROM owed_writes WHERE state IN ('owed', 'sent')")
        return owed == 0 and self.number("SELECT count(*) FROM drifts WHERE resolution = 'open'") == 0

    def standing(self) -> str:
        """How the work stands, for whoever has to find out why it never ends."""
        with self.books.reading() as conn:
            calendars = conn.execute(text("SELECT state, last_error, count(*) FROM calendars GROUP BY 1, 2")).all()
            writes = conn.execute(text("SELECT state, count(*) FROM owed_writes GROUP BY 1")).all()
        return f"calendars {calendars}, writes {writes}"

    def wait(self, reached: Callable[[], bool], program: Program | None = None, seconds: float = 240.0) -> None:
        """Wait until something is so."""
        until = time.monotonic() + seconds
        while not reached():
            assert program is None or program.poll() is None, self.log()
            assert self.number("SELECT count(*) FROM calendars WHERE state = 'stopped'") == 0, self.standing()
            assert time.monotonic() < until, f"it never came to that: {self.standing()}\n{self.log()}"
            time.sleep(0.1)


@contextmanager
def running(fleet: Fleet, *line: str) -> Iterator[Program]:
    """A command that runs until the end of the block, and ends well when it is asked to."""
    program = fleet.start(*line)
    try:
        yield program
    except BaseException:
        program.kill()
        raise
    if program.poll() is None:
        program.terminate()
    assert program.wait(15) == 0, fleet.log()


@dataclass
class Editors:
    """People who edit sessions at rest, so many a second, until `end`. What they did stands in `done`, by session.

    A session is edited again only when it has been put back and the books say so: only then is it certain that the
    edit before was there to be seen.
    """

    fleet: Fleet
    a_second: float
    chance: random.Random
    done: dict[str, int] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    problem: BaseException | None = None

    def __enter__(self) -> Editors:
        self._places = {session: event for session, events in self.fleet.shown().items() for event in [events[0][0]]}
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join(30)
        if self.problem is not None:
            raise self.problem

    @property
    def count(self) -> int:
        """How many edits there were."""
        return sum(self.done.values())

    def _work(self) -> None:
        try:
            turn = self._turns()
            while not self._stop.wait(1 / self.a_second):
                self._edit(next(turn))
        except BaseException as problem:  # noqa: BLE001 - told by the thread that waits for this one
            self.problem = problem

    def _turns(self) -> Iterator[Session]:
        while True:
            # When nothing in a calendar is left as it was, it is stopped however high the brakes are set.
            turn = [one for one in self.fleet.booked if int(one.id.partition("x")[2]) >= LEFT_ALONE]
            self.chance.shuffle(turn)
            yield from turn

    def _edit(self, session: Session) -> None:
        if self.done.get(session.id) and not self._was_answered(session.id):
            return
        person, remote = self.fleet.people[session.provider], self.fleet.remotes[session.provider]
        name, times = self._places[session.id], self.done.get(session.id, 0)
        with self.fleet.google.lock:
            # What was put back once and is done again just so is let be; another time never is.
            kinds = ("drag", "resize") if times else ("drag", "drag", "resize", "delete", "day")
            kind = self.chance.choice(kinds)
            if kind == "drag":
                person.drag(remote, name, timedelta(minutes=15 + times))
            elif kind == "resize":
                person.resize(remote, name, timedelta(minutes=10 + times))
            elif kind == "delete":
                person.delete(remote, name)
            else:
                person.make_all_day(remote, name)
            self.done[session.id] = times + 1

    def _was_answered(self, session: str) -> bool:
        statement = "SELECT count(*) FROM drifts WHERE appointment = :id AND resolution = 'reverted'"
        return self.fleet.number(statement, id=session) == self.done[session]
