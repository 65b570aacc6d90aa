"""Runs scenarios under faults, in this process or in several, and counts what came of it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from tests.simulation.history import Report, run
from tests.simulation.sweeps.ports import Fault, crashes, failing_statements, pairs, troubles
from tests.simulation.sweeps.scenarios import Scenario, scenarios

_PART = 40


@dataclass(frozen=True)
class Struck:
    """A scenario under faults that broke an invariant."""

    scenario: str
    faults: tuple[tuple[str, int, str], ...]
    check: str
    told: str

    def __str__(self) -> str:
        where = ", ".join(f"{kind} at {port} {nth}" for port, nth, kind in self.faults)
        return f"{self.scenario} [{where}]: {self.check}: {self.told}"


@dataclass
class Row:
    """What one scenario went through."""

    histories: int = 0
    fired: int = 0
    failures: list[Struck] = field(default_factory=list)

    def add(self, other: Row) -> None:
        """Count what another process did."""
        self.histories += other.histories
        self.fired += other.fired
        self.failures += other.failures


@dataclass(frozen=True)
class Task:
    """Some histories of one scenario: each a list of faults."""

    scenario: str
    histories: tuple[tuple[Fault, ...], ...]


def undisturbed(scenario: Scenario) -> Report:
    """The scenario as it is without faults."""
    return run(scenario.plan)


def under(scenario: Scenario, faults: Iterable[Fault]) -> Report:
    """The scenario under these faults."""
    return run(replace(scenario.plan, faults=list(faults)))


def each_port(scenario: Scenario) -> Iterator[list[Fault]]:
    """A crash, or trouble, at each port, one at a time."""
    asked = undisturbed(scenario).tally.ports
    yield from ([one] for one in (*crashes(asked), *troubles(asked)))


def each_pair(scenario: Scenario, *, every: bool = False) -> Iterator[list[Fault]]:
    """Two crashes, or a lost answer and a crash."""
    yield from pairs(undisturbed(scenario).tally.ports, every=every)


def each_statement(scenario: Scenario, *, kinds: int = 1) -> Iterator[list[Fault]]:
    """Each call of the database refused."""
    yield from ([one] for one in failing_statements(undisturbed(scenario).tally.ports["sql"], kinds=kinds))


def run_task(task: Task) -> Row:
    """Run these histories in this process."""
    scenario = next(one for one in scenarios() if one.name == task.scenario)
    row = Row()
    for faults in task.histories:
        report = under(scenario, faults)
        row.histories += 1
        row.fired += sum(1 for one in faults if report.tally.fired[_counted_as(one)])
        if report.violations:
            where = tuple((one["port"], one["nth"], one["kind"]) for one in faults)
            first = report.violations[0]
            row.failures.append(Struck(scenario.name, where, first.check, first.told))
    return row


def run_all(
    tasks: Iterable[Task], jobs: int, told: Callable[[Task, Row], None] = lambda task, row: None
) -> dict[str, Row]:
    """Run tasks in several processes; `told` is called as each ends."""
    rows: dict[str, Row] = {}
    if jobs <= 1:
        ended: Iterable[tuple[Task, Row]] = ((task, run_task(task)) for task in tasks)
        _gather(ended, rows, told)
        return rows
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        _gather(pool.imap_unordered(_with_task, tasks), rows, told)
    return rows


def tasks_of(scenario: Scenario, histories: Iterable[Sequence[Fault]]) -> Iterator[Task]:
    """The histories of a scenario, in parts of a few seconds each."""
    source = iter(histories)
    while part := tuple(tuple(one) for one in islice(source, _PART)):
        yield Task(scenario.name, part)


def _with_task(task: Task) -> tuple[Task, Row]:
    return task, run_task(task)


def _gather(ended: Iterable[tuple[Task, Row]], rows: dict[str, Row], told: Callable[[Task, Row], None]) -> None:
    for task, row in ended:
        rows.setdefault(task.scenario, Row()).add(row)
        told(task, row)


def _counted_as(fault: Fault) -> str:
    kind: str = fault["kind"]
    return f"command-{kind}" if fault["port"] == "web" else kind
