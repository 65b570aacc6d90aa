"""The door: who comes in, and that nobody acts in somebody else's name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calsync.domain.drift import Resolution
from calsync.store.tokens import Role
from calsync.support.tries import WRONG_BY_NAME, WRONG_IN_ALL
from tests.unit.web.support.office import WORD, Office

POSTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/support/queue", {"take": "edit-4821"}),
    ("/support/edits/edit-4821/settle", {"answer": "stands"}),
    ("/support/edits/edit-4821/triage", {"what": "take"}),
    ("/support/edits/edit-4821/ask", {}),
    ("/support/appointments/4821/note", {"how": "call", "text": "hello"}),
    ("/support/calendars/work/work", {"what": "pause"}),
    ("/support/calendars/work/stop", {"as": "edits", "note": "x"}),
    ("/support/fleet", {"what": "stop", "note": "x"}),
    ("/support/logout", {}),
)


class TestLogin:
    def test_every_page_leads_to_it_and_back(self, office: Office) -> None:
        office.hire("ann")
        visitor = office.visitor()
        answer = visitor.get("/support/queue?view=mine")
        assert (answer.status_code, answer.headers["location"]) == (303, "/support/login?back=%2Fsupport%2Fqueue")
        entered = visitor.post(
            "/support/login",
            mark=visitor.mark("/support/login"),
            name="ann",
            password=WORD,
            back="/support/queue",
        )
        assert (entered.status_code, entered.headers["location"]) == (303, "/support/queue")
        assert "Log out" in visitor.page("/support/queue")

    @pytest.mark.parametrize(
        "back", ["https://evil.example", "//evil.example", "/a/x", "/supportx", "/support//evil", "/support/\\e", "x"]
    )
    def test_it_leads_nowhere_else(self, office: Office, back: str) -> None:
        office.hire("ann")
        visitor = office.visitor()
        answer = visitor.post(
            "/support/login", mark=visitor.mark("/support/login"), name="ann", password=WORD, back=back
        )
        assert answer.headers["location"] == "/support"

    def test_the_cookie_is_the_hosts_own_and_changes_with_the_login(self, office: Office) -> None:
        office.hire("ann")
        visitor = office.visitor()
        first = visitor.get("/support/login")
        told = first.headers["set-cookie"]
        assert told.startswith("__Host-calsync=")
        assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(told.split("; "))
        before = visitor.client.cookies["__Host-calsync"]
        visitor.post("/support/login", mark=visitor.mark("/support/login"), name="ann", password=WORD)
        assert visitor.client.cookies["__Host-calsync"] != before
        assert WORD not in "".join(office.house.dump())
        assert visitor.client.cookies["__Host-calsync"] not in "".join(office.house.dump())

    def test_too_many_wrong_passwords_shut_it_for_a_while(self, office: Office) -> None:
        office.hire("ann")
        visitor = office.visitor()
        mark = visitor.mark("/support/login")

        def tried(word: str) -> int:
            return int(visitor.post("/support/login", mark=mark, name="ann", password=word).status_code)

        assert {tried("wrong, wrong, wrong") for _ in range(WRONG_BY_NAME)} == {422}
        assert tried(WORD) == 429
        office.house.clock.advance(timedelta(minutes=15))
        assert tried(WORD) == 303

    def test_and_so_do_wrong_names(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("calsync.support.accounts.is_password", lambda *_: False)
        visitor = office.visitor()
        mark = visitor.mark("/support/login")
        answers = [
            visitor.post("/support/login", mark=mark, name=f"n{number}", password="x").status_code
            for number in range(WRONG_IN_ALL + 1)
        ]
        assert answers[-1] == 429
        assert set(answers[:-1]) == {422}

    def test_a_post_without_the_forms_field_logs_nobody_in(self, office: Office) -> None:
        office.hire("ann")
        visitor = office.visitor()
        assert visitor.post("/support/login", mark="0" * 64, name="ann", password=WORD).status_code == 403
        mark = visitor.mark("/support/login")
        other = office.visitor()
        other.get("/support/login")
        assert other.post("/support/login", mark=mark, name="ann", password=WORD).status_code == 403

    def test_idleness_ends_it(self, office: Office) -> None:
        ann = office.enter("ann")
        office.house.clock.advance(timedelta(minutes=15))
        assert ann.get("/support/queue").status_code == 303


class TestForms:
    def test_nothing_happens_without_the_pages_own_field(self, office: Office) -> None:
        edit = office.drag("4821", "2026-11-24T10:00", "2026-11-24T14:00")
        ann = office.enter("ann", Role.ADMIN)
        bob = office.enter("bob", Role.ADMIN)
        before = office.house.dump()
        for path, fields in POSTS:
            for mark in ("", "0" * 64, bob.mark()):
                assert ann.post(path, mark=mark, **fields).status_code == 403, path
        assert office.house.dump() == before
        assert office.house.drift_of(edit).resolution is Resolution.REVERTED

    def test_nothing_happens_from_another_site(self, office: Office) -> None:
        office.drag("4821", "2026-11-24T10:00", "2026-11-24T14:00")
        ann = office.enter("ann", Role.ADMIN)
        mark, before = ann.mark(), office.house.dump()
        ann.client.headers["Sec-Fetch-Site"] = "cross-site"
        for path, fields in POSTS:
            assert ann.post(path, mark=mark, **fields).status_code == 403, path
        assert office.house.dump() == before

    def test_nothing_happens_for_nobody(self, office: Office) -> None:
        office.drag("4821", "2026-11-24T10:00", "2026-11-24T14:00")
        before, visitor = office.house.dump(), office.visitor()
        for path, fields in POSTS:
            assert visitor.post(path, mark="0" * 64, **fields).status_code == 303, path
        assert office.house.dump() == before

    def test_other_content_than_a_form_is_turned_away(self, office: Office) -> None:
        ann = office.enter("ann")
        assert ann.client.post("/support/queue", json={"take": "x"}).status_code == 415


class TestHeaders:
    def test_every_answer_forbids_scripts_frames_and_memory(self, office: Office) -> None:
        ann = office.enter("ann")
        for path in ("/support", "/support/login", "/support/edits/none", "/support/report.html"):
            headers = ann.get(path).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "script-src" not in policy
            assert "frame-ancestors 'none'" in policy
            assert headers["cache-control"] == "no-store"
            assert headers["referrer-policy"] == "no-referrer"
