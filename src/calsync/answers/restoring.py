"""`restore`: the write that puts the expected event back, owed like any other and sent by the calendar's next pass.

Only the occurrences that were answered change; what else people did to the same event stays (R-9). Where the record
calls for nothing any more, the event that a person made into her own goes by this word.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import Connection

from calsync.answers.words import Given
from calsync.domain.drift import Drift, DriftKind, Resolution
from calsync.domain.event import Event, OriginalStart
from calsync.domain.link import Link, LinkState
from calsync.domain.notation import content_hash
from calsync.domain.write import Cause, WriteKind
from calsync.errors import Problem, Refused
from calsync.reconcile.disposition import ANSWERS_TO_INVITATIONS
from calsync.reconcile.target import build_target
from calsync.store import audit, copies, link_drifts, links, owed_writes, providers, subject_changes, work
from calsync.store.owed_writes import OwedWrite
from calsync.store.work import Priority
from calsync.worker.opening import rules_of
from calsync.worker.subjects import facts_of, shown_by


def owe_restore(conn: Connection, given: Given, chosen: Sequence[Drift]) -> frozenset[str]:
    """Owe one write per event; return the ids of the drifts that wait for one, for the others have nothing to undo.

    Refused for events that calsync has no business writing any more.
    """
    waiting: set[str] = set()
    standing = [one for one in chosen if one.resolution is Resolution.OPEN and not is_let_be(one)]
    by_link = groupby(sorted(standing, key=lambda one: one.link), key=lambda one: one.link)
    for link_id, those in by_link:
        link = links.link(conn, link_id)
        if link is not None:
            waiting |= {one.id for one in _owe(conn, given, link, list(those))}
    return frozenset(waiting)


def is_let_be(one: Drift) -> bool:
    """Whether there is nothing to write: the event stands as it was written, and what was answered to it is theirs.

    Who has such an edit restored says that the session stands as booked.
    """
    return one.kind in ANSWERS_TO_INVITATIONS


def _owe(conn: Connection, given: Given, link: Link, chosen: list[Drift]) -> list[Drift]:
    beside = copies.of_link(conn, link.id)
    for copy in beside:
        about = [one for one in chosen if one.copy_id == copy.remote_id]
        if about:
            reverts = _starts([one for one in about if one.kind is DriftKind.DUPLICATED])
            _put(conn, given, link, _removal(given, link, (copy.remote_id, copy.version, Cause.COPY), reverts))
    changed = [one for one in chosen if one.kind is not DriftKind.DUPLICATED]
    if changed:
        _put(conn, given, link, _rewrite(conn, given, link, changed))
    if not any(one.kind is DriftKind.UNREADABLE for one in chosen):
        # The pass decides before it writes, so that what was not answered is kept as the event shows it by then. Of one
        # that nobody can read it knows no more than we do.
        subject_changes.mark(conn, link.provider, link.subject)
    work.push(conn, link.calendar, given.now, Priority.PERSON)
    # A copy that is gone was taken away with the rest of it, or by its owner: what is left of it is the question only.
    stands = {copy.remote_id for copy in beside}
    return [one for one in chosen if one.kind is not DriftKind.DUPLICATED or one.copy_id in stands]


def _rewrite(conn: Connection, given: Given, link: Link, changed: list[Drift]) -> OwedWrite:
    expected = _expected(conn, given, link)
    stands = link.state is not LinkState.RETIRED
    if expected is None and stands and not link.absent and link.version is not None:
        return _removal(given, link, (link.remote_id, link.version, Cause.RESTORE), _starts(changed))
    if expected is None or not stands:
        what = "there is nothing to restore: the record calls for no event there any more"
        raise Refused([Problem(what, f"drift {changed[0].id}", "Use stands or dismiss")], code="nothing-to-restore")
    target = _target(conn, link, expected, changed)
    is_gone = link.absent or link.version is None
    return OwedWrite(
        id=given.desk.ids.new_id("write"),
        calendar=link.calendar,
        link=link.id,
        kind=WriteKind.CREATE if is_gone else WriteKind.UPDATE,
        remote_id=link.remote_id,
        target=target,
        content=content_hash(target),
        version=None if is_gone else link.version,
        cause=Cause.RESTORE,
        reverts=_starts(changed),
        not_before=given.now,
        created_at=given.now,
    )


def _starts(changed: Sequence[Drift]) -> tuple[OriginalStart, ...]:
    return tuple(one.original_start for one in changed)


def _removal(given: Given, link: Link, of: tuple[str, str, Cause], reverts: tuple[OriginalStart, ...]) -> OwedWrite:
    """The write that takes an event with our marker away, known by its name and version."""
    remote_id, version, cause = of
    return OwedWrite(
        id=given.desk.ids.new_id("write"),
        calendar=link.calendar,
        link=link.id,
        kind=WriteKind.DELETE,
        remote_id=remote_id,
        target=None,
        content=None,
        version=version,
        cause=cause,
        reverts=reverts,
        not_before=given.now,
        created_at=given.now,
    )


def _put(conn: Connection, given: Given, link: Link, write: OwedWrite) -> None:
    owed_writes.owe(conn, write)
    detail = {"kind": write.kind.value, "cause": write.cause.value, "calendar": link.calendar}
    audit.append(conn, at=given.now, actor=given.word.by, what="write-owed", subject=f"link:{link.id}", detail=detail)


def _expected(conn: Connection, given: Given, link: Link) -> Event | None:
    provider = providers.get(conn, link.provider)
    practice = provider.practice if provider is not None else "default"
    privacy = rules_of(given.desk.settings, practice).title_privacy
    return facts_of(conn, link.subject, shown_by(link, privacy)).expected


def _target(conn: Connection, link: Link, expected: Event, chosen: list[Drift]) -> Event:
    answered = {one.original_start for one in chosen}
    others = [one for one in link_drifts.open_of_links(conn, [link.id]).get(link.id, ()) if _is_kept(one, answered)]
    kept = {one.original_start: one.observed for one in others}
    return build_target(expected, kept=kept)


def _is_kept(one: Drift, answered: set[OriginalStart]) -> bool:
    return one.original_start not in answered and not one.disposition.reverts
