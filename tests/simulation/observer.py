"""The all-knowing observer: sees every change in every calendar and every commit, and knows who did what.

It hangs on the ports only (`MemoryService.observers`, the database's boundaries), compares events by its own expander,
and judges by the invariants' exact reading: no write of ours replaces what is not ours and not on the books; every
owed edit has one drift, every drift has an edit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from calsync.domain.event import Event
from calsync.domain.notation import appearance_from_text, event_from_text
from calsync.testing.fake_ports import FakeClock
from calsync.testing.memory_state import Actor, Change, StoredEvent
from tests.simulation.ports import Books
from tests.simulation.sights import UNREADABLE, Shown, counted, seen_key

Key = tuple[int, str, str]  # service, calendar, remote id
REVERTS = frozenset({"revert", "revert-and-flag"})
STAMPEDE_PERIOD = timedelta(hours=1)
STILL = 1 << 60  # after every place: until now
# What needs no hold: policy says so, or the practice only observes.
HOLDS_NOTHING = frozenset({"ignore", "would-revert", "would-flag"})
COSMETIC = frozenset({"retitled", "marked-free", "marker-lost", "made-public", "declined", "new-time-proposed"})
_DRIFTS = (
    "SELECT id, link, calendar, original_start, copy_id, expected, observed, kind, disposition, resolution, accepted,"
    " appointment, phase, scope, resolved_by FROM drifts"
)
_UNDER_WAY = "SELECT id FROM owed_writes WHERE link = ? AND cause != 'copy' AND state = 'sent'"
# Given up or refused the second time, though it had taken effect, or about to go out once more: all the same to whoever
# has no answer.
_ON_BOOKS = "SELECT 1 FROM owed_writes WHERE id = ?"
_NEVER_HEARD = "SELECT 1 FROM owed_writes WHERE id = ? AND state IN ('sent', 'superseded', 'rejected')"


@dataclass(frozen=True)
class Violation:
    """What must never happen, and did. `check` is stable: shrinking keeps it."""

    check: str
    told: str


@dataclass
class Held:
    """An event that is ours, as it really is: our last content, and what people changed since, with the place when."""

    key: Key
    link: str
    born: int
    ours: Counter[Shown] = field(default_factory=Counter)
    stored: StoredEvent | None = None
    since: dict[Shown, int] = field(default_factory=dict)
    gone: dict[Shown, int] = field(default_factory=dict)
    removed: tuple[int, dict[Shown, int], dict[Shown, int]] | None = None  # where, with what was changed then
    taken: tuple[Event, Counter[Shown], dict[Shown, int], dict[Shown, int]] | None = None  # by us, as it was then
    edited_at: datetime | None = None
    title: str | None = None
    removed_by: Actor | None = None
    wipe: int = 0
    is_copy: bool = False
    sent: tuple[str, ...] = ()  # our writes that were under way when it became what it was before people changed it

    @property
    def now(self) -> Counter[Shown]:
        """What stands there now."""
        return look(self.stored)


@dataclass(frozen=True)
class Revision:
    """A drift as some commit left it. `pos` of that commit, `read_pos` of the reading behind it."""

    id: str
    link: str
    calendar: str
    original_start: int
    copy_id: str | None
    expected: Shown | None
    observed: Shown | None
    kind: str
    disposition: str
    resolution: str
    accepted: bool
    appointment: str | None
    phase: str
    scope: str
    resolved_by: str | None
    pos: int = 0
    read_pos: int = 0

    @property
    def open(self) -> bool:
        """Whether it has no end yet."""
        return self.resolution == "open"

    @property
    def place(self) -> tuple[str, int, str | None]:
        """The occurrence that it is about, here or in a copy beside our own event."""
        return self.link, self.original_start, self.copy_id if self.kind == "duplicated" else None


def look(stored: StoredEvent | None) -> Counter[Shown]:
    """What people see of a stored event."""
    if stored is None:
        return Counter()
    return Counter({UNREADABLE: 1}) if stored.unreadable is not None else counted(stored.event)


@lru_cache(maxsize=20_000)
def _seen(text: str | None) -> Shown | None:
    return seen_key(appearance_from_text(text))


class Observer:
    """One history's. `violations` grows; `marks` are the places that were reached."""

    def __init__(self, books: Books, clock: FakeClock, policy: dict[str, Any], zone: str) -> None:
        self.books = books
        self.clock = clock
        self.policy = policy
        self.zone = zone
        self.pos = 0
        self.violations: list[Violation] = []
        self.marks: Counter[str] = Counter()
        self.events: dict[Key, Held] = {}
        self.of_link: dict[str, list[Held]] = {}
        self.markers: dict[str, tuple[str, str]] = {}  # text -> calendar, link
        self.wrote: dict[tuple[str, str | None], Event] = {}  # by link and marker
        self.versions: dict[str, list[tuple[int, Counter[Shown]]]] = {}  # of people, by link
        self.drifts: dict[str, Revision] = {}
        self.revisions: dict[str, list[Revision]] = {}  # by link
        self.last_of: dict[tuple[str, int, str | None], Revision] = {}
        self.read_pos: dict[str, int] = {}
        self.wrote_pos: dict[str, int] = {}  # by link: where we wrote to an event of it last
        self.reverted: dict[tuple[str, Shown], list[tuple[datetime, tuple[str, ...]]]] = {}  # when, and by which writes
        self.clock_jumped = False
        self.power_lost = False
        self.read_stale = (
            False  # a service answered a read with what it showed before: nobody can tell that from an edit
        )
        self.weak: set[int] = set()  # services that do not keep every condition on a write
        self.subject_of: Callable[[str], tuple[str, str] | None] = lambda link: None
        self.called_for: dict[tuple[str, str, Shown], int] = {}  # the last place at which the record said so
        self.called_from: dict[tuple[str, str, Shown], int] = {}  # the place from which on it has said so this time
        self.wipe = self.wipes = 0  # the mass removal that is going on, if any, and how many there were
        self.upcoming_at: dict[int, int] = {}
        self.restored: dict[int, dict[str, datetime]] = {}

    # --- what happens

    def fail(self, check: str, told: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(check, told))

    def mark(self, name: str) -> None:
        """A place was reached."""
        self.marks[name] += 1

    def changed(self, service: int, change: Change) -> None:
        """A calendar changed, by whomever."""
        self.pos += 1
        key = (service, change.calendar, change.remote_id)
        if change.by is Actor.CALSYNC:
            self._by_us(key, change)
        elif change.by is Actor.PERSON:
            self._by_person(key, change)
        elif (held := self.events.get(key)) is not None:
            held.stored = change.after

    def committed(self) -> None:
        """A transaction was committed."""
        if "drifts" in self.books.changed:
            self.books.changed.discard("drifts")
            self._reload()

    # --- people

    def _by_person(self, key: Key, change: Change) -> None:
        held = self.events.get(key)
        if held is None:
            known = self.markers.get(change.after.marker or "") if change.after is not None else None
            if known is None or known[0] != change.calendar:
                return
            held = self._adopt(key, known[1])
            held.is_copy = True
        if held.stored is None and held.taken is not None and change.after is not None:
            was, ours, since, gone = held.taken
            if change.after.event == was:
                # Back, with its account for instance, just as it was when we took it away: that is no news.
                held.ours, held.since, held.gone = ours, since, gone
        since, gone = held.since, held.gone
        if change.after is None:
            held.removed = (self.pos, since, gone)
            held.removed_by, held.wipe = Actor.PERSON, self.wipe
        elif held.stored is None and held.removed is not None and self.read_pos.get(key[1], -1) < held.removed[0]:
            # Removed and put back before anybody looked: what was changed then has been so all along.
            _, since, gone = held.removed
        held.stored = change.after
        held.edited_at = change.at
        now = held.now
        self.versions.setdefault(held.link, []).append((self.pos, now))
        if change.after is None:
            # What stands beside it takes its place: to whoever reads, that is what became of it.
            beside = (one for one in self.of_link[held.link] if one.stored is not None and one.key[1] == key[1])
            self.versions[held.link] += [(self.pos, one.now) for one in beside]
        if change.after is not None and self.wrote.get((held.link, change.after.marker)) == change.after.event:
            # Taken back to what we wrote ourselves before: nobody who only reads can tell it from our own write. What
            # people do next is measured from there.
            held.ours, held.since, held.gone = Counter(now), {}, {}
            return
        held.since = {span: since.get(span, self.pos) for span in now - held.ours}
        held.gone = {span: gone.get(span, self.pos) for span in held.ours - now}

    def _adopt(self, key: Key, link: str) -> Held:
        held = self.events[key] = Held(key, link, self.pos)
        self.of_link.setdefault(link, []).append(held)
        return held

    # --- calsync

    def _by_us(self, key: Key, change: Change) -> None:
        held = self.events.get(key)
        link = self._link_of(change, held)
        if change.before is not None and held is None:
            self.fail("I3-foreign", f"wrote over {key}, which is not ours")
        if held is None:
            held = self._adopt(key, link)
        self._check_allowed(held, change, link)
        self._check_recorded(held, change)
        self._check_user_fields(held, change)
        if change.after is not None and change.after.marker:
            self.markers[change.after.marker] = (change.calendar, link)
            self.wrote[link, change.after.marker] = change.after.event
        self._take(held, change)

    def _link_of(self, change: Change, held: Held | None) -> str:
        if change.after is not None and change.after.marker:
            return change.after.marker.split(".")[2]
        if change.after is not None:
            self.fail("I3-marker", f"wrote {change.remote_id} without a marker")
        return held.link if held is not None else ""

    def _take(self, held: Held, change: Change) -> None:
        self.wrote_pos[held.link] = self.pos
        was = change.before if change.after is None else None
        held.taken = None if was is None else (was.event, held.ours, held.since, held.gone)
        held.stored = change.after
        held.ours = Counter(look(change.after))
        held.since, held.gone, held.edited_at, held.removed = {}, {}, None, None
        held.sent = self._under_way(held.link)
        if change.after is not None and not held.sent:
            # It was on its way while its worker lost the lease: nobody waits for it, and it reads like an edit.
            self.versions.setdefault(held.link, []).append((self.pos, look(change.after)))
        held.removed_by = None if change.after is not None else Actor.CALSYNC
        if change.after is not None:
            held.title = change.after.event.master.title
            for other in self.of_link.get(held.link, ()):
                if other is not held and other.stored is None:
                    other.gone, other.removed_by = {}, Actor.CALSYNC

    def _check_allowed(self, held: Held, change: Change, link: str) -> None:
        [(state,)] = self.books.rows("SELECT state FROM calendars WHERE id = ?", change.calendar) or [("unknown",)]
        if state in ("stopped", "paused") and not self._left_before_the_stop(change.calendar, link):
            self.fail("I6-stopped", f"wrote {change.remote_id} to {change.calendar}, which is {state}")
        sent = self.books.rows("SELECT 1 FROM owed_writes WHERE link = ? AND sent_at IS NOT NULL", link)
        if not sent and not self.power_lost:
            self.fail("I2-not-sent", f"a write to {change.remote_id} left before it was on the books as sent")
        if not self.books.rows("SELECT 1 FROM links WHERE id = ?", link) and not self.power_lost:
            self.fail("I3-books", f"wrote {change.remote_id}, whose link {link} is not on the books")

    def _left_before_the_stop(self, calendar: str, link: str) -> bool:
        """Whether it was on its way when another worker, which had the lease by then, stopped the calendar."""
        [(stopped,)] = self.books.rows("SELECT max(started_at) FROM stops WHERE calendar = ?", calendar)
        [(sent,)] = self.books.rows("SELECT max(sent_at) FROM owed_writes WHERE link = ?", link)
        return stopped is not None and sent is not None and sent < stopped

    def _check_recorded(self, held: Held, change: Change) -> None:
        after = look(change.after)
        overwritten = [held]
        if change.before is None and change.after is not None:
            overwritten = [one for one in self.of_link.get(held.link, ()) if one.stored is None]
        causes = {
            c for (c,) in self.books.rows("SELECT cause FROM owed_writes WHERE link = ? AND state = 'sent'", held.link)
        }
        creates = self.books.rows(
            "SELECT 1 FROM owed_writes WHERE link = ? AND kind = 'create' AND state = 'sent'", held.link
        )
        unguarded = held.key[0] in self.weak and (change.before is None or change.after is None or bool(creates))
        # A create that was on its way while its worker lost the lease: another worker's had arrived before it. Where
        # nothing is guarded it arrives over whatever was made of that.
        unguarded |= not causes and (change.before is None or held.key[0] in self.weak)
        unguarded |= held.key[0] in self.weak and self._is_a_late_create(held, change)
        for one in overwritten:
            if one.stored is not None and one.stored.unreadable is not None:
                if self._is_asked_to_restore(one):
                    continue
                if not unguarded:
                    self.fail("I2-unreadable", f"wrote blindly over {one.key}")
            for span, pos in one.since.items():
                if after[span] == 0 and not self._is_renamed(one, span):
                    self._require(
                        one, pos, self._about(one, pos, observed=span), "overwrote", span, unguarded=unguarded
                    )
            for span, pos in one.gone.items():
                if after[span] > one.now[span]:
                    # What was let be may be told of as standing in the rest of a split, just as it stood in ours.
                    cut_off = [told for told in self._about(one, pos, observed=span) if told.kind == "split"]
                    found = self._about(one, pos, expected=span) or cut_off
                    self._require(one, pos, found, "brought back", span, unguarded=unguarded)
                    if (not unguarded or "revert" in causes) and not self._is_called_since(one, pos, span):
                        self._count_revert(one, span, change, causes)

    def _is_a_late_create(self, held: Held, change: Change) -> bool:
        """Whether it is a create that was given up on its way, and arrives all the same."""
        query = (
            "SELECT content FROM owed_writes"
            " WHERE link = ? AND kind = 'create' AND state = 'superseded' AND sent_at IS NOT NULL"
        )
        marker = (change.after.marker if change.after is not None else None) or ""
        return any(content is not None and content in marker for (content,) in self.books.rows(query, held.link))

    def _is_asked_to_restore(self, held: Held) -> bool:
        """Whether a person knew that it cannot be understood, and said that the booking is to be put back over it."""
        told = (one for one in self.drifts.values() if one.link == held.link and one.kind == "unreadable")
        asked = any(one.open and one.resolved_by is not None for one in told)
        # It may have been on its way while its worker lost the lease, and another one decided the same.
        sent = "SELECT 1 FROM owed_writes WHERE link = ? AND cause = 'restore' AND sent_at IS NOT NULL"
        return asked and bool(self.books.rows(sent, held.link))

    def _is_renamed(self, held: Held, span: Shown) -> bool:
        """Whether it is our own event under another id, as the books have it by now or as nothing else of it is left.

        It shows what we wrote: to whoever only reads, nothing was edited there.
        """
        wrote = self.wrote.get((held.link, held.stored.marker)) if held.stored is not None else None
        alone = not any(one.stored is not None for one in self.of_link[held.link] if one is not held)
        return held.is_copy and (alone or self.is_own(held)) and wrote is not None and counted(wrote)[span] > 0

    def _about(self, held: Held, pos: int, **wanted: Shown) -> list[Revision]:
        """Drifts on the books that tell of it: recorded since, or still open and saying just this.

        An edit that was undone and done again between two readings is the same edit to everybody who only reads.
        """
        return [
            one
            for one in self.revisions.get(held.link, ())
            if (one.pos >= pos or self._still_says(held, one, pos))
            and (self._is_about_copy(one, held) or all(getattr(one, name) == span for name, span in wanted.items()))
        ]

    def _is_about_copy(self, one: Revision, held: Held) -> bool:
        """A copy, or the rest of a split, is told of as a whole: not all it shows has one of ours to stand by."""
        is_beside = held.is_copy and not self.is_own(held)  # ours may have another name by now
        return one.copy_id == held.key[2] or (is_beside and one.kind in ("split", "duplicated"))

    def _still_says(self, held: Held, one: Revision, pos: int) -> bool:
        current = self.drifts.get(one.id)
        if current is None or (current.expected, current.observed) != (one.expected, one.observed):
            return False
        # One that the record overtook after the edit was open until then, and so was one that a person had put back.
        # Ended by our own write is another matter; that was none where we wrote nothing since it was told of.
        # What was to be asked about is counted as put back where the record overtook it, before anything is written.
        by_us = current.resolution == "reverted" and current.resolved_by is None and current.disposition in REVERTS
        ended = not by_us or self.wrote_pos.get(held.link, -1) < one.pos
        return current.open or (ended and (current.pos >= pos or self._is_as_told(held, one)))

    def _is_as_told(self, held: Held, one: Revision) -> bool:
        """Whether an edit that somebody answered, or the record overtook, shows still, or again, as it was told.

        It may have another id by now, or have been away in between; only we wrote nothing since that anybody heard of,
        or took it away as its record called for. It may come back just as it was answered, with its account.
        """
        here = not held.is_copy or self._stands_alone(held)
        if here and self.drifts[one.id].accepted and not self._is_wanted(held.link):
            return True
        return here and (self.wrote_pos.get(held.link, -1) < one.pos or self._was_never_heard(held.sent))

    def _stands_alone(self, held: Held) -> bool:
        """Whether it is a copy, and all that there is: the event itself under another id."""
        return held.is_copy and all(other.stored is None for other in self.of_link[held.link] if other is not held)

    def _require(self, held: Held, pos: int, found: list[Revision], did: str, span: Shown, *, unguarded: bool) -> None:
        if self.power_lost:
            return
        if not found:
            if did == "brought back":
                # What nobody knows to have ever been there is no edit to anybody, either.
                excused = self._is_called_since(held, pos, span) or self._is_told_as_gone(held, pos)
                excused |= self._was_never_heard(held.sent)
            else:
                excused = self._was_recorded(held, pos, span)
            if not unguarded and not excused:
                self.fail("I2-unrecorded", f"{did} {span} in {held.key} ({held.link}), which is not on the books")
            return
        query = "SELECT 1 FROM owed_writes WHERE link = ? AND state = 'sent' AND cause = 'restore'"
        said_restore = bool(self.books.rows(query, held.link)) or not self._is_wanted(held.link)
        current = [self.drifts[one.id] for one in self._told_here(held, found, span) if one.id in self.drifts]
        # Which session was moved where may read otherwise after a further edit: what says so now goes before what did.
        for one in [one for one in current if one.observed == span] or current:
            left = one.open and one.disposition not in REVERTS and one.resolved_by is None and one.kind not in COSMETIC
            # What is over by now goes back with its series; its evidence is on the books. Of one that only the
            # calendar shows, what it shows tells.
            told = one.expected or one.observed
            over = told is not None and told[0] <= self.clock.now().timestamp()
            along = one.scope == "series" and (over or one.phase != "upcoming")
            carried = held.is_copy and one.observed == span and self._is_carried_over(held, span)
            # What is let be of a rest that goes is shown by our own event from then on, just as it was.
            carried |= not held.is_copy and one.kind == "split" and one.observed == span
            elsewhere = carried or self._is_overtaken(held, one) or self._went_out_before(one)
            if left and not along and not unguarded and not said_restore and not elsewhere:
                self.fail(
                    "I2-flagged", f"{did} {span} in {held.key}, which drift {one.id} ({one.disposition}) leaves alone"
                )
            if one.open and one.appointment and one.disposition in REVERTS and not self.policy.get("observe"):
                query = "SELECT 1 FROM holds WHERE appointment = ? AND drift = ?"
                if not self.books.rows(query, one.appointment, one.id):
                    self.fail("I1-no-hold", f"{did} {span} in {held.key} before {one.appointment} was held")

    def _is_carried_over(self, held: Held, span: Shown) -> bool:
        """Whether our own event shows what a copy showed, or is owed a write that does: so it stays as it was seen."""
        if any(one.now[span] for one in self.of_link[held.link] if not one.is_copy):
            return True
        query = "SELECT target FROM owed_writes WHERE link = ? AND state IN ('owed', 'sent') AND target IS NOT NULL"
        owed = (event_from_text(text) for (text,) in self.books.rows(query, held.link))
        return any(counted(one)[span] for one in owed)

    def _went_out_before(self, told: Revision) -> bool:
        """Whether what arrives was given up on its way, when the edit came to be left alone: nobody holds it back."""
        query = "SELECT state, sent_at < settled_at FROM owed_writes WHERE link = ? AND sent_at > 0 ORDER BY sent_at"
        sent = self.books.rows(query, told.link)
        return bool(sent) and sent[-1] == ("superseded", 1) and all(state != "sent" for state, _ in sent)

    def _is_overtaken(self, held: Held, told: Revision) -> bool:
        """Whether a copy has taken our event's place since it was told of, and the record was changed."""
        subject = self.subject_of(held.link)
        if told.kind != "duplicated" or told.expected is None or subject is None or not self.is_own(held):
            return False
        return self.called_for.get((*subject, told.expected), -1) != STILL

    def _told_here(self, held: Held, found: list[Revision], span: Shown) -> list[Revision]:
        """Those of the drifts that are about this very event, where there are several with the same marker.

        A copy beside our event may show just what ours does: what was told of ours says nothing about the copy then.
        Nor does what was told of one rest of a split say anything about another, if there is a drift about just that.
        """
        own = [one for one in found if one.copy_id == held.key[2]]
        here = [one for one in found if one.kind != "duplicated" or one in own]
        if not held.is_copy:
            return here
        if not self.is_own(held):
            here = own or here
        return [one for one in here if one.observed == span] or here

    def _is_wanted(self, link: str) -> bool:
        """Whether the record calls for anything there: what is cancelled goes, edited or not."""
        subject = self.subject_of(link)
        return any(until == STILL and key[:2] == subject for key, until in self.called_for.items())

    def _was_recorded(self, held: Held, pos: int, span: Shown) -> bool:
        """Whether the record itself called for this while it stood: then both sides agreed, and nothing is lost."""
        subject = self.subject_of(held.link)
        # Under its former id it may have shown this when the record called for it.
        since = 0 if self._stands_alone(held) else pos
        return subject is not None and self.called_for.get((*subject, span), -1) >= since

    def _is_called_since(self, held: Held, pos: int, span: Shown) -> bool:
        """Whether the record came to call for this only after it had gone: then both sides had agreed before."""
        subject = self.subject_of(held.link)
        return subject is not None and self.called_from.get((*subject, span), -1) >= pos

    def _is_told_as_gone(self, held: Held, pos: int) -> bool:
        """Whether it is on the books that a whole series went, whatever its sessions showed unread before."""
        told = (one for one in self.revisions.get(held.link, ()) if one.pos >= pos and one.scope == "series")
        return held.stored is None and any(one.observed is None for one in told)

    def _count_revert(self, held: Held, span: Shown, change: Change, causes: set[str]) -> None:
        # What is over goes back along with its series; only sessions to come are fought about.
        if causes & {"restore"} or span[0] <= self.clock.now().timestamp():
            return
        # A write that arrived and was undone before anybody read it: nobody knows that it was ever there, and what
        # follows is that write once more. It counts once if it put something back, and not at all if it was the
        # record's own.
        under_way = self._under_way(held.link)
        known = self._remembered(self.reverted.get((held.link, span), []), under_way)
        times = [(at, sent) for at, sent in known if not self._was_never_heard(sent)]
        if len(times) < len(known) or not self._was_never_heard(held.sent):
            times.append((change.at, under_way))
        self.reverted[held.link, span] = times
        period = timedelta(hours=24) if not self.clock_jumped else timedelta(hours=21)
        recent = [at for at, _ in times if abs(change.at - at) < period]
        if len(recent) > self.policy["revert_limit"]:
            self.fail("I5-fight", f"put {span} in {held.key} back {len(recent)} times in a day")
        if held.removed_by is Actor.PERSON and held.wipe and held.stored is None:
            self._count_mass(held, change)

    def _remembered(
        self, known: list[tuple[datetime, tuple[str, ...]]], under_way: tuple[str, ...]
    ) -> list[tuple[datetime, tuple[str, ...]]]:
        """Without what older books know nothing of, once they were brought back; nor what they have go out again."""
        if not self.power_lost:
            return known
        query = "SELECT 1 FROM owed_writes WHERE id = ? AND sent_at IS NOT NULL"
        return [
            (at, sent)
            for at, sent in known
            if sent != under_way and (not sent or any(self.books.rows(query, one) for one in sent))
        ]

    def _under_way(self, link: str) -> tuple[str, ...]:
        return tuple(one for (one,) in self.books.rows(_UNDER_WAY, link))

    def _was_never_heard(self, sent: tuple[str, ...]) -> bool:
        # Books that are older than the write know nothing of it.
        return bool(sent) and all(
            self.books.rows(_NEVER_HEARD, one) or (self.power_lost and not self.books.rows(_ON_BOOKS, one))
            for one in sent
        )

    def _count_mass(self, held: Held, change: Change) -> None:
        # Counted are upcoming events that the books knew of: one whose write was never heard of was never there.
        # Not what was called off before, nor what was over when it was read.
        gone_at, now = (held.removed[0] if held.removed else 0), self.clock.now().timestamp()
        ahead = any(span[0] > now and held.gone.get(span, gone_at) >= gone_at for span in held.ours)
        if not ahead or self._was_never_heard(held.sent):
            return
        restored = self.restored.setdefault(held.wipe, {})
        restored[held.link] = change.at
        # What a service kept to itself until the period was over is counted anew.
        together = {link for link, at in restored.items() if abs(change.at - at) < STAMPEDE_PERIOD}
        if self.books.rows("SELECT 1 FROM stops WHERE calendar = ? AND released_at IS NOT NULL", change.calendar):
            return
        # What the books had when it was read counts: events may have come in since it happened.
        others = self._upcoming(change.calendar) - together
        upcoming = max(self.upcoming_at.get(held.wipe, 0), len(together) + len(others))
        weeks = {self._week(span) for link in together for one in self.of_link[link] for span in one.ours}
        every = upcoming >= 2 and len(together) >= upcoming
        many = len(together) >= self.policy["stampede_min"] and len(together) >= 0.2 * upcoming and len(weeks) > 1
        if every or many:
            self.fail("I6-mass", f"wrote {len(together)} of {upcoming} events again that vanished together")

    def begin_wipe(self, calendar: str) -> None:
        """Somebody is about to remove many events at once."""
        self.wipes += 1
        self.wipe = self.wipes
        self.upcoming_at[self.wipe] = len(self._upcoming(calendar))

    def _upcoming(self, calendar: str) -> set[str]:
        query = (
            "SELECT id FROM links WHERE calendar = ? AND state != 'retired' AND linked_at IS NOT NULL"
            " AND (last_end IS NULL OR last_end > ?)"
        )
        return {link for (link,) in self.books.rows(query, calendar, int(self.clock.now().timestamp() * 1_000_000))}

    def _week(self, span: Shown) -> tuple[int, int]:
        at = datetime.fromtimestamp(span[0], ZoneInfo(self.zone))
        return at.isocalendar()[0], at.isocalendar()[1]

    def _check_user_fields(self, held: Held, change: Change) -> None:
        before, after = change.before, change.after
        if before is None or after is None:
            return
        if before.own != after.own:
            self.fail("I3-fields", f"changed the user's fields of {held.key}")
        if held.title is not None and before.event.master.title not in (held.title, after.event.master.title):
            self.fail("I3-title", f"wrote over the user's title of {held.key}")

    # --- the books

    def _reload(self) -> None:
        found = {row[0]: row for row in self.books.rows(_DRIFTS)}
        for drift_id in self.drifts.keys() - found.keys():
            del self.drifts[drift_id]  # the power went, and the last commits with it
        for drift_id, row in found.items():
            read_pos = self.read_pos.get(row[2], self.pos)
            fresh = _revision(row)
            known = self.drifts.get(drift_id)
            if known is not None and _same(known, fresh):
                continue
            fresh = Revision(**{**fresh.__dict__, "pos": self.pos, "read_pos": read_pos})
            if known is None:
                self._check_found(fresh)
                self.mark(f"drift-{fresh.kind}")
            self._mark_change(known, fresh)
            self.drifts[drift_id] = fresh
            if known is None or _tells(known) != _tells(fresh):
                self.revisions.setdefault(fresh.link, []).append(fresh)
            if known is None or known.observed != fresh.observed:
                self.last_of[fresh.place] = fresh

    def _check_found(self, fresh: Revision) -> None:
        before = self.last_of.get(fresh.place)
        if before is not None and before.id in self.drifts and self.drifts[before.id].open and fresh.open:
            self.fail("I2-double", f"drifts {before.id} and {fresh.id} are both open on one occurrence")
        late = fresh.phase != "upcoming" and fresh.kind not in COSMETIC
        if late and fresh.disposition in REVERTS and not self._was_stopped(fresh.calendar):
            self.fail(
                "I2-late", f"drift {fresh.id} ({fresh.kind}) is of a session that has begun, and is to be put back"
            )
        if self.power_lost or self.read_stale:
            return
        # What cannot be read stays so, whatever becomes of the record: it is told again for each state of that.
        told_late = fresh.kind == "unreadable" or fresh.kind in COSMETIC
        after = self._read_until(before) if before is not None and not told_late else -1
        versions = [seen for pos, seen in self.versions.get(fresh.link, ()) if pos > after]
        lacks = any(seen[fresh.expected] == 0 for seen in versions) if fresh.expected is not None else False
        excused = bool(versions) and (self._stands_beside(fresh) or self._is_one_less(fresh, versions))
        # What our event lost may be told of as standing in a rest that is there, though that was shown before; as gone
        # first, where the service told of the rest later.
        lacks = lacks or (before is not None and before.observed is None)
        excused = excused or (lacks and fresh.kind == "split" and self._shows_now(fresh))
        # An answer given on a clock that was set back passes for one from before our write: it is asked for once more.
        excused = excused or (self.clock_jumped and before is not None and _tells(before) == _tells(fresh))
        if not any(_shows(seen, fresh) for seen in versions) and not excused:
            self.fail("I2-phantom", f"drift {fresh.id} ({fresh.kind} {fresh.expected} -> {fresh.observed}) has no edit")

    def _is_one_less(self, told: Revision, versions: list[Counter[Shown]]) -> bool:
        """Whether a session that is told of as gone showed twice, as another one was moved there, and then once."""
        span = told.expected
        if told.observed is not None or span is None:
            return False
        return min(seen[span] for seen in versions) < max(seen[span] for _, seen in self.versions[told.link])

    def _stands_beside(self, told: Revision) -> bool:
        """Whether our own event is the copy: it was made anew unheard, and somebody brought the former one back."""
        return told.kind == "duplicated" and self._shows_now(told)

    def _shows_now(self, told: Revision) -> bool:
        """Whether the very event that a drift names as the copy shows what it tells of."""
        if told.observed is None:
            return False
        return any(one.now[told.observed] for one in self.of_link.get(told.link, ()) if one.key[2] == told.copy_id)

    def _read_until(self, drift: Revision) -> int:
        """Up to where what people did was read when a drift came to say what it says.

        A feed may not tell yet what was done last. As long as we did not write over that, it stands, and a drift that
        says otherwise was told before it was read. One that the record overtook asked nobody: should the record come
        back while what was done still stands, it is told again.
        """
        done = [(pos, seen) for pos, seen in self.versions.get(drift.link, ()) if pos <= drift.read_pos]
        overtaken = self.drifts[drift.id].resolution == "superseded" if drift.id in self.drifts else False
        stands = bool(done) and self.wrote_pos.get(drift.link, -1) < done[-1][0]
        if stands and (overtaken or not _shows(done[-1][1], drift)):
            return done[-1][0] - 1
        return drift.read_pos

    def _was_stopped(self, calendar: str) -> bool:
        """Whether a person may have said that all goes back, what is over included."""
        return bool(self.books.rows("SELECT 1 FROM stops WHERE calendar = ?", calendar))

    def _mark_change(self, known: Revision | None, fresh: Revision) -> None:
        if known is None or known.resolution != fresh.resolution:
            self.mark(f"resolution-{fresh.resolution}")
        if known is None:
            self.mark(f"phase-{fresh.phase}")
            if (
                fresh.disposition == "flag"
                and fresh.phase == "upcoming"
                and fresh.kind not in COSMETIC | {"unreadable"}
            ):
                self.mark("limit-reached")
        elif known.observed != fresh.observed:
            self.mark("edited-again-while-open")

    # --- after a pass in which nothing went wrong

    def check_owed(self, calendar: str, pos: int, before: datetime, expected: dict[str, Counter[Shown]]) -> None:
        """Every edit that was in place when a clean pass began is on the books when it ends."""
        horizon, behind = (before + timedelta(days=400)).timestamp(), (before - timedelta(days=60)).timestamp()
        for held in self.events.values():
            if held.key[1] != calendar or held.edited_at is None or held.edited_at > before:
                continue
            subject = self.subject_of(held.link)
            if subject is None or (held.stored is not None and held.stored.unreadable is not None):
                continue
            if self.books.rows("SELECT 1 FROM links WHERE id = ? AND state = 'retired'", held.link):
                continue  # cancelled: what people do with a copy that was flagged before is theirs
            if self._is_unsigned(held):
                continue  # its marker was taken off before anybody read it under that name: who could know whose it is?
            if self._is_of_the_past(held):
                continue  # it came back after its link had gone on under another name: a person's own from then on
            if not self._is_booked(held) and held.now and all(not behind <= span[0] < horizon for span in held.now):
                continue  # its name was never told to us, and it lies where no listing looks: nobody can have read it
            wanted = expected.get(f"{subject[0]}:{subject[1]}", Counter())
            accepted = [one for one in self.drifts.values() if one.link == held.link and one.accepted]
            for span, at in held.since.items():
                # A copy far back in time stands beside nothing that is mirrored there.
                beyond = span[0] > horizon or (self._is_beside(held) and span[1] < behind)
                known = any(one.observed == span for one in accepted) or wanted[span] or beyond
                if at <= pos and not known and not self._about(held, at, observed=span):
                    self.fail("I2-lost", f"{held.key} shows {span} since {at}, and no drift tells of it")
            for span, at in held.gone.items():
                # Another session may have been moved there, and away again: what is called for stands all the same.
                known = any(one.expected == span for one in accepted) or held.now[span] >= wanted[span]
                elsewhere = any(
                    other.now[span] or (other.edited_at is not None and other.edited_at > before)
                    for other in self.of_link[held.link]
                    if other is not held
                )
                if at <= pos and not known and not elsewhere and not self._about(held, at, expected=span):
                    self.fail("I2-lost", f"{held.key} lacks {span} since {at}, and no drift tells of it")

    def _is_unsigned(self, held: Held) -> bool:
        """Whether nothing tells any more that it came from us: neither a marker of ours nor its name."""
        if held.stored is None or held.stored.marker in self.markers:
            return False
        return not self._is_booked(held)

    def _is_of_the_past(self, held: Held) -> bool:
        """Whether it is marked for an earlier generation of its link, so that it is nobody's but the person's.

        Its link was given another name because the service refused this one, for what was gone for good. Should it come
        back all the same, with an account that was swapped for instance, then our event stands under the new name, and
        by its marker this one is foreign.
        """
        if self._is_booked(held) or held.stored is None or held.stored.marker not in self.markers:
            return False
        marker = held.stored.marker or ""
        return self.books.rows("SELECT generation FROM links WHERE id = ?", held.link) != [(int(marker.split(".")[3]),)]

    def _is_beside(self, held: Held) -> bool:
        """Whether it stands beside its link's own event, be it a former one that came back after it was made anew."""
        return held.is_copy or not self.is_own(held)

    def is_own(self, held: Held) -> bool:
        """Whether it bears the name under which the books have a link's own event."""
        booked = "SELECT 1 FROM links WHERE remote_id = ? AND calendar = ?"
        return bool(self.books.rows(booked, held.key[2], held.key[1]))

    def _is_booked(self, held: Held) -> bool:
        """Whether the books know its name."""
        copied = "SELECT 1 FROM link_copies WHERE remote_id = ? AND link IN (SELECT id FROM links WHERE calendar = ?)"
        return self.is_own(held) or bool(self.books.rows(copied, held.key[2], held.key[1]))

    def alive(self, calendar: str | None = None) -> Iterable[Held]:
        """Own events that stand, in the order in which they came."""
        return (one for one in self.events.values() if one.stored is not None and calendar in (None, one.key[1]))


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
