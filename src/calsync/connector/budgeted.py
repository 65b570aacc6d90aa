"""A wrapper that keeps all workers within what a service allows: one shared budget per service, tenant and mailbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from calsync.connector.around import Around, T
from calsync.connector.errors import Throttled
from calsync.connector.protocol import Calendar
from calsync.ports import Clock, Sleep

LONGEST_BLOCK: Final = timedelta(hours=24)
"""What a service's wish to be left alone is cut to; an absurd one must not silence a calendar for years."""


class Budget(Protocol):
    """How much may still be asked of a service, shared by all workers. Keys are opaque here."""

    def wait_time(self, key: str, now: datetime) -> float:
        """Return 0 and take one call from the budget, or the seconds after which to ask again."""

    def block_until(self, key: str, until: datetime) -> None:
        """Let nobody call before an instant (aware UTC); an earlier one than is set changes nothing."""


@dataclass(frozen=True, slots=True)
class BudgetHook:
    """A budget, the key that this calendar draws on, and how many seconds a call may wait for its turn."""

    budget: Budget
    key: str
    patience: float = 10.0


class Budgeted(Around):
    """Waits for its turn before each call; raises `Throttled` when that would take too long."""

    def __init__(self, inner: Calendar, hook: BudgetHook, *, clock: Clock, sleep: Sleep) -> None:
        super().__init__(inner)
        self._hook = hook
        self._clock = clock
        self._sleep = sleep

    def _once(self, port: str, call: Callable[[], T]) -> T:
        self._take_turn()
        try:
            return super()._once(port, call)
        except Throttled as problem:
            self._block(problem)
            raise

    def _stream(self, port: str, call: Callable[[], Iterable[T]]) -> Iterator[T]:
        self._take_turn()
        try:
            yield from super()._stream(port, call)
        except Throttled as problem:
            self._block(problem)
            raise

    def _take_turn(self) -> None:
        waited = 0.0
        while (seconds := self._hook.budget.wait_time(self._hook.key, self._clock.now())) > 0:
            if waited + seconds > self._hook.patience:
                raise Throttled("the shared budget is spent", retry_after=seconds)
            self._sleep.sleep(seconds)
            waited += seconds

    def _block(self, problem: Throttled) -> None:
        if problem.retry_after is None or not problem.retry_after > 0:
            return
        seconds = min(problem.retry_after, LONGEST_BLOCK.total_seconds())
        self._hook.budget.block_until(self._hook.key, self._clock.now() + timedelta(seconds=seconds))
