"""The interface for programs, whole: records said in any order, commands once, lists in pages, nothing leaking."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from calsync.booking.availability import set_availability
from calsync.booking.commands import Command
from calsync.domain.appointment import AppointmentStatus
from calsync.domain.drift import Resolution
from calsync.domain.working_times import Hours, WorkingTimes
from calsync.settings.model import Settings
from calsync.store import api_answers, audit, clients, filings, outbox, records
from calsync.store.clients import ClientRow
from calsync.web.calls import KEPT_FOR
from tests.unit.web.conftest import House

API = "/api/v1"
SAID = {
    "provider": "P-1",
    "client": "K-1",
    "start": "2026-11-24T10:00",
    "end": "2026-11-24T10:50",
    "zone": "America/New_York",
}
BOOKING = {"id": "A-1", "provider": "P-1", "client": "K-1", "start": "2026-11-24T10:00", "minutes": 50}
CANCEL = {"reason": "ill", "by": "provider:P-1"}


class Program:
    """A program with a token."""

    def __init__(self, house: House, role: str = "platform") -> None:
        self.house, self.headers = house, house.token(role)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer: Response = self.house.client.request(method, API + path, json=body, headers=self.headers | named)
        return answer

    def done(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = self(method, path, body, **headers)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def refused(self, status: int, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        answer = self(method, path, body, **headers)
        assert answer.status_code == status, answer.text
        error: dict[str, Any] = answer.json()["error"]
        assert set(error) <= {"code", "message", "fields", "slots"}
        return error


@pytest.fixture
def platform(house: House) -> Program:
    return Program(house)


@pytest.fixture
def support(house: House) -> Program:
    return Program(house, "support")


def status_of(house: House, key: str) -> str:
    with house.database.reading() as conn:
        found = records.appointment(conn, key)
    return "none" if found is None else found.status.value


def start_of(house: House, key: str) -> str:
    with house.database.reading() as conn:
        found = records.appointment(conn, key)
    assert found is not None
    return found.span.start.isoformat()[:16]


def said_at(hour: int) -> dict[str, str]:
    """What is said at an hour: that the session is at that hour."""
    times = {"start": f"2026-11-24T{hour}:00", "end": f"2026-11-24T{hour}:50"}
    return SAID | times | {"updated_at": f"2026-11-20T{hour}:00Z"}


class TestSaying:
    """`PUT /appointments/{id}`: what the platform's records have."""

    def test_it_is_added_then_changed_and_repeats_do_nothing(self, house: House, platform: Program) -> None:
        first = platform.done("PUT", "/appointments/4821", SAID)
        assert first["changed"] == {"4821": "imported"}
        assert (first["appointment"]["start_at"], first["appointment"]["origin"]) == ("2026-11-24T15:00:00Z", "api")
        assert platform.done("PUT", "/appointments/4821", SAID)["changed"] == {}
        later = SAID | {"start": "2026-11-24T11:00", "end": "2026-11-24T11:50"}
        assert platform.done("PUT", "/appointments/4821", later)["changed"] == {"4821": "rescheduled"}
        assert platform.done("PUT", "/appointments/4821", later | {"status": "cancelled"})["changed"] == {
            "4821": "cancelled"
        }
        assert platform.done("GET", "/appointments/4821")["version"] == 3

    def test_requests_may_arrive_in_any_order(self, house: House, platform: Program) -> None:
        news = [said_at(hour) for hour in (10, 11, 12)]
        assert platform.done("PUT", "/appointments/4821", news[1])["changed"]
        assert platform.refused(409, "PUT", "/appointments/4821", news[0])["code"] == "stale-update"
        assert start_of(house, "4821") == "2026-11-24T11:00"
        platform.done("PUT", "/appointments/4821", news[2])
        assert platform.refused(409, "PUT", "/appointments/4821", news[1])["code"] == "stale-update"
        assert platform.done("PUT", "/appointments/4821", news[2])["changed"] == {}
        other = news[0] | {"updated_at": news[2]["updated_at"]}
        assert platform.refused(409, "PUT", "/appointments/4821", other)["code"] == "stale-update"
        assert start_of(house, "4821") == "2026-11-24T12:00"

    def test_many_at_once_leave_the_newest(self, house: House, platform: Program) -> None:
        def say(hour: int) -> int:
            return platform("PUT", "/appointments/4821", said_at(hour)).status_code

        with ThreadPoolExecutor(6) as pool:
            assert set(pool.map(say, [14, 11, 18, 12, 16, 13])) <= {200, 409}
        assert start_of(house, "4821") == "2026-11-24T18:00"

    def test_if_match(self, house: House, platform: Program) -> None:
        platform.done("PUT", "/appointments/4821", SAID)
        tag = platform("GET", "/appointments/4821").headers["ETag"]
        later = SAID | {"start": "2026-11-24T11:00", "end": "2026-11-24T11:50"}
        platform.done("PUT", "/appointments/4821", later, If_Match=tag)
        assert platform.refused(412, "PUT", "/appointments/4821", SAID, If_Match=tag)["code"] == "changed-meanwhile"
        assert platform.refused(412, "PUT", "/appointments/9", SAID, If_Match='"1"')["code"] == "changed-meanwhile"
        assert start_of(house, "4821") == "2026-11-24T11:00"

    def test_what_people_changed_here_stays(self, house: House, platform: Program) -> None:
        platform.done("PUT", "/appointments/4821", SAID)
        moved = {"start": "2026-11-24T14:00", "reason": "work", "by": "provider:P-1"}
        platform.done("POST", "/appointments/4821/reschedule", moved)
        platform.done("PUT", "/appointments/4821", SAID | {"code": "90837"})
        assert start_of(house, "4821") == "2026-11-24T14:00"

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"end": "2026-11-24T09:00"}, "end"),
            ({"end": "2026-11-25T11:00"}, "end"),
            ({"start": "0001-01-01T10:00"}, "start"),
            ({"zone": "Mars"}, "zone"),
            ({"zone": "Europe"}, "zone"),
            ({"provider": "P-9"}, "provider"),
            ({"start": "01/02/2026 10:00"}, "start"),
            ({"start": "2026-03-08T02:30", "end": "2026-03-08T03:30"}, "start"),
            ({"status": "gone"}, "status"),
            ({"rule": "FREQ=WEEKLY"}, "rule"),
            ({"client": "Cleo Made"}, "client"),
            ({"surplus": 1}, "surplus"),
            ({"code": "a\x00"}, "code"),
            ({"session": "\ud800"}, "session"),
            ({"updated_at": "yesterday"}, "updated_at"),
        ],
    )
    def test_what_is_wrong_is_named(self, house: House, platform: Program, change: dict[str, Any], field: str) -> None:
        body = json.dumps(SAID | change).encode()
        headers = platform.headers | {"Content-Type": "application/json"}
        before = house.dump()
        answer = house.client.put(f"{API}/appointments/4821", content=body, headers=headers)
        assert answer.status_code == 422
        assert field in [one["field"] for one in answer.json()["error"]["fields"]]
        assert len(house.dump()) == len(before)


class TestRecordsElsewhere:
    """Where records are read from the platform's own database, nothing is changed here."""

    def test_neither_said_nor_commanded(self, house: House, platform: Program) -> None:
        house.book("4821")
        columns = {name: name for name in ("id", "provider", "client", "start", "end", "zone")}
        mapped = {"url": "sqlite:///platform.db", "table": "sessions", "columns": columns}
        tables: dict[str, Any] = {"records": mapped}
        house.app.state.site = replace(house.site, settings=Settings(path=Path("/nowhere/calsync.toml"), **tables))
        assert platform.refused(409, "PUT", "/appointments/4821", SAID)["code"] == "records-elsewhere"
        assert platform.refused(409, "POST", "/appointments/4821/cancel", CANCEL)["code"] == "records-elsewhere"
        booking = BOOKING | {"by": "provider:P-1", "start": "2026-11-24T15:00"}
        assert platform.refused(409, "POST", "/appointments", booking)["code"] == "records-elsewhere"
        assert status_of(house, "4821") == "scheduled"


class TestOnce:
    """Idempotency keys."""

    def test_a_repeat_gets_the_first_answer(self, house: House, platform: Program) -> None:
        first = platform("POST", "/appointments", BOOKING | {"by": "provider:P-1"}, Idempotency_Key="k-1")
        again = platform("POST", "/appointments", BOOKING | {"by": "provider:P-1"}, Idempotency_Key="k-1")
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert again.headers["Idempotency-Replayed"] == "true"
        # Without a key the repeat is judged anew.
        assert platform.refused(409, "POST", "/appointments", BOOKING | {"by": "provider:P-1"})["code"] == "id-taken"

    def test_eight_at_once_take_effect_once(self, house: House, platform: Program) -> None:
        house.book("4821")

        def send(_number: int) -> tuple[int, Any]:
            answer = platform("POST", "/appointments/4821/cancel", CANCEL, Idempotency_Key="k-1")
            return answer.status_code, answer.json()

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(send, range(16)))
        assert all(one == (200, answers[0][1]) for one in answers)
        with house.database.reading() as conn:
            noted = [row for row in audit.rows(conn) if row.what == "appointment-cancelled"]
            owed = [row for row in outbox.due(conn, house.clock.now(), 100) if row.kind == "appointment-cancelled"]
        assert len(noted) == 1
        assert len(owed) == len({row.key for row in owed})

    def test_the_same_key_for_something_else_is_refused(self, house: House, platform: Program) -> None:
        house.book("4821")
        house.book("4822")
        platform.done("POST", "/appointments/4821/cancel", CANCEL, Idempotency_Key="k-1")
        for path, body in (
            ("/appointments/4821/cancel", CANCEL | {"note": "other"}),
            ("/appointments/4822/cancel", CANCEL),
        ):
            assert platform.refused(422, "POST", path, body, Idempotency_Key="k-1")["code"] == "key-reused"
        assert status_of(house, "4822") == "scheduled"

    def test_another_token_has_keys_of_its_own(self, house: House, platform: Program) -> None:
        house.book("4821")
        house.book("4822", "2026-11-24T14:00")
        platform.done("POST", "/appointments/4821/cancel", CANCEL, Idempotency_Key="k-1")
        Program(house).done("POST", "/appointments/4822/cancel", CANCEL, Idempotency_Key="k-1")
        assert status_of(house, "4822") == "cancelled"

    def test_a_refused_command_keeps_no_answer(self, house: House, platform: Program) -> None:
        platform.refused(404, "POST", "/appointments/4821/cancel", CANCEL, Idempotency_Key="k-1")
        house.book("4821")
        platform.done("POST", "/appointments/4821/cancel", CANCEL, Idempotency_Key="k-1")

    def test_keys_end(self, house: House, platform: Program) -> None:
        house.book("4821")
        platform.done("POST", "/appointments/4821/cancel", CANCEL, Idempotency_Key="k-1")
        house.clock.advance(KEPT_FOR.total_seconds() + 1)
        house.book("4822", "2026-12-24T14:00")
        platform.done("POST", "/appointments/4822/cancel", CANCEL, Idempotency_Key="k-1")
        with house.database.reading() as conn:
            assert api_answers.get(conn, "nobody", "k-1") is None

    def test_a_crash_before_the_commit_leaves_nothing(
        self, house: House, platform: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house.book("4821")

        def die(*_args: object) -> None:
            raise RuntimeError("the process ends here")

        with monkeypatch.context() as patch:
            patch.setattr(api_answers, "keep", die)
            assert platform("POST", "/appointments/4821/cancel", CANCEL, Idempotency_Key="k-1").status_code == 500
        assert status_of(house, "4821") == "scheduled"
        platform.done("POST", "/appointments/4821/cancel", CANCEL, Idempotency_Key="k-1")

    @pytest.mark.parametrize("key", ["", "x" * 201, "a b", "ä"])
    def test_odd_keys_are_refused(self, house: House, platform: Program, key: str) -> None:
        house.book("4821")
        headers = platform.headers | {"Idempotency-Key": key.encode("latin-1")}
        answer = house.client.post(f"{API}/appointments/4821/cancel", json=CANCEL, headers=headers)
        assert answer.status_code == 422
        assert status_of(house, "4821") == "scheduled"


COMMANDS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/appointments", BOOKING),
    ("PUT", "/appointments/4821", SAID),
    ("POST", "/appointments/4821/cancel", {"reason": "ill"}),
    ("POST", "/appointments/4821/reschedule", {"start": "2026-11-24T15:00", "reason": "work"}),
    ("POST", "/appointments/4821/ask-to-reschedule", {"reason": "work"}),
    ("POST", "/appointments/4821/respond", {"start": "2026-11-24T15:00"}),
    ("POST", "/appointments/4821/complete", {}),
    ("POST", "/appointments/4821/no-show", {}),
    ("POST", "/appointments/4821/confirm", {}),
    ("POST", "/appointments/4821/paid", {}),
    ("POST", "/series", BOOKING | {"id": "S-1", "rule": "FREQ=WEEKLY;BYDAY=TU"}),
    ("POST", "/series/S-9/cancel", {"reason": "ill"}),
    ("POST", "/series/S-9/reschedule", {"start": "2026-11-24T15:00", "reason": "work"}),
    ("POST", "/blocks", {"provider": "P-1", "start": "2026-11-25T10:00", "minutes": 60}),
    ("POST", "/blocks/B-9/remove", {}),
    ("POST", "/fees/F-9/change", {"amount": "1.00", "because": "agreed"}),
    ("PUT", "/availability/P-1", {"weekly": {"monday": ["09:00-12:00"]}}),
    ("PUT", "/clients/K-1", {"name": "Cleo Made"}),
    ("POST", "/clients/K-1/booking-link", {"provider": "P-1"}),
    ("POST", "/packages", {"client": "K-1", "sessions": 5}),
    ("POST", "/providers/P-1/pause", {"reason": "leave"}),
    ("POST", "/providers/P-1/resume", {"reason": "back"}),
    ("POST", "/drifts/D-9/resolve", {"as": "stands"}),
    ("POST", "/edits/E-9/resolve", {"as": "stands"}),
    ("POST", "/claims/4821/filed", {"date": "2026-11-24"}),
    ("POST", "/claims/recalls/R-9/close", {"reason": "not-ours", "note": "another site"}),
]
LISTS = [
    "/appointments", "/appointments/4821", "/appointments/4821/history", "/series", "/blocks", "/fees",
    "/slots?provider=P-1&minutes=50", "/availability/P-1", "/clients", "/clients/K-1", "/providers", "/providers/P-1",
    "/claims/4821", "/claims/ready", "/claims/recalls", "/drifts", "/packages", "/report",
]  # fmt: skip


def everything() -> list[tuple[str, str, dict[str, Any] | None]]:
    """Every address, with a body where it takes one."""
    return [*COMMANDS, *(("GET", path, None) for path in LISTS)]


def may(role: str, method: str, path: str) -> bool:
    """Which role may do what, said once more and otherwise: the first line that fits."""
    table = (
        ("GET", ("/clients",), ("platform", "support")),
        ("GET", ("/report",), ("support", "billing")),
        ("GET", ("/claims/ready",), ("billing",)),
        ("GET", ("/claims/recalls",), ("platform", "billing")),
        ("GET", ("/",), ("platform", "support", "billing")),
        ("POST", ("/claims",), ("billing",)),
        ("POST", ("/drifts", "/edits"), ("support",)),
        ("PUT", ("/appointments", "/clients"), ("platform",)),
        (method, ("/",), ("platform", "support")),
    )
    allowed = next(roles for verb, rooms, roles in table if verb == method and path.startswith(rooms))
    return role == "admin" or role in allowed


class TestRoles:
    @pytest.mark.parametrize("role", ["platform", "billing", "support", "admin"])
    def test_every_address_by_role(self, house: House, role: str) -> None:
        house.book("4821")
        program = Program(house, role)
        for method, path, body in everything():
            told = body
            if body is not None and role == "platform" and not path.startswith(("/clients/K-1", "/appointments/4821")):
                told = body | {"by": "provider:P-1"}
            answer = program(method, path, told)
            assert (answer.status_code != 403) == may(role, method, path) or (
                answer.json()["error"]["code"] != "forbidden"
            ), (role, method, path, answer.text)
            if not may(role, method, path):
                assert answer.status_code == 403
                assert answer.json()["error"]["code"] == "forbidden"

    def test_nothing_without_a_token(self, house: House) -> None:
        for method, path, body in everything():
            assert house.client.request(method, API + path, json=body).status_code == 401

    @pytest.mark.parametrize(
        ("role", "by", "status"),
        [
            ("platform", "client:K-1", 200),
            ("platform", "provider:P-1", 200),
            ("platform", "support:sam", 200),
            ("platform", "system", 403),
            ("platform", None, 422),
            ("support", None, 200),
            ("support", "support:sam", 200),
            ("support", "client:K-1", 403),
            ("support", "provider:P-1", 403),
            ("support", "system", 403),
            ("admin", "system", 200),
            ("admin", "token:x", 422),
            ("admin", "client:", 422),
        ],
    )
    def test_on_whose_behalf(self, house: House, role: str, by: str | None, status: int) -> None:
        house.book("4821", "2026-12-24T10:00")
        body = {"reason": "ill"} | ({} if by is None else {"by": by})
        answer = Program(house, role)("POST", "/appointments/4821/cancel", body)
        assert answer.status_code == status, answer.text
        assert status_of(house, "4821") == ("cancelled" if status == 200 else "scheduled")

    def test_nobody_acts_on_what_is_somebody_elses(self, house: House, platform: Program) -> None:
        house.book("4821", "2026-12-24T10:00")
        ask = {"reason": "conference", "by": "provider:P-1"}
        platform.done("POST", "/appointments/4821/ask-to-reschedule", ask)
        with house.database.transaction() as conn:
            clients.put(conn, ClientRow("K-1"))
        for path, body in (
            ("/appointments/4821/cancel", {"reason": "ill"}),
            ("/appointments/4821/reschedule", {"start": "2026-12-24T15:00", "reason": "work"}),
            ("/appointments/4821/respond", {"start": "2026-12-24T15:00"}),
            ("/clients/K-1/booking-link", {"provider": "P-1"}),
        ):
            assert platform.refused(409, "POST", path, body | {"by": "client:K-2"})["code"] == "not-yours"
        for room, wish in (("appointments/4821/paid", {}), ("packages", {"client": "K-1", "sessions": 5})):
            told: dict[str, Any] = {**wish, "by": "client:K-1"}
            assert platform.refused(403, "POST", f"/{room}", told)["code"] == "actor-not-allowed"
        times = {"weekly": {"monday": ["09:00-12:00"]}}
        for by, code in (("client:K-1", "who-may-set-availability"), ("provider:P-2", "not-yours")):
            assert platform.refused(409, "PUT", "/availability/P-1", times | {"by": by})["code"] == code
        assert start_of(house, "4821") == "2026-12-24T10:00"

    def test_the_log_names_actor_and_token(self, house: House, platform: Program) -> None:
        house.book("4821", "2026-12-24T10:00")
        platform.done("POST", "/appointments/4821/cancel", {"reason": "ill", "by": "client:K-1"})
        with house.database.reading() as conn:
            rows = list(audit.rows(conn))
        assert [row.actor for row in rows if row.what == "appointment-cancelled"] == ["client:K-1"]
        (call,) = [row for row in rows if row.what == "api-command"]
        assert call.actor.startswith("token:")
        assert call.subject == "POST /appointments/{appointment}/cancel"


class TestCommands:
    def test_the_life_of_a_session(self, house: House, platform: Program) -> None:
        platform.done("POST", "/appointments", BOOKING | {"by": "provider:P-1"})
        move = {"start": "2026-11-24T14:00", "reason": "work", "by": "provider:P-1"}
        assert platform.done("POST", "/appointments/A-1/reschedule", move)["appointments"] == ["A-1"]
        ask = platform.done(
            "POST", "/appointments/A-1/ask-to-reschedule", {"reason": "conference", "by": "provider:P-1"}
        )
        assert len(ask["token"]) >= 40
        answer = {"start": "2026-11-24T16:00", "by": "client:K-1"}
        platform.done("POST", "/appointments/A-1/respond", answer)
        assert start_of(house, "A-1") == "2026-11-24T16:00"
        assert platform.refused(409, "POST", "/appointments/A-1/respond", answer)["code"] == "no-request"
        house.clock.advance(2 * 24 * 3600)
        platform.done("POST", "/appointments/A-1/complete", {"by": "provider:P-1"})
        assert status_of(house, "A-1") == AppointmentStatus.COMPLETED.value
        history = platform.done("GET", "/appointments/A-1/history")["items"]
        assert [one["action"] for one in history][:2] == ["booked", "rescheduled"]

    def test_series_and_blocks(self, house: House, platform: Program) -> None:
        body = BOOKING | {"id": "S-1", "rule": "FREQ=WEEKLY;BYDAY=TU;COUNT=4", "by": "provider:P-1"}
        made = platform.done("POST", "/series", body)
        assert (len(made["appointments"]), made["series"]) == (4, ["S-1"])
        assert platform.done("GET", "/series/S-1")["rule"].startswith("FREQ=WEEKLY")
        move = {"start": "2026-11-25T11:00", "cadence": "FREQ=WEEKLY;BYDAY=WE", "reason": "work", "by": "provider:P-1"}
        assert platform.done("POST", "/series/S-1/reschedule", move)["series"] == ["S-1", "S-1.2"]
        assert platform.done("POST", "/series/S-1.2/cancel", CANCEL)["appointments"]
        block = {"provider": "P-1", "start": "2026-11-26T10:00", "minutes": 60, "by": "provider:P-1"}
        added = platform.done("POST", "/blocks", block | {"id": "B-1"})
        assert added["sessions_inside"] == []
        assert [one["id"] for one in platform.done("GET", "/blocks?provider=P-1")["items"]] == ["B-1"]
        assert platform.done("POST", "/blocks/B-1/remove", {"by": "provider:P-1"}) == {"id": "B-1", "removed": True}
        assert platform.done("POST", "/blocks/B-1/remove", {"by": "provider:P-1"})["removed"] is False

    def test_a_slot_that_is_taken_is_refused_with_others(self, house: House, platform: Program) -> None:
        with house.database.transaction() as conn:
            times = WorkingTimes(weekly=((Hours(540, 720),),) * 7, every=60)
            set_availability(conn, Command(actor="support:x", now=house.clock.now()), "P-1", times)
        free = platform.done("GET", "/slots?provider=P-1&minutes=50&since=2026-11-24T00:00:00-05:00")["slots"]
        assert [one["start"][:16] for one in free][:3] == [f"2026-11-24T{hour}:00" for hour in ("09", "10", "11")]
        platform.done("POST", "/appointments", BOOKING | {"by": "client:K-1"})
        wish = BOOKING | {"id": "A-2", "client": "K-2", "by": "client:K-2"}
        error = platform.refused(409, "POST", "/appointments", wish)
        assert error["code"] == "slot-taken"
        assert [one["start"][:16] for one in error["slots"]][:2] == ["2026-11-24T09:00", "2026-11-24T11:00"]

    def test_working_times_clients_and_links(self, house: House, platform: Program) -> None:
        body = {"every": "30m", "weekly": {"monday": ["09:00-12:00"]}, "by": "provider:P-1"}
        assert platform.done("PUT", "/availability/P-1", body)["times"]["every"] == 30
        wrong = platform.refused(422, "PUT", "/availability/P-1", body | {"weekly": {"monday": ["9-10"], "x": []}})
        assert {one["field"] for one in wrong["fields"]} == {"weekly.monday", "weekly.x"}
        said = {"name": "Cleo Made", "email": "cleo@example.org", "zone": "Europe/Berlin"}
        assert platform.done("PUT", "/clients/K-1", said) == {"id": "K-1"} | said
        assert platform.done("PUT", "/clients/K-1", {"name": "Cleo New"})["email"] == "cleo@example.org"
        assert platform.refused(422, "PUT", "/clients/K-1", {"email": "a@b@c"})["fields"][0]["field"] == "email"
        assert [one["id"] for one in platform.done("GET", "/clients?q=CLEO")["items"]] == ["K-1"]
        wanted = {"provider": "P-1", "by": "support:sam"}
        first = platform.done("POST", "/clients/K-1/booking-link", wanted, Idempotency_Key="k")
        assert platform.done("POST", "/clients/K-1/booking-link", wanted)["url"] == first["url"]
        token = first["url"].rpartition("/")[2]
        assert token not in "\n".join(house.dump())

    def test_a_package_gets_its_credit_back_once(self, house: House, support: Program) -> None:
        made = support.done("POST", "/packages", {"id": "PK-1", "client": "K-1", "sessions": 5})
        assert (made["sessions"], made["left"]) == (5, 5)
        support.done("POST", "/appointments", BOOKING | {"package": "PK-1"})
        assert [one["left"] for one in support.done("GET", "/packages?client=K-1")["items"]] == [4]
        cancel = {"reason": "ill"}
        for _ in range(3):
            answer = support.done("POST", "/appointments/A-1/cancel", cancel, Idempotency_Key="k-1")
            assert answer["packages"] == ["PK-1"]
        assert [one["left"] for one in support.done("GET", "/packages")["items"]] == [5]

    def test_pausing(self, house: House, support: Program) -> None:
        assert support.done("POST", "/providers/P-1/pause", {"reason": "leave"})["paused"] is True
        assert support.refused(409, "POST", "/appointments", BOOKING)["code"] == "provider-paused"
        assert support.done("POST", "/providers/P-1/resume", {"reason": "back"})["paused"] is False

    def test_the_clients_link_is_kept_nowhere_in_the_open(self, house: House, platform: Program) -> None:
        house.book("4821", "2026-12-24T10:00")
        body = {"reason": "conference", "by": "provider:P-1"}
        asked = platform.done("POST", "/appointments/4821/ask-to-reschedule", body, Idempotency_Key="k-1")
        again = platform.done("POST", "/appointments/4821/ask-to-reschedule", body, Idempotency_Key="k-1")
        assert asked == again
        assert asked["token"] not in "\n".join(house.dump())


class TestEditsAndClaims:
    def test_an_edit_is_listed_shown_and_settled_once(self, house: House, support: Program) -> None:
        edit = house.edit("4821")
        (row,) = support.done("GET", "/drifts?open=true")["items"]
        assert (row["edit"], row["appointment"], row["resolution"]) == (edit, "4821", "open")
        assert support.done("GET", f"/drifts/{row['id']}")["accepted"] is False
        word = {"as": "stands", "note": "told on the phone"}
        first = support.done("POST", f"/drifts/{row['id']}/resolve", word, Idempotency_Key="k-1")
        assert first == support.done("POST", f"/drifts/{row['id']}/resolve", word, Idempotency_Key="k-1")
        assert house.drift_of(edit).resolution is Resolution.ACKNOWLEDGED
        assert support("POST", f"/drifts/{row['id']}/resolve", word).status_code == 409
        assert support.done("GET", "/drifts?open=true")["items"] == []

    def test_a_whole_edit(self, house: House, support: Program) -> None:
        edit = house.edit("4821")
        assert support.done("POST", f"/edits/{edit}/resolve", {"as": "dismiss", "note": "no"})["waiting"] == []
        assert (
            support.refused(404, "POST", "/edits/none/resolve", {"as": "dismiss", "note": "no"})["code"] == "not-found"
        )

    def test_filing_is_taken_down_once(self, house: House) -> None:
        house.book("4821", "2026-11-20T10:00")
        billing = Program(house, "billing")
        body = {"date": "2026-11-20", "batch": "B-7"}

        def send(_number: int) -> int:
            return billing("POST", "/claims/4821/filed", body, Idempotency_Key="k-1").status_code

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(send, range(16))) == {200}
        with house.database.reading() as conn:
            assert len(filings.of_appointments(conn, ["4821"])["4821"]) == 1
        assert billing.done("POST", "/claims/4821/filed", body)["items"] == []
        assert billing.refused(409, "POST", "/claims/none/filed", body)["code"] == "cannot-be-filed"

    def test_recalls_are_listed_and_closed(self, house: House) -> None:
        house.book("4821", "2026-11-20T10:00")
        billing = Program(house, "billing")
        billing.done("POST", "/claims/4821/filed", {"date": "2026-11-20"})
        found = billing.done("GET", "/claims/recalls?open=true")["items"]
        assert [one["appointment"] for one in found] == ["4821"]
        body = {"reason": "already-right", "note": "looked at it"}
        closed = billing.done("POST", f"/claims/recalls/{found[0]['id']}/close", body)
        assert closed["state"] == "closed"
        assert billing("POST", f"/claims/recalls/{found[0]['id']}/close", body).status_code == 409
        assert billing.done("GET", "/claims/recalls?open=true")["items"] == []

    def test_the_report(self, house: House, support: Program) -> None:
        house.edit("4821")
        made = support.done("GET", "/report?since=2026-11-20&until=2026-11-30&provider=P-1")
        assert (made["appointments"], made["open"]) == (1, 1)
        assert support.refused(422, "GET", "/report?since=2026-11-30&until=2026-11-20")["code"] == "invalid"
        assert support.refused(404, "GET", "/report?provider=P-9")["code"] == "not-found"


class TestPages:
    def test_every_row_once_in_order_though_rows_are_added(self, house: House, platform: Program) -> None:
        for number in range(7):
            house.book(f"4{number}", f"2026-11-2{number}T10:00")
        seen: list[str] = []
        cursor = ""
        while True:
            page = platform.done("GET", f"/appointments?limit=2{cursor}")
            seen += [one["id"] for one in page["items"]]
            if page["next"] is None:
                break
            house.book(f"early-{len(seen)}", "2026-11-01T10:00")
            cursor = f"&cursor={page['next']}"
        assert seen == [f"4{number}" for number in range(7)]

    def test_lists_can_be_narrowed(self, house: House, platform: Program) -> None:
        house.book("1")
        house.book("2", "2026-12-01T10:00")
        since = "since=2026-11-30T00:00:00Z"
        assert [one["id"] for one in platform.done("GET", f"/appointments?{since}")["items"]] == ["2"]
        assert platform.done("GET", "/appointments?status=cancelled")["items"] == []
        assert platform.done("GET", "/appointments?client=K-2")["items"] == []

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=501", "limit=x", "cursor=%00", "cursor=abc", "cursor=" + "x" * 401, "nothing=1",
                  "provider=%00", "since=yesterday", "status=gone", "cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5fGE"],
    )  # fmt: skip
    def test_odd_questions_are_refused(self, platform: Program, query: str) -> None:
        assert platform.refused(422, "GET", f"/appointments?{query}")["code"] == "invalid"

    def test_names_stay_with_clients(self, house: House, platform: Program) -> None:
        with house.database.transaction() as conn:
            clients.put(conn, ClientRow("K-1", "Cleo Made", "cleo@example.org"))
        house.edit("4821")
        paths = [path for path in LISTS if not path.startswith("/clients")]
        admin = Program(house, "admin")
        told = "".join(admin("GET", path).text for path in paths)
        assert "Cleo" not in told
        assert "cleo@" not in told


HOSTILE = [
    b"", b"[", b"null", b"5", b'"x"', b"[]", b"\xff", b"\xef\xbb\xbf{}", b'{"reason": NaN}', b'{"reason": 1e999}',
    b'{"reason": "a", "reason": "b"}', b'{"reason": ' + b"9" * 5000 + b"}", b'{"reason": "\\ud800"}',
    b'{"reason": "\\u0000"}', b'{"reason": {"a": ' + b"[" * 60 + b"]" * 60 + b"}}", b"[" * 400_000,
    b'{"reason": "' + b"x" * 3000 + b'"}', b'{"reason": "a\\nb"}', b'{"answers": {"a": 1}}', b'{"by": "client:\\n"}',
    b'{"\\u0000": 1}', b'{"reason": "ill", "__proto__": {}}', b'{"waive_fee": "perhaps"}', b'{"note": []}',
    b"{'reason': 'ill'}", '{"reason": "ill"}'.encode("utf-16"),
]  # fmt: skip


class TestHostile:
    @pytest.mark.parametrize("body", HOSTILE)
    def test_odd_bodies_change_nothing_and_say_so(self, house: House, body: bytes) -> None:
        house.book("4821", "2026-12-24T10:00")
        admin = Program(house, "admin")
        before = house.dump()
        headers = admin.headers | {"Content-Type": "application/json"}
        answer = house.client.post(f"{API}/appointments/4821/cancel", content=body, headers=headers)
        assert answer.status_code in (400, 413, 422), answer.text
        assert set(answer.json()["error"]) == {"code", "message", "fields"}
        assert [row for row in house.dump() if not row.startswith("tokens")] == [
            row for row in before if not row.startswith("tokens")
        ]

    @pytest.mark.parametrize("key", ["..", "%00", "a%0Ab", "a%2Fb", "%F0%9F%92%A9", "x" * 129, "a'--", "%EF%BF%BF"])
    def test_odd_names_lead_nowhere(self, house: House, key: str) -> None:
        admin = Program(house, "admin")
        for room in ("appointments", "series", "drifts", "clients", "providers", "claims", "availability"):
            assert admin("GET", f"/{room}/{key}").status_code in (400, 404, 405, 422)
        for path in (f"/fees/{key}/change", f"/blocks/{key}/remove", f"/edits/{key}/resolve"):
            assert admin("POST", path, {"amount": "1", "because": "x"}).status_code in (400, 404, 405, 422)
