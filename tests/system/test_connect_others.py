"""Behind a link a provider connects CalDAV with a password, or Outlook; addresses are guarded, tries counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from caldav.davclient import DAVClient

from calsync.connecting.reception import MAX_TRIES
from calsync.sandbox.graph.server import Sandbox as Graph
from calsync.store import connections
from tests.servers.graph_subject import UPN, graph
from tests.system.clinic import Clinic, graph_keys
from tests.system.hands import Hands
from tests.system.site import NOW, Site, at, client_calendar, row

LOOPBACK = '[connectors.caldav]\nallow_networks = ["127.0.0.0/8"]\n'
COULD_NOT = "We could not reach a calendar there"


def booked(site: Site, keys: str) -> Clinic:
    made = Clinic(site, keys)
    made.site.import_rows([row("4821", "P-1", at(8)), row("4822", "P-1", at(9))])
    return made


@pytest.fixture
def clinic(site: Site) -> Iterator[Clinic]:
    made = booked(site, LOOPBACK)
    yield made
    made.close()


def try_login(clinic: Clinic, path: str, url: str, user: str, password: str) -> str:
    """Send the form; returns the page that follows."""
    page = clinic.get(f"{path}?with=caldav").text
    field = page.split('name="field" value="')[1].split('"')[0]
    given = {"do": "log-in", "with": "caldav", "field": field, "url": url, "username": user, "password": password}
    answer = clinic.client.post(path, data=given)
    return answer.text if answer.status_code != 303 else clinic.get(path).text


class TestCaldav:
    def test_a_calendar_of_its_own(self, clinic: Clinic, hands: Hands) -> None:
        path = clinic.link()
        page = clinic.get(path).text
        assert all(name in page for name in ("iCloud", "Fastmail", "Another calendar"))
        plan = try_login(clinic, path, hands.home, hands.user, hands.user)
        assert "<strong>2</strong> single sessions" in plan
        assert hands.user not in "\n".join(line for line in clinic.dump() if line.startswith("audit"))
        assert clinic.site.sync()["calendars"] == []
        clinic.post(path, do="write", choice="")
        assert clinic.site.sync()["written"] == 2
        calendar = client_calendar(hands.home, hands.user)
        assert len(list(calendar.events())) == 2
        assert "Can you see it" in clinic.get(path).text
        with clinic.database.reading() as conn:
            assert connections.sealed(conn, "caldav:P-1-caldav") is not None
        clinic.post(path, do="disconnect", calendar="P-1-caldav")
        assert clinic.part() == 1
        assert list(calendar.events()) == []

    def test_one_of_the_accounts_calendars(self, clinic: Clinic, hands: Hands) -> None:
        client = DAVClient(hands.home, username=hands.user, password=hands.user, auth_type="basic", timeout=30)
        principal: Any = client.get_principal()
        own = principal.make_calendar("<script>alert(1)</script> Work")
        path = clinic.link()
        plan = try_login(clinic, path, hands.home, hands.user, hands.user)
        assert "&lt;script&gt;alert(1)&lt;/script&gt; Work" in plan
        assert "<script" not in plan
        assert clinic.post(path, do="write", choice="7").status_code == 422
        assert clinic.post(path, do="write", choice="0").status_code == 303
        clinic.site.sync()
        assert len(list(own.events())) == 2

    def test_a_wrong_password_is_said_and_nothing_is_kept(self, clinic: Clinic, hands: Hands) -> None:
        path = clinic.link()
        told = try_login(clinic, path, hands.home, hands.user, "wrong-made-up-password")
        assert "does not take this login" in told
        assert "wrong-made-up-password" not in told + "\n".join(clinic.dump())
        assert clinic.post(path, do="write").status_code == 422

    def test_a_new_password_for_the_same_calendar(self, clinic: Clinic, hands: Hands) -> None:
        path = clinic.link()
        try_login(clinic, path, hands.home, hands.user, hands.user)
        clinic.post(path, do="write", choice="")
        clinic.site.sync()
        again = clinic.link("P-1", "--calendar", "P-1-caldav")
        page = clinic.get(again).text
        assert "Connect again" in page
        assert 'name="url"' not in page
        told = try_login(clinic, again, "https://elsewhere.example/", "somebody", hands.user)
        assert "Ready to connect again" in told
        assert clinic.post(again, do="write").status_code == 303
        assert clinic.site.sync()["calendars"][0]["state"] == "active"
        assert len(list(client_calendar(hands.home, hands.user).events())) == 2

    def test_support_connects_it_by_command(self, clinic: Clinic, hands: Hands) -> None:
        secret = clinic.site.folder / "secret"
        secret.touch(mode=0o600)
        secret.write_text("wrong\n", encoding="utf-8")
        line = ["connect", "caldav", "--provider", "P-1", "--url", hands.home, "--username", hands.user]
        line += ["--password-file", str(secret), "--yes"]
        refused = clinic.site.calsync(*line)
        assert (refused.code, "AuthRevoked" in refused.err) == (1, True)
        assert clinic.site.calsync("connections", "list", "--json").json == []
        secret.write_text(f"{hands.user}\n", encoding="utf-8")
        answer = clinic.site.calsync(*line)
        assert answer.code == 0, answer
        assert "2 single sessions" in answer.out
        assert clinic.site.sync()["written"] == 2
        assert len(list(client_calendar(hands.home, hands.user).events())) == 2

    def test_tries_are_counted(self, clinic: Clinic, hands: Hands) -> None:
        path = clinic.link()
        for _ in range(MAX_TRIES):
            assert "does not take this login" in try_login(clinic, path, hands.home, hands.user, "wrong")
        assert "tried too often" in try_login(clinic, path, hands.home, hands.user, hands.user)


BAD_ADDRESSES = (
    *("https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://169.254.169.254/latest/meta-data/"),
    *("https://10.0.0.8/dav", "https://192.168.1.1:8443/", "https://2130706433/", "https://0x7f000001/"),
    *("https://[::ffff:127.0.0.1]/", "https://user:secret@127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/"),
    *("https://calsync.invalid/", "http://127.0.0.1/", "https://127.0.0.1:22/", "nonsense", ""),
)


class TestGuard:
    def test_addresses_that_nobody_may_name_all_sound_alike(self, site: Site) -> None:
        clinic = booked(site, "")
        path = clinic.link()
        for url in BAD_ADDRESSES:
            told = try_login(clinic, path, url, "ash", "made-up")
            assert COULD_NOT in told or "cannot be right" in told, url
            for word in ("private", "refused", "127.0.0.1:22", "TLS", "Errno", "gaierror", "timeout"):
                assert word not in told, url
        clinic.close()

    def test_a_server_next_door_is_not_reached(self, site: Site, hands: Hands) -> None:
        clinic = booked(site, "")
        for url in (hands.home, hands.home.replace("http://", "https://")):
            assert COULD_NOT in try_login(clinic, clinic.link(), url, hands.user, hands.user)
        clinic.close()


class TestOutlook:
    @pytest.fixture
    def sandbox(self) -> Iterator[Graph]:
        with graph() as running:
            running.clock.set(NOW)  # type: ignore[attr-defined]
            running.consenting = UPN
            yield running

    def test_a_person_agrees_and_the_rotating_token_stays_sealed(self, site: Site, sandbox: Graph) -> None:
        person = sandbox.add_person(UPN)
        clinic = booked(site, graph_keys(sandbox))
        path = clinic.link()
        assert "Google" not in clinic.get(path).text
        assert clinic.agree(path, "outlook", str(sandbox.ca_file)).status_code == 303
        clinic.post(path, do="write")
        assert clinic.site.sync()["written"] == 2
        assert [one.name for one in person.mailbox.calendars.values()] == ["Calendar", "Appointments"]
        for token in sandbox.tokens.refresh:
            assert token not in "\n".join(clinic.dump())
        # What the service handed out in place of the first one is what the next start uses.
        clinic.later(hours=2)
        assert clinic.site.sync()["calendars"][0]["state"] == "active"
        used = [form["refresh_token"] for form in sandbox.tokens.asked if form.get("grant_type") == "refresh_token"]
        assert len(used) == len(set(used)) >= 2
        clinic.close()

    def test_a_code_is_typed_on_another_device(
        self, site: Site, sandbox: Graph, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = sandbox.add_person(UPN)
        clinic = booked(site, graph_keys(sandbox))
        asked = sandbox.tokens.answer
        polls: list[str] = []

        def answer(_tokens: object, form: dict[str, str]) -> object:
            if form.get("grant_type", "").endswith("device_code"):
                polls.append(form["device_code"])
                if len(polls) == 2:
                    sandbox.tokens.agree_on_device(UPN)
            return asked(form)

        monkeypatch.setattr(type(sandbox.tokens), "answer", answer)
        told = clinic.site.calsync("connect", "outlook", "--provider", "P-1", "--device", "--yes")
        assert told.code == 0, told
        assert "MADEUP1" in told.out
        assert "2 single sessions" in told.out
        assert len(polls) == 2
        assert clinic.site.sync()["written"] == 2
        assert len(person.mailbox.calendars) == 2
        clinic.close()
