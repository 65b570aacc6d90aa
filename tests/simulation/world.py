"""The world of one history: the real worker, store, book and gate on virtual ports, and the plan that drives them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from calsync.answers.words import Desk
from calsync.reconcile.case import DecisionPolicy
from calsync.settings.practice import DEFAULT_PRACTICE, Practice
from calsync.store import calendars, providers, subject_changes
from calsync.store.calendars import CalendarSpec
from calsync.store.errors import StoreUnavailable
from calsync.store.providers import ProviderRow
from calsync.testing.fake_ports import FakeClock, FakeIds, FakeSleep
from calsync.testing.people import People
from calsync.worker.context import Rules
from tests.simulation.boundaries import PROCESSES, Boundaries
from tests.simulation.clocks import HostClock
from tests.simulation.expected import Expected
from tests.simulation.observer import Observer
from tests.simulation.office import Office
from tests.simulation.plan import Act, Plan
from tests.simulation.ports import Books, LostCommandError, Process, ProcessDatabase
from tests.simulation.practices import settings_for
from tests.simulation.services import Services
from tests.simulation.truth import Readings
from tests.simulation.workers import Running

ZONE = "America/New_York"
AGAIN = 3  # how often a person gives a command once more
_BOOKS: list[Books] = []


def the_books() -> Books:
    """The one database of this process."""
    if not _BOOKS:
        _BOOKS.append(Books())
    return _BOOKS[0]


@dataclass
class Tally:
    """What a history cost and came to."""

    passes: int = 0
    requests: int = 0
    transactions: int = 0
    acts: int = 0
    crashes: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    when: list[tuple[int, str]] = field(default_factory=list)  # in which round which kind of fault fired
    ports: dict[str, int] = field(default_factory=dict)  # how often each port was asked before faults stopped

    @property
    def steps(self) -> int:
        """Everything that happened."""
        return self.passes + self.requests + self.transactions + self.acts


class World:
    """Everything of one history. `carry_out` does an act; `acts.py` names their rooms."""

    def __init__(self, plan: Plan, act: Callable[[World, Act], None]) -> None:
        self.plan = plan
        self.round = -1
        self._act = act
        self.books = the_books()
        self.books.reset()
        self.truth = FakeClock(datetime.fromisoformat(plan.start))
        self.clock = HostClock(self.truth)
        self.ids = FakeIds(plan.seed)
        self.sleep = FakeSleep(self.clock)
        self.tally = Tally()
        self.running: list[Process] = []
        self.backup: bytes | None = None
        self.swapped: dict[str, list[str]] = {}  # events that went with another account, by calendar
        self.struck = 0
        self.observer = Observer(self.books, self.clock, plan.policy, ZONE)
        self.expected = Expected(self.books, plan, self.observer)
        self.observer.subject_of = self.expected.subject_of
        self.readings = Readings(self.clock, self.truth, self.observer)
        self.settings = settings_for(plan)
        self.rules = self._rules()
        self.boundaries = Boundaries(self)
        self.web = ProcessDatabase(self.books, Process("web", "web"), self.boundaries.around_web)
        self.services = Services(self)
        self._make_calendars()
        self.workers: dict[int, Running] = {}
        self.office = Office(self) if plan.policy.get("office") else None
        self.boundaries.begin()

    # --- making

    def _rules(self) -> Rules:
        told = self.plan.policy
        decisions = DecisionPolicy(
            dispositions=Practice().dispositions,
            observe_only=told.get("observe", False),
            settle=timedelta(seconds=told["settle"]),
            revert_limit=told["revert_limit"],
            stampede_min=told["stampede_min"],
        )
        return Rules(decisions=decisions)

    def _make_calendars(self) -> None:
        self.places: dict[str, int] = {}
        now = self.clock.now()
        with self.web.transaction() as conn:
            for one in self.plan.calendars:
                if providers.get(conn, one["provider"]) is None:
                    who = one["provider"]
                    practice = self.plan.policy.get("practice", DEFAULT_PRACTICE)
                    providers.put(conn, ProviderRow(who, f"Dr. {who}", f"{who}@example.org", ZONE, practice))
                spec = CalendarSpec(one["id"], one["provider"], "c", "memory", "mirror", "existing", "config")
                self.places[one["id"]] = one["service"]
                self.services.all[one["service"]].add_calendar(one["id"])
                calendars.register(conn, spec, now)
                calendars.set_remote(conn, one["id"], one["id"])
                subject_changes.mark_calendar(conn, one["id"], self.rules.window(now))

    def forget_books(self) -> None:
        """The books are older ones now, and what they say may be something else."""
        self.boundaries.images.clear()
        self.readings.alone_until.clear()  # for how long a service wants to be left alone is among what was lost
        self.expected.forget_subjects()
        self.observer.committed()
        self.expected.note()

    def fired(self, kind: str) -> None:
        """A fault happened."""
        self.tally.fired[kind] += 1
        self.tally.when.append((self.round, kind))

    # --- the rest

    @property
    def desk(self) -> Desk:
        """Where people's answers are given."""
        return self.desk_of(self.web)

    def desk_of(self, database: ProcessDatabase) -> Desk:
        """Where the answers are given in another process."""
        return Desk(database, self.settings, self.clock, self.ids)

    def database_of(self, process: Process) -> ProcessDatabase:
        """The database as a process beside the workers has it."""
        return ProcessDatabase(self.books, process, self.boundaries.around)

    def people(self, calendar: str) -> People:
        """Somebody with a hand on a calendar."""
        return People(self.services.all[self.places[calendar]], calendar)

    def carry_out(self, act: Act) -> None:
        """Do one act; what makes no sense now is left out. Whose command is lost gives it again."""
        self.tally.acts += 1
        for _ in range(AGAIN):
            try:
                self._act(self, act)
            except LostCommandError:
                self.observer.mark("command-lost")
            except StoreUnavailable as problem:
                self.boundaries.excuse(problem)
            else:
                return
        self._act(self, act)

    def clear_weather(self) -> None:
        """Faults stop, for good."""
        requests = {f"s{number}/*": one.weather.calls["*"] for number, one in enumerate(self.services.all)}
        processes = {name: self.boundaries.calls[name] for name in PROCESSES}
        mails = self.office.server.dialogues if self.office is not None else 0
        self.tally.ports = {**processes, **requests, "mail": mails, "sql": self.books.statements}
        for service in self.services.all:
            service.weather.clear()
            service.trouble = None
            for state in service.calendars.values():
                state.trouble, state.read_only = None, False
        self.boundaries.clear()
