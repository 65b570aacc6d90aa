"""Step three's preparation: everything that deciding may know about each link in play, read in one go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from calsync.connector.protocol import Gone, Item, Seen, Unreadable
from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.drift import Drift
from calsync.domain.event import Event
from calsync.domain.link import Link
from calsync.domain.marker import verify_marker
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
from calsync.reconcile.match import Match
from calsync.store import copies, link_drifts, links, owed_writes
from calsync.store.owed_writes import OwedWrite
from calsync.store.titles import hide_titles, titles_of
from calsync.worker.apart import Apart
from calsync.worker.context import PassContext
from calsync.worker.in_play import Pending, Start, assign
from calsync.worker.read import Sights
from calsync.worker.subjects import AtHand, Showing, SubjectFacts, facts_of, fetch


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


def gather(context: PassContext, begun: Start, sights: Sights) -> Gathered:
    """Bring the books and the sights together, link by link."""
    with context.worker.database.reading() as conn:
        in_play = dict(begun.links)
        assigned = assign(conn, context, in_play, sights)
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


@dataclass(frozen=True, slots=True)
class _Known:
    """What the books say of the links in play, by link; those of which they say nothing are left out."""

    unanswered: Mapping[str, tuple[OwedWrite, ...]]
    given_up: Mapping[str, tuple[OwedWrite, ...]]
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
        owed_writes.given_up_of_links(conn, ids),
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
    # What was confirmed after it would have been refused, had it still arrived.
    late = [one for one in known.given_up.get(link.id, ()) if not _is_confirmed_since(link, one)]
    gone_copies = {rid for rid, i in sights.items.items() if rid in before and _is_ours_no_more(context, link, i)}
    # A copy that took the place of the link's own event is none any more.
    not_copies = gone_copies | {link.remote_id}
    now = {rid: copy for rid, copy in (before | dict(copies_seen)).items() if rid not in not_copies}
    # What was sent and not answered for may stand there, and the record may want nothing any more.
    ours = titles_of(link.baseline).union(
        titles_of(facts.expected), *(titles_of(owed.target) for owed in (*late, *sent))
    )
    case = LinkCase(
        link=link,
        expected=facts.expected if _is_mirrored(context, link, facts) else None,
        slots=facts.slots,
        sight=_sight(match, sights, ours),
        copies=tuple(_copy_now(copy, before.get(rid), sights.items.get(rid), ours) for rid, copy in now.items()),
        gone_copies=frozenset(not_copies & before.keys()),
        # The removal of a copy, arrived or not, says nothing of the link's own event.
        sent=tuple(_sent_write(owed) for owed in (*late, *sent) if owed.cause is not Cause.COPY),
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


def _is_confirmed_since(link: Link, owed: OwedWrite) -> bool:
    return link.confirmed_at is not None and owed.created_at <= link.confirmed_at


def _is_ours_no_more(context: PassContext, link: Link, item: Item) -> bool:
    """Whether a copy is gone, or carries our marker no more: without it nobody may take it away (I3)."""
    if not isinstance(item, Seen):
        return isinstance(item, Gone)
    marker = verify_marker(context.worker.keys, item.marker or "")
    return marker is None or marker.link != link.id


def _sent_write(owed: OwedWrite) -> SentWrite:
    restores = owed.reverts if owed.cause is Cause.RESTORE else ()
    return SentWrite(owed.id, owed.target, owed.content, restores, owed.version, given_up=owed.state != "sent")


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
