"""The services of a history: made by their personalities, watched at each request, struck by what the plan says."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

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
from calsync.testing import personality as personalities
from calsync.testing.memory_service import MemoryService
from calsync.testing.memory_state import Change
from calsync.testing.weather import Fault, FaultKind
from tests.simulation.boundaries import PROCESSES
from tests.simulation.plan import Act
from tests.simulation.ports import Crash

if TYPE_CHECKING:
    from tests.simulation.world import World

WEAK = frozenset({"caldav-sogo"})  # carries stale deletes out, and creates over what is there
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


class Services:
    """`all` of them, by number. `lied`: calendars whose feed may have kept something to itself."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.all: list[MemoryService] = []
        self.lied: set[str] = set()
        self._labels: dict[tuple[int, str, int], str] = {}  # what strikes where, where the weather's own word says less
        self._seen: Counter[int] = Counter()  # how much of what struck was taken down, by the service's identity
        self._make()

    def _make(self) -> None:
        by_name = {one.name: one for one in personalities.PERSONALITIES}
        for number, name in enumerate(self.world.plan.services):
            service = MemoryService(by_name[name], clock=self.world.truth)
            service.observers.append(self._watch(number))
            service.on_request = self._on_request(number)
            service.add_calendar(f"private-{number}")
            self.all.append(service)
            if name in WEAK:
                self.world.observer.weak.add(number)
        for fault in self.world.plan.faults:
            if fault["port"].partition("/")[0] not in (*PROCESSES, "sql", "mail"):
                self._script(fault)

    def _watch(self, number: int) -> Any:
        def watch(change: Change) -> None:
            self.world.observer.changed(number, change)

        return watch

    def _on_request(self, number: int) -> Any:
        def on_request(calendar: str, port: str) -> None:
            self.world.tally.requests += 1
            process = self.world.running[-1] if self.world.running else None
            if process is not None and process.dead:
                self.world.observer.fail("dead-port", f"{process.name} is dead and asks {calendar} for {port}")
            if self.world.boundaries.inside:
                self.world.observer.fail("I-network-in-transaction", f"{port} on {calendar} inside a transaction")
            if port in ("changes", "read"):
                self.world.observer.read_pos[calendar] = self.world.observer.pos
            self.world.clock.advance(0.05)

        return on_request

    def _script(self, told: dict[str, Any]) -> None:
        """`port` is `s0/c0/write` or `s0/write` or `s0/*`: service, then the weather's own key."""
        service, _, key = told["port"].partition("/")
        number = int(service[1:])
        if number >= len(self.all):
            return
        self.all[number].weather.at(key, told["nth"], self._fault(told))
        if told.get("error"):
            self._labels[number, key, told["nth"]] = f"{told['kind']}:{told['error']}"
        elif any(act.get("worker") for act in told.get("acts", ())):
            self._labels[number, key, told["nth"]] = "zombie"

    def _fault(self, told: dict[str, Any]) -> Fault:
        kind = told["kind"]
        if kind == "crash-before-send":
            return Fault(FaultKind.FAILS, error=Crash(kind, self.world.boundaries.dies))
        if kind == "crash-after-effect":
            return Fault(FaultKind.FAILS_AFTER, error=Crash(kind, self.world.boundaries.dies))
        if kind in ("meanwhile", "afterwards"):
            return Fault(FaultKind(kind), act=lambda: self._meanwhile(told["acts"]))
        error = ERRORS.get(told.get("error", ""))
        return Fault(FaultKind(kind), error=error, count=told.get("count", 1))

    def _meanwhile(self, acts: list[Act]) -> None:
        self.world.observer.mark("meanwhile")
        self.world.struck += 1
        for act in acts:
            self.world.carry_out(act)

    def feed_tells(self, calendar: str) -> bool:
        """Whether the feed can be trusted to have told everything: whole seconds and lies before need an inventory."""
        service = self.all[self.world.places[calendar]]
        return calendar not in self.lied and not service.personality.whole_seconds

    def note_strikes(self, service: MemoryService) -> None:
        """Take down what struck a service since it was last asked; a service that lied is not trusted to tell all."""
        fresh = service.weather.struck[self._seen_strikes(service) :]
        number = self.all.index(service)
        for key, nth, kind in fresh:
            self.world.fired(self._labels.get((number, key, nth), kind.value))
        if any(kind in LIES for _, _, kind in fresh):
            self.lied |= {name for name, place in self.world.places.items() if self.all[place] is service}

    def _seen_strikes(self, service: MemoryService) -> int:
        seen = self._seen[id(service)]
        self._seen[id(service)] = len(service.weather.struck)
        return seen
