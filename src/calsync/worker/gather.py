"""Step three's preparation: everything that deciding may know about each link in play, read in one go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from calsync.connector.protocol import Gone, Item, Seen, Unreadable
from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.drift import Drift
from calsync.domain.event import Event
from calsync.domain.link import Link, LinkState
from calsync.domain.marker import derived_link_id, derived_remote_id, verify_marker
from calsync.domain.write import Cause
from calsync.reconcile.case import (
    CalendarFacts,
    ConfirmedAbsent,
    Copy,
    LinkCase,
    NothingNew,
    PastRevert,
    SeenNow,
    SentWrite,
    Sight,
    UnreadableNow,
)
from calsync.reconcile.hers import is_wholly_her_own
from calsync.reconcile.match import Match, Role, match_items
from calsync.store import copies, link_drifts, links, owed_writes, subject_changes
from calsync.store.owed_writes import OwedWrite
from calsync.store.titles import hide_titles, titles_of
from calsync.worker.apart import Apart
from calsync.worker.context import PassContext
from calsync.worker.read import Sights
from calsync.worker.strangers import without_strangers
from calsync.worker.subjects import AtHand, Showing, SubjectFacts, facts_of, fetch

# Subjects taken up by one pass: the rest waits for the next, so that a first import stays within bounded memory.
PENDING_AT_MOST = 1000
READS_AT_MOST = 20_000


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """One link in play: its case for deciding, and what recording needs besides."""

    link: Link
    case: LinkCase
    facts: SubjectFacts
    sent: tuple[OwedWrite, ...] = ()
    copies: Mapping[str, Copy] = field(default_factory=dict)
    copies_before: Mapping[str, Copy] = field(default_factory=dict)
    is_new: bool = False
    is_revived: bool = False
    is_renamed: bool = False
    read_at: datetime | None = None
    last_read_at: datetime | None = None

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do and nothing to remember: not on the books, not wanted, not seen."""
        return (self.is_new or self.is_revived) and self.case.expected is None and self.read_at is None

    @property
    def block(self) -> str | None:
        """The block's id, if the link shows one."""
        return self.link.subject.id if self.link.subject.kind is SubjectKind.BLOCK else None

    @property
    def series(self) -> str | None:
        """The series' id, if the link shows one."""
        return self.link.subject.id if self.link.subject.kind is SubjectKind.SERIES else None


@dataclass(frozen=True, slots=True)
class Pending:
    """A link in play because of the books, not of the calendar: changed, new, or with a write unanswered."""

    link: Link
    is_new: bool = False
    is_revived: bool = False
    is_renamed: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """What the books say before the calendar is asked."""

    cursor: str | None
    pending: tuple[tuple[Subject, int], ...]
    links: Mapping[str, Pending]
    unanswered: Mapping[str, tuple[OwedWrite, ...]]  # by link
    reads_due: tuple[Link, ...]
    owed: int = 0  # writes that are not settled

    @property
    def is_empty(self) -> bool:
        """Whether nothing on the books calls for anything to be decided, read or written."""
        return not (self.pending or self.links or self.reads_due or self.owed)

    @property
    def unlinked(self) -> frozenset[str]:
        """Remote ids of links that are not on the books yet."""
        return frozenset(p.link.remote_id for p in self.links.values() if p.is_new or p.is_revived)


@dataclass(frozen=True, slots=True)
class Gathered:
    """All links in play in this pass, by link id, with what recording must take away or store."""

    links: Mapping[str, LinkFacts]
    pending: tuple[tuple[Subject, int], ...]
    cursor: str | None
    full: bool
    calendar: CalendarFacts
    unknown: frozenset[str] = frozenset()  # remote ids that could not be read

    @property
    def cases(self) -> tuple[LinkCase, ...]:
        """What to decide about."""
        return tuple(facts.case for facts in self.links.values())


def start(context: PassContext) -> Start:
    """Read from the books which links are in play whatever the calendar says."""
    if context.nothing_waits:
        return Start(context.row.cursor, (), {}, {}, ())
    with context.worker.database.reading() as conn:
        calendar = context.row.id
        pending = tuple(subject_changes.pending(conn, calendar, PENDING_AT_MOST))
        unanswered: dict[str, tuple[OwedWrite, ...]] = {}
        for owed in owed_writes.sent(conn, calendar):
            unanswered[owed.link] = (*unanswered.get(owed.link, ()), owed)
        subjects = Apart(conn, context).spread(subject for subject, _ in pending)
        in_play = {p.link.id: p for p in _pending_links(conn, context, subjects)}
        for link in links.by_ids(conn, [link_id for link_id in unanswered if link_id not in in_play]):
            in_play[link.id] = Pending(link)
        reads_due = tuple(links.reads_due(conn, calendar, context.began_at, READS_AT_MOST))
        unsettled = owed_writes.count_owed(conn, calendar)
        return Start(None if context.full else context.row.cursor, pending, in_play, unanswered, reads_due, unsettled)


def gather(context: PassContext, begun: Start, sights: Sights) -> Gathered:
    """Bring the books and the sights together, link by link."""
    with context.worker.database.reading() as conn:
        in_play = dict(begun.links)
        assigned = _assign(conn, context, in_play, sights)
        known = _known(conn, context, begun, in_play)
        gathered: dict[str, LinkFacts] = {}
        postponed: set[Subject] = set()
        for link_id, pending in in_play.items():
            seen = (assigned.own.get(link_id), assigned.copies.get(link_id, {}))
            facts = _link_facts(conn, context, pending, seen, (sights, known))
            if facts is None:
                postponed.add(pending.link.subject)
            elif not facts.is_idle:
                gathered[link_id] = facts
        calendar = CalendarFacts(
            calendar=context.row.id,
            zone=context.zone,
            upcoming_links=links.upcoming_count(conn, context.row.id, context.began_at),
            recent=tuple(
                link_drifts.recent_whole(
                    conn, context.row.id, context.began_at - context.rules.decisions.stampede_period
                )
            )
            if gathered
            else (),
            released=context.released,
        )
    pending_now = tuple((subject, revision) for subject, revision in begun.pending if subject not in postponed)
    unknown = frozenset(sights.unknown)
    return Gathered(dict(sorted(gathered.items())), pending_now, sights.cursor, sights.full, calendar, unknown)


def new_link(context: PassContext, subject: Subject, *, generation: int = 1) -> Link:
    """Make the link of a subject in this calendar. Its ids are derived, so that lost books find their events again."""
    keys, calendar = context.worker.keys, context.row
    link_id = derived_link_id(keys, calendar.id, f"{subject.kind.value}:{subject.id}")
    remote_id = derived_remote_id(keys, link_id, generation)
    return Link(link_id, calendar.id, calendar.provider, subject, generation, remote_id, f"{remote_id}@calsync")


def _pending_links(conn: Connection, context: PassContext, subjects: Iterable[Subject]) -> list[Pending]:
    found: list[Pending] = []
    fresh: list[Link] = []
    wanted = list(subjects)
    linked = links.by_subjects(conn, context.row.id, wanted)
    for subject in wanted:
        link = linked.get(subject)
        if link is not None:
            found.append(Pending(link))
        else:
            fresh.append(new_link(context, subject))
    former = {link.id: link.generation for link in links.by_ids(conn, [link.id for link in fresh])}
    for link in fresh:
        if link.id not in former:
            found.append(Pending(link, is_new=True))
        else:
            revived = new_link(context, link.subject, generation=former[link.id] + 1)
            found.append(Pending(revived, is_revived=True))
    return found


@dataclass(slots=True)
class Assigned:
    """Which item is which link's: its own event, and copies that carry its marker."""

    own: dict[str, Match[Item]] = field(default_factory=dict)
    copies: dict[str, dict[str, Copy]] = field(default_factory=dict)

    def take(self, match: Match[Item]) -> None:
        """File one match under its link."""
        item = match.item
        if match.role is not Role.COPY:
            self.own[match.link.id] = match
        elif isinstance(item, Seen):
            copy = Copy(item.remote_id, item.version, item.event, match.marker)
            self.copies.setdefault(match.link.id, {})[item.remote_id] = copy


def _assign(conn: Connection, context: PassContext, in_play: dict[str, Pending], sights: Sights) -> Assigned:
    """Give each item seen to its link, and put every link that something was seen of into play."""
    by_name = {pending.link.remote_id: pending.link for pending in in_play.values()}
    by_name |= {link.remote_id: link for link in links.by_remote_ids(conn, context.row.id, list(sights.items))}
    items = without_strangers(context, by_name, sights.items)
    markers = (verify_marker(context.worker.keys, getattr(item, "marker", None) or "") for item in items.values())
    named = links.by_ids(conn, [marker.link for marker in markers if marker is not None])
    # What was copied here from another calendar of ours is a person's own; that calendar's pass tells what it misses.
    here = (link for link in named if link.calendar == context.row.id)
    by_id = {link.id: link for link in here if link.state is not LinkState.RETIRED}
    by_id |= {link_id: pending.link for link_id, pending in in_play.items()}
    # A link that is not on the books yet has no event of its own: whatever carries its marker is that event (F-4).
    vanished = {remote_id for remote_id, item in items.items() if isinstance(item, Gone)}
    gone = vanished | {pending.link.remote_id for pending in in_play.values() if pending.is_new}
    matches = match_items(items.values(), by_name, links_by_id=by_id, keys=context.worker.keys, gone=gone)
    assigned = Assigned()
    for match in sorted(matches.ours, key=lambda match: match.role is Role.OWN):
        if match.role is Role.OWN and match.link.id in assigned.own:
            continue  # gone under its old name, and already found under another
        if match.role is Role.RENAMED and _is_her_own(match):
            match = replace(match, role=Role.COPY)  # noqa: PLW2901 - what it is from here on
        assigned.take(match)
        pending = in_play.setdefault(match.link.id, Pending(match.link))
        if match.role is Role.RENAMED:
            link = replace(pending.link, remote_id=match.item.remote_id)
            in_play[match.link.id] = replace(pending, link=link, is_renamed=True)
    # A copy that is gone, or lost its marker, says no more whose it was; the books do.
    nameless = {item.remote_id for item in matches.foreign if isinstance(item, Seen)}
    for link in links.by_ids(conn, copies.links_of(conn, context.row.id, vanished | nameless)):
        in_play.setdefault(link.id, Pending(link))
    return assigned


def _is_her_own(match: Match[Item]) -> bool:
    """Whether what carries the marker of an event that is gone was made into something else."""
    link, item = match.link, match.item
    shown = hide_titles(item.event, titles_of(link.baseline)) if isinstance(item, Seen) else None
    return shown is not None and is_wholly_her_own(shown, (link.baseline, link.observed))


@dataclass(frozen=True, slots=True)
class _Known:
    """What the books say of the links in play, by link; those of which they say nothing are left out."""

    unanswered: Mapping[str, tuple[OwedWrite, ...]]
    drifts: Mapping[str, tuple[Drift, ...]]
    reverts: Mapping[str, tuple[PastRevert, ...]]
    copies: Mapping[str, tuple[Copy, ...]]
    at_hand: AtHand
    apart: Apart


def _known(conn: Connection, context: PassContext, begun: Start, in_play: Mapping[str, Pending]) -> _Known:
    ids = [link_id for link_id, pending in in_play.items() if not pending.is_new]
    since = context.began_at - context.rules.decisions.revert_limit_period
    return _Known(
        begun.unanswered,
        link_drifts.open_of_links(conn, ids),
        link_drifts.reverts_of_links(conn, ids, since),
        copies.of_links(conn, ids),
        fetch(conn, (pending.link.subject for pending in in_play.values())),
        Apart(conn, context),
    )


def _link_facts(
    conn: Connection,
    context: PassContext,
    pending: Pending,
    seen: tuple[Match[Item] | None, Mapping[str, Copy]],
    known_and_seen: tuple[Sights, _Known],
) -> LinkFacts | None:
    """One link's facts; None when its event could not be read, so that nothing may be decided about it now."""
    match, copies_seen = seen
    item = match.item if match is not None else None
    sights, known = known_and_seen
    link = pending.link
    if link.remote_id in sights.unknown:
        return None
    showing = Showing(link.provider, link.uid, context.rules.title_privacy)
    showing = known.apart.showing_of(link.subject, showing, known.at_hand)
    facts = facts_of(conn, link.subject, showing, at_hand=known.at_hand)
    before = {copy.remote_id: copy for copy in known.copies.get(link.id, ())}
    if pending.is_renamed and link.remote_id in before:
        # What it shows was recorded when it was a copy.
        link = replace(link, observed=before[link.remote_id].event, absent=False)
    sent = known.unanswered.get(link.id, ())
    gone_copies = {rid for rid, i in sights.items.items() if rid in before and _is_ours_no_more(context, link, i)}
    # A copy that took the place of the link's own event is none any more.
    not_copies = gone_copies | {link.remote_id}
    now = {rid: copy for rid, copy in (before | dict(copies_seen)).items() if rid not in not_copies}
    ours = titles_of(link.baseline) | titles_of(facts.expected)
    case = LinkCase(
        link=link,
        expected=facts.expected if _is_mirrored(context, link, facts) else None,
        slots=facts.slots,
        sight=_sight(match, sights, ours),
        copies=tuple(_copy_now(copy, before.get(rid), sights.items.get(rid), ours) for rid, copy in now.items()),
        gone_copies=frozenset(not_copies & before.keys()),
        # The removal of a copy, arrived or not, says nothing of the link's own event.
        sent=tuple(_sent_write(owed) for owed in sent if owed.cause is not Cause.COPY),
        drifts=known.drifts.get(link.id, ()),
        reverts=known.reverts.get(link.id, ()),
    )
    looked = isinstance(item, Seen | Gone | Unreadable)
    return LinkFacts(
        link=link,
        case=case,
        facts=facts,
        sent=sent,
        copies={rid: replace(copy, marker=None) for rid, copy in now.items()},
        copies_before=before,
        is_new=pending.is_new,
        is_revived=pending.is_revived,
        is_renamed=pending.is_renamed,
        read_at=sights.read_at.get(link.remote_id) if looked else None,
    )


def _is_ours_no_more(context: PassContext, link: Link, item: Item) -> bool:
    """Whether a copy is gone, or carries our marker no more: without it nobody may take it away (I3)."""
    if not isinstance(item, Seen):
        return isinstance(item, Gone)
    marker = verify_marker(context.worker.keys, item.marker or "")
    return marker is None or marker.link != link.id


def _sent_write(owed: OwedWrite) -> SentWrite:
    return SentWrite(owed.id, owed.target, owed.content, restores=owed.reverts if owed.cause is Cause.RESTORE else ())


def _copy_now(copy: Copy, before: Copy | None, item: Item | None, ours: frozenset[str]) -> Copy:
    # On the books a title that a person typed is known by its mark only.
    was_there = before is not None and _titles_hidden(before.event) == _titles_hidden(copy.event)
    seen = hide_titles(copy.event, ours)
    return replace(copy, event=seen, told=was_there, unreadable=isinstance(item, Unreadable))


def _titles_hidden(event: Event) -> Event:
    return hide_titles(event, frozenset())


def _is_mirrored(context: PassContext, link: Link, facts: SubjectFacts) -> bool:
    """Events once written stay until their record is cancelled; new ones are made only inside the window."""
    if link.linked_at is not None or facts.expected is None:
        return True
    window = context.window
    return (
        facts.first_start is not None
        and facts.first_start < window.end
        and (facts.last_end is None or facts.last_end > window.start)
    )


def _sight(match: Match[Item] | None, sights: Sights, ours: frozenset[str]) -> Sight:
    item = match.item if match is not None else None
    if match is not None and isinstance(item, Seen):
        # A title that a person typed may name a client: from here on only its mark is known.
        return SeenNow(item.version, hide_titles(item.event, ours), match.marker)
    if isinstance(item, Gone):
        return ConfirmedAbsent(sights.elsewhere.get(item.remote_id))
    if isinstance(item, Unreadable):
        return UnreadableNow(item.version, item.reason)
    return NothingNew()


def links_to_read(begun: Start, sights: Sights) -> Iterable[str]:
    """Remote ids to read by id: ended sessions (R-19) and writes without an answer, unless just shown by the feed."""
    wanted = [link.remote_id for link in begun.reads_due]
    wanted += [begun.links[link_id].link.remote_id for link_id in begun.unanswered if link_id in begun.links]
    wanted += [owed.remote_id for sent in begun.unanswered.values() for owed in sent]
    return [remote_id for remote_id in wanted if not isinstance(sights.items.get(remote_id), Seen | Unreadable)]
