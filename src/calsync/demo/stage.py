"""Plays the story: a server, a worker process, people; waits for what must come of each act, and says what happened."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import click

from calsync.demo.caldav_server import CaldavServer
from calsync.demo.google_server import GoogleDesk
from calsync.demo.outlook_server import OutlookDesk
from calsync.demo.people import Person
from calsync.demo.practice import Practice
from calsync.demo.story import Act, acts
from calsync.domain.drift import Drift, Resolution
from calsync.domain.event import Appearance
from calsync.errors import UserError
from calsync.ports import Clock, Sleep
from calsync.store import calendars, drifts, links, owed_writes
from calsync.store.database import Database
from calsync.store.drifts import DriftFilter

PATIENCE_S = 60.0
LOOK_EVERY_S = 0.2


@dataclass(slots=True)
class Stage:
    """Everything the acts need. `told` holds the drifts that were shown already."""

    server: CaldavServer
    practice: Practice
    database: Database
    clock: Clock
    sleep: Sleep
    desks: Mapping[str, GoogleDesk | OutlookDesk] = field(default_factory=dict)  # of those who are not on CalDAV
    told: set[str] = field(default_factory=set)

    def play(self) -> None:
        """Play all acts; raises UserError if one does not end as it must."""
        for number, act in enumerate(acts(self.clock.now()), start=1):
            self.play_act(number, act)

    def play_act(self, number: int, act: Act) -> None:
        """Let somebody edit, then wait until calsync has seen, decided and settled it."""
        click.secho(f"\n{number}. {act.person.capitalize()} {act.words}.", bold=True)
        act.do(self.desks.get(act.person) or Person.at(self.server, act.person))
        if act.ends == "stopped":
            self._wait_for(lambda: self._state_of(act.person) == "stopped", "the calendar's stop")
            click.echo("   Seen: many events vanished at once. calsync wrote nothing and waits for a person.")
            return
        self._wait_for(lambda: len(self._new_drifts()) >= act.drifts, "the edit to be seen")
        found = self._new_drifts()
        for drift in found[:1]:
            click.echo(f"   Seen: {describe(drift)}" + (f" (and {len(found) - 1} more)" if len(found) > 1 else ""))
        click.echo(f"   Decided: {_decided(found[0])}")
        self._wait_for(lambda: self._ended(found, act.ends), f"the end as {act.ends}")
        click.echo(f"   Now: {_ended_words(act.ends)}")
        self.told.update(drift.id for drift in found)

    def wait_until_mirrored(self, expected: int) -> None:
        """Return when all records are shown in the calendars."""
        self._wait_for(lambda: self._mirrored() >= expected, "the first push")

    def release(self, person: str, type_command: Callable[..., None]) -> None:
        """A person looks at the stop and says: put everything back."""
        type_command("calendars", "resume", f"{person}-calendar", "--as", "restore", "--by", "support:demo")
        self._wait_for(lambda: self._state_of(person) == "active", "the release")
        self._wait_for(lambda: len(Person.at(self.server, person).events()) == 8, "the events to be back")
        click.echo("   All 8 sessions are back.")

    def _mirrored(self) -> int:
        with self.database.reading() as conn:
            rows = calendars.rows(conn)
            owed = sum(owed_writes.count_owed(conn, row.id) for row in rows)
            return 0 if owed else sum(len(list(links.all_remote_ids(conn, row.id))) for row in rows)

    def _state_of(self, person: str) -> str:
        with self.database.reading() as conn:
            row = calendars.get(conn, f"{person}-calendar")
            return "" if row is None else str(row.state)

    def _drifts(self) -> list[Drift]:
        with self.database.reading() as conn:
            return list(drifts.rows(conn, DriftFilter()))

    def _new_drifts(self) -> list[Drift]:
        return [drift for drift in self._drifts() if drift.id not in self.told]

    def _ended(self, found: list[Drift], ends: str) -> bool:
        ids = {drift.id for drift in found}
        return all(drift.resolution == Resolution(ends) for drift in self._drifts() if drift.id in ids)

    def _wait_for(self, holds: Callable[[], bool], what: str) -> None:
        until = self.clock.now() + timedelta(seconds=PATIENCE_S)
        while not holds():
            if self.clock.now() > until:
                raise UserError.of(f"waited {PATIENCE_S:.0f} s in vain for {what}", str(self.practice.config.parent))
            self.sleep.sleep(LOOK_EVERY_S)


@contextmanager
def running_worker(config: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`calsync run` as a process of its own, stopped with SIGTERM at the end of the block."""
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "calsync", "run", "--config", str(config)], stdout=file, stderr=file, env=os.environ
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def describe(drift: Drift) -> str:
    """One edit in plain words: which session, what was booked, what is seen."""
    return (
        f"session {drift.appointment} {drift.kind.value}: booked {_when(drift.expected)}, seen {_when(drift.observed)}."
    )


def _when(appearance: Appearance | None) -> str:
    if appearance is None:
        return "nothing"
    span = appearance.span
    return f"{span.start:%a %d %b, %H:%M}-{span.end:%H:%M}"


def _decided(drift: Drift) -> str:
    if drift.disposition.reverts:
        return "it is still ahead, so it will be put back; its claim waits for the provider's word."
    return "it is over: nothing is written, for this may be evidence. The claim waits for an answer."


def _ended_words(ends: str) -> str:
    return {
        "reverted": "the calendar shows the booked time again.",
        "open": "flagged. Support and provider are asked when it really took place.",
    }[ends]
