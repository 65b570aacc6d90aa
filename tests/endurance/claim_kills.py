"""`claims check --file … --write-cleared` is killed again and again while people edit what it is asked about."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from tests.endurance.fleet import Fleet
from tests.endurance.progress import Progress
from tests.endurance.verdict import whole

HEAD = ("claim_id", "appointment", "service_date")


@dataclass(slots=True)
class Told:
    """What it came to. `cut`: how many runs were really cut short."""

    kills: int = 0
    cut: int = 0
    files: int = 0
    cleared: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class Billing:
    """The claims of all sessions, and which of them may be sent: those that nobody has touched."""

    fleet: Fleet
    chance: random.Random
    touched: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.path, self.out = self.fleet.folder / "claims.csv", self.fleet.folder / "clean.csv"
        self.path.write_text(self.file_of({one.id for one in self.fleet.booked}), encoding="utf-8")

    def file_of(self, sessions: set[str]) -> str:
        """The file with the claims of these."""
        rows = [
            (f"C-{one.id}", one.id, one.start.date().isoformat()) for one in self.fleet.booked if one.id in sessions
        ]
        return "".join(",".join(row) + "\n" for row in (HEAD, *rows))

    @property
    def clean(self) -> set[str]:
        """What may be sent."""
        return {one.id for one in self.fleet.booked} - self.touched

    def edit(self) -> None:
        """Somebody drags a session that took place to another day; the next pass sees it."""
        one = self.chance.choice([one for one in self.fleet.booked if one.id in self.clean])
        person, remote = self.fleet.people[one.provider], self.fleet.remotes[one.provider]
        person.drag(remote, self.fleet.shown()[one.id][0][0], timedelta(days=-1))
        self.touched.add(one.id)
        self.fleet.site.sync()

    def line(self) -> tuple[str, ...]:
        """The command."""
        return ("claims", "check", "--file", str(self.path), "--write-cleared", str(self.out))


def storm(folder: Path, kills: int, progress: Progress) -> Told:
    """Run the whole of it."""
    chance, told = random.Random(20261122), Told()
    with Fleet(folder, 2, max(40, kills // 4 + 10), more='[claims]\nbackfilled = "clear"\n') as fleet:
        fleet.book(first_day=-10, status="completed")
        fleet.site.sync()
        billing = Billing(fleet, chance)
        longest = _whole_run(billing, told)
        for number in range(kills):
            before = billing.out.read_text() if billing.out.exists() else ""
            if number % 2 == 0:
                billing.edit()
            # Most of a run is its beginning; what matters comes late.
            lived = _one(billing, longest * chance.random() ** 0.3, (before, told))
            longest = min(longest, 0.9 * lived) if lived is not None else longest
            told.problems += [*_wrong(billing), *whole(fleet)]
            progress.step(number + 1, kills, f"{told.cut} cut short")
        _whole_run(billing, told)
        told.cleared = len(billing.clean)
    return told


def _whole_run(billing: Billing, told: Told) -> float:
    """Let it come to its end, which must be right; how long it took."""
    began = time.monotonic()
    process = billing.fleet.start(*billing.line())
    code = process.wait(120)
    if (code, billing.out.read_text()) != (3 if billing.touched else 0, billing.file_of(billing.clean)):
        told.problems.append(f"a whole run ended with {code} and cleared {billing.out.read_text()[:500]}")
    return time.monotonic() - began


def _one(billing: Billing, after: float, what: tuple[str, Told]) -> float | None:
    """One run that is killed after some time; how long it took if it was done before that."""
    before, told = what
    process = billing.fleet.start(*billing.line())
    began = time.monotonic()
    moment = began + after
    while process.poll() is None and time.monotonic() < moment:
        time.sleep(0.002)
    lived = time.monotonic() - began
    process.kill()
    told.kills += 1
    is_cut = process.wait(10) == -9
    told.cut += is_cut
    if billing.out.exists():
        _judge(billing, before, told)
    return None if is_cut else lived


def _judge(billing: Billing, before: str, told: Told) -> None:
    told.files += 1
    found = billing.out.read_text()
    # Until it has begun, what stands there is the file of the run before.
    if found not in (billing.file_of(billing.clean), before):
        told.problems.append(f"half a file: {found[:300]}")
    if found == before != billing.file_of(billing.clean) and _has_answered(billing):
        told.problems.append("a file of an earlier run outlived the first answer of a later one")


def _has_answered(billing: Billing) -> bool:
    """Whether the run that was killed had come to an answer: each of today's is later than the newest edit."""
    newest = "SELECT count(*) FROM clearances WHERE at > (SELECT max(detected_at) FROM drifts)"
    return billing.fleet.number(newest) > 0


def _wrong(billing: Billing) -> list[str]:
    """Sessions that were cleared after somebody had dragged them."""
    late = "FROM clearances c JOIN drifts d ON d.appointment = c.appointment WHERE c.at > d.detected_at"
    with billing.fleet.books.reading() as conn:
        wrong = set(conn.execute(text(f"SELECT c.appointment {late}")).scalars())
    return [f"cleared although edited: {sorted(wrong)}"] if wrong else []
