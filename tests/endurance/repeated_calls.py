"""Each operation of the interface for programs that changes something, with what it needs and a body: for `repeats`.

The keys are those of the description, method and path; one that is described and stands not here fails the storm.
Bodies are made for a `Turn`: names of its own, so that the same can be done anew as often as wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from calsync.domain.drift import Phase
from tests.system.site import ZONE

Body = dict[str, Any]
SAM = "support:sam"
TOLD = "told by a test"


class Desk(Protocol):
    """What a case may do to get ready."""

    @property
    def now(self) -> datetime:
        """The present wall time in the practice's zone, to the minute."""

    def slot(self) -> datetime:
        """A working hour some days ahead that nobody has had before, as wall time."""

    def call(self, method: str, path: str, body: Body) -> Any:
        """Do something once, which must succeed; what was answered."""

    def edited(self, appointment: str, phase: Phase) -> tuple[str, str]:
        """Book a session and drag it in a calendar; the drift and the edit."""

    def fee_of(self, appointment: str) -> str:
        """The session's only fee."""


@dataclass
class Turn:
    """One time that a case is done: `id` is part of every name in it."""

    id: str
    desk: Desk
    names: dict[str, str] = field(default_factory=dict)

    def booked(self, start: datetime | None = None, **more: object) -> str:
        """A session on the books, at a free time if none is given; its id."""
        name, at = f"A-{self.id}", start or self.desk.slot()
        said = {"provider": "P-1", "client": "K-1", "start": text(at), "end": text(at + timedelta(minutes=50))}
        self.desk.call("PUT", f"/appointments/{name}", said | {"zone": ZONE} | more)
        return name

    @property
    def over(self) -> datetime:
        """When its session that is over began: no two are at the same time."""
        # By day and at the full hour, whenever this runs: none crosses midnight, or lies where the clocks change.
        day, hour = divmod(int(self.id) % 1000, 16)
        return self.desk.now.replace(hour=6 + hour, minute=0) - timedelta(days=2 + day)

    def past(self) -> str:
        """A session that is over."""
        return self.booked(self.over)

    def later(self) -> str:
        """Another free time."""
        return text(self.desk.slot())


def text(at: datetime) -> str:
    """A wall time as it is sent, with its offset."""
    return at.replace(tzinfo=ZoneInfo(ZONE)).isoformat()


ALL = ("everything",)


@dataclass(frozen=True)
class Case:
    """`act` gets ready and returns what stands in the path, and the body.

    `each`: in which tables every repeat without a key is a row of its own, `why` it is. `keyless`: keys are not kept.
    """

    act: Callable[[Turn], tuple[str, Body]]
    each: tuple[str, ...] = ()
    why: str = ""
    keyless: bool = False


def _book(turn: Turn) -> tuple[str, Body]:
    wanted = {"id": f"A-{turn.id}", "provider": "P-1", "client": "K-1", "start": turn.later(), "minutes": 50}
    return "", wanted | {"by": "client:K-1"}


def _book_nameless(turn: Turn) -> tuple[str, Body]:
    return "", {"provider": "P-1", "client": "K-1", "start": turn.later(), "minutes": 50, "by": "client:K-1"}


def _book_by_support(turn: Turn) -> tuple[str, Body]:
    return "", {"provider": "P-1", "client": "K-1", "start": turn.later(), "minutes": 50, "by": SAM}


def _book_with_package(turn: Turn) -> tuple[str, Body]:
    turn.desk.call("POST", "/packages", {"id": f"P-{turn.id}", "client": "K-1", "sessions": 9, "by": SAM})
    return "", _book(turn)[1] | {"package": f"P-{turn.id}"}


def _say(turn: Turn) -> tuple[str, Body]:
    at = turn.desk.slot()
    said = {"provider": "P-1", "client": "K-1", "start": text(at), "end": text(at + timedelta(minutes=50))}
    return f"A-{turn.id}", said | {"zone": ZONE, "updated_at": text(turn.desk.now)}


def _say_moved(turn: Turn) -> tuple[str, Body]:
    name, body = _say(turn)
    turn.desk.call("PUT", f"/appointments/{name}", body)
    return name, _say(turn)[1] | {"updated_at": text(turn.desk.now + timedelta(minutes=1))}


def _say_cancelled(turn: Turn) -> tuple[str, Body]:
    name, body = _say(turn)
    turn.desk.call("PUT", f"/appointments/{name}", body)
    return name, body | {"status": "cancelled", "updated_at": text(turn.desk.now + timedelta(minutes=1))}


def _cancel(turn: Turn) -> tuple[str, Body]:
    return turn.booked(), {"reason": "ill", "by": "provider:P-1", "block": True, "refund": True}


def _cancel_late(turn: Turn) -> tuple[str, Body]:
    """It is cancelled two hours before: a fee, the package's credit given back, a refund decided."""
    _, body = _book_with_package(turn)
    turn.desk.call("POST", "/appointments", body | {"by": SAM, "start": text(turn.desk.now + timedelta(hours=2))})
    turn.desk.call("POST", f"/appointments/A-{turn.id}/paid", {"amount": "75.00", "by": SAM})
    return f"A-{turn.id}", {"reason": "ill", "by": SAM, "refund": True}


def _move(turn: Turn) -> tuple[str, Body]:
    return turn.booked(), {"start": turn.later(), "reason": "work", "by": "client:K-1"}


def _ask(turn: Turn) -> tuple[str, Body]:
    return turn.booked(), {"reason": "conference", "by": "provider:P-1", "block": True}


def _respond(turn: Turn) -> tuple[str, Body]:
    name = turn.booked()
    turn.desk.call("POST", f"/appointments/{name}/ask-to-reschedule", {"reason": "conference", "by": "provider:P-1"})
    return name, {"start": turn.later(), "by": "client:K-1"}


def _complete(turn: Turn) -> tuple[str, Body]:
    return turn.past(), {"by": "provider:P-1"}


def _complete_otherwise(turn: Turn) -> tuple[str, Body]:
    at = turn.over + timedelta(minutes=5)
    return turn.past(), {"by": "provider:P-1", "start": text(at), "end": text(at + timedelta(minutes=45))}


def _no_show(turn: Turn) -> tuple[str, Body]:
    return turn.past(), {"by": "provider:P-1"}


def _confirm(turn: Turn) -> tuple[str, Body]:
    turn.desk.call("POST", "/appointments", _book(turn)[1])
    return f"A-{turn.id}", {"by": "provider:P-1"}


def _paid(turn: Turn) -> tuple[str, Body]:
    return turn.booked(), {"amount": "75.00", "by": SAM}


def _series(turn: Turn) -> tuple[str, Body]:
    # Series keep to themselves, where nobody else's slots lie, and leave each other the second half of the hour.
    at = turn.desk.slot() + timedelta(days=200)
    wanted = {"id": f"S-{turn.id}", "provider": "P-1", "client": "K-1", "start": text(at), "minutes": 25}
    return "", wanted | {"rule": "FREQ=WEEKLY;COUNT=4", "by": SAM}


def _series_cancelled(turn: Turn) -> tuple[str, Body]:
    turn.desk.call("POST", "/series", _series(turn)[1])
    return f"S-{turn.id}", {"reason": "moved away", "by": "provider:P-1", "refund": True}


def _series_moved(turn: Turn) -> tuple[str, Body]:
    wanted = _series(turn)[1]
    turn.desk.call("POST", "/series", wanted)
    start = datetime.fromisoformat(wanted["start"]) + timedelta(minutes=30)
    return f"S-{turn.id}", {"start": start.isoformat(), "reason": "work", "by": "provider:P-1"}


def _block(turn: Turn) -> tuple[str, Body]:
    wanted = {"id": f"B-{turn.id}", "provider": "P-1", "start": turn.later(), "minutes": 30}
    return "", wanted | {"title": "Dentist", "by": "provider:P-1"}


def _block_nameless(turn: Turn) -> tuple[str, Body]:
    return "", {name: value for name, value in _block(turn)[1].items() if name != "id"}


def _block_removed(turn: Turn) -> tuple[str, Body]:
    turn.desk.call("POST", "/blocks", _block(turn)[1])
    return f"B-{turn.id}", {"by": "provider:P-1"}


def _fee(turn: Turn) -> tuple[str, Body]:
    name = turn.past()
    turn.desk.call("POST", f"/appointments/{name}/no-show", {"by": "provider:P-1"})
    return turn.desk.fee_of(name), {"amount": "10.00", "because": "a first time", "by": SAM}


def _times(turn: Turn) -> tuple[str, Body]:
    # Another provider's: those of the first are what all the others need.
    minutes = 1 + sum(map(ord, turn.id)) % 29
    return "P-2", {"gap": f"{minutes}m", "weekly": {"monday": ["09:00-12:30"]}, "by": SAM}


def _person(turn: Turn) -> tuple[str, Body]:
    return f"K-{turn.id}", {"name": "Made Up", "email": f"k-{turn.id}@example.org"}


def _link(turn: Turn) -> tuple[str, Body]:
    turn.desk.call("PUT", f"/clients/{_person(turn)[0]}", _person(turn)[1])
    return f"K-{turn.id}", {"provider": "P-1", "by": SAM}


def _package(turn: Turn) -> tuple[str, Body]:
    return "", {"id": f"P-{turn.id}", "client": "K-1", "sessions": 5, "by": SAM}


def _package_nameless(turn: Turn) -> tuple[str, Body]:
    return "", {"client": "K-1", "sessions": 5, "by": SAM}


def _pause(turn: Turn) -> tuple[str, Body]:
    turn.desk.call("POST", "/providers/P-2/resume", {"reason": TOLD, "by": SAM})
    return "P-2", {"reason": "on leave", "by": SAM}


def _resume(turn: Turn) -> tuple[str, Body]:
    turn.desk.call("POST", "/providers/P-2/pause", {"reason": TOLD, "by": SAM})
    return "P-2", {"reason": "back again", "by": SAM}


def _filed(turn: Turn) -> tuple[str, Body]:
    day = turn.over.date().isoformat()
    return turn.past(), {"date": day, "batch": f"N-{turn.id}"}


def _recall(turn: Turn) -> tuple[str, Body]:
    name, body = _filed(turn)
    turn.desk.call("POST", f"/claims/{name}/filed", body)
    found = turn.desk.call("GET", "/claims/recalls?open=true&limit=200", {})["items"]
    key = next(one["id"] for one in found if one["appointment"] == name)
    return key, {"reason": "already-right", "note": "looked at it"}


def _drift(answer: str, phase: Phase, **more: str) -> Callable[[Turn], tuple[str, Body]]:
    def act(turn: Turn) -> tuple[str, Body]:
        drift, _ = turn.desk.edited(f"A-{turn.id}", phase)
        return drift, {"as": answer, "note": TOLD, "by": SAM} | more

    return act


def _edit(turn: Turn) -> tuple[str, Body]:
    _, edit = turn.desk.edited(f"A-{turn.id}", Phase.PAST)
    return edit, {"as": "did-not-take-place", "note": TOLD, "by": SAM}


def _evidence(turn: Turn) -> tuple[str, Body]:
    at = turn.over
    row = {"id": f"E-{turn.id}", "appointment": turn.past(), "source": "video", "who": "both"}
    return "", {"rows": [row | {"start": text(at), "end": text(at + timedelta(minutes=50))}]}


def _check(turn: Turn) -> tuple[str, Body]:
    name = turn.past()
    at = turn.over
    row = {"id": f"E-{turn.id}", "appointment": name, "source": "video", "who": "both"}
    turn.desk.call("POST", "/evidence", {"rows": [row | {"start": text(at), "end": text(at + timedelta(minutes=50))}]})
    turn.desk.call("POST", f"/appointments/{name}/complete", {"by": "provider:P-1"})
    return "", {"claims": [{"appointment": name}]}


CASES: dict[str, tuple[Case, ...]] = {
    "POST /appointments": (
        Case(_book),
        Case(_book_nameless),
        Case(_book_with_package),
        Case(_book_by_support),
    ),
    "PUT /appointments/{appointment}": (Case(_say), Case(_say_moved), Case(_say_cancelled)),
    "POST /appointments/{appointment}/cancel": (Case(_cancel), Case(_cancel_late)),
    "POST /appointments/{appointment}/reschedule": (Case(_move),),
    "POST /appointments/{appointment}/ask-to-reschedule": (Case(_ask),),
    "POST /appointments/{appointment}/respond": (Case(_respond),),
    "POST /appointments/{appointment}/complete": (
        Case(_complete),
        Case(_complete_otherwise),
    ),
    "POST /appointments/{appointment}/no-show": (Case(_no_show),),
    "POST /appointments/{appointment}/confirm": (Case(_confirm),),
    "POST /appointments/{appointment}/paid": (Case(_paid),),
    "POST /series": (Case(_series),),
    "POST /series/{series}/cancel": (Case(_series_cancelled),),
    "POST /series/{series}/reschedule": (Case(_series_moved),),
    "POST /blocks": (Case(_block), Case(_block_nameless, ALL, "two blocks may lie side by side, and have no name")),
    "POST /blocks/{block}/remove": (Case(_block_removed),),
    "POST /fees/{fee}/change": (Case(_fee),),
    "PUT /availability/{provider}": (Case(_times),),
    "PUT /clients/{client}": (Case(_person),),
    "POST /clients/{client}/booking-link": (Case(_link, keyless=True),),
    "POST /packages": (Case(_package), Case(_package_nameless, ALL, "a client may buy two, and named neither")),
    "POST /providers/{provider}/pause": (Case(_pause),),
    "POST /providers/{provider}/resume": (Case(_resume),),
    "POST /claims/{appointment}/filed": (Case(_filed),),
    "POST /claims/recalls/{recall}/close": (Case(_recall),),
    "POST /claims/check": (Case(_check, keyless=True),),
    "POST /drifts/{drift}/resolve": (
        Case(_drift("stands", Phase.PAST)),
        Case(_drift("restore", Phase.UPCOMING)),
        Case(_drift("did-not-take-place", Phase.PAST)),
    ),
    "POST /edits/{edit}/resolve": (Case(_edit),),
    "POST /evidence": (Case(_evidence, keyless=True),),
}
