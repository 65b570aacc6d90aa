"""Rows of a file that belong to a series: which place each has in it. Pure; called by `file_import`.

A row stands in the slot of the rule in which it starts; where there is none, it is a date added to the series. A known
row keeps its slot wherever it is moved. What a new rule does stands in `series_new_rule`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from calsync.domain.appointment import Appointment, Series
from calsync.domain.series_slots import (
    SeriesDefaults,
    add_slots,
    make_sessions,
    rule_slots,
    series_slots,
    starts_its_rule,
)
from calsync.records.appointment_rows import AppointmentRow
from calsync.records.import_plan import SeriesChange, merge_row
from calsync.records.series_family import Family, is_ours
from calsync.records.series_new_rule import is_new_rule, plan_new_rule

_NEW_ID: Final = "A session cannot change its series: cancel it, and give the new one another id"
_OWN_SERIES: Final = "A series has one provider and one client: give these sessions a series of their own"


def plan_series(family: Family) -> None:
    """Add to the plan what the rows of one series change; what does not fit together goes to the findings."""
    if not _rows_agree(family):
        return
    rule_row = family.rule_row
    try:
        if not family.chain:
            assert rule_row is not None
            _plan_new(family, rule_row)
        elif rule_row is not None and is_new_rule(family, rule_row):
            plan_new_rule(family, rule_row)
        else:
            _plan_known(family)
    except ValueError as problem:
        # A rule can turn out to be too much only when it is run.
        family.refuse(rule_row or family.rows[0], str(problem), "rule")


def _rows_agree(family: Family) -> bool:
    first, rule_row = family.rows[0], family.rule_row
    before = len(family.findings)
    said = {"provider": first.said["provider"], "client": first.said["client"]}
    if family.chain:
        said = {"provider": family.chain[-1].provider, "client": family.chain[-1].client}
    for row in family.rows:
        for column, value in said.items():
            if row.said[column] != value:
                family.refuse(row, f"another {column} than the rest of series {family.name}", column, _OWN_SERIES)
        if row.rule and rule_row is not None and row.rule != rule_row.rule:
            family.refuse(row, f"another rule than row {rule_row.number} of series {family.name}", "rule")
    if not family.chain and rule_row is not None and rule_row is not first:
        family.refuse(rule_row, "the rule must stand on the first row of its series", "rule")
    return len(family.findings) == before


def _plan_new(family: Family, first: AppointmentRow) -> None:
    rule = first.rule
    assert rule is not None
    if not starts_its_rule(first.span, rule):
        family.refuse(first, "the first session is not on a day of its rule", "rule")
    if not starts_its_rule(first.span, rule) or not _times_are_sound(family, first):
        return
    starts = {row.span.start_at for row in family.rows}
    slots = rule_slots(first.span, rule, max(family.horizon, max(starts) + timedelta(seconds=1)))
    sessions = [
        replace(family.record_of(row), series=family.name, original_start=row.span.start_at) for row in family.rows
    ]
    series = Series(
        id=family.name, provider=sessions[0].provider, client=sessions[0].client, span=first.span, rule=rule
    )
    series = add_slots(series, starts.difference(slots))
    defaults = replace(SeriesDefaults.of(sessions[0]), said_rule=rule)
    family.plan.series.append(SeriesChange(None, series, defaults, family.horizon))
    for row, session in zip(family.rows, sessions, strict=True):
        family.note(row, session)
    free = [slot for slot in slots if slot < family.horizon and slot not in starts]
    family.plan.add_made(make_sessions(series, defaults, free))


def _times_are_sound(family: Family, first: AppointmentRow) -> bool:
    taken: dict[datetime, int] = {}
    before = len(family.findings)
    for row in family.rows:
        other = taken.setdefault(row.span.start_at, row.number)
        if other != row.number:
            family.refuse(row, f"the same time as row {other} of series {family.name}", "start")
        if row.span.start_at < first.span.start_at:
            family.refuse(row, f"starts before the first row of series {family.name}", "start")
    return len(family.findings) == before


def _plan_known(family: Family) -> None:
    grown = {one.id: one for one in family.chain}
    taken = {(one.series, one.original_start): one for key in grown for one in family.books.members_of(key)}
    listed = {row.id for row in family.rows}
    for row in family.rows:
        record = family.books.appointments.get(row.id)
        if record is not None and record.series is not None:
            if record.series not in grown:
                family.refuse(row, f"belongs to series {record.series}", "series", _NEW_ID)
            family.note(row, family.record_of(row))
            continue
        home = _home(family.chain, row.span.start_at)
        occupant = taken.get((home.id, row.span.start_at))
        if occupant is None:
            taken[home.id, row.span.start_at] = _join(family, row, home.id, grown)
        elif occupant.id in listed or record is not None or not is_ours(occupant, home.span.zone):
            # The slot's own session was moved elsewhere, and this is another one at its time.
            family.note(row, family.record_of(row))
        else:
            renamed = replace(occupant, id=row.id)
            family.plan.add(renamed, merge_row(row, None, renamed), renamed_from=occupant.id)
            taken[home.id, row.span.start_at] = renamed
    _note_grown(family, grown)


def _home(chain: Sequence[Series], start: datetime) -> Series:
    """The series of the chain that was in force at a time: the last one that had begun."""
    return next((one for one in reversed(chain) if one.span.start_at <= start), chain[-1])


def _join(family: Family, row: AppointmentRow, home: str, grown: dict[str, Series]) -> Appointment:
    slot, series = row.span.start_at, grown[home]
    if slot in series.excluded:
        series = replace(series, excluded=tuple(at for at in series.excluded if at != slot))
    if slot not in series_slots(series, slot + timedelta(seconds=1)):
        series = add_slots(series, [slot])
    grown[home] = series
    session = replace(family.record_of(row), series=home, original_start=slot)
    family.note(row, session)
    return session


def _note_grown(family: Family, grown: dict[str, Series]) -> None:
    for one in family.chain:
        if grown[one.id] != one:
            defaults = family.books.defaults.get(one.id, SeriesDefaults())
            family.plan.series.append(SeriesChange(one, grown[one.id], defaults))
