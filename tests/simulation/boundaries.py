"""The boundaries of the database: where a process, or a person's command, can die; what commits there is seen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from calsync.store.errors import StoreUnavailable
from tests.simulation.expected import RECORDS
from tests.simulation.ports import SQLITE_SAYS, Crash, LostCommandError, Process

if TYPE_CHECKING:
    from tests.simulation.world import World

TX_CRASHES = {"crash-before-begin": "begin", "crash-before-commit": "commit", "crash-after-commit": "committed"}
PROCESSES = ("tx", "web", "office")


class Boundaries:
    """One history's. `inside`: how many transactions of the running process are open; `images`: the last commits."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.inside = 0
        self.calls: Counter[str] = Counter()
        self.images: list[bytes] = []
        self.keeps_images = any(act["do"] == "power-loss" for one in world.plan.rounds for act in one.acts)
        self._faults: dict[tuple[str, int], dict[str, Any]] = {}
        self._begun = 0  # how often the present transaction block has begun one
        world.books.on_begin(self.begins)
        world.books.on_failure = self.fails

    def begin(self) -> None:
        """All is set up; from here on things go wrong."""
        faults, books = self.world.plan.faults, self.world.books
        self._faults = {(f["port"], f["nth"]): f for f in faults if f["port"] in PROCESSES}
        books.fails = {f["nth"]: f["kind"] for f in faults if f["port"] == "sql"}
        books.statements = self.calls["web"] = 0

    def clear(self) -> None:
        """Nothing dies here any more."""
        self._faults = {}
        self.world.books.fails = {}

    def around_web(self, process: Process, where: str) -> None:
        """A person's command comes to a boundary."""
        if where == "begin":
            self.calls["web"] += 1
        told = self._faults.get(("web", self.calls["web"])) if where in TX_CRASHES.values() else None
        lost = told is not None and TX_CRASHES[told["kind"]] == where
        if where == "committed":
            if self.world.books.changed & RECORDS:
                self.world.expected.note()
            self._committed()
        if lost:
            assert told is not None
            self._lose(told["kind"])

    def _lose(self, kind: str) -> None:
        """The process that carries out a person's command dies."""
        self.world.tally.crashes += 1
        self.world.fired(f"command-{kind}")
        raise LostCommandError(kind)

    def fails(self, kind: str) -> None:
        """The database fails at a statement."""
        self.world.struck += 1
        self.world.fired(kind)
        self.world.observer.mark("database-failed")

    def around(self, process: Process, where: str) -> None:
        """A process comes to a boundary."""
        if where in ("begin", "read") and process.dead:
            self.world.observer.fail("dead-port", f"{process.name} is dead and begins a transaction")
        if where == "begin":
            self.calls[process.port] += 1
            self.world.tally.transactions += 1
        told = self._faults.get((process.port, self.calls[process.port])) if not where.startswith("read") else None
        crash = told is not None and TX_CRASHES.get(told["kind"]) == where
        if where in ("begin", "read"):
            self._begun = 0 if where == "begin" else -1_000
        if crash and where == "begin":
            self._die(told)
        self.inside += {"begin": 1, "read": 1, "committed": -1, "rolled-back": -1, "read-end": -1}.get(where, 0)
        if where == "committed":
            if process.port == "office" and self.world.books.changed & RECORDS:
                self.world.expected.note()
            self._committed()
        if crash:
            self._die(told)

    def begins(self) -> None:
        """A block that commits twice can die between its commits, too."""
        self._begun += 1
        port = self.world.running[-1].port if self.world.running else ""
        told = self._faults.get((port, self.calls[port])) if self._begun > 1 else None
        if told is not None and told["kind"] == "crash-after-commit":
            self._die(told)

    def _committed(self) -> None:
        self.world.observer.committed()
        if self.keeps_images:
            self.images = [*self.images[-3:], self.world.books.image()]

    def _die(self, told: Any) -> None:
        crash = Crash(told["kind"], self.dies)
        self.dies(told["kind"])
        raise crash

    def dies(self, where: str) -> None:
        """The innermost process is gone."""
        self.world.tally.crashes += 1
        self.world.fired(where)
        self.world.observer.mark(where)
        if self.world.running:
            self.world.running[-1].dead = True

    def excuse(self, problem: StoreUnavailable) -> None:
        """A process that could not reach its database goes on, if the database did fail."""
        if not any(self.world.tally.fired[kind] for kind in SQLITE_SAYS):
            raise problem
