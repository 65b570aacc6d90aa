"""What a new rule in a file does to a series: it ends before its next session, and another continues it (R-2). Pure.

Sessions that have started stay as they are. Upcoming ones of the file stand where the file says; the others take the
slots that are left, in order, and keep their ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import count

from calsync.domain.appointment import Appointment, AppointmentStatus, Series
from calsync.domain.cadence import rule_parts, with_count
from calsync.domain.series_changes import Continued, NewCourse, continue_series
from calsync.domain.series_slots import SeriesDefaults, add_slots, rule_slots, series_slots, starts_its_rule
from calsync.domain.span import wall_time
from calsync.records.appointment_rows import AppointmentRow
from calsync.records.import_plan import SeriesChange
from calsync.records.series_family import Family


def is_new_rule(family: Family, rule_row: AppointmentRow) -> bool:
    """Whether the row says another rule than the file did before (for a series from elsewhere: than the books do)."""
    current = family.chain[-1]
    said = family.books.defaults.get(current.id, SeriesDefaults()).said_rule
    return rule_row.rule != (said or current.rule)


def plan_new_rule(family: Family, rule_row: AppointmentRow) -> None:
    """Add to the plan what the new rule changes, or to the findings why it cannot be."""
    rule = rule_row.rule
    assert rule is not None
    if not starts_its_rule(rule_row.span, rule):
        family.refuse(rule_row, "the session is not on a day of its new rule", "rule")
        return
    ahead = [slot for slot in rule_slots(rule_row.span, rule, family.horizon) if slot > family.now]
    if not ahead:
        family.refuse(rule_row, "the new rule gives no session from now on", "rule")
        return
    old = family.chain[-1]
    members = {one.id: one for one in family.books.members_of(old.id)}
    members |= {row.id: family.record_of(row) for row in family.rows if row.id in members}
    outcome = continue_series(old, members.values(), _course(family, rule_row, rule, ahead[0], members))
    family.plan.series.append(SeriesChange(old, outcome.ended, family.books.defaults.get(old.id, SeriesDefaults())))
    _note(family, outcome, members)


def _course(
    family: Family, rule_row: AppointmentRow, rule: str, first: datetime, members: Mapping[str, Appointment]
) -> NewCourse:
    old = family.chain[-1]
    listed = {row.id for row in family.rows}
    zone = rule_row.span.zone
    return NewCourse(
        cut=_first_upcoming(old, family),
        id=next(key for n in count(2) if (key := f"{family.name}.{n}") not in family.books.series_ids),
        first=rule_row.span.starting(wall_time(first, zone)),
        rule=_remaining_rule(rule_row, rule, first),
        now=family.now,
        horizon=family.horizon,
        in_step=False,
        placed={
            key: one.span.start_at for key, one in members.items() if key in listed and one.span.start_at > family.now
        },
        defaults=replace(family.books.defaults.get(old.id, SeriesDefaults()), said_rule=rule),
    )


def _note(family: Family, outcome: Continued, members: Mapping[str, Appointment]) -> None:
    final = dict(members) | {after.id: after for _, after in outcome.moved}
    final |= {one.id: replace(one, status=AppointmentStatus.CANCELLED) for one in outcome.surplus}
    successor = outcome.series
    made = {one.original_start: one for one in outcome.made}
    for row in family.rows:
        if row.id in members:
            continue
        session, slot = family.record_of(row), row.span.start_at
        if slot >= successor.span.start_at:
            successor = successor if made.pop(slot, None) else add_slots(successor, [slot])
            session = replace(session, series=successor.id, original_start=slot)
        family.note(row, session)
    family.plan.series.append(SeriesChange(None, successor, outcome.defaults, family.horizon))
    for key, session in final.items():
        family.plan.add(family.books.appointments[key], session)
    family.plan.add_made(made.values())


def _first_upcoming(old: Series, family: Family) -> datetime:
    return next((slot for slot in series_slots(old, family.horizon) if slot > family.now), family.now)


def _remaining_rule(rule_row: AppointmentRow, rule: str, first: datetime) -> str:
    parts = rule_parts(rule)
    if "COUNT" not in parts:
        return rule
    return with_count(rule, int(parts["COUNT"]) - len(rule_slots(rule_row.span, rule, first)))
