"""The interface for programs: who may call, what it takes, and that each effect happens once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from calsync.store import audit, claims, evidence, tokens
from tests.unit.web.conftest import House

ROW = {
    "id": "visit-1",
    "appointment": "4821",
    "source": "video",
    "start": "2026-11-24T10:00:00-05:00",
    "end": "2026-11-24T10:50:00-05:00",
    "who": "both",
}


def rows(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"rows": [ROW | change for change in changes or ({},)]}


class TestTokens:
    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "Bearer",
            "Bearer wrong",
            "Basic abc",
            "Bearer calsync_",
            b"Bearer \xc3\xa4\xff",
            "Bearer " + "x" * 3000,
        ],
    )
    def test_a_wrong_token_is_401_in_one_form(self, house: House, header: Any) -> None:
        headers = {} if header is None else {"Authorization": header}
        answer = house.client.get("/api/v1/claims/4821", headers=headers)
        assert answer.status_code == 401
        assert answer.json() == {
            "error": {"code": "unauthorised", "message": "A valid bearer token is needed.", "fields": []}
        }

    @pytest.mark.parametrize(
        ("role", "method", "path", "body", "allowed"),
        [
            ("platform", "POST", "/api/v1/evidence", rows(), True),
            ("admin", "POST", "/api/v1/evidence", rows(), True),
            ("billing", "POST", "/api/v1/evidence", rows(), False),
            ("support", "POST", "/api/v1/evidence", rows(), False),
            ("billing", "POST", "/api/v1/claims/check", {"claims": [{"appointment": "4821"}]}, True),
            ("admin", "POST", "/api/v1/claims/check", {"claims": [{"appointment": "4821"}]}, True),
            ("platform", "POST", "/api/v1/claims/check", {"claims": [{"appointment": "4821"}]}, False),
            ("support", "POST", "/api/v1/claims/check", {"claims": [{"appointment": "4821"}]}, False),
            ("support", "GET", "/api/v1/claims/4821", None, True),
            ("platform", "GET", "/api/v1/claims/4821", None, True),
        ],
    )
    def test_roles(self, house: House, role: str, method: str, path: str, body: Any, allowed: bool) -> None:
        house.book("4821")
        answer = house.client.request(method, path, headers=house.token(role), json=body)
        assert answer.status_code == (200 if allowed else 403)

    def test_a_revoked_token_is_no_token(self, house: House) -> None:
        headers = house.token("admin")
        with house.database.transaction() as conn:
            (row,) = tokens.rows(conn)
            assert tokens.revoke(conn, row.id, house.clock.now())
            assert not tokens.revoke(conn, row.id, house.clock.now())
        assert house.client.get("/api/v1/claims/4821", headers=headers).status_code == 401

    def test_the_books_hold_no_token(self, house: House) -> None:
        text = house.token("admin")["Authorization"].removeprefix("Bearer ")
        assert text not in "\n".join(house.dump())

    def test_a_thousand_wrong_ones_a_minute_are_enough(self, house: House) -> None:
        wrong = {"Authorization": "Bearer wrong"}
        codes = [house.client.get("/api/v1/claims/1", headers=wrong).status_code for _ in range(1001)]
        assert codes == [401] * 1000 + [429]
        right = house.token("admin")
        assert house.client.get("/api/v1/claims/1", headers=right).status_code == 404
        house.clock.advance(61)
        assert house.client.get("/api/v1/claims/1", headers=wrong).status_code == 401


class TestEvidence:
    def test_a_row_is_taken_once_however_often_it_comes(self, house: House) -> None:
        house.book("4821")
        headers = house.token("platform")

        def send(_number: int) -> int:
            return house.client.post("/api/v1/evidence", headers=headers, json=rows()).json()["new"]  # type: ignore[no-any-return]

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(send, range(24))) == 1
        with house.database.reading() as conn:
            assert len(evidence.of_appointments(conn, ["4821"])["4821"]) == 1
            noted = [row for row in audit.rows(conn) if row.what == "evidence-imported"]
        with house.database.transaction() as conn:
            assert dict(claims.touched(conn, 10)).keys() == {"4821"}
        assert len(noted) == 1
        assert noted[0].actor.startswith("token:")

    def test_a_known_id_with_other_content_is_refused(self, house: House) -> None:
        house.book("4821")
        headers = house.token("platform")
        house.client.post("/api/v1/evidence", headers=headers, json=rows())
        answer = house.client.post(
            "/api/v1/evidence", headers=headers, json=rows({"id": "visit-2"}, {"end": "2026-11-24T11:00:00-05:00"})
        )
        assert answer.status_code == 409
        assert answer.json()["error"]["fields"][0]["field"] == "rows.1.id"
        with house.database.reading() as conn:
            assert len(evidence.of_appointments(conn, ["4821"])["4821"]) == 1

    def test_two_logs_may_use_one_id(self, house: House) -> None:
        house.book("4821")
        answer = house.client.post(
            "/api/v1/evidence", headers=house.token("platform"), json=rows({}, {"source": "phone"})
        )
        assert answer.json() == {"rows": 2, "new": 2}

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"end": "2026-11-24T09:00:00-05:00"}, "rows.0.end"),
            ({"end": "2026-11-25T11:00:00-05:00"}, "rows.0.end"),
            ({"start": "0001-01-01T10:00", "end": "0001-01-01T10:50"}, "rows.0.start"),
            ({"start": "9999-12-31T23:59:59-14:00"}, "rows.0.start"),
            ({"start": "24/11/2026 10:00"}, "rows.0.start"),
            ({"start": "2026-03-08T02:30"}, "rows.0.start"),
            ({"start": "2026-11-01T01:30"}, "rows.0.start"),
            ({"appointment": "unknown"}, "rows.0.appointment"),
            ({"appointment": "a\ud800"}, "rows.0.appointment"),
            ({"appointment": "a\x00"}, "rows.0.appointment"),
            ({"id": "x" * 200}, "rows.0.id"),
            ({"source": ""}, "rows.0.source"),
            ({"who": "nobody"}, "rows.0.who"),
            ({"surplus": 1}, "rows.0.surplus"),
            ({"start": 5}, "rows.0.start"),
        ],
    )
    def test_a_bad_row_is_named_and_nothing_is_taken(self, house: House, change: dict[str, Any], field: str) -> None:
        house.book("4821")
        before = house.dump()
        headers = house.token("platform") | {"Content-Type": "application/json"}
        body = json.dumps(rows(change, {"id": "fine"}))
        after_token = len(house.dump())
        answer = house.client.post("/api/v1/evidence", headers=headers, content=body.encode())
        assert answer.status_code == 422
        assert field in [one["field"] for one in answer.json()["error"]["fields"]]
        assert len(house.dump()) == after_token == len(before) + 1

    @pytest.mark.parametrize(
        "body", [b"", b"[", b"[" * 400_000, b"null", b"5", b'{"rows": []}', b'{"rows": NaN}', b"\xff"]
    )
    def test_odd_json_is_refused(self, house: House, body: bytes) -> None:
        headers = house.token("platform") | {"Content-Type": "application/json"}
        answer = house.client.post("/api/v1/evidence", headers=headers, content=body)
        assert answer.status_code in (400, 422)
        assert answer.json()["error"]["code"] in ("bad-json", "bad-request", "invalid")


class TestClaims:
    def test_looking_issues_nothing_and_asking_answers_in_order(self, house: House) -> None:
        house.book("1")
        house.book("2")
        headers = house.token("billing")
        seen = house.client.get("/api/v1/claims/1", headers=headers).json()
        assert (seen["appointment"], seen["verdict"]) == ("1", "held")
        body = {"claims": [{"appointment": "2"}, {"appointment": "1", "date": "2026-11-24"}]}
        answers = house.client.post("/api/v1/claims/check", headers=headers, json=body).json()["claims"]
        assert [one["appointment"] for one in answers] == ["2", "1"]
        assert all(one["reasons"] for one in answers)

    def test_unknown_ids_are_404(self, house: House) -> None:
        headers = house.token("billing")
        assert house.client.get("/api/v1/claims/nothing", headers=headers).status_code == 404
        body = {"claims": [{"appointment": "1"}, {"appointment": "2"}]}
        answer = house.client.post("/api/v1/claims/check", headers=headers, json=body)
        assert answer.status_code == 404
        assert len(answer.json()["error"]["fields"]) == 2

    def test_a_session_is_asked_about_once(self, house: House) -> None:
        house.book("1")
        body = {"claims": [{"appointment": "1"}, {"appointment": "1", "date": "2026-11-24"}]}
        answer = house.client.post("/api/v1/claims/check", headers=house.token("billing"), json=body)
        assert answer.status_code == 422

    @pytest.mark.parametrize("day", ["24.11.2026", "2026-02-30", "tomorrow"])
    def test_a_date_is_a_date(self, house: House, day: str) -> None:
        body = {"claims": [{"appointment": "1", "date": day}]}
        answer = house.client.post("/api/v1/claims/check", headers=house.token("billing"), json=body)
        assert answer.status_code == 422
        assert answer.json()["error"]["fields"][0]["field"] == "claims.0.date"


def test_the_interface_describes_itself(house: House) -> None:
    described = house.client.get("/api/v1/openapi.json").json()
    named = {
        "/api/v1/evidence",
        "/api/v1/claims/{appointment}",
        "/api/v1/claims/check",
        "/api/v1/appointments/{appointment}",
    }
    assert named <= set(described["paths"])
    assert described["components"]["securitySchemes"]
