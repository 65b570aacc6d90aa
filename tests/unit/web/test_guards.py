"""What every request meets: limits, headers, and nothing that rests on the Host header (reliability 88 to 104)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calsync.store.errors import StoreUnavailable
from tests.unit.web.conftest import House

JSON = {"Content-Type": "application/json"}


def chunks(number: int) -> Iterator[bytes]:
    for _ in range(number):
        yield b" " * 100_000


class TestSizes:
    def test_a_body_of_more_than_a_mebibyte_is_413_whatever_its_header_says(self, house: House) -> None:
        headers = house.token("platform") | JSON
        assert house.client.post("/api/v1/evidence", headers=headers, content=b" " * 1_100_000).status_code == 413
        assert house.client.post("/api/v1/evidence", headers=headers, content=chunks(20)).status_code == 413
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert house.client.post("/a/x", headers=form, content=chunks(20)).status_code == 413
        assert house.client.post("/hooks/graph", headers=JSON, content=chunks(20)).status_code == 413

    @pytest.mark.parametrize(
        "path",
        ["/a/" + "x" * 10_000, "/a/%00", "/a/%0a", "/static/../calsync.css", "/%2e%2e/x", "/a/x?q=" + "y" * 5000],
    )
    def test_odd_addresses_are_400_or_404(self, house: House, path: str) -> None:
        answer = house.client.get(path)
        assert answer.status_code in (400, 404)

    def test_a_length_that_is_no_number_is_400(self, house: House) -> None:
        assert house.client.post("/hooks/google", headers={"Content-Length": "x"}).status_code == 400


class TestNesting:
    @pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 100_000, b"[[]," * 90_000, b'["\\"[]",' * 65])
    def test_json_nested_beyond_use_is_400_before_anything_parses_it(self, house: House, body: bytes) -> None:
        for content in (body, iter([body[:3], body[3:]])):
            answer = house.client.post("/api/v1/evidence", headers=house.token("platform") | JSON, content=content)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad-json")
            assert "nested" in answer.json()["error"]["message"]

    def test_brackets_in_texts_nest_nothing(self, house: House) -> None:
        body = b'{"rows": "' + b"\\\\" * 3 + b'\\"' + b"[{" * 5000 + b'"}'
        for size in (1, 7, len(body)):
            pieces = (body[at : at + size] for at in range(0, len(body), size))
            answer = house.client.post("/api/v1/evidence", headers=house.token("platform") | JSON, content=pieces)
            assert answer.status_code == 422


class TestTypes:
    @pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
    def test_the_interface_takes_json_only(self, house: House, kind: str | None) -> None:
        headers = house.token("platform") | ({} if kind is None else {"Content-Type": kind})
        assert house.client.post("/api/v1/evidence", headers=headers, content=b"{}").status_code == 415

    def test_pages_take_forms_only(self, house: House) -> None:
        assert house.client.post("/a/x", json={}).status_code == 415
        assert house.client.post("/a/x", files={"f": b"x"}).status_code == 415


class TestHeaders:
    @pytest.mark.parametrize("path", ["/healthz", "/a/x", "/nothing", "/api/v1/claims/1", "/metrics", "/a/%00"])
    def test_every_answer_carries_them(self, house: House, path: str) -> None:
        headers = house.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "script-src" not in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Strict-Transport-Security"]
        assert headers["Cache-Control"] == "no-store"
        assert "server" not in headers

    def test_a_host_header_reaches_no_answer(self, house: House) -> None:
        for path in (
            "/a/x/",
            "/api/v1/claims/",
            "/healthz/",
            "/a/x?next=//evil.example.com",
            house.link(house.edit("1")),
        ):
            answer = house.client.get(path, headers={"Host": "evil.example.com"}, follow_redirects=False)
            assert answer.status_code < 300 or answer.status_code >= 400
            assert "evil" not in answer.text + str(answer.headers)

    def test_an_unknown_method_is_said_to_be_one(self, house: House) -> None:
        answer = house.client.delete("/healthz")
        assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method")


class TestFaults:
    def test_a_fault_of_ours_shows_nothing_but_a_log_id(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("secret of K-1")

        monkeypatch.setattr("calsync.store.tokens.by_hash", broken)
        answer = house.client.get("/api/v1/claims/1", headers={"Authorization": "Bearer x"})
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert "error-" in answer.json()["error"]["message"]

    def test_an_unreachable_database_is_503(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_: object) -> None:
            raise StoreUnavailable.of("gone")

        monkeypatch.setattr("calsync.store.tokens.by_hash", away)
        answer = house.client.get("/api/v1/claims/1", headers={"Authorization": "Bearer x"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
