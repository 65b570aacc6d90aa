"""Which links are in play in a pass: those the books call for, and those of which the calendar showed something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from calsync.connector.protocol import Gone, Item, Seen, Unreadable
from calsync.domain.appointment import Subject
from calsync.domain.link import Link, LinkState
from calsync.domain.marker import derived_link_id, derived_remote_id, verify_marker
from calsync.reconcile.case import Copy
from calsync.reconcile.hers import is_wholly_her_own
from calsync.reconcile.match import Match, Role, match_items
from calsync.store import copies, links, owed_writes, subject_changes
from calsync.store.owed_writes import OwedWrite
from calsync.store.titles import hide_titles, titles_of
from calsync.worker.apart import Apart
from calsync.worker.context import PassContext
from calsync.worker.read import Sights
from calsync.worker.strangers import without_strangers

# Subjects taken up by one pass: the rest waits for the next, so that a first import stays within bounded memory.
PENDING_AT_MOST = 1000
READS_AT_MOST = 20_000


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
        # What nobody could understand last is looked at before anything is decided about it: the version on the books
        # may be what it says by now.
        reads_due = (
            *links.reads_due(conn, calendar, context.began_at, READS_AT_MOST),
            *links.unreadable(conn, [link_id for link_id, one in in_play.items() if not one.is_new]),
        )
        unsettled = owed_writes.count_owed(conn, calendar)
        return Start(None if context.full else context.row.cursor, pending, in_play, unanswered, reads_due, unsettled)


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


def links_to_read(begun: Start, sights: Sights) -> Iterable[str]:
    """Remote ids to read by id: ended sessions (R-19) and writes without an answer, unless just shown by the feed."""
    wanted = [link.remote_id for link in begun.reads_due]
    wanted += [begun.links[link_id].link.remote_id for link_id in begun.unanswered if link_id in begun.links]
    wanted += [owed.remote_id for sent in begun.unanswered.values() for owed in sent]
    return [remote_id for remote_id in wanted if not isinstance(sights.items.get(remote_id), Seen | Unreadable)]


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


def assign(conn: Connection, context: PassContext, in_play: dict[str, Pending], sights: Sights) -> Assigned:
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
    # But for one that stands under the very name that we would give it.
    new = {pending.link.remote_id for pending in in_play.values() if pending.is_new}
    gone = vanished | (new - items.keys())
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
