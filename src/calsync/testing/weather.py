"""Weather: faults that strike a calendar in memory, written down beforehand by port and number of the call.

A port is the name of a request: `changes` (one page of a feed or listing), `fetch` (events that a feed named only by
id), `read`, `write` (one batch), `locate`, `busy`, `watch`, `check`. A key is a port (`write`), the port of one
calendar (`work/write`), or any request (`*`, `work/*`); calls are counted from 1 for each key on its own. Because
faults hang on these numbers and on nothing else, taking one away leaves all others where they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from calsync.connector.errors import Unavailable


class FaultKind(StrEnum):
    """What goes wrong with one request."""

    # Any request.
    REQUEST_LOST = "request-lost"  # nothing arrived: Unavailable, no effect
    ANSWER_LOST = "answer-lost"  # carried out, then Unavailable
    FAILS = "fails"  # `error` instead of any effect
    FAILS_AFTER = "fails-after"  # carried out, then `error`
    MEANWHILE = "meanwhile"  # `act` happens just before the request arrives
    AFTERWARDS = "afterwards"  # `act` happens between the effect and the answer
    # Feeds and listings.
    LAG = "lag"  # as it was before the newest `count` changes
    REPEATED = "repeated"  # every item twice
    SHUFFLED = "shuffled"  # items in reverse order
    ON_TWO_PAGES = "on-two-pages"  # the first item again at the end
    TRUNCATED = "truncated"  # the last `count` items are missing, with a cursor as if they had come
    LAST_PAGE_MISSING = "last-page-missing"  # the feed ends without its last page, and so without a cursor
    TOMBSTONE_MISSING = "tombstone-missing"  # removals are not told
    EMPTIED = "emptied"  # no item at all, with a cursor
    CURSOR_EMPTY = "cursor-empty"  # the next cursor is the empty text
    CURSOR_BACK = "cursor-back"  # the next cursor is `count` changes too old
    # Reading.
    STALE_READ = "stale-read"  # as it was before the newest `count` changes
    READ_UNKNOWN = "read-unknown"  # `Unknown` for each event
    # Writing.
    DOUBLED = "doubled"  # the request arrives twice, the second answer is the one that is seen
    FALSE_CONFLICT = "false-conflict"  # refused although the version is right
    REJECTED = "rejected"  # refused for good
    UNKNOWN_DONE = "unknown-done"  # carried out, but the answer is `UNKNOWN`
    UNKNOWN_UNDONE = "unknown-undone"  # not carried out, and the answer is `UNKNOWN`


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `error` may be any exception, a simulated crash included; `act` takes no argument."""

    kind: FaultKind
    error: BaseException | None = None
    count: int = 1
    act: Callable[[], object] | None = None

    def raise_error(self) -> None:
        """Raise `error`, or `Unavailable` where none was given."""
        raise (self.error or Unavailable(f"simulated: {self.kind}")).with_traceback(None)


class Strike(tuple[Fault, ...]):
    """The faults that strike one request."""

    __slots__ = ()

    def find(self, kind: FaultKind) -> Fault | None:
        """Return the first fault of this kind, if any."""
        return next((fault for fault in self if fault.kind is kind), None)


class Weather:
    """The script of faults, and the record of which struck."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.struck: list[tuple[str, int, FaultKind]] = []
        self._script: dict[tuple[str, int], tuple[Fault, ...]] = {}
        self._standing: list[tuple[str, Fault]] = []

    def at(self, key: str, nth: int, *faults: Fault) -> Self:
        """Let faults strike the n-th call of a key, counted from 1 over the life of this object."""
        self._script[key, nth] = self._script.get((key, nth), ()) + faults
        return self

    def next(self, key: str, *faults: Fault) -> Self:
        """Let faults strike the next call of a key."""
        return self.at(key, self.calls[key] + 1, *faults)

    def always(self, key: str, *faults: Fault) -> Self:
        """Let faults strike each call of a key until `clear`."""
        self._standing += [(key, fault) for fault in faults]
        return self

    def clear(self) -> None:
        """End all faults, scripted and standing. Counts go on."""
        self._script.clear()
        self._standing.clear()

    def strike(self, calendar: str, port: str) -> Strike:
        """Count one request and return what strikes it. Called by the calendar."""
        found: list[Fault] = []
        for key in (port, f"{calendar}/{port}", "*", f"{calendar}/*"):
            self.calls[key] += 1
            faults = [*self._script.get((key, self.calls[key]), ()), *(f for k, f in self._standing if k == key)]
            self.struck += [(key, self.calls[key], fault.kind) for fault in faults]
            found += faults
        return Strike(found)


def lost_request() -> Fault:
    """The request never arrives."""
    return Fault(FaultKind.REQUEST_LOST)


def lost_answer() -> Fault:
    """The request is carried out, its answer never arrives."""
    return Fault(FaultKind.ANSWER_LOST)


def fails(error: BaseException) -> Fault:
    """The service answers with an error and does nothing."""
    return Fault(FaultKind.FAILS, error=error)


def meanwhile(act: Callable[[], object]) -> Fault:
    """Somebody acts after we decided to send, and before the request arrives."""
    return Fault(FaultKind.MEANWHILE, act=act)
