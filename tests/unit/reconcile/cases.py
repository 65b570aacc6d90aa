"""Cases that the tests of what is decided speak of: what was agreed, what shows, and what is on the books."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Appearance, Event, OriginalStart, Override
from calsync.reconcile.case import Copy, DecisionPolicy, LinkCase, Moment, SeenNow
from calsync.reconcile.ground import survey
from calsync.reconcile.looks import Look, look
from tests.properties.pretend import NOW, POLICY, World
from tests.unit.reconcile.histories import WINDOW
from tests.unit.reconcile.scenes import DAY, DAYS, HOUR, seen, single, weekly

THIRD = DAYS[2]
SERIES, CUT = weekly(count=4), weekly(count=2)
SINGLE, MOVED = single(), single("2026-12-01T14:00")
IN_SLOT, LATER = seen("2026-12-15T10:00"), seen("2026-12-15T14:00")
HERS = replace(seen("2026-12-01T19:00"), title="Choir")
BETWEEN = DAYS[1] - DAY  # the first session is over, the second is to come
DRAGGED = weekly("2026-12-01T14:00", 4)
DECLINED = replace(SINGLE, master=replace(SINGLE.master, answer="declined"))


def drift(
    kind: DriftKind = DriftKind.MOVED, resolution: Resolution = Resolution.OPEN, *, accepted: bool = False
) -> Drift:
    return Drift(
        id="D-1",
        edit="E-1",
        link="L-1",
        calendar="K-1",
        provider="P-1",
        appointment="A-1",
        block=None,
        series=None,
        original_start=None,
        episode=1,
        kind=kind,
        phase=Phase.UPCOMING,
        expected=single().master,
        observed=MOVED.master,
        scope=Scope.OCCURRENCE,
        mixed=False,
        disposition=Disposition.REVERT,
        resolution=resolution,
        detected_at=NOW,
        changed_at=NOW,
        accepted=accepted,
    )


def agreed(event: Event, now_shows: Event | None = None, **more: object) -> LinkCase:
    """A case whose event was agreed and wanted, and shows something else by now."""
    case = World.agreed(event).case()
    sight = case.sight if now_shows is None else SeenNow("2", now_shows)
    return replace(case, **{"sight": sight, **more})  # type: ignore[arg-type]


def last_seen(case: LinkCase, event: Event | None, **more: object) -> LinkCase:
    """The same, where this was the last that is known of it; None: that it was gone."""
    return replace(case, link=replace(case.link, observed=event, absent=event is None, **more))  # type: ignore[arg-type]


def looks(case: LinkCase, now: datetime = NOW) -> dict[OriginalStart, Look]:
    return {one.key: one for one in look(survey(case, Moment(now, WINDOW), POLICY))}


def looked(case: LinkCase, key: OriginalStart = None, now: datetime = NOW) -> Look:
    return looks(case, now)[key]


def answered(observed: Appearance | None = MOVED.master, **changes: object) -> Drift:
    """An edit that a person let be, an hour ago."""
    given = {"resolution": Resolution.ACKNOWLEDGED, "accepted": True, "resolved_at": NOW - HOUR, **changes}
    return replace(drift(), observed=observed, **given)  # type: ignore[arg-type]


def rest(start: str = "2026-12-15T14:00", name: str = "c-1", *, count: int = 2, told: bool = False) -> Copy:
    """What goes on after our event was cut."""
    return Copy(name, "1", replace(weekly(start, count), uid=f"u-{name}"), told=told)


def split(**changes: object) -> Drift:
    """The open drift of the third occurrence: it was cut off, and the rest shows it four hours later."""
    given = {"kind": DriftKind.SPLIT, "original_start": THIRD, "expected": IN_SLOT, "observed": LATER, "copy_id": "c-1"}
    return replace(drift(), **{**given, **changes})  # type: ignore[arg-type]


def allowing(disposition: Disposition, *kinds: DriftKind) -> DecisionPolicy:
    """The usual policy, but this for these kinds in every phase."""
    own = {(kind, phase): disposition for kind in kinds for phase in Phase}
    return replace(POLICY, dispositions={**POLICY.dispositions, **own})


def at_slots(event: Event, *numbers: int, start: str) -> Event:
    """These occurrences on their own at another time of their day."""
    days = {number: f"{DAYS[number]:%Y-%m-%d}" for number in numbers}
    return replace(event, overrides=tuple(Override(DAYS[n], seen(f"{day}T{start}")) for n, day in days.items()))
