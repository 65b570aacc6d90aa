"""What watches calsync: health, readiness, metrics."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from calsync.store import calendars, installation, outbox
from calsync.store.database import open_database
from calsync.web.app import make_app
from calsync.web.site import Site
from calsync.worker.context import PassResult
from calsync.worker.progress import Progress
from tests.unit.web.conftest import NOW, House


def metrics(client: TestClient) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def with_progress(house: House) -> tuple[Progress, TestClient]:
    progress = Progress(house.clock, house.clock.now())
    site = Site(house.database, house.settings, house.clock, house.ids, lambda: house.ring, progress)
    return progress, TestClient(make_app(site))


def test_a_process_that_answers_is_healthy(house: House) -> None:
    assert house.client.get("/healthz").status_code == 200
    assert house.client.get("/readyz").json() == {"ready": True, "problems": []}


def test_a_worker_that_stands_still_is_not_ready(house: House) -> None:
    progress, client = with_progress(house)
    progress.alive()
    house.clock.advance(80)
    assert client.get("/readyz").status_code == 200
    house.clock.advance(20)
    assert client.get("/readyz").json() == {"ready": False, "problems": ["worker:no-progress"]}
    progress.alive()
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all/calsync.db", "postgresql://127.0.0.1:1/none"])
def test_without_its_database_it_is_not_ready_and_says_so(house: House, url: str) -> None:
    database = open_database(url)
    site = Site(database, house.settings, house.clock, house.ids, lambda: house.ring)
    client = TestClient(make_app(site))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problems"][0].startswith("database:")
    assert client.get("/healthz").status_code == 200
    assert metrics(client)["calsync_up",] == 0
    database.dispose()


def test_metrics_tell_how_the_books_stand(house: House) -> None:
    house.edit("4821")
    with house.database.transaction() as conn:
        at = NOW - timedelta(minutes=5)
        outbox.put(conn, "k", "edit-reverted", "provider:P-1", {"edit": "e"}, now=at, due_at=at)
    found = metrics(house.client)
    assert found["calsync_up",] == 1
    assert found["calsync_calendars", "active"] == 1
    assert found["calsync_calendars", "stopped"] == 0
    assert found["calsync_drifts_open", "past"] == 1
    assert found["calsync_claims_held_by_drift",] == 1
    assert found["calsync_outbox", "due"] == 1
    assert found["calsync_outbox_oldest_due_seconds",] == 300
    assert found["calsync_mails_repeated_total",] == 0
    assert found["calsync_edits_of_the_hour",] == 1
    assert found["calsync_writes_stopped",] == 0


def test_metrics_tell_what_an_alarm_is_about(house: House) -> None:
    with house.database.transaction() as conn:
        installation.ensure(conn, "first", "here", NOW)
        installation.stop_writes(conn, "too many edits", NOW)
        calendars.save_reading(conn, "work", "cursor", NOW - timedelta(hours=5), inventory_at=None)
    found = metrics(house.client)
    assert found["calsync_writes_stopped",] == 1
    assert found["calsync_calendar_oldest_reading_seconds",] == 5 * 3600


def test_metrics_tell_what_this_process_did_and_name_nobody(house: House) -> None:
    progress, client = with_progress(house)
    progress.passed(PassResult("work", requests=3, drifts=1, written=2))
    progress.passed(PassResult("work", state="unreachable", error="unavailable"))
    progress.passed(PassResult("work", state="active", error="a sentence for people, with a name"))
    progress.passed(PassResult("work", stopped=True))
    progress.passed(PassResult("work", clock_apart=timedelta(seconds=-90)))
    progress.passed(PassResult("work"))
    progress.alive()
    found = metrics(client)
    assert found["calsync_clock_apart_seconds",] == -90
    assert found["calsync_passes_total", "fine"] == 3
    assert found["calsync_passes_total", "unreachable"] == 1
    assert found["calsync_passes_total", "failed"] == 1
    assert found["calsync_passes_total", "stopped"] == 1
    assert found["calsync_requests_total",] == 3
    assert found["calsync_worker_round_timestamp_seconds",] == NOW.timestamp()
    text = client.get("/metrics").text
    assert "sentence" not in text
    assert '"work"' not in text
    assert "P-1" not in text
