"""What to do about one link: the record's, the agreed and the seen event in, one `Decision` out.

Pure: no I/O, no clock, no database. The steps, in order: what do we stand on (`ground`), what became of each occurrence
(`judge`, by the three-way `table` and the practice's `disposition`), what should our event look like (`target`), and so
which writes are wanted. The brakes over all links come afterwards (`pass_plan`). Carried out by the worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from calsync.domain.drift import COSMETIC, Phase
from calsync.domain.event import Appearance, Event, OriginalStart
from calsync.domain.notation import content_hash
from calsync.domain.write import Cause, WriteKind
from calsync.reconcile.case import DecisionPolicy, LinkCase, Moment, NothingNew, UnreadableNow
from calsync.reconcile.compare import view
from calsync.reconcile.copies import judge_copies, rest_of, rests_to_go, rests_to_go_at_word
from calsync.reconcile.ground import Ground, survey, without_renaming
from calsync.reconcile.judge import Verdict, judge
from calsync.reconcile.level import Level
from calsync.reconcile.looks import Look, Story, look
from calsync.reconcile.notes import is_exposed, take_notes
from calsync.reconcile.plan import Adopt, Decision, FoundDrift, Sighting, WantedWrite
from calsync.reconcile.shown import same_state, shown_kind
from calsync.reconcile.table import TABLE, Calendar, Do, Record, cell_name
from calsync.reconcile.target import build_target
from calsync.reconcile.unreadable import decide_unreadable


def decide(case: LinkCase, moment: Moment, policy: DecisionPolicy) -> Decision:
    """Return what to record about one link and what to write to its event; deciding again changes nothing.

    The worker stores drifts that end as `ignored` as accepted, and `version_seen` as the link's version. Writes are
    conditional on the version that was seen, so nothing that is not recorded here can be overwritten.
    """
    if isinstance(case.sight, UnreadableNow):
        # It is there and cannot be understood. Any write to it would be made blindly: a person has to look.
        return _with_copies(decide_unreadable(case, moment, policy), case, moment, policy)
    settled = without_renaming(case)
    ground = survey(settled, moment, policy)
    verdicts = judge(ground, look(ground))
    copies = judge_copies(ground, verdicts)
    noted = take_notes(ground, verdicts)
    writes = (*_write(ground, verdicts, private=noted.private), *copies.writes)
    adopt = _adopt(ground, verdicts, writes)
    found = (*(one.found for one in verdicts if one.found), *copies.found, *noted.found)
    return Decision(
        link=case.link.id,
        cell=_cell(ground, verdicts),
        found=tuple(_with_appointment(case, drift) for drift in found),
        changed=(*(change for one in verdicts for change in one.changes), *copies.changed),
        writes=writes,
        adopt=adopt,
        looked=ground.looked,
        version_seen=ground.version if ground.looked and ground.observed is not None else None,
        remember=_remember(ground, adopt),
        absent=ground.looked and ground.observed is None,
        sightings=_sightings(ground),
        vanished=_vanished(ground, verdicts),
        changed_wholly=_changed_wholly(ground, verdicts),
        starts=_starts(verdicts) if _vanished(ground, verdicts) else (),
        told_before=all(one.look.story is Story.STILL for one in verdicts if _lost(one)),
        renamed=settled.link.remote_id if settled.link.remote_id != case.link.remote_id else None,
    )


def _with_copies(decision: Decision, case: LinkCase, moment: Moment, policy: DecisionPolicy) -> Decision:
    """Judge the copies beside an event that cannot be understood: they can be, and are measured against what it was.

    One of which no write was confirmed can only have been what the record wants.
    """
    link = replace(case.link, baseline=case.link.baseline if case.link.baseline is not None else case.expected)
    copies = judge_copies(survey(replace(case, link=link, sight=NothingNew()), moment, policy), ())
    found = tuple(_with_appointment(case, drift) for drift in copies.found)
    changed = (*decision.changed, *copies.changed)
    writes = (*decision.writes, *copies.writes)
    return replace(decision, found=(*decision.found, *found), changed=changed, writes=writes)


# ---------------------------------------------------------------- the write

# So many flagged occurrences can be written around; with more, the record's change waits for a person's answer.
MAX_KEPT = 150


@dataclass(frozen=True, slots=True)
class _Changes:
    """What our event has to change (`wanted`) and keep (`kept`), and why: `pushes` are the record's own changes.

    `by_word`: all that is put back is so because a person said it.
    """

    wanted: dict[OriginalStart, Appearance | None]
    kept: dict[OriginalStart, Appearance | None]
    reverts: tuple[OriginalStart, ...]
    pushes: bool
    cosmetic: bool
    by_word: bool


def _write(ground: Ground, verdicts: Sequence[Verdict], *, private: bool) -> tuple[WantedWrite, ...]:
    """Return the write that brings our event to what it should be, if one is needed; each write makes it private."""
    now = ground.moment.now
    changes = _changes(ground, verdicts, private=private)
    due = _due(ground, verdicts)
    if changes.pushes and due > now:
        # The record's change goes out at once; an edit that is not quiet yet stays and is put back later. With
        # the whole event it goes now: nothing would be left that could be put back.
        if ground.case.expected is not None:
            verdicts = [_staying(one) if one.reverts or one.along else one for one in verdicts]
            changes = _changes(ground, verdicts, private=private)
        due = now
    kind = _kind(ground, changes)
    if kind is None or len(changes.kept) > MAX_KEPT:
        return ()
    target = None
    if ground.case.expected is not None:
        target = build_target(ground.case.expected, kept=changes.kept)
        if not changes.wanted and not changes.cosmetic and _is_written(ground, target):
            return ()
    name, version = ground.case.link.remote_id, None if kind is WriteKind.CREATE else ground.version
    return (WantedWrite(kind, name, target, version, _cause(changes), due, changes.reverts),)


def _staying(verdict: Verdict) -> Verdict:
    return replace(verdict, keep=True, reverts=False)


def _cause(changes: _Changes) -> Cause:
    if changes.by_word:
        return Cause.RESTORE
    return Cause.REVERT if changes.reverts and not changes.pushes else Cause.RECORD


def _changes(ground: Ground, verdicts: Sequence[Verdict], *, private: bool) -> _Changes:
    wanted = {one.look.key: one.look.expected for one in verdicts if not one.keep and _has_to_change(one)}
    going = rests_to_go(ground, verdicts)
    kept = {one.look.key: _kept(ground, one.look, going) for one in verdicts if one.keep and _has_to_change(one)}
    reverts = tuple(one.look.key for one in verdicts if one.reverts)
    put_back = {one.look.key for one in verdicts if one.reverts or one.along}
    return _Changes(
        wanted=wanted,
        kept=kept,
        reverts=reverts,
        pushes=bool(set(wanted) - put_back) or _texts_differ(ground, verdicts) or _is_short(ground, verdicts),
        cosmetic=private or any(one.reverts and one.look.kind in COSMETIC for one in verdicts),
        by_word=bool(reverts) and all(one.by_word for one in verdicts if one.reverts),
    )


def _kept(ground: Ground, one: Look, going: frozenset[str]) -> Appearance | None:
    """Return what our event is to show of an occurrence that is left alone; from a rest that goes it is taken over."""
    if rest_of(ground, one) not in going and not _went_with_rest(ground, one):
        return one.shown.own
    # The rest may have gone before our own event was written: then what was recorded of it tells.
    return one.shown.seen if one.shown.copy_id is not None or one.drift is None else one.drift.observed


def _went_with_rest(ground: Ground, one: Look) -> bool:
    """Tell whether the rest that showed an occurrence is gone by our own write, and our event shows it nowhere yet."""
    return one.story is Story.STILL and one.shown.copy_id is None and rest_of(ground, one) is not None


def _is_short(ground: Ground, verdicts: Sequence[Verdict]) -> bool:
    """Tell whether our event lacks what is let be, and goes with the rest of a split, or went as ours was refused."""
    kept = [one.look for one in verdicts if one.keep]
    lost = (one for one in kept if _went_with_rest(ground, one))
    went = any(one.drift is not None and not same_state(one.drift.observed, None) for one in lost)
    going = rests_to_go_at_word(ground, verdicts)
    return went or any(one.shown.copy_id in going for one in kept)


def _has_to_change(verdict: Verdict) -> bool:
    return not same_state(verdict.look.shown.own, verdict.look.expected)


def _due(ground: Ground, verdicts: Sequence[Verdict]) -> datetime:
    """Return when the edits have been left alone for long enough; now, if they are quiet already."""
    quiet = [one.quiet_since for one in verdicts if one.reverts and one.quiet_since is not None]
    return max([ground.moment.now, *(since + ground.policy.settle for since in quiet)])


def _kind(ground: Ground, changes: _Changes) -> WriteKind | None:
    if ground.case.expected is None:
        stays = ground.observed is None or (ground.hers and not changes.by_word)
        return None if stays else WriteKind.DELETE
    if ground.observed is None:
        wanted = any(one is not None for one in changes.wanted.values())
        return WriteKind.CREATE if wanted else None
    return WriteKind.UPDATE if changes.wanted or changes.cosmetic or changes.pushes else None


def _texts_differ(ground: Ground, verdicts: Sequence[Verdict]) -> bool:
    """Tell whether our own texts changed since they were last written; a title that is the user's does not count."""
    expected, agreed = ground.case.expected, ground.agreed
    if expected is None or agreed is None or ground.observed is None or _is_written(ground, expected):
        return False
    ours = (expected.master.title, expected.location, expected.description)
    if ours != (agreed.master.title, agreed.location, agreed.description):
        return True
    return any(
        one.look.expected is not None and one.look.expected.title != before.title
        for one in verdicts
        if not one.keep and (before := ground.view.agreed.get(one.look.key)) is not None
    )


def _is_written(ground: Ground, event: Event) -> bool:
    """Tell whether exactly this was our last confirmed write, in whatever words the service keeps it."""
    return ground.arrived is None and ground.case.link.baseline_hash == content_hash(event)


# ---------------------------------------------------------------- what to remember


def _adopt(ground: Ground, verdicts: Sequence[Verdict], writes: Sequence[WantedWrite]) -> Adopt | None:
    if ground.arrived is not None:
        version = None if ground.observed is None else ground.version
        return Adopt(version, ground.arrived.event, ground.arrived.content)
    expected, observed, agreed = ground.case.expected, ground.observed, ground.agreed
    if expected is None:
        # Cancelled, and gone from the calendar already.
        gone = ground.looked and observed is None and ground.case.link.baseline is not None
        return Adopt(None, None) if gone else None
    if ground.first_seen:
        return Adopt(ground.version, agreed, content_hash(agreed) if agreed is not None else None)
    agreeing = {
        one.look.key: one.look.expected
        for one in verdicts
        if one.look.calendar is Calendar.AS_RECORDED and one.look.record is not Record.SAME
    }
    if not agreeing or observed is None or agreed is None:
        return None
    if not writes and not any(one.keep for one in verdicts):
        return Adopt(ground.version, expected)
    return Adopt(ground.version, build_target(agreed, kept=agreeing))


def _remember(ground: Ground, adopt: Adopt | None) -> Event | None:
    """Return the event as last seen, if it shows what the baseline, as it will be, does not, or has another UID.

    What the record comes to agree with may be known from before: nothing is forgotten over that.
    """
    if ground.observed is None or not (ground.looked or adopt is not None):
        return None
    agreed, seen = ground.agreed, ground.view
    if adopt is not None and adopt.baseline is not agreed:
        agreed = adopt.baseline
        seen = view(agreed, ground.observed, window=ground.moment.window, single=ground.single)
    differs = agreed is None or ground.observed.uid not in (agreed.uid, ground.case.link.uid)
    differs = differs or is_exposed(ground)
    differs = differs or any(shown_kind(seen.agreed.get(key), shown) for key, shown in seen.shown.items())
    return ground.observed if differs else None


def _sightings(ground: Ground) -> tuple[Sighting, ...]:
    if not ground.looked:
        return ()
    known = {*ground.view.agreed, *ground.view.shown, *ground.expected}
    return tuple(
        Sighting(key, slot.appointment, shown.seen if (shown := ground.view.shown.get(key)) is not None else None)
        for key, slot in ground.case.slots.items()
        if key in known
    )


def _with_appointment(case: LinkCase, drift: FoundDrift) -> FoundDrift:
    slot = case.slots.get(drift.original_start)
    return drift if slot is None else replace(drift, appointment=slot.appointment)


# ---------------------------------------------------------------- for the brakes and the log


_URGENCY = (
    Do.NOTHING,
    Do.ASK_POLICY,
    Do.ADOPT,
    Do.PUSH,
    Do.CREATE,
    Do.REMOVE,
    Do.RECORD_AND_ASK_POLICY,
    Do.RECORD_AND_PUSH,
    Do.RECORD_AND_REMOVE,
)


def _cell(ground: Ground, verdicts: Sequence[Verdict]) -> str:
    cells = [(one.look.record, one.look.calendar) for one in verdicts] or [(Record.SAME, Calendar.SAME)]
    record, calendar = max(cells, key=lambda cell: _URGENCY.index(TABLE[cell].do))
    return cell_name(record, Calendar.OURS if ground.arrived is not None else calendar)


def _lost(verdict: Verdict) -> bool:
    """Tell whether an upcoming session is not where it was agreed to be, through an edit that nobody answered."""
    one = verdict.look
    standing = one.story in (Story.FOUND, Story.STILL, Story.OTHER) and one.record is Record.SAME
    guarded = one.reference is not None and not same_state(one.reference, one.shown.seen)
    return standing and guarded and not one.hers and one.phase is Phase.UPCOMING and one.shown.level is Level.MASTER


def _vanished(ground: Ground, verdicts: Sequence[Verdict]) -> bool:
    gone = ground.looked and ground.observed is None and ground.case.expected is not None
    return gone and any(_lost(one) for one in verdicts)


def _changed_wholly(ground: Ground, verdicts: Sequence[Verdict]) -> bool:
    if not ground.looked or ground.observed is None:
        return False
    upcoming = [one for one in verdicts if one.look.phase is Phase.UPCOMING and one.look.reference is not None]
    return bool(upcoming) and all(_lost(one) for one in upcoming)


def _starts(verdicts: Sequence[Verdict]) -> tuple[datetime, ...]:
    """Return where the sessions of an event that vanished were, those included that its record has changed since."""
    looks = (one.look for one in verdicts if one.look.phase is Phase.UPCOMING)
    return tuple(
        sorted(
            one.reference.span.start_at
            for one in looks
            if one.reference is not None and not same_state(one.reference, one.shown.seen)
        )
    )
