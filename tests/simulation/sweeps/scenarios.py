"""The scenarios: every rule of the lifecycle that writes, and what people do in calendars; each one a plan.

A step is what somebody does; after it the worker, the timers and the mail take their turns until everything is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.simulation.plan import Act, Plan, Round

START = "2026-11-16T14:00:00+00:00"  # a Monday, nine in New York
_HOUR = 3600
_DAY = 86400
_SERVICES = ("caldav-sync", "google", "graph", "caldav-ctag", "nasty", "caldav-sogo")


@dataclass(frozen=True)
class Scenario:
    """A scripted history. `rule` is the line of the lifecycle, or of the drifts, that it plays."""

    name: str
    rule: str
    plan: Plan
    core: bool = False


@dataclass(frozen=True)
class _Step:
    """Some seconds pass, then these acts happen."""

    after: float
    acts: tuple[Act, ...]


def step(*acts: Act, after: float = 1.0) -> _Step:
    """What somebody does, some seconds after the last turn."""
    return _Step(after, acts)


def session(name: str = "a0", start: str = "2026-11-18T10:00", **more: object) -> Act:
    """A session is booked, two days ahead."""
    return {"do": "book", "id": name, "provider": "P-0", "start": start, "minutes": 50, **more}


def weekly(count: int = 3, start: str = "2026-11-17T11:00") -> Act:
    """A series is booked."""
    return session("s0", start, count=count)


def say(what: str, name: str = "a0", **more: object) -> Act:
    """A command of the book."""
    return {"do": "say", "what": what, "id": name, **more}


def person(what: str, subject: str = "appointment:a0", **more: object) -> Act:
    """Somebody's hand in the calendar."""
    return {"do": what, "calendar": "c0", "subject": subject, **more}


def _turns(step_: _Step, *, office: bool) -> list[Round]:
    late: list[Act] = [{"do": "work"}, {"do": "drain"}]
    if office:
        late += [{"do": "timers"}]
    last: list[Act] = [{"do": "work"}, *([{"do": "mail"}] if office else [])]
    return [Round(step_.after, [*step_.acts, {"do": "work"}]), Round(95.0, late), Round(700.0, last)]


_ALL: list[Scenario] = []


def _scenario(name: str, rule: str, steps: Sequence[_Step], *, core: bool = False, **policy: object) -> None:
    office = policy.setdefault("office", True) is True
    release = str(policy.pop("release", "edits"))
    service = str(policy.pop("service", _SERVICES[len(_ALL) % len(_SERVICES)]))
    rounds = [one for step_ in steps for one in _turns(step_, office=office)]
    plan = Plan(
        seed=len(_ALL) + 1,
        start=START,
        policy={"settle": 90, "revert_limit": 3, "stampede_min": 3, "attempts": 1, **policy},
        services=[service],
        calendars=[{"id": "c0", "provider": "P-0", "service": 0}],
        rounds=rounds,
        release=release,
        note=f"{rule}: {name}",
    )
    _ALL.append(Scenario(name, rule, plan, core))


def scenarios() -> list[Scenario]:
    """All of them, always in the same order."""
    return list(_ALL)


# --- the book's own changes

GROW, BETTER, HARLEY = "grow-therapy", "practice-better", "harley-therapy"
PROVIDER, CLIENT = "provider:P-0", "client:K-1"
TOMORROW = "2026-11-17T08:00"

_scenario("booked", "GT-13", [step(session())], core=True, service="google", practice=GROW)
_scenario("booked-series", "PB-6", [step(weekly())], core=True, service="graph")
_scenario(
    "cancelled-by-provider",
    "GT-1, GT-2, GT-10",
    [step(session()), step(say("cancel", by=PROVIDER, reason="client-asked"))],
    core=True,
    service="caldav-sync",
    practice=GROW,
)
_scenario("cancelled-by-client-in-time", "GT-3", [step(session()), step(say("cancel", by=CLIENT))], practice=GROW)
_scenario(
    "cancelled-late-with-fee",
    "GT-4, GT-5",
    [step(session(start=TOMORROW)), step(say("cancel", by=PROVIDER, reason="client-sick"))],
    practice=GROW,
)
_scenario(
    "cancelled-late-fee-waived",
    "GT-4",
    [
        step(session(start=TOMORROW)),
        step(say("cancel", by=PROVIDER, reason="client-sick", waive=True, note="first time")),
    ],
    practice=GROW,
)
_scenario(
    "no-show",
    "GT-5, GT-6",
    [step(session(start="2026-11-16T10:00")), step(say("no-show", by=PROVIDER), after=2 * _HOUR), step({"do": "bill"})],
    practice=GROW,
)
_scenario(
    "one-of-a-series-cancelled",
    "GT-9",
    [step(weekly()), step(say("cancel", "s0", by=CLIENT, occurrence=1, scope="this"))],
    practice=GROW,
)
_scenario(
    "all-upcoming-cancelled",
    "GT-9",
    [step(weekly()), step(say("cancel", "s0", by=CLIENT, occurrence=1, scope="all-upcoming"))],
    practice=GROW,
)
_scenario(
    "reason-with-questions",
    "GT-12",
    [step(session()), step(say("cancel", by=PROVIDER, reason="ending-care", answers={"handover": "yes"}))],
    practice=GROW,
)
_scenario(
    "disputed-fee-changed",
    "GT-11",
    [
        step(session(start=TOMORROW)),
        step(say("cancel", by=PROVIDER, reason="client-sick")),
        step(say("change-fee", amount="20.00")),
    ],
    practice=GROW,
)
_scenario(
    "moved-and-longer",
    "GT-20",
    [step(session()), step(say("move", by=PROVIDER, by_seconds=_DAY + _HOUR, longer=25))],
    core=True,
    service="graph",
    practice=GROW,
)
_scenario(
    "one-of-a-series-moved",
    "GT-21",
    [step(weekly()), step(say("move", "s0", by=PROVIDER, occurrence=1, by_seconds=2 * _HOUR, scope="this"))],
    practice=GROW,
)
_scenario(
    "this-and-following-moved",
    "GT-21",
    [
        step(weekly(4)),
        step(say("move", "s0", by=PROVIDER, occurrence=2, by_seconds=_HOUR, scope="this")),
        step(say("move", "s0", by=PROVIDER, occurrence=1, by_seconds=3 * _HOUR, scope="this-and-following")),
    ],
    core=True,
    service="caldav-sync",
    practice=GROW,
)
_scenario(
    "this-and-following-reset",
    "GT-21",
    [
        step(weekly(4)),
        step(say("move", "s0", by=PROVIDER, occurrence=2, by_seconds=_HOUR, scope="this")),
        step(
            say(
                "move",
                "s0",
                by=PROVIDER,
                occurrence=1,
                by_seconds=3 * _HOUR,
                scope="this-and-following",
                moved="reset",
            )
        ),
    ],
    practice=GROW,
)
_scenario(
    "cadence-changed",
    "GT-22",
    [
        step(weekly(4)),
        step(
            say(
                "move",
                "s0",
                by=PROVIDER,
                occurrence=1,
                scope="this-and-following",
                cadence="FREQ=WEEKLY;INTERVAL=2;COUNT=3",
            )
        ),
    ],
    practice=GROW,
)
_scenario(
    "asked-and-withdrawn-by-moving",
    "GT-23",
    [step(session()), step(say("ask", by=PROVIDER, reason="technical")), step(say("move", by_seconds=_DAY))],
    practice=GROW,
)
_scenario(
    "asked-with-block",
    "GT-23, GT-24",
    [step(session()), step(say("ask", by=PROVIDER, reason="provider-unavailable", block=True))],
    practice=GROW,
)
_scenario(
    "asked-and-nobody-answered",
    "GT-25",
    [
        step(session(start="2026-11-25T10:00")),
        step(say("ask", by=PROVIDER, reason="technical")),
        step(after=2 * _DAY),
    ],
    core=True,
    service="google",
    practice=GROW,
)
_scenario(
    "asked-and-answered",
    "GT-26",
    [
        step(session()),
        step(say("ask", by=PROVIDER, reason="technical")),
        step(say("respond", by=CLIENT, by_seconds=_DAY)),
        step(say("respond", by=CLIENT, by_seconds=2 * _DAY)),
    ],
    practice=GROW,
)
_scenario("moved-by-client", "GT-27", [step(session()), step(say("move", by=CLIENT, by_seconds=_DAY))], practice=GROW)
_scenario(
    "cancelled-with-own-words",
    "PB-1, PB-5",
    [step(session()), step(say("cancel", by=CLIENT, reason="I am away"))],
    practice=BETTER,
)
_scenario(
    "credit-goes-back-once",
    "PB-3",
    [
        step(say("package", "p1"), session(package="p1")),
        step(say("cancel", by=CLIENT, reason="I am away")),
        step(say("cancel", by=CLIENT, reason="I am away")),
    ],
    core=True,
    service="caldav-ctag",
    practice=BETTER,
)
_scenario(
    "moved-with-its-credit",
    "PB-3, PB-4",
    [
        step(say("package", "p1"), session(package="p1")),
        step(say("move", by=PROVIDER, reason="clash", by_seconds=_DAY)),
    ],
    practice=BETTER,
)
_scenario(
    "cancelled-late-by-client-with-fee",
    "PB-8",
    [step(session(start=TOMORROW)), step(say("cancel", by=CLIENT, reason="I am ill"))],
    practice=BETTER,
)
_scenario(
    "initial-session-cancelled-by-support",
    "HT-1, HT-2",
    [
        step(session(kind="initial"), say("pay")),
        step(say("cancel", reason="not-the-best-fit", aware=True, refund=True, suggest=True)),
    ],
    practice=HARLEY,
)
_scenario(
    "paid-follow-up-cancelled",
    "HT-3",
    [step(session(), say("pay")), step(say("cancel", by=PROVIDER, reason="client-asked", refund=False))],
    practice=HARLEY,
)
_scenario(
    "payment-goes-along",
    "HT-4",
    [step(session(), say("pay")), step(say("move", by=PROVIDER, by_seconds=_DAY))],
    practice=HARLEY,
)
_scenario(
    "cancelled-and-blocked",
    "HT-5",
    [step(session()), step(say("cancel", by=PROVIDER, reason="unavailable", block=True))],
    core=True,
    service="nasty",
    practice=HARLEY,
)
_scenario(
    "paused-and-taken-up",
    "HT-6, HT-10",
    [
        step(say("pause", "P-0", by=PROVIDER, reason="holiday")),
        step(say("resume", "P-0", reason="back")),
        step(session()),
    ],
    practice=HARLEY,
)
_scenario(
    "left-unconfirmed-then-confirmed",
    "HT-7, HT-9",
    [
        step(session(start="2026-11-25T10:00", by=CLIENT)),
        step(after=50 * _HOUR),
        step(say("confirm", by=PROVIDER)),
    ],
    practice=HARLEY,
)
_scenario("series-called-off", "ALL", [step(weekly()), step(say("cancel-series", "s0", reason="moving away"))])
_scenario(
    "block-put-up-and-taken-down",
    "GT-24, ALL-3",
    [
        step({"do": "block", "id": "b0", "provider": "P-0", "start": "2026-11-19T09:00", "minutes": 120}),
        step({"do": "unblock", "id": "b0"}),
    ],
)

# --- what people do in calendars

_scenario(
    "dragged",
    "ALL-1",
    [step(session()), step(person("drag", by=2 * _HOUR))],
    core=True,
    service="caldav-sync",
)
_scenario("deleted", "ALL-1", [step(session()), step(person("delete"))], core=True, service="google")
_scenario(
    "one-of-a-series-dragged",
    "ALL-1",
    [step(weekly()), step(person("drag", "series:s0", occurrence=1, by=_HOUR))],
)
_scenario("split", "ALL-1", [step(weekly()), step(person("split", "series:s0", occurrence=1, by=_HOUR))])
_scenario(
    "dragged-and-answered-stands",
    "ALL-1",
    [step(session()), step(person("drag", by=_DAY)), step({"do": "answer", "word": "stands"})],
)
_scenario(
    "dragged-and-moved-to-it",
    "ALL-1",
    [step(session()), step(person("drag", by=_DAY)), step({"do": "answer", "word": "reschedule"})],
)
_scenario(
    "both-sides-moved-it",
    "ALL-1",
    [step(session()), step(person("drag", by=_HOUR), say("move", by_seconds=_DAY, reason="clash"))],
)
_scenario(
    "past-session-dragged",
    "ALL-1",
    [
        step(session(start="2026-11-16T10:00")),
        step({"do": "attend", "provider": "P-0"}, after=3 * _HOUR),
        step(person("drag", by=-_DAY)),
        step({"do": "bill"}),
        step({"do": "answer", "word": "restore"}),
    ],
)
_scenario(
    "cleared-then-dragged",
    "ALL-1",
    [
        step(session(start="2026-11-16T10:00")),
        step({"do": "attend", "provider": "P-0"}, after=3 * _HOUR),
        step({"do": "bill"}),
        step(person("drag", by=-_DAY)),
    ],
)
_scenario(
    "wiped-and-restored",
    "ALL-1",
    [
        step(session(), session("a1", "2026-11-24T10:00"), session("a2", "2026-12-02T10:00")),
        step({"do": "wipe", "calendar": "c0"}),
        step({"do": "resume", "calendar": "c0", "as": "restore"}),
    ],
    release="restore",
)
_scenario(
    "wiped-and-meant",
    "ALL-1",
    [
        step(session(), session("a1", "2026-11-24T10:00"), session("a2", "2026-12-02T10:00")),
        step({"do": "wipe", "calendar": "c0"}),
        step({"do": "resume", "calendar": "c0", "as": "edits"}),
    ],
)
_scenario("copied", "ALL-1", [step(session()), step(person("duplicate", by=_DAY))])
_scenario("signature-taken-off", "ALL-1", [step(session()), step(person("strip"), person("drag", by=_HOUR))])
_scenario(
    "taken-to-another-calendar", "ALL-1", [step(session()), step(person("other-calendar"))], service="caldav-sync"
)
