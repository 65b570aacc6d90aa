"""What every pass asks goes through an index, on both databases, whatever the size of the tables."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, text

from calsync.store import (
    asks,
    audit,
    budgets,
    busy,
    calendars,
    claims,
    copies,
    drifts,
    edits,
    filings,
    gate_lookups,
    gate_rows,
    holds,
    link_drifts,
    links,
    observations,
    outbox,
    owed_writes,
    recalls,
    record_changes,
    records,
    review_rows,
    stops,
    watches,
    webhooks,
    work,
)
from calsync.store import subject_changes as changes
from tests.unit.store.plans import query_plan
from tests.unit.store.samples import NOW, WINDOW

HERE = {"the_calendar": "k1"}
THIS = {"the_id": "x"}
IDS = {"ids": ["x", "y"]}
OF_SUBJECT = {**HERE, "the_kind": "appointment", "the_subject": "a1"}
INSIDE = {**HERE, "window_start": WINDOW.start, "window_end": WINDOW.end}

STATEMENTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "work.hold_fence": (work._HOLD, {**THIS, "the_fence": 1, "the_owner": "me"}),
    "work.push": (work._PUSH, {**THIS, "at": NOW, "urgency": 1}),
    "links.by_subjects": (links._BY_SUBJECTS, {**HERE, "the_kind": "appointment", **IDS}),
    "links.by_remote_ids": (links._BY_REMOTE_IDS, {**HERE, **IDS}),
    "links.versions": (links._VERSIONS, {**HERE, **IDS}),
    "links.by_ids": (links._BY_IDS, IDS),
    "links.reads_due": (links._READS_DUE, {**HERE, "now": NOW, "room": 10}),
    "links.next_read": (links._NEXT_READ, HERE),
    "links.upcoming_count": (links._UPCOMING, {**HERE, "now": NOW}),
    "links.lives_of_subjects": (links._LIVES, {"the_kind": "series", **IDS}),
    "copies.of_links": (copies._OF_LINKS, IDS),
    "owed_writes.due": (owed_writes.DUE, {**HERE, "now": NOW, "room": 10}),
    "owed_writes.next_due": (owed_writes._NEXT_DUE, HERE),
    "owed_writes.sent": (owed_writes._SENT, HERE),
    "owed_writes.count_owed": (owed_writes._COUNT, HERE),
    "owed_writes.withdraw": (owed_writes._WITHDRAW, {"the_link": "x", "at": NOW}),
    "owed_writes.sent_of_links": (owed_writes._SENT_OF_LINKS, IDS),
    "link_drifts.open_of_links": (link_drifts._STANDING, IDS),
    "link_drifts.next_episode": (link_drifts._LAST_EPISODE, {"the_link": "x", "the_start": None}),
    "link_drifts.reverts_of_links": (link_drifts._REVERTS, {**IDS, "since": NOW}),
    "link_drifts.recent_whole": (link_drifts._RECENT, {**HERE, "since": NOW}),
    "drifts.of_appointments": (drifts._OF_APPOINTMENTS, IDS),
    "holds.of_appointments": (holds._OF_APPOINTMENTS, IDS),
    "holds.close_hold": (holds._CLOSE, {"the_drift": "x", "at": NOW}),
    "observations.of_appointments": (observations._OF_APPOINTMENTS, IDS),
    "observations.insert": (observations._REPLACE, {"the_appointment": "a1", **HERE}),
    "stops.standing": (stops._STANDING, IDS),
    "stops.released_unhandled": (stops._UNHANDLED, HERE),
    "subject_changes.pending": (changes._PENDING, {**HERE, "room": 10}),
    "subject_changes.take_away": (changes._TAKE_AWAY, {**OF_SUBJECT, "the_revision": 1}),
    "subject_changes.mark": (changes._MIRRORS, {"providers": ["p1"]}),
    "subject_changes.sweep appointments": (changes._INSIDE[0][0], INSIDE),
    "subject_changes.sweep series": (changes._INSIDE[1][0], INSIDE),
    "record_changes.put_appointments": (record_changes._KNOWN, IDS),
    "records.appointments_of_series": (records._OF_SERIES, {"the_series": "s1"}),
    "records.series_to_materialise": (records._TO_MATERIALISE, {"until": NOW}),
    "records.history": (records._HISTORY, {"the_kind": "series", "the_subject": "s1"}),
    "claims.touched": (claims._TOUCHED, {"room": 10}),
    "outbox.due": (outbox.DUE, {"now": NOW, "room": 10}),
    "audit.rows": (audit._OF_SUBJECT, {"the_subject": "x"}),
    "calendars.get": (calendars._GET, THIS),
    "budgets.take": (budgets._LOCK, {"the_key": "google:project"}),
    "busy.between": (busy._BETWEEN, {"the_provider": "p1", "since": NOW, "until": NOW}),
    "busy.replace": (busy._DROP, {**HERE, "first": NOW, "last": NOW}),
    "copies.ids_among": (copies._IDS_AMONG, {**HERE, **IDS}),
    "watches.of_calendar": (watches._OF_CALENDAR, HERE),
    "watches.get": (watches._GET, THIS),
    "claims.touch_provider": (claims._OF_PROVIDER, {"the_provider": "p1"}),
    "filings.in_review": (filings._IN_REVIEW, {}),
    "filings.of_appointments": (filings._OF_APPOINTMENTS, IDS),
    "recalls.of_appointments": (recalls._OF_APPOINTMENTS, IDS),
    "asks.due": (asks._DUE, {"now": NOW}),
    "outbox.stuck": (outbox._STUCK, {"before": NOW}),
    "outbox.of_recipient": (outbox._BEGUN_FOR, {"since": NOW, "the_recipient": "client:c1"}),
    "webhooks.new": (webhooks._NEW, {"room": 10}),
    "webhooks.take": (webhooks._TAKE, {"now": NOW, "room": 10, "endpoints": ["x"], "the_endpoint": "x"}),
    "edits.by_ids": (edits._BY_IDS, IDS),
    "review_rows.waiting_edits": (review_rows._WAITING, {}),
    "review_rows.writes_of": (review_rows._WRITES, IDS),
    "gate.records": (gate_rows._RECORDS, IDS),
    "gate.links": (gate_rows._LINKS, {"the_kind": "series", **IDS}),
    "gate.calendars": (gate_rows._CALENDARS, IDS),
    "gate.stops": (gate_rows._STOPS, {}),
    "gate.observations": (gate_rows._OBSERVATIONS, IDS),
    "gate.drifts": (gate_rows._DRIFTS, IDS),
    "gate.evidence": (gate_rows._EVIDENCES, IDS),
    "gate.statements": (gate_rows._STATEMENTS, IDS),
    "gate.asks": (gate_rows._ASKS, IDS),
    "gate.filings": (gate_rows._FILINGS, IDS),
    "gate.clearances": (gate_rows._CLEARANCES, IDS),
    "gate.neighbours": (gate_rows._NEIGHBOURS, {**IDS, "since": NOW, "until": NOW}),
    "gate.sharing": (gate_rows._SHARING, IDS),
    "gate.overlapping": (gate_lookups._OVERLAPPING, IDS),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_hot_statements_use_an_index(conn: Connection, backend: str, name: str) -> None:
    statement, parameters = STATEMENTS[name]
    if backend == "postgresql":
        # The tables are empty: without this the planner reads them whole, and is right.
        conn.execute(text("SET LOCAL enable_seqscan = off"))
    plan = query_plan(conn, statement, parameters)
    # SQLite says SCAN for a table read whole; reading an index in order for the first few rows is not that.
    whole = [line for line in plan.splitlines() if "Seq Scan" in line or ("SCAN" in line and "USING" not in line)]
    assert not whole, plan
