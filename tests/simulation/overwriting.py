"""Each write of ours: was it allowed, was all that it replaced recorded, were people's own fields left as they were?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calsync.domain.notation import event_from_text
from calsync.testing.memory_state import Change
from tests.simulation.fights import count_revert
from tests.simulation.held import COSMETIC, REVERTS, STILL, Held, Revision, look
from tests.simulation.on_books import (
    is_a_late_create,
    is_asked_to_restore,
    is_wanted,
    left_before_the_stop,
    stands_alone,
    was_never_heard,
)
from tests.simulation.sights import Shown, counted
from tests.simulation.telling import about, told_as_overtaken, told_here

if TYPE_CHECKING:
    from tests.simulation.observer import Observer


def check_allowed(observer: Observer, held: Held, change: Change, link: str) -> None:
    """A write of ours was on the books as sent, to a calendar that is written to."""
    [(state,)] = observer.books.rows("SELECT state FROM calendars WHERE id = ?", change.calendar) or [("unknown",)]
    if state in ("stopped", "paused") and not left_before_the_stop(observer, change.calendar, link):
        observer.fail("I6-stopped", f"wrote {change.remote_id} to {change.calendar}, which is {state}")
    sent = observer.books.rows("SELECT 1 FROM owed_writes WHERE link = ? AND sent_at IS NOT NULL", link)
    if not sent and not observer.power_lost:
        observer.fail("I2-not-sent", f"a write to {change.remote_id} left before it was on the books as sent")
    if not observer.books.rows("SELECT 1 FROM links WHERE id = ?", link) and not observer.power_lost:
        observer.fail("I3-books", f"wrote {change.remote_id}, whose link {link} is not on the books")


def check_recorded(observer: Observer, held: Held, change: Change) -> None:
    """Each version that a write replaces, or brings back, was recorded first."""
    after = look(change.after)
    overwritten = [held]
    if change.before is None and change.after is not None:
        overwritten = [one for one in observer.of_link.get(held.link, ()) if one.stored is None]
    causes = {
        c for (c,) in observer.books.rows("SELECT cause FROM owed_writes WHERE link = ? AND state = 'sent'", held.link)
    }
    creates = observer.books.rows(
        "SELECT 1 FROM owed_writes WHERE link = ? AND kind = 'create' AND state = 'sent'", held.link
    )
    unguarded = held.key[0] in observer.weak and (change.before is None or change.after is None or bool(creates))
    # A create that was on its way while its worker lost the lease: another worker's had arrived before it. Where
    # nothing is guarded it arrives over whatever was made of that.
    unguarded |= not causes and (change.before is None or held.key[0] in observer.weak)
    unguarded |= held.key[0] in observer.weak and is_a_late_create(observer, held, change)
    for one in overwritten:
        if one.stored is not None and one.stored.unreadable is not None:
            if is_asked_to_restore(observer, one):
                continue
            if not unguarded:
                observer.fail("I2-unreadable", f"wrote blindly over {one.key}")
        for span, pos in one.since.items():
            if after[span] == 0 and not _is_renamed(observer, one, span):
                _require(
                    observer, one, pos, about(observer, one, pos, observed=span), "overwrote", span, unguarded=unguarded
                )
        for span, pos in one.gone.items():
            if after[span] > one.now[span]:
                # What was let be may be told of as standing in the rest of a split, just as it stood in ours.
                cut_off = [told for told in about(observer, one, pos, observed=span) if told.kind == "split"]
                found = about(observer, one, pos, expected=span) or cut_off
                found = found or told_as_overtaken(observer, one, pos, span)
                _require(observer, one, pos, found, "brought back", span, unguarded=unguarded)
                if (not unguarded or "revert" in causes) and not _is_called_since(observer, one, pos, span):
                    count_revert(observer, one, span, change, causes)


def check_user_fields(observer: Observer, held: Held, change: Change) -> None:
    """A write leaves the fields that are the user's as they were."""
    before, after = change.before, change.after
    if before is None or after is None:
        return
    if before.own != after.own:
        observer.fail("I3-fields", f"changed the user's fields of {held.key}")
    if held.title is not None and before.event.master.title not in (held.title, after.event.master.title):
        observer.fail("I3-title", f"wrote over the user's title of {held.key}")


def _is_renamed(observer: Observer, held: Held, span: Shown) -> bool:
    """Whether it is our own event under another id, as the books have it by now or as nothing else of it is left.

    It shows what we wrote: to whoever only reads, nothing was edited there.
    """
    wrote = observer.wrote.get((held.link, held.stored.marker)) if held.stored is not None else None
    alone = not any(one.stored is not None for one in observer.of_link[held.link] if one is not held)
    return held.is_copy and (alone or observer.is_own(held)) and wrote is not None and counted(wrote)[span] > 0


def _require(
    observer: Observer, held: Held, pos: int, found: list[Revision], did: str, span: Shown, *, unguarded: bool
) -> None:
    if observer.power_lost:
        return
    if not found:
        if did == "brought back":
            # What nobody knows to have ever been there is no edit to anybody, either.
            excused = _is_called_since(observer, held, pos, span) or _is_told_as_gone(observer, held, pos)
            excused |= was_never_heard(observer, held.sent)
        else:
            excused = _was_recorded(observer, held, pos, span) or _is_agreed(observer, held, span)
        if not unguarded and not excused:
            observer.fail("I2-unrecorded", f"{did} {span} in {held.key} ({held.link}), which is not on the books")
        return
    query = "SELECT 1 FROM owed_writes WHERE link = ? AND state = 'sent' AND cause = 'restore'"
    said_restore = bool(observer.books.rows(query, held.link)) or not is_wanted(observer, held.link)
    current = [observer.drifts[one.id] for one in told_here(observer, held, found, span) if one.id in observer.drifts]
    # Which session was moved where may read otherwise after a further edit: what says so now goes before what did.
    for one in [one for one in current if one.observed == span] or current:
        left = one.open and one.disposition not in REVERTS and one.resolved_by is None and one.kind not in COSMETIC
        # What is over by now goes back with its series; its evidence is on the books. Of one that only the
        # calendar shows, what it shows tells.
        told = one.expected or one.observed
        over = told is not None and told[0] <= observer.clock.now().timestamp()
        along = one.scope == "series" and (over or one.phase != "upcoming")
        carried = held.is_copy and one.observed == span and _is_carried_over(observer, held, span)
        # What is let be of a rest that goes is shown by our own event from then on, just as it was.
        carried |= not held.is_copy and one.kind == "split" and one.observed == span
        elsewhere = carried or _is_overtaken(observer, held, one) or _went_out_before(observer, one)
        if left and not along and not unguarded and not said_restore and not elsewhere:
            observer.fail(
                "I2-flagged", f"{did} {span} in {held.key}, which drift {one.id} ({one.disposition}) leaves alone"
            )
        if one.open and one.appointment and one.disposition in REVERTS and not observer.policy.get("observe"):
            query = "SELECT 1 FROM holds WHERE appointment = ? AND drift = ?"
            if not observer.books.rows(query, one.appointment, one.id):
                observer.fail("I1-no-hold", f"{did} {span} in {held.key} before {one.appointment} was held")


def _is_agreed(observer: Observer, held: Held, span: Shown) -> bool:
    """Whether it was answered once that this stands: shown again by hand, it is what both sides agreed on."""
    return any(one.link == held.link and one.accepted and one.observed == span for one in observer.drifts.values())


def _is_carried_over(observer: Observer, held: Held, span: Shown) -> bool:
    """Whether our own event shows what a copy showed, or is owed a write that does: so it stays as it was seen."""
    others = (one for one in observer.of_link[held.link] if one is not held)
    if any(one.now[span] for one in others if not one.is_copy or observer.is_own(one)):
        return True
    query = "SELECT target FROM owed_writes WHERE link = ? AND state IN ('owed', 'sent') AND target IS NOT NULL"
    owed = (event_from_text(text) for (text,) in observer.books.rows(query, held.link))
    return any(counted(one)[span] for one in owed)


def _went_out_before(observer: Observer, told: Revision) -> bool:
    """Whether what arrives was given up on its way, when the edit came to be left alone: nobody holds it back."""
    query = "SELECT state, sent_at < settled_at FROM owed_writes WHERE link = ? AND sent_at > 0 ORDER BY sent_at"
    sent = observer.books.rows(query, told.link)
    return bool(sent) and sent[-1] == ("superseded", 1) and all(state != "sent" for state, _ in sent)


def _is_overtaken(observer: Observer, held: Held, told: Revision) -> bool:
    """Whether a copy has taken our event's place since it was told of, and the record was changed."""
    subject = observer.subject_of(held.link)
    if told.kind != "duplicated" or told.expected is None or subject is None or not observer.is_own(held):
        return False
    return observer.called_for.get((*subject, told.expected), -1) != STILL


def _was_recorded(observer: Observer, held: Held, pos: int, span: Shown) -> bool:
    """Whether the record itself called for this while it stood: then both sides agreed, and nothing is lost."""
    subject = observer.subject_of(held.link)
    # Under its former id it may have shown this when the record called for it.
    since = 0 if stands_alone(observer, held) else pos
    return subject is not None and observer.called_for.get((*subject, span), -1) >= since


def _is_called_since(observer: Observer, held: Held, pos: int, span: Shown) -> bool:
    """Whether the record came to call for this only after it had gone: then both sides had agreed before."""
    subject = observer.subject_of(held.link)
    return subject is not None and observer.called_from.get((*subject, span), -1) >= pos


def _is_told_as_gone(observer: Observer, held: Held, pos: int) -> bool:
    """Whether it is on the books that a whole series went, whatever its sessions showed unread before."""
    told = (one for one in observer.revisions.get(held.link, ()) if one.pos >= pos and one.scope == "series")
    return held.stored is None and any(one.observed is None for one in told)
