"""Which drifts on the books tell of what somebody did to an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.held import REVERTS, Held, Revision
from tests.simulation.on_books import is_wanted, stands_alone, was_never_heard
from tests.simulation.sights import Shown

if TYPE_CHECKING:
    from tests.simulation.observer import Observer


def about(observer: Observer, held: Held, pos: int, **wanted: Shown) -> list[Revision]:
    """Drifts on the books that tell of it: recorded since, or still open and saying just this.

    An edit that was undone and done again between two readings is the same edit to everybody who only reads.
    """
    return [
        one
        for one in observer.revisions.get(held.link, ())
        if (one.pos >= pos or _still_says(observer, held, one, pos))
        and (_is_about_copy(observer, one, held) or all(getattr(one, name) == span for name, span in wanted.items()))
    ]


def _is_about_copy(observer: Observer, one: Revision, held: Held) -> bool:
    """A copy, or the rest of a split, is told of as a whole: not all it shows has one of ours to stand by."""
    is_beside = held.is_copy and not observer.is_own(held)  # ours may have another name by now
    return one.copy_id == held.key[2] or (is_beside and one.kind in ("split", "duplicated"))


def _still_says(observer: Observer, held: Held, one: Revision, pos: int) -> bool:
    current = observer.drifts.get(one.id)
    if current is None or (current.expected, current.observed) != (one.expected, one.observed):
        return False
    # One that the record overtook after the edit was open until then, and so was one that a person had put back.
    # Ended by our own write is another matter; that was none where we wrote nothing since it was told of.
    # What was to be asked about is counted as put back where the record overtook it, before anything is written.
    by_us = current.resolution == "reverted" and current.resolved_by is None and current.disposition in REVERTS
    ended = not by_us or observer.wrote_pos.get(held.link, -1) < one.pos
    return current.open or (ended and (current.pos >= pos or _is_as_told(observer, held, one)))


def _is_as_told(observer: Observer, held: Held, one: Revision) -> bool:
    """Whether an edit that somebody answered, or the record overtook, shows still, or again, as it was told.

    It may have another id by now, or have been away in between; only we wrote nothing since that anybody heard of,
    or took it away as its record called for. It may come back just as it was answered, with its account.
    """
    here = not held.is_copy or stands_alone(observer, held)
    # To take a copy away from beside it is no write to it.
    wrote_at = held.wrote_at if observer.is_own(held) else observer.wrote_pos.get(held.link, -1)
    if here and observer.drifts[one.id].accepted and not is_wanted(observer, held.link):
        return True
    return here and (wrote_at < one.pos or was_never_heard(observer, held.sent))


def told_as_overtaken(observer: Observer, held: Held, pos: int, span: Shown) -> list[Revision]:
    """Drifts since then that the record overtook, where it came to call for this only after our last write.

    Unread by anybody both sides agreed for a while: what became of that is measured against what was agreed before.
    """
    subject = observer.subject_of(held.link)
    if subject is None or observer.called_from.get((*subject, span), -1) < held.wrote_at:
        return []
    since = (one for one in observer.revisions.get(held.link, ()) if one.pos >= pos)
    return [one for one in since if one.resolution == "superseded" and one.observed != span]


def told_here(observer: Observer, held: Held, found: list[Revision], span: Shown) -> list[Revision]:
    """Those of the drifts that are about this very event, where there are several with the same marker.

    A copy beside our event may show just what ours does: what was told of ours says nothing about the copy then.
    Nor does what was told of one rest of a split say anything about another, if there is a drift about just that.
    """
    own = [one for one in found if one.copy_id == held.key[2]]
    here = [one for one in found if one.kind != "duplicated" or one in own]
    if not held.is_copy and observer.is_own(held):
        return here
    if not observer.is_own(held):
        here = own or here
    return [one for one in here if one.observed == span] or here
