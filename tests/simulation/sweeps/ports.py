"""Where a scenario can be struck: every call of every port, by every fault of that port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Final

from tests.simulation.boundaries import PROCESSES, TX_CRASHES
from tests.simulation.ports import SQLITE_SAYS

Fault = dict[str, Any]
REQUEST_CRASHES: Final = ("crash-before-send", "crash-after-effect")
MAIL_CRASHES: Final = ("mail-crash", "mail-taken-and-crash")
MAIL_TROUBLE: Final = ("mail-deferred", "mail-server-away", "mail-refused", "mail-taken-unheard", "mail-lost-unheard")
# Whatever a process has not committed or sent is gone with it, so a crash before something leaves the same world as a
# crash after the thing before it. These are the crashes that leave different worlds; each other is like one of them.
LEAVING_A_MARK: Final = ("crash-after-commit", "crash-after-effect", "mail-taken-and-crash")


def crashes(asked: Mapping[str, int]) -> list[Fault]:
    """A crash at each call of each port, in each way."""
    return [
        {"port": port, "nth": nth, "kind": kind}
        for port, count in asked.items()
        for nth in range(1, count + 1)
        for kind in _crashes_of(port)
    ]


def troubles(asked: Mapping[str, int]) -> list[Fault]:
    """Each request and each mail lost, or its answer; nobody dies of it."""
    found: list[Fault] = []
    for port, count in asked.items():
        kinds = ("request-lost", "answer-lost") if "/" in port else MAIL_TROUBLE if port == "mail" else ()
        found += [{"port": port, "nth": nth, "kind": kind} for nth in range(1, count + 1) for kind in kinds]
    return found


def failing_statements(count: int, *, kinds: int = 1) -> list[Fault]:
    """Each statement refused by the database; with fewer than all three kinds they take turns."""
    names = tuple(SQLITE_SAYS)
    return [
        {"port": "sql", "nth": nth, "kind": names[(nth + turn) % len(names)]}
        for nth in range(1, count + 1)
        for turn in range(kinds)
    ]


def pairs(asked: Mapping[str, int], *, every: bool = False) -> Iterator[list[Fault]]:
    """Two crashes in one history, and each lost answer with a crash; see `LEAVING_A_MARK` for which."""
    dying = [one for one in crashes(asked) if every or one["kind"] in LEAVING_A_MARK]
    for first, second in combinations(dying, 2):
        if (first["port"], first["nth"]) != (second["port"], second["nth"]):
            yield [first, second]
    lost = [one for one in troubles(asked) if one["kind"] in ("answer-lost", "mail-taken-unheard")]
    for one in lost:
        for two in dying:
            if (one["port"], one["nth"]) != (two["port"], two["nth"]):
                yield [one, two]


def _crashes_of(port: str) -> tuple[str, ...]:
    if port in PROCESSES:
        return tuple(TX_CRASHES)
    if port == "mail":
        return MAIL_CRASHES
    return REQUEST_CRASHES if "/" in port else ()
