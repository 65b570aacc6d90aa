"""`python -m tests.endurance NAME [...]`: one storm or soak at full size. Progress as it goes, a table at the end.

Commands: `./dev storm NAME` and `./dev soak`. The exit code is 1 if something was not as it must be.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import structlog

from tests.endurance import (
    claim_kills,
    days,
    foreign,
    hooks,
    insisting,
    kills,
    mass_change,
    notice,
    repeated_events,
    repeats,
    sleepers,
    soak,
    upgrades,
)
from tests.endurance.drawing import draw
from tests.endurance.progress import Progress, table
from tests.servers.postgres import running_postgres

CHART = Path("docs/charts/soak.svg")

Report = tuple[list[tuple[str, object]], list[str]]


@contextmanager
def _books(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        yield ""
    else:
        with running_postgres() as server:
            yield server.url(server.create())


def _kills(args: argparse.Namespace, folder: Path) -> Report:
    with _books(args.books) as address:
        plan = kills.Plan(kills=args.count or 200, database=address)
        told = kills.storm(folder, plan, Progress("kills"))
    rows = [("kills", told.kills), ("of them in the middle of a write", told.mid_write)]
    return [*rows, ("edits by people", told.edits), ("drifts on the books", told.drifts)], told.problems


def _soak(args: argparse.Namespace, folder: Path) -> Report:
    plan = soak.Plan(seconds=60 * args.minutes, calendars=args.count or 500)
    told = soak.soak(folder, plan, Progress("soak"))
    draw(told, CHART)
    before, after = told.rows_per_edit()
    last = told.samples[-1]
    rows: list[tuple[str, object]] = [
        ("minutes", args.minutes),
        ("calendars", plan.calendars),
        ("requests", told.requests),
        ("of them spoiled", told.faults),
        ("edits", last.drifts),
        ("memory, MB", f"{last.rss_mb:.0f}"),
        ("open files", last.files),
        ("write-ahead file, MB", f"{last.wal_mb:.1f}"),
        ("rows an edit, first and second half", f"{before:.2f} and {after:.2f}"),
        ("longest stop, s", f"{told.longest_stop:.1f}"),
        *((f"{name}, late to early", f"{ratio:.3f}") for name, ratio in told.figures().items()),
        ("chart", CHART),
    ]
    return rows, told.problems


def _hooks(args: argparse.Namespace, folder: Path) -> Report:
    told = hooks.storm(folder, hooks.Plan(args.count or 20_000, args.seconds or 10), Progress("hooks"))
    rows: list[tuple[str, object]] = [
        ("hooks, half of them forged", len(told.waits)),
        ("seconds", f"{told.seconds:.1f}"),
        ("half were answered within, s", f"{told.slowest(0.5):.3f}"),
        ("99 of 100 within, s", f"{told.slowest(0.99):.3f}"),
        ("passes a calendar, at most", told.passes),
    ]
    return rows, told.problems


def _notice(args: argparse.Namespace, folder: Path) -> Report:
    poll = None if args.seconds is None else int(args.seconds)
    # A poll comes a tenth of its interval early or late, and then has to be done.
    longest = 5.0 if poll is None else poll * 1.1 + 5.0
    plan = notice.Plan(args.count or 1000, poll_s=poll, longest_s=longest)
    told = notice.storm(folder, replace(plan, edits=min(plan.edits, plan.calendars)), Progress("notice"))
    rows: list[tuple[str, object]] = [
        ("calendars", plan.calendars),
        ("woken by", "push" if poll is None else f"polls each {poll} s"),
        ("edits", len(told.waits)),
        ("half were on the books within, s", f"{told.slowest(0.5):.2f}"),
        ("99 of 100 within, s", f"{told.slowest(0.99):.2f}"),
    ]
    return rows, told.problems


def _upgrade(args: argparse.Namespace, folder: Path) -> Report:
    told, progress = upgrades.Told(), Progress("upgrade")
    if args.books == "sqlite":
        upgrades.storm(upgrades.Folder(folder), told, progress, each=True)
    else:
        with running_postgres() as server:
            upgrades.storm(upgrades.Server(server), told, progress, each=True)
    return [("steps", told.steps), ("kills, one at each statement", told.kills)], told.problems


def _claims(args: argparse.Namespace, folder: Path) -> Report:
    told = claim_kills.storm(folder, args.count or 100, Progress("claims"))
    rows: list[tuple[str, object]] = [("kills", told.kills), ("of them in the middle", told.cut)]
    return [
        *rows,
        ("files found after a kill, all whole", told.files),
        ("cleared at the end", told.cleared),
    ], told.problems


def _sleepers(args: argparse.Namespace, folder: Path) -> Report:
    with _books(args.books) as address:
        told = sleepers.storm(folder, args.count or 200, address, Progress("sleepers"))
    slept: list[tuple[str, object]] = [(f"slept at a {one}", count) for one, count in sorted(told.slept.items())]
    return [("rounds", told.rounds), *slept, ("edits, and drifts", told.edits)], told.problems


def _days(args: argparse.Namespace, folder: Path) -> Report:
    del folder
    _quietly()
    told = days.live(days.Plan(args.count or 30), Progress("days"))
    rows: list[tuple[str, object]] = [
        ("days, each quiet one followed by a busy one", 2 * len(told.memory)),
        ("passes", told.passes),
        ("edits", told.edits),
        ("rows an edit", f"{min(told.rows_an_edit):.2f} to {max(told.rows_an_edit):.2f}"),
        ("memory, MB", f"{told.memory[0] / 1e6:.1f} to {told.memory[-1] / 1e6:.1f}"),
    ]
    return rows, told.problems


def _insisting(args: argparse.Namespace, folder: Path) -> Report:
    del folder
    _quietly()
    told = insisting.insist(
        replace(insisting.FULL, minutes=args.count or insisting.FULL.minutes), Progress("insisting")
    )
    rows: list[tuple[str, object]] = [("stories of seven days", told.stories), ("edits", told.edits)]
    return [
        *rows,
        ("reverts", told.reverts),
        ("most reverts of one occurrence in 24 hours", told.most),
        ("left as people wanted it, and told", told.left),
    ], told.problems


def _mass_change(args: argparse.Namespace, folder: Path) -> Report:
    del folder, args
    _quietly()
    told = mass_change.change(mass_change.FULL, Progress("mass-change"))
    rows: list[tuple[str, object]] = [("ways", len(mass_change.WAYS)), ("stories", told.stories)]
    return [*rows, ("of them with a stop", told.stops), ("writes after a stop", told.written)], told.problems


def _foreign(args: argparse.Namespace, folder: Path) -> Report:
    _quietly()
    count = args.count or 10_000
    told = foreign.live(folder, foreign.Plan(foreign=count, own=count // 10), Progress("foreign"))
    rows: list[tuple[str, object]] = [
        ("events of theirs, on three services", told.foreign),
        ("events of ours", told.fields),
    ]
    return [*rows, ("edited", told.edits), ("put back", told.reverts)], told.problems


def _repeats(args: argparse.Namespace, folder: Path) -> Report:
    _quietly()
    told, progress = repeats.Told(), Progress("repeats")
    with _shelf(args.books) as database:
        with repeats.town(folder / "one", database()) as town:
            repeats.call_all(town, told, progress)
            repeated_events.import_all(town, told)
            repeated_events.ring_all(town, told)
        repeated_events.work_all(folder, lambda at, port: repeats.town(at, database(), port), told)
    rows: list[tuple[str, object]] = [("operations of the interface", told.operations), ("things repeated", told.cases)]
    return [*rows, ("asked for, in all", told.asked)], told.problems


@contextmanager
def _shelf(kind: str) -> Iterator[Callable[[], str]]:
    """Gives the address of a new database each time."""
    if kind == "sqlite":
        yield lambda: ""
    else:
        with running_postgres() as server:
            yield lambda: server.url(server.create())


def _quietly() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


STORMS: dict[str, tuple[str, Callable[[argparse.Namespace, Path], Report]]] = {
    "kills": ("kill -9 of the worker while people edit 20 sessions a second", _kills),
    "soak": ("hundreds of calendars, 1 % faults, the worker restarted now and then: nothing grows", _soak),
    "hooks": ("20,000 hooks in 10 s, half of them forged, against the process that also does the work", _hooks),
    "notice": (
        "1,000 calendars, 10 edits a second: how soon each is on the books; --seconds: polled so often",
        _notice,
    ),
    "upgrade": ("kill -9 at each statement of each step of an upgrade", _upgrade),
    "claims": ("kill -9 of `claims check --file … --write-cleared` while people edit past sessions", _claims),
    "sleepers": ("workers that sleep past their lease while another takes over and people edit", _sleepers),
    "repeats": ("every operation, hook, line, mail and job once, three times, and eight at once: one effect", _repeats),
    "foreign": ("10,000 events of the provider's own and 1,000 of ours with their fields: none is touched", _foreign),
    "insisting": ("somebody insists for seven virtual days; --count: minutes between two looks", _insisting),
    "mass-change": (
        "a whole calendar changes at once, in fifteen ways: no write until a person looked",
        _mass_change,
    ),
    "days": ("virtual days of 50 calendars, polled every five minutes, with and without edits", _days),
}


def main(arguments: list[str]) -> int:
    """Run one of them."""
    lines = [f"  {name:<12} {words}" for name, (words, _) in STORMS.items()]
    parser = argparse.ArgumentParser(
        prog="./dev storm",
        description="\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", choices=STORMS, metavar="NAME")
    parser.add_argument("--count", type=int, help="how much of it; left out: the full figure")
    parser.add_argument("--minutes", type=float, default=60, help="how long a soak takes; 60 if left out")
    parser.add_argument("--seconds", type=float, help="how long a burst of hooks lasts, or how often is polled")
    parser.add_argument("--books", choices=("sqlite", "postgresql"), default="sqlite", help="where the books are")
    args = parser.parse_args(arguments)
    if args.name is None:
        parser.print_help()
        return 0
    with tempfile.TemporaryDirectory(prefix="calsync-storm-") as folder:
        rows, problems = STORMS[args.name][1](args, Path(folder))
    print(table((args.name, args.books), rows))
    for problem in problems[:50]:
        print(f"WRONG: {problem}")
    print(f"{len(problems)} things are not as they must be." if problems else "All is as it must be.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
