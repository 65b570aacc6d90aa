"""The all-knowing observer: sees every change in every calendar and every commit, and knows who did what.

It hangs on the ports only (`MemoryService.observers`, the database's boundaries), compares events by its own expander,
and judges by the invariants' exact reading: no write of ours replaces what is not ours and not on the books; every
owed edit has one drift, every drift has an edit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from calsync.domain.event import Event
from calsync.testing.fake_ports import FakeClock
from calsync.testing.memory_state import Actor, Change
from tests.simulation.drifts_told import reload
from tests.simulation.fights import upcoming_links
from tests.simulation.held import Held, Key, Revision, Violation, look
from tests.simulation.on_books import given_up_on_the_way, was_never_heard, writes_under_way
from tests.simulation.overwriting import check_allowed, check_recorded, check_user_fields
from tests.simulation.ports import Books
from tests.simulation.sights import OUR_TITLES, Shown, renamed


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
            reload(self)

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
        held.named = held.named if change.after is None else renamed(change.after.event, OUR_TITLES)
        held.edited_at = change.at
        now = held.now
        self.versions.setdefault(held.link, []).append((self.pos, now))
        if change.before is not None and change.after is None:
            self._put_beside_in_its_place(held, look(change.before), since)
        if change.after is not None and self.wrote.get((held.link, change.after.marker)) == change.after.event:
            # Taken back to what we wrote ourselves before: nobody who only reads can tell it from our own write. What
            # people do next is measured from there.
            held.ours, held.since, held.gone = Counter(now), {}, {}
            return
        held.since = {span: since.get(span, self.pos) for span in now - held.ours}
        held.gone = {span: gone.get(span, self.pos) for span in held.ours - now}

    def _put_beside_in_its_place(self, held: Held, showed: Counter[Shown], since: dict[Shown, int]) -> None:
        """What stands beside an event that is taken away takes its place: to whoever reads, that is what became of it.

        Where it shows the same, only its name is another: what was told of it under the old one is told.
        """
        for one in self.of_link[held.link]:
            if one.stored is None or one.key[1] != held.key[1]:
                continue
            self.versions[held.link].append((self.pos, one.now))
            if one.now == showed:
                one.since = {span: min(pos, since.get(span, pos)) for span, pos in one.since.items()}

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
        check_allowed(self, held, change, link)
        self._forget_what_was_undone_unheard(held)
        check_recorded(self, held, change)
        check_user_fields(self, held, change)
        if change.after is not None and change.after.marker:
            self.markers[change.after.marker] = (change.calendar, link)
            self.wrote[link, change.after.marker] = change.after.event
        self._take(held, change)

    def _forget_what_was_undone_unheard(self, held: Held) -> None:
        """Somebody undid a write of ours of which nobody heard: to whoever only reads it never arrived."""
        was = held.replaced
        undone = was is not None and held.stored is not None and held.stored.event == was[0]
        if was is not None and undone and was_never_heard(self, held.sent):
            _, held.ours, held.since, held.gone = was

    def _link_of(self, change: Change, held: Held | None) -> str:
        if change.after is not None and change.after.marker:
            return change.after.marker.split(".")[2]
        if change.after is not None:
            self.fail("I3-marker", f"wrote {change.remote_id} without a marker")
        return held.link if held is not None else ""

    def _take(self, held: Held, change: Change) -> None:
        self.wrote_pos[held.link] = held.wrote_at = self.pos
        before = None if change.before is None else (change.before.event, held.ours, held.since, held.gone)
        held.taken, held.replaced = before if change.after is None else None, before
        held.stored = change.after
        held.ours = Counter(look(change.after))
        held.since, held.gone, held.edited_at, held.removed = {}, {}, None, None
        held.sent = writes_under_way(self, held.link)
        if change.after is not None and not held.sent:
            # It was on its way while its worker lost the lease: nobody waits for it, and it reads like an edit.
            self.versions.setdefault(held.link, []).append((self.pos, look(change.after)))
            held.sent = given_up_on_the_way(self, held.link, change)
        held.removed_by = None if change.after is not None else Actor.CALSYNC
        if change.after is not None:
            held.title = change.after.event.master.title
            for other in self.of_link.get(held.link, ()):
                if other is not held and other.stored is None:
                    other.gone, other.removed_by = {}, Actor.CALSYNC

    def begin_wipe(self, calendar: str) -> None:
        """Somebody is about to remove many events at once."""
        self.wipes += 1
        self.wipe = self.wipes
        self.upcoming_at[self.wipe] = len(upcoming_links(self, calendar))

    def is_own(self, held: Held) -> bool:
        """Whether it bears the name under which the books have a link's own event."""
        booked = "SELECT 1 FROM links WHERE remote_id = ? AND calendar = ?"
        return bool(self.books.rows(booked, held.key[2], held.key[1]))

    def alive(self, calendar: str | None = None) -> Iterable[Held]:
        """Own events that stand, in the order in which they came."""
        return (one for one in self.events.values() if one.stored is not None and calendar in (None, one.key[1]))
