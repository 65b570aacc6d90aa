"""The end of a history: people stop, faults stop, some time passes; then everything must have come to rest (I4)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from calsync.answers.calendars import resume
from calsync.claims.gate import drain_touched
from calsync.store import audit
from tests.simulation import passes
from tests.simulation.billing import unanswered
from tests.simulation.filing import check_filed
from tests.simulation.held import COSMETIC, HOLDS_NOTHING, REVERTS, Held, Revision
from tests.simulation.reached import mark_reached
from tests.simulation.sights import OUR_TITLES, Shown, renamed
from tests.simulation.world import World

ROUNDS = 5  # passes per calendar: one reads everything, the others follow its settle times
ROUNDS_AFTER_STOP = 4
_OWN_ROW = frozenset({"calendars", "sqlite_sequence"})


def finish(world: World) -> None:
    """Let the world come to rest, then judge it."""
    world.clear_weather()
    world.workers.clear()
    world.clock.advance(2 * 3600 + 10)
    rounds, stopped, read_whole = ROUNDS, 0, set()
    number = 0
    while number < rounds and not world.observer.violations:
        for place in world.plan.calendars:
            if _is_stopped(world, place["id"]):
                resume(
                    world.desk,
                    place["id"],
                    by="support:sim",
                    as_="restore" if world.plan.release == "restore" else "edits",
                )
                world.observer.mark(f"released-as-{world.plan.release}")
                stopped += 1
                rounds = max(rounds, number + ROUNDS_AFTER_STOP) if stopped < 9 else rounds
            result = passes.sync(world, 0, place["id"], full=place["id"] not in read_whole)
            if result is not None and result.error is None:
                read_whole.add(place["id"])
        world.clock.advance(world.plan.policy["settle"] + 3)
        number += 1
    if world.office is not None and not world.observer.violations:
        world.office.finish()
        for place in world.plan.calendars:
            passes.sync(world, 0, place["id"])  # what the timers decided
        world.clock.advance(world.plan.policy["settle"] + 3)
        for place in world.plan.calendars:
            passes.sync(world, 0, place["id"])
    if not world.observer.violations:
        _judge(world)
    mark_reached(world)
    if not world.observer.violations:
        _be_quiet(world)


def _is_stopped(world: World, calendar: str) -> bool:
    return world.books.rows("SELECT state FROM calendars WHERE id = ?", calendar) == [("stopped",)]


def _judge(world: World) -> None:
    for place in world.plan.calendars:
        _compare(world, place["id"])
    _check_drifts(world)
    with world.web.reading() as conn:
        verdict = audit.verify(conn)
    if not verdict.is_whole:
        world.observer.fail("audit", f"the audit chain is {verdict.problem} at {verdict.first_bad}")
    _check_told(world)
    _check_recalls(world)
    check_filed(world)
    owed = world.books.rows("SELECT link, kind, cause, state FROM owed_writes WHERE state IN ('owed', 'sent')")
    if owed:
        world.observer.fail("I4-owed", f"still owed: {owed[:3]}")


_HORIZON = timedelta(days=399).total_seconds()
_PAST = timedelta(days=60).total_seconds()


def _compare(world: World, calendar: str) -> None:
    """Every calendar shows what the records say, but where a flag is open or answered."""
    expected = world.expected.of(calendar)
    shown: dict[str, Counter[Shown]] = {}
    hers: dict[str, Counter[Shown]] = {}
    links: dict[str, set[str]] = {}
    skip: set[str] = set()
    for held in world.observer.events.values():
        subject = world.expected.subject_of(held.link)
        if held.key[1] != calendar or subject is None:
            continue
        name = f"{subject[0]}:{subject[1]}"
        links.setdefault(name, set()).add(held.link)
        if held.stored is None or not _counts(world, held) or _is_let_be(world, held):
            continue
        if held.stored.unreadable is not None:
            skip.add(name)
        # A copy far back in time stands beside nothing that is mirrored there; our own event under a new name is none.
        behind = 0 if world.observer.is_own(held) else (world.clock.now() - timedelta(days=60)).timestamp()
        shown.setdefault(name, Counter()).update({span: n for span, n in held.now.items() if span[1] >= behind})
        if world.observer.is_own(held):
            hers.setdefault(name, Counter()).update(renamed(held.stored.event, OUR_TITLES) | held.named)
    now = world.clock.now().timestamp()
    for name in sorted({*expected, *shown} - skip):
        # What lies behind the window's end is not mirrored.
        seen = _mirrored(shown.get(name), now)
        # Nor is made anew what its record was moved to behind the window's beginning.
        wanted = _inside(_mirrored(expected.get(name), now), seen, now)
        flags = _standing(world, links.get(name, set()))
        if not _explained(wanted, _without_hers(wanted, seen, flags, hers.get(name, Counter())), flags, now):
            told = f"{name} in {calendar}: wanted {_told(wanted)}, shown {_told(seen)}"
            world.observer.fail("I4-differs", told)


def _without_hers(
    wanted: Counter[Shown], seen: Counter[Shown], flags: list[Revision], hers: Counter[Shown]
) -> Counter[Shown]:
    """What is seen but for what a person made of sessions that are cancelled, another title and another time: hers."""
    rest = Counter(seen)
    for one in flags:
        span = one.observed
        if one.kind == "duplicated" or one.expected is None or span is None or wanted[one.expected]:
            continue
        if span != one.expected and hers[span] > 0 and rest[span] > wanted[span]:
            rest[span] -= 1
    return +rest


def _mirrored(spans: Counter[Shown] | None, now: float) -> Counter[Shown]:
    return Counter({span: n for span, n in (spans or Counter()).items() if span[0] < now + _HORIZON})


def _inside(wanted: Counter[Shown], seen: Counter[Shown], now: float) -> Counter[Shown]:
    return Counter({span: n for span, n in wanted.items() if seen or span[1] >= now - _PAST})


def _explained(wanted: Counter[Shown], seen: Counter[Shown], flags: list[Revision], now: float) -> bool:
    """Whether what is seen is what the records say, but where a flag says that something else was let be."""
    if +wanted == +seen:
        return True
    # With an answer the record itself may have changed: it does not want it any more, or there for another session.
    about = [one for one in flags if one.kind == "duplicated" or one.accepted or _is_of(one, wanted)]
    return any(_fits(wanted, Counter(seen), (about, freed), now) for freed in (about, [x for x in about if x.open]))


def _fits(
    wanted: Counter[Shown], rest: Counter[Shown], flags: tuple[list[Revision], list[Revision]], now: float
) -> bool:
    """Whether it is explained if these flags speak of it, and those free what the records want of their sessions."""
    about, freed = flags
    firm = Counter(wanted)
    for one in freed:
        if one.expected is not None and one.kind != "duplicated" and wanted[one.expected]:
            firm[one.expected] -= 1
    if +(firm - rest):
        return False
    rest -= firm
    left = list(rest.elements())
    places = [[at for at, span in enumerate(left) if span in (one.observed, one.expected)] for one in about]
    ours = [_has_to_show(one, now) and _is_of(one, wanted) for one in about]
    showing = [found for shows, found in zip(ours, places, strict=True) if shows]
    flags_of = [[one for one, found in enumerate(places) if at in found] for at in range(len(left))]
    # Where either side can be served alone, both can at once (Mendelsohn and Dulmage).
    return _all_served(showing) and _all_served(flags_of)


def _is_of(flag: Revision, wanted: Counter[Shown]) -> bool:
    return flag.expected is None or wanted[flag.expected] > 0


def _all_served(wishes: list[list[int]]) -> bool:
    """Whether each can have one of what it takes, and nobody what another has."""
    taken: dict[int, int] = {}

    def serve(who: int, asked: set[int]) -> bool:
        for one in wishes[who]:
            if one not in asked:
                asked.add(one)
                if one not in taken or serve(taken[one], asked):
                    taken[one] = who
                    return True
        return False

    return all(serve(who, set()) for who in range(len(wishes)))


def _has_to_show(flag: Revision, now: float) -> bool:
    """Whether what was seen shows until the end; of an extra session that is over only the evidence may wait (R-11)."""
    if flag.kind == "duplicated" or flag.observed is None or flag.observed[0] >= now + _HORIZON:
        return False
    return flag.expected is not None or flag.observed[0] > now


def _told(bag: Counter[Shown]) -> list[Shown]:
    return sorted(bag.elements())


def _counts(world: World, held: Held) -> bool:
    """Whether an event is ours to answer for: on the books by its name, or marked by us for the present generation."""
    if world.books.rows("SELECT 1 FROM links WHERE remote_id = ? AND calendar = ?", held.key[2], held.key[1]):
        return True
    marker = held.stored.marker if held.stored is not None else None
    if marker not in world.observer.markers or marker is None:
        return False
    generation = world.books.rows("SELECT generation FROM links WHERE id = ? AND state != 'retired'", held.link)
    return generation == [(int(marker.split(".")[3]),)]


def _is_own(world: World, held: Held) -> bool:
    return world.observer.is_own(held)


def _is_let_be(world: World, held: Held) -> bool:
    """Whether it is a copy that is told of and stays: as a whole, for not all it shows has one of ours to stand by.

    The rest of a split is none: what it shows besides has to be told of one by one.
    """
    told = [one for one in _standing(world, {held.link}) if one.copy_id == held.key[2]]
    if _is_own(world, held) or any(one.kind == "split" for one in told):
        return False
    return any(one.kind == "duplicated" and one.disposition not in REVERTS for one in told)


def _standing(world: World, links: set[str]) -> list[Revision]:
    """The latest drift of each occurrence that is left as it is: open, or answered."""
    latest: dict[tuple[str, int, str | None], Revision] = {}
    for drift in world.observer.drifts.values():
        if drift.link in links and drift.kind not in COSMETIC:
            copy = drift.copy_id if drift.kind == "duplicated" else None
            if drift.open or drift.accepted:
                latest[drift.link, drift.original_start, copy] = drift
            else:
                latest.pop((drift.link, drift.original_start, copy), None)
    return list(latest.values())


def _check_drifts(world: World) -> None:
    for drift in world.observer.drifts.values():
        if not drift.open or drift.kind in COSMETIC:
            continue
        blind = any(
            one.stored is not None and one.stored.unreadable for one in world.observer.of_link.get(drift.link, ())
        )
        if drift.disposition in REVERTS and not blind:
            world.observer.fail("I4-unreverted", f"drift {drift.id} ({drift.kind}) is still to be put back")
        if drift.resolved_by is not None:
            # Open, and answered: somebody said that it is to be put back. By now it is, or it changed and waits anew.
            world.observer.fail("word", f"drift {drift.id} ({drift.kind}) is not put back, as {drift.resolved_by} said")
        if drift.appointment is not None and drift.disposition not in HOLDS_NOTHING and drift.resolved_by is None:
            query = "SELECT 1 FROM holds WHERE appointment = ? AND drift = ? AND closed_at IS NULL"
            if not world.books.rows(query, drift.appointment, drift.id):
                world.observer.fail("I1-no-hold", f"drift {drift.id} is open, and {drift.appointment} is not held")


def _check_told(world: World) -> None:
    """The audit log tells of every drift: it was written with it, or neither was."""
    told = {row[0] for row in world.books.rows("SELECT subject FROM audit WHERE what = 'drift-found'")}
    for drift in world.observer.drifts:
        if f"drift:{drift}" not in told:
            world.observer.fail("audit", f"the audit log does not tell of drift {drift}")


def _check_recalls(world: World) -> None:
    """A claim that somebody was told yes about is recalled when an edit of its session waits for an answer."""
    while drain_touched(world.web, world.clock, world.ids, world.settings):
        pass
    issued = world.books.rows("SELECT id, appointment FROM clearances WHERE ended_at IS NULL AND issued_at IS NOT NULL")
    for clearance, appointment in issued:
        if any(True for _ in unanswered(world, appointment)):
            world.observer.mark("recall-wanted")
            query = "SELECT 1 FROM recalls WHERE appointment = ? AND state = 'open'"
            if not world.books.rows(query, appointment) and not world.plan.policy.get("observe"):
                world.observer.fail("I1-no-recall", f"{clearance} of {appointment} stands, and its session is in doubt")


def _be_quiet(world: World) -> None:
    """Then a pass costs one request, writes nothing, and changes the calendar's own row only."""
    for place in world.plan.calendars:
        passes.sync(world, 0, place["id"])  # reads of sessions that ended just now
    _pass_between_clocks(world)
    for place in world.plan.calendars:
        before, pos = world.books.dump(without=_OWN_ROW), world.observer.pos
        result = passes.sync(world, 0, place["id"])
        if result is None or result.error is not None:
            world.observer.fail("I4-quiet", f"a quiet pass over {place['id']} ended in {result and result.error}")
            return
        if result.requests != 1:
            world.observer.fail("I4-quiet", f"a quiet pass over {place['id']} took {result.requests} requests")
        if world.observer.pos != pos or result.written:
            world.observer.fail("I4-quiet", f"a quiet pass over {place['id']} wrote")
        after = world.books.dump(without=_OWN_ROW)
        changed = [name for name in after if after[name] != before[name]]
        if changed:
            world.observer.fail("I4-quiet", f"a quiet pass over {place['id']} changed {changed}")


def _pass_between_clocks(world: World) -> None:
    """Wait while a session is over by our host's clock, set ahead, and not by the service's: each pass reads it."""
    query = "SELECT 1 FROM links WHERE read_after > ? AND read_after <= ? AND state != 'retired'"
    for _ in range(9):
        truly, ours = (int(at.timestamp() * 1_000_000) for at in (world.truth.now(), world.clock.now()))
        if not world.books.rows(query, truly, ours):
            return
        world.observer.mark("over-by-our-clock-only")
        world.clock.advance((ours - truly) / 1_000_000 + 1)
        for place in world.plan.calendars:
            passes.sync(world, 0, place["id"])
