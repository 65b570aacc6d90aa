"""`calsync fleet`: a person's word on the stop of all writes: make it, see what it holds back, release it in stages."""

from __future__ import annotations

from dataclasses import dataclass

from calsync.answers.words import Desk
from calsync.errors import Problem, Refused
from calsync.reconcile.fleet import STAGES, is_released
from calsync.store import audit, fleet, installation
from calsync.store.installation import FleetStop
from calsync.worker.fleet import tell


@dataclass(frozen=True, slots=True)
class Stage:
    """What releasing a share (0 to 1) lets go: calendars with writes waiting, and those writes."""

    share: float
    calendars: int
    writes: int


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """The stop, if there is one, and what waits behind it. `stages` count from nothing, each with those before it."""

    stop: FleetStop | None
    calendars: int
    mails: int
    stages: tuple[Stage, ...]


def status(desk: Desk) -> FleetStatus:
    """How the fleet stands."""
    with desk.database.reading() as conn:
        owed = dict(fleet.owed_by_calendar(conn))
        return FleetStatus(
            stop=installation.fleet_stop(conn),
            calendars=len(owed),
            mails=fleet.mails_waiting(conn),
            stages=tuple(_stage(owed, share) for share in STAGES),
        )


def stop(desk: Desk, *, by: str, because: str) -> bool:
    """Stop all writes, and mails to providers and clients, until they are released; False if they were stopped."""
    now = desk.clock.now()
    with desk.database.transaction() as conn:
        if not installation.stop_writes(conn, because, now):
            return False
        tell(conn, because, by, now)
        return True


def release(desk: Desk, share: float, *, by: str, note: str | None = None) -> None:
    """Let a stage write again; the last one ends the stop. Refused without a stop, and for going back a stage.

    What is due then goes with the calendars' next passes.
    """
    now = desk.clock.now()
    with desk.database.transaction() as conn:
        standing = installation.fleet_stop(conn)
        if standing is None:
            raise Refused([Problem("there is no stop to release")], code="not-stopped")
        if share not in STAGES or share <= standing.released:
            names = ", ".join(f"{one:.0%}" for one in STAGES if one > standing.released)
            problem = Problem(f"{share:.0%} is not the next stage", remedy=f"Release {names}, or stop everything again")
            raise Refused([problem], code="not-a-stage")
        if share < 1:
            installation.release_writes(conn, share)
        else:
            installation.allow_writes(conn, now)
        detail: dict[str, object] = {"share": share, "because": standing.because}
        if note:
            detail["note"] = note
        audit.append(conn, at=now, actor=by, what="fleet-released", subject="installation", detail=detail)


def _stage(owed: dict[str, int], share: float) -> Stage:
    waiting = {calendar: number for calendar, number in owed.items() if number and is_released(calendar, share)}
    return Stage(share, len(waiting), sum(waiting.values()))
