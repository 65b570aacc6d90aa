"""What stops calsync from fighting one person over one session (I5), and from emptying a calendar (I6). Pure.

Both brakes answer with numbers for a person to judge by; a stampede is passed only by a person's word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from calsync.domain.drift import DriftKind
from calsync.domain.event import Appearance, OriginalStart
from calsync.domain.span import wall_time
from calsync.reconcile.case import CalendarFacts, DecisionPolicy, LinkCase
from calsync.reconcile.plan import Decision, Stampede, Suspect
from calsync.reconcile.shown import same_state


def is_fight(
    case: LinkCase, key: OriginalStart, observed: Appearance | None, *, now: datetime, policy: DecisionPolicy
) -> bool:
    """Tell whether putting this edit back would be fighting a person who means it (R-12).

    Either the occurrence was dragged again to where it was put back from, or it was put back too often of late.
    """
    before = [revert for revert in case.reverts if revert.original_start == key]
    if any(same_state(revert.observed, observed) for revert in before):
        return True
    recent = [revert for revert in before if now - revert.at < policy.revert_limit_period]
    return len(recent) >= policy.revert_limit


@dataclass(frozen=True, slots=True)
class _Hit:
    """A link that vanished or changed wholly. `starts`: where its lost occurrences were, aware UTC."""

    link: str
    vanished: bool
    starts: tuple[datetime, ...]


def check_stampede(decisions: Sequence[Decision], facts: CalendarFacts, policy: DecisionPolicy) -> Stampede | None:
    """Return why the calendar must be stopped, or None (R-13).

    Many links at once are none of one person's edits, and neither are many copies of one event: a week that was pasted
    has one of each.
    """
    return _many_links(decisions, facts, policy) or _many_copies(decisions, facts, policy)


def _many_links(decisions: Sequence[Decision], facts: CalendarFacts, policy: DecisionPolicy) -> Stampede | None:
    """Return the stop for links that vanished or changed wholly.

    Counted over the rolling period that `facts.recent` covers, those of this pass included. A pass that adds
    none stops nothing, and neither does one that a person released; what was let through then is no news later on.
    """
    hits = {hit.link: _Hit(hit.link, hit.vanished, hit.starts) for hit in facts.recent}
    lost = [one for one in decisions if one.vanished or one.changed_wholly]
    fresh = [one for one in lost if _is_news(one, hits.get(one.link)) and not one.told_before]
    if not fresh or facts.released is not None:
        return None
    hits |= {one.link: _Hit(one.link, one.vanished, one.starts) for one in fresh}
    count, upcoming = len(hits), facts.upcoming_links
    every = upcoming >= 2 and count >= upcoming
    many = count >= policy.stampede_min and count >= policy.stampede_share * upcoming
    # "You cleared Thursday" is one question to one person, not a disaster.
    if not (every or many) or (not every and _is_one_week(hits.values(), facts.zone)):
        return None
    return _stop(count, hits.values(), facts, policy)


def _is_news(decision: Decision, hit: _Hit | None) -> bool:
    """Tell whether a link is lost that was not before; what was edited, and has vanished since, is."""
    return hit is None or (decision.vanished and not hit.vanished)


def _many_copies(decisions: Sequence[Decision], facts: CalendarFacts, policy: DecisionPolicy) -> Stampede | None:
    """Return the stop for copies of single events: those beyond the first of each count, in this pass alone."""
    surplus = {one.link: count for one in decisions if (count := surplus_copies(one))}
    count = sum(surplus.values())
    many = count >= policy.stampede_min and count >= policy.stampede_share * facts.upcoming_links
    if not many or facts.released is not None:
        return None
    return _stop(count, [_Hit(link, vanished=False, starts=()) for link in surplus], facts, policy)


def surplus_copies(decision: Decision) -> int:
    """Count the copies of an event beyond the first: a pasted week has one of each."""
    copies = {one.copy_id for one in decision.found if one.kind is DriftKind.DUPLICATED}
    return max(len(copies) - 1, 0)


def _stop(count: int, hits: Iterable[_Hit], facts: CalendarFacts, policy: DecisionPolicy) -> Stampede:
    suspects = sorted(hits, key=lambda hit: hit.link)
    return Stampede(
        calendar=facts.calendar,
        changed=count,
        upcoming=facts.upcoming_links,
        share=count / facts.upcoming_links if facts.upcoming_links else 1.0,
        limit_count=policy.stampede_min,
        limit_share=policy.stampede_share,
        suspects=tuple(Suspect(hit.link, hit.vanished, tuple(sorted(hit.starts))) for hit in suspects),
    )


def _is_one_week(hits: Iterable[_Hit], zone: str) -> bool:
    """Tell whether all hits are deletions whose sessions lie in one local week, Monday to Sunday."""
    weeks: set[tuple[int, int]] = set()
    for hit in hits:
        if not hit.vanished or not hit.starts:
            return False
        weeks |= {_week(wall_time(start, zone).date()) for start in hit.starts}
    return len(weeks) == 1


def _week(day: date) -> tuple[int, int]:
    year, week, _ = day.isocalendar()
    return year, week
