"""The drifts as each commit left them: is each edit told once, and each drift true?"""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from calsync.domain.notation import appearance_from_text
from tests.simulation.held import COSMETIC, REVERTS, Revision
from tests.simulation.sights import UNREADABLE, Shown, seen_key

if TYPE_CHECKING:
    from tests.simulation.observer import Observer


_DRIFTS = (
    "SELECT id, link, calendar, original_start, copy_id, expected, observed, kind, disposition, resolution, accepted,"
    " appointment, phase, scope, resolved_by FROM drifts"
)


@lru_cache(maxsize=20_000)
def _seen(text: str | None) -> Shown | None:
    return seen_key(appearance_from_text(text))


def reload(observer: Observer) -> None:
    """Read the drifts anew after a commit, and judge those that are new or say something else."""
    found = {row[0]: row for row in observer.books.rows(_DRIFTS)}
    for drift_id in observer.drifts.keys() - found.keys():
        del observer.drifts[drift_id]  # the power went, and the last commits with it
    for drift_id, row in found.items():
        read_pos = observer.read_pos.get(row[2], observer.pos)
        fresh = _revision(row)
        known = observer.drifts.get(drift_id)
        if known is not None and _same(known, fresh):
            continue
        fresh = Revision(**{**fresh.__dict__, "pos": observer.pos, "read_pos": read_pos})
        if known is None:
            _check_found(observer, fresh)
            observer.mark(f"drift-{fresh.kind}")
        _mark_change(observer, known, fresh)
        observer.drifts[drift_id] = fresh
        if known is None or _tells(known) != _tells(fresh):
            observer.revisions.setdefault(fresh.link, []).append(fresh)
        if known is None or known.observed != fresh.observed:
            observer.last_of[fresh.place] = fresh


def _check_found(observer: Observer, fresh: Revision) -> None:
    before = observer.last_of.get(fresh.place)
    if before is not None and before.id in observer.drifts and observer.drifts[before.id].open and fresh.open:
        observer.fail("I2-double", f"drifts {before.id} and {fresh.id} are both open on one occurrence")
    late = fresh.phase != "upcoming" and fresh.kind not in COSMETIC
    if late and fresh.disposition in REVERTS and not _was_stopped(observer, fresh.calendar):
        observer.fail(
            "I2-late", f"drift {fresh.id} ({fresh.kind}) is of a session that has begun, and is to be put back"
        )
    if observer.power_lost or observer.read_stale:
        return
    # What cannot be read stays so, whatever becomes of the record: it is told again for each state of that.
    told_late = fresh.kind == "unreadable" or fresh.kind in COSMETIC
    after = _read_until(observer, before) if before is not None and not told_late else -1
    versions = [seen for pos, seen in observer.versions.get(fresh.link, ()) if pos > after]
    lacks = any(seen[fresh.expected] == 0 for seen in versions) if fresh.expected is not None else False
    excused = bool(versions) and (_stands_beside(observer, fresh) or _is_one_less(observer, fresh, versions))
    excused = excused or _is_no_extra_any_more(before, fresh)
    # Told of as gone first, where it was found under another name only later: with what was changed before.
    excused = excused or (before is not None and before.observed is None and _shows_anywhere(observer, fresh))
    # What our event lost may be told of as standing in a rest that is there, though that was shown before; as gone
    # first, where the service told of the rest later.
    lacks = lacks or (before is not None and before.observed is None)
    excused = excused or (lacks and fresh.kind == "split" and _shows_now(observer, fresh))
    # An answer given on a clock that was set back passes for one from before our write: it is asked for once more.
    excused = excused or (observer.clock_jumped and before is not None and _tells(before) == _tells(fresh))
    if not any(_shows(seen, fresh) for seen in versions) and not excused:
        observer.fail("I2-phantom", f"drift {fresh.id} ({fresh.kind} {fresh.expected} -> {fresh.observed}) has no edit")


def _is_one_less(observer: Observer, told: Revision, versions: list[Counter[Shown]]) -> bool:
    """Whether a session that is told of as gone showed twice, as another one was moved there, and then once."""
    span = told.expected
    if told.observed is not None or span is None:
        return False
    return min(seen[span] for seen in versions) < max(seen[span] for _, seen in observer.versions[told.link])


def _is_no_extra_any_more(before: Revision | None, told: Revision) -> bool:
    """Whether it ends what was let be of a session that the calendar had besides, and is one of ours by now.

    Which session is which may read otherwise once others are moved: the same appearance stands there, or does not.
    """
    ends = told.resolution == "withdrawn" and told.observed is None
    return ends and before is not None and before.expected is None and before.observed == told.expected


def _stands_beside(observer: Observer, told: Revision) -> bool:
    """Whether our own event is the copy: it was made anew unheard, and somebody brought the former one back."""
    return told.kind == "duplicated" and _shows_now(observer, told)


def _shows_now(observer: Observer, told: Revision) -> bool:
    """Whether the very event that a drift names as the copy shows what it tells of."""
    if told.observed is None:
        return False
    return any(one.now[told.observed] for one in observer.of_link.get(told.link, ()) if one.key[2] == told.copy_id)


def _shows_anywhere(observer: Observer, told: Revision) -> bool:
    if told.observed is None:
        return False
    return any(one.now[told.observed] for one in observer.of_link.get(told.link, ()))


def _read_until(observer: Observer, drift: Revision) -> int:
    """Up to where what people did was read when a drift came to say what it says.

    A feed may not tell yet what was done last. As long as we did not write over that, it stands, and a drift that
    says otherwise was told before it was read. One that the record overtook asked nobody: should the record come
    back while what was done still stands, it is told again.
    """
    done = [(pos, seen) for pos, seen in observer.versions.get(drift.link, ()) if pos <= drift.read_pos]
    overtaken = drift.id in observer.drifts and _is_overtaken(observer.drifts[drift.id])
    stands = bool(done) and observer.wrote_pos.get(drift.link, -1) < done[-1][0]
    if stands and (overtaken or not _shows(done[-1][1], drift)):
        return done[-1][0] - 1
    return drift.read_pos


def _is_overtaken(drift: Revision) -> bool:
    """One that asks about its time counts as put back then, though nobody was to put it back."""
    return drift.resolution == "superseded" or (drift.resolution == "reverted" and drift.disposition not in REVERTS)


def _was_stopped(observer: Observer, calendar: str) -> bool:
    """Whether a person may have said that all goes back, what is over included."""
    return bool(observer.books.rows("SELECT 1 FROM stops WHERE calendar = ?", calendar))


def _mark_change(observer: Observer, known: Revision | None, fresh: Revision) -> None:
    if known is None or known.resolution != fresh.resolution:
        observer.mark(f"resolution-{fresh.resolution}")
    if known is None:
        observer.mark(f"phase-{fresh.phase}")
        if fresh.disposition == "flag" and fresh.phase == "upcoming" and fresh.kind not in COSMETIC | {"unreadable"}:
            observer.mark("limit-reached")
    elif known.observed != fresh.observed:
        observer.mark("edited-again-while-open")


def _revision(row: tuple[Any, ...]) -> Revision:
    names = [one.name for one in fields(Revision)][: len(row)]
    values = dict(zip(names, row, strict=True))
    values |= {"expected": _seen(values["expected"]), "observed": _seen(values["observed"])}
    return Revision(**values | {"accepted": bool(values["accepted"])})


def _shows(seen: Counter[Shown], drift: Revision) -> bool:
    if drift.kind in COSMETIC:
        return True
    if drift.kind == "unreadable":
        return UNREADABLE in seen
    if drift.observed is not None:
        return seen[drift.observed] > 0
    return drift.expected is None or seen[drift.expected] == 0


def _tells(one: Revision) -> tuple[object, ...]:
    return one.expected, one.observed, one.kind, one.copy_id


def _same(one: Revision, other: Revision) -> bool:
    names = (
        "copy_id",
        "expected",
        "observed",
        "kind",
        "disposition",
        "resolution",
        "accepted",
        "appointment",
        "resolved_by",
    )
    return all(getattr(one, name) == getattr(other, name) for name in names)
