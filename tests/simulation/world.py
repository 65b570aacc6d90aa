"""The world of one history: the real worker, store, book and gate on virtual ports, and the plan that drives them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from calsync.answers.words import Desk
from calsync.connector.errors import (
    AuthRevoked,
    CalendarError,
    CursorExpired,
    Forbidden,
    Malformed,
    NotFound,
    Throttled,
    Unavailable,
)
from calsync.connector.wrappers import Around, RetryPolicy, WrapPorts, wrap
from calsync.domain.marker import MarkerKeys
from calsync.reconcile.case import DecisionPolicy
from calsync.settings.practice import DEFAULT_PRACTICE, Practice
from calsync.store import calendars, providers, subject_changes, work
from calsync.store.calendars import CalendarRow, CalendarSpec
from calsync.store.errors import StoreUnavailable
from calsync.store.providers import ProviderRow
from calsync.store.work import Lease
from calsync.testing import personality as personalities
from calsync.testing.fake_ports import FakeClock, FakeIds, FakeSleep
from calsync.testing.memory_calendar import MemoryCalendar
from calsync.testing.memory_service import MemoryService
from calsync.testing.memory_state import Change
from calsync.testing.people import People
from calsync.testing.weather import Fault, FaultKind
from calsync.worker.context import PassResult, Rules, WorkerContext
from calsync.worker.dispatch import run_now
from calsync.worker.leased_run import Request, run_leased
from tests.simulation.clocks import HostClock
from tests.simulation.observer import STILL, Observer
from tests.simulation.office import Office
from tests.simulation.plan import Act, Plan
from tests.simulation.ports import SQLITE_SAYS, Books, Crash, LostCommandError, Process, ProcessDatabase
from tests.simulation.practices import settings_for
from tests.simulation.sights import Shown
from tests.simulation.truth import Readings

ZONE = "America/New_York"
KEYS = MarkerKeys("k1", {"k1": b"0" * 32}, "installation-1")
WEAK = frozenset({"caldav-sogo"})  # carries stale deletes out, and creates over what is there
LEASE = timedelta(seconds=120)
LIES = frozenset(
    {
        FaultKind.LAG,
        FaultKind.TRUNCATED,
        FaultKind.TOMBSTONE_MISSING,
        FaultKind.EMPTIED,
        FaultKind.STALE_READ,
        FaultKind.READ_UNKNOWN,
        FaultKind.CURSOR_EMPTY,
    }
)
ERRORS: dict[str, CalendarError] = {
    "unavailable": Unavailable("simulated"),
    "auth-revoked": AuthRevoked("simulated"),
    "forbidden": Forbidden("simulated"),
    "malformed": Malformed("simulated"),
    "throttled": Throttled("simulated", retry_after=120.0),
    "throttled-briefly": Throttled("simulated", retry_after=5.0),
    "throttled-absurdly": Throttled("simulated", retry_after=1e9),
    "throttled-silently": Throttled("simulated"),
    "not-found": NotFound("simulated"),
    "cursor-expired": CursorExpired("simulated"),
}
TX_CRASHES = {"crash-before-begin": "begin", "crash-before-commit": "commit", "crash-after-commit": "committed"}
RECORDS = frozenset({"appointments", "series", "blocks"})
PROCESSES = ("tx", "web", "office")
AGAIN = 3  # how often a person gives a command once more
_BOOKS: list[Books] = []


def the_books() -> Books:
    """The one database of this process."""
    if not _BOOKS:
        _BOOKS.append(Books())
    return _BOOKS[0]


@dataclass
class Running:
    """A process's worker and its opener."""

    process: Process
    context: WorkerContext


@dataclass
class Opener:
    """Hands out calendars in memory to one process."""

    world: World
    process: Process

    def open(self, row: CalendarRow) -> Around:
        """A client of the calendar."""
        world = self.world
        service = world.services[world.places[row.id]]
        ports = WrapPorts(world.clock, world.ids, world.sleep)
        calendar = world.readings.watching(MemoryCalendar(service, row.id), world.places[row.id])
        attempts = int(world.plan.policy.get("attempts", 1))
        return wrap(calendar, row.id, ports=ports, retries=RetryPolicy(attempts=attempts))

    def forget(self, calendar: str) -> None:
        """Nothing is kept."""

    def rules(self, provider: str, practice: str | None = None) -> Rules:
        """The same for everybody."""
        return self.world.rules


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
        self.inside = 0  # open transactions
        self.calls: Counter[str] = Counter()
        self.images: list[bytes] = []
        self.backup: bytes | None = None
        self.swapped: dict[str, list[str]] = {}  # events that went with another account, by calendar
        self.lied: set[str] = set()
        self.struck = 0
        self.observer = Observer(self.books, self.clock, plan.policy, ZONE)
        self.observer.subject_of = self.subject_of
        self.readings = Readings(self.clock, self.truth, self.observer)
        self.settings = settings_for(plan)
        self.rules = self._rules()
        self._subjects: dict[str, tuple[str, str]] = {}
        self._said: dict[tuple[str, str, Shown], int] = {}
        self._expected: dict[str, dict[str, Counter[Shown]]] = {}
        self._faults: dict[tuple[str, int], dict[str, Any]] = {}
        self.keeps_images = any(act["do"] == "power-loss" for one in plan.rounds for act in one.acts)
        self._begun = 0  # how often the present transaction block has begun one
        self.books.on_begin(self._on_begin)
        self.books.on_failure = self._struck
        self.web = ProcessDatabase(self.books, Process("web", "web"), self._around_web)
        self._make_services()
        self._make_calendars()
        self.workers: dict[int, Running] = {}
        self.office = Office(self) if plan.policy.get("office") else None
        self._begin()

    def _begin(self) -> None:
        """All is set up; from here on things go wrong."""
        faults = self.plan.faults
        self._faults = {(f["port"], f["nth"]): f for f in faults if f["port"] in PROCESSES}
        self.books.fails = {f["nth"]: f["kind"] for f in faults if f["port"] == "sql"}
        self.books.statements = self.calls["web"] = 0

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

    def _make_services(self) -> None:
        by_name = {one.name: one for one in personalities.PERSONALITIES}
        self.services: list[MemoryService] = []
        self._labels: dict[tuple[int, str, int], str] = {}  # what strikes where, where the weather's own word says less
        for number, name in enumerate(self.plan.services):
            service = MemoryService(by_name[name], clock=self.truth)
            service.observers.append(self._watch(number))
            service.on_request = self._on_request(number)
            service.add_calendar(f"private-{number}")
            self.services.append(service)
            if name in WEAK:
                self.observer.weak.add(number)
        for fault in self.plan.faults:
            if fault["port"].partition("/")[0] not in (*PROCESSES, "sql", "mail"):
                self._script(fault)

    def _watch(self, number: int) -> Any:
        def watch(change: Change) -> None:
            self.observer.changed(number, change)

        return watch

    def _on_request(self, number: int) -> Any:
        def on_request(calendar: str, port: str) -> None:
            self.tally.requests += 1
            process = self.running[-1] if self.running else None
            if process is not None and process.dead:
                self.observer.fail("dead-port", f"{process.name} is dead and asks {calendar} for {port}")
            if self.inside:
                self.observer.fail("I-network-in-transaction", f"{port} on {calendar} inside a transaction")
            if port in ("changes", "read"):
                self.observer.read_pos[calendar] = self.observer.pos
            self.clock.advance(0.05)

        return on_request

    def _script(self, told: dict[str, Any]) -> None:
        """`port` is `s0/c0/write` or `s0/write` or `s0/*`: service, then the weather's own key."""
        service, _, key = told["port"].partition("/")
        number = int(service[1:])
        if number >= len(self.services):
            return
        self.services[number].weather.at(key, told["nth"], self._fault(told))
        if told.get("error"):
            self._labels[number, key, told["nth"]] = f"{told['kind']}:{told['error']}"
        elif any(act.get("worker") for act in told.get("acts", ())):
            self._labels[number, key, told["nth"]] = "zombie"

    def _fault(self, told: dict[str, Any]) -> Fault:
        kind = told["kind"]
        if kind == "crash-before-send":
            return Fault(FaultKind.FAILS, error=Crash(kind, self.dies))
        if kind == "crash-after-effect":
            return Fault(FaultKind.FAILS_AFTER, error=Crash(kind, self.dies))
        if kind in ("meanwhile", "afterwards"):
            return Fault(FaultKind(kind), act=lambda: self._meanwhile(told["acts"]))
        error = ERRORS.get(told.get("error", ""))
        return Fault(FaultKind(kind), error=error, count=told.get("count", 1))

    def _meanwhile(self, acts: list[Act]) -> None:
        self.observer.mark("meanwhile")
        self.struck += 1
        for act in acts:
            self.carry_out(act)

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
                self.services[one["service"]].add_calendar(one["id"])
                calendars.register(conn, spec, now)
                calendars.set_remote(conn, one["id"], one["id"])
                subject_changes.mark_calendar(conn, one["id"], self.rules.window(now))

    def worker(self, number: int) -> Running:
        """The worker of this number, made anew if it died; another one while it is busy."""
        running = self.workers.get(number)
        if running is not None and running.process in self.running:
            return self.worker(number + 2)
        if running is None or running.process.dead:
            process = Process(self.ids.new_id(f"worker{number}"))
            if number:
                self.fired("second-worker")
            context = WorkerContext(
                database=ProcessDatabase(self.books, process, self._around),
                clock=self.clock,
                ids=self.ids,
                sleep=self.sleep,
                keys=KEYS,
                opener=Opener(self, process),
                owner=process.name,
                lease_for=LEASE,
                heeds_services=True,
            )
            running = self.workers[number] = Running(process, context)
        return running

    # --- the database's boundaries

    def _around_web(self, process: Process, where: str) -> None:
        if where == "begin":
            self.calls["web"] += 1
        told = self._faults.get(("web", self.calls["web"])) if where in TX_CRASHES.values() else None
        lost = told is not None and TX_CRASHES[told["kind"]] == where
        if where == "committed":
            if self.books.changed & RECORDS:
                self._note_records()
            self._committed()
        if lost:
            assert told is not None
            self._lose(told["kind"])

    def _lose(self, kind: str) -> None:
        """The process that carries out a person's command dies."""
        self.tally.crashes += 1
        self.fired(f"command-{kind}")
        raise LostCommandError(kind)

    def _struck(self, kind: str) -> None:
        """The database fails at a statement."""
        self.struck += 1
        self.fired(kind)
        self.observer.mark("database-failed")

    def _around(self, process: Process, where: str) -> None:
        if where in ("begin", "read") and process.dead:
            self.observer.fail("dead-port", f"{process.name} is dead and begins a transaction")
        if where == "begin":
            self.calls[process.port] += 1
            self.tally.transactions += 1
        told = self._faults.get((process.port, self.calls[process.port])) if not where.startswith("read") else None
        crash = told is not None and TX_CRASHES.get(told["kind"]) == where
        if where in ("begin", "read"):
            self._begun = 0 if where == "begin" else -1_000
        if crash and where == "begin":
            self._die(told)
        self.inside += {"begin": 1, "read": 1, "committed": -1, "rolled-back": -1, "read-end": -1}.get(where, 0)
        if where == "committed":
            if process.port == "office" and self.books.changed & RECORDS:
                self._note_records()
            self._committed()
        if crash:
            self._die(told)

    def _on_begin(self) -> None:
        """A block that commits twice can die between its commits, too."""
        self._begun += 1
        port = self.running[-1].port if self.running else ""
        told = self._faults.get((port, self.calls[port])) if self._begun > 1 else None
        if told is not None and told["kind"] == "crash-after-commit":
            self._die(told)

    def _committed(self) -> None:
        self.observer.committed()
        if self.keeps_images:
            self.images = [*self.images[-3:], self.books.image()]

    def _die(self, told: Any) -> None:
        crash = Crash(told["kind"], self.dies)
        self.dies(told["kind"])
        raise crash

    def dies(self, where: str) -> None:
        """The innermost process is gone."""
        self.tally.crashes += 1
        self.fired(where)
        self.observer.mark(where)
        if self.running:
            self.running[-1].dead = True

    # --- passes

    def work(self, number: int, limit: int = 2) -> list[PassResult]:
        """A worker looks for due calendars and runs their passes."""
        running = self.worker(number)
        found: list[PassResult] = []

        def run() -> None:
            context = running.context
            with context.database.transaction() as conn:
                leases = work.claim(conn, context.owner, limit, self.clock.now(), context.lease_for)
            for lease in leases:
                self._check_left_alone(lease)
                found.append(self._watched(running, lease, Request()))

        self.run_as(running.process, run)
        return found

    def _check_left_alone(self, lease: Lease) -> None:
        """Nobody works on a calendar by the clock before the time that its service asked for.

        A worker that slept past its lease cannot know what another was told since; it commits nothing.
        """
        until = self.readings.alone_until.get(lease.calendar)
        if until is None or self.clock.now() >= until or self.observer.clock_jumped:
            return
        if self.books.rows("SELECT 1 FROM calendars WHERE id = ? AND fence = ?", lease.calendar, lease.fence):
            told = f"{lease.calendar} is worked on at {self.clock.now()}, before {until}"
            self.observer.fail("retry-after", told)

    def sync(self, number: int, calendar: str, *, full: bool = False) -> PassResult | None:
        """A person runs one calendar now, whatever its service asked for; None if another process has it."""
        self.readings.alone_until.pop(calendar, None)
        running = self.worker(number)
        found: list[PassResult | None] = []

        def run() -> None:
            request = Request(full=full)
            found.append(run_now(running.context, calendar, lambda lease: self._watched(running, lease, request)))

        self.run_as(running.process, run)
        if found == [None]:
            self.observer.mark("lease-refused")
        return found[0] if found else None

    def run_as(self, process: Process, run: Callable[[], object]) -> None:
        """Run something inside a process, which may die of it."""
        self.running.append(process)
        inside, self.inside = self.inside, 0
        fresh, self.readings.fresh = self.readings.fresh, []
        last_reads = self._last_reads()
        try:
            run()
        except Crash:
            process.dead = True
            self._forget_what_nobody_recorded(last_reads)
        except StoreUnavailable as problem:
            self._forget_what_nobody_recorded(last_reads)
            self._excused(problem)
        finally:
            self.inside = inside
            self.readings.fresh = fresh
            self.running.pop()

    def _last_reads(self) -> dict[str, object]:
        return {row[0]: row for row in self.books.rows("SELECT id, last_read_at, cursor, state FROM calendars")}

    def _last_read(self, calendar: str) -> object:
        return self.books.rows("SELECT last_read_at, cursor FROM calendars WHERE id = ?", calendar)

    def _forget_what_nobody_recorded(self, last_reads: dict[str, object]) -> None:
        """What was read is lost with its process, and so is for how long a service wants to be left alone.

        What the books say of an earlier wait, which is over, is no word about this one.
        """
        self.readings.lose({name for name, at in self._last_reads().items() if last_reads.get(name) == at})
        self._forget_waits_off_the_books()

    def _forget_waits_off_the_books(self) -> None:
        """What a service told a worker that died, or lost its lease, nobody else can know."""
        now = int(self.clock.now().timestamp() * 1_000_000)
        rows = self.books.rows("SELECT id FROM calendars WHERE not_before IS NULL OR not_before <= ?", now)
        for (name,) in rows:
            self.readings.alone_until.pop(name, None)

    def _excused(self, problem: StoreUnavailable) -> None:
        """A process that could not reach its database goes on, if the database did fail."""
        if not any(self.tally.fired[kind] for kind in SQLITE_SAYS):
            raise problem

    def _watched(self, running: Running, lease: Any, request: Request) -> PassResult:
        """Run a pass; if nothing went wrong in it, every edit that was there when it began is on the books now."""
        calendar = lease.calendar
        service = self.services[self.places[calendar]]
        struck = len(service.weather.struck) + self.struck
        pos, began = self.observer.pos, self.truth.now()
        state = self.books.rows("SELECT inventory_at FROM calendars WHERE id = ?", calendar)
        last_read, read_before = self._last_read(calendar), len(self.readings.fresh)
        self.tally.passes += 1
        result = run_leased(running.context, lease, request)
        self._note(result, calendar, service)
        if result.error is not None and self._last_read(calendar) == last_read:
            # A later request failed, and nobody keeps what the first ones told.
            self.readings.lose({calendar}, since=read_before)
        full = request.full or state[0][0] is None or result.full
        self._note_lies(calendar, service)
        clean = len(service.weather.struck) + self.struck == struck
        if result.error == "lease-lost":
            self.observer.mark("zombie-fenced")
            self._forget_waits_off_the_books()
        if clean and result.error is None and not result.stopped and (full or self._feed_tells(calendar)):
            if full:
                self.lied.discard(calendar)
            before = began - timedelta(seconds=3)
            self.observer.check_owed(calendar, pos, before, self.expected(calendar))
        return result

    def _feed_tells(self, calendar: str) -> bool:
        """Whether the feed can be trusted to have told everything: whole seconds and lies before need an inventory."""
        service = self.services[self.places[calendar]]
        return calendar not in self.lied and not service.personality.whole_seconds

    def _note_lies(self, calendar: str, service: MemoryService) -> None:
        fresh = service.weather.struck[self._seen_strikes(service) :]
        number = self.services.index(service)
        for key, nth, kind in fresh:
            self.fired(self._labels.get((number, key, nth), kind.value))
        if any(kind in LIES for _, _, kind in fresh):
            self.lied |= {name for name, place in self.places.items() if self.services[place] is service}

    def _seen_strikes(self, service: MemoryService) -> int:
        seen = self.calls[f"strikes-{id(service)}"]
        self.calls[f"strikes-{id(service)}"] = len(service.weather.struck)
        return seen

    def _note(self, result: PassResult, calendar: str, service: MemoryService) -> None:
        mark = self.observer.mark
        if result.stopped:
            mark("stampede-stopped")
        if result.state not in ("active", "stopped"):
            mark(f"state-{result.state}")
        if result.error is not None:
            mark(f"error-{result.error.split(' ')[0]}")
        if result.full:
            mark("full-read")
        if result.requests == 1 and result.error is None and not result.full:
            mark("quiet-pass")

    # --- what the records say

    def forget_records(self) -> None:
        """The records may be others now."""
        self._expected.clear()

    def _note_records(self) -> None:
        """Remember until when the record called for what it called for."""
        self.books.changed -= RECORDS
        self._expected.clear()
        for place in self.plan.calendars:
            for name, spans in self.expected(place["id"]).items():
                kind, _, number = name.partition(":")
                for span in spans:
                    self._said[kind, number, span] = self.observer.pos
        now = {(kind, number, span) for (kind, number, span) in self._said if self._says(kind, number, span)}
        for key in self._said:
            if key in now and self.observer.called_for.get(key) != STILL:
                self.observer.called_from[key] = self.observer.pos
            self.observer.called_for[key] = STILL if key in now else self.observer.called_for.get(key, -1)
            if key not in now and self.observer.called_for[key] == STILL:
                self.observer.called_for[key] = self.observer.pos

    def _says(self, kind: str, number: str, span: Shown) -> bool:
        return any(expected.get(f"{kind}:{number}", Counter())[span] > 0 for expected in self._expected.values())

    def subject_of(self, link: str) -> tuple[str, str] | None:
        """What a link shows, as kind and id."""
        known = self._subjects.get(link)
        if known is None:
            rows = self.books.rows("SELECT subject_kind, subject FROM links WHERE id = ?", link)
            if not rows:
                return None
            known = self._subjects[link] = (rows[0][0], rows[0][1])
        return known

    def expected(self, calendar: str) -> dict[str, Counter[Shown]]:
        """What the records call for in a calendar: by subject, the occurrences that should stand."""
        provider = next(one["provider"] for one in self.plan.calendars if one["id"] == calendar)
        if provider not in self._expected:
            self._expected[provider] = self._read_expected(provider)
        return self._expected[provider]

    def _read_expected(self, provider: str) -> dict[str, Counter[Shown]]:
        found: dict[str, Counter[Shown]] = {}
        rows = self.books.rows(
            "SELECT a.id, a.series, a.start_at, a.end_at FROM appointments a LEFT JOIN series s ON s.id = a.series"
            " WHERE a.provider = ? AND a.status IN ('scheduled', 'completed', 'no-show')"
            " AND coalesce(s.cancelled, 0) = 0",
            provider,
        )
        for number, series, start, end in rows:
            name = f"series:{series}" if series else f"appointment:{number}"
            found.setdefault(name, Counter())[(start // 1_000_000, end // 1_000_000, False)] += 1
        rows = self.books.rows("SELECT id, start_at, end_at FROM blocks WHERE provider = ? AND cancelled = 0", provider)
        for number, start, end in rows:
            found[f"block:{number}"] = Counter({(start // 1_000_000, end // 1_000_000, False): 1})
        return found

    def forget_books(self) -> None:
        """The books are older ones now, and what they say may be something else."""
        self.images.clear()
        self.readings.alone_until.clear()  # for how long a service wants to be left alone is among what was lost
        self._subjects.clear()
        self.observer.committed()
        self._note_records()

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
        return ProcessDatabase(self.books, process, self._around)

    def people(self, calendar: str) -> People:
        """Somebody with a hand on a calendar."""
        return People(self.services[self.places[calendar]], calendar)

    def carry_out(self, act: Act) -> None:
        """Do one act; what makes no sense now is left out. Whose command is lost gives it again."""
        self.tally.acts += 1
        for _ in range(AGAIN):
            try:
                self._act(self, act)
            except LostCommandError:
                self.observer.mark("command-lost")
            except StoreUnavailable as problem:
                self._excused(problem)
            else:
                return
        self._act(self, act)

    def clear_weather(self) -> None:
        """Faults stop, for good."""
        requests = {f"s{number}/*": one.weather.calls["*"] for number, one in enumerate(self.services)}
        processes = {name: self.calls[name] for name in PROCESSES}
        mails = self.office.server.dialogues if self.office is not None else 0
        self.tally.ports = {**processes, **requests, "mail": mails, "sql": self.books.statements}
        for service in self.services:
            service.weather.clear()
            service.trouble = None
            for state in service.calendars.values():
                state.trouble, state.read_only = None, False
        self._faults = {}
        self.books.fails = {}
