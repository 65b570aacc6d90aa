"""Accounts: who gets in, who stays in, who is out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calsync.answers.words import Desk
from calsync.errors import NotFoundError, Refused
from calsync.store import audit, users
from calsync.store.tokens import Role
from calsync.support.accounts import LONGEST_SESSION, add_user, find_agent, log_in, log_out, remove_user
from tests.unit.claims.gate_world import GateWorld

WORD = "correct horse battery"


@pytest.fixture
def ann(desk: Desk) -> str:
    add_user(desk, "ann", Role.SUPPORT, WORD, by="support:root")
    return "ann"


def _noted(desk: Desk) -> list[tuple[str, str]]:
    with desk.database.reading() as conn:
        return [(row.actor, row.what) for row in audit.rows(conn, "user:ann")]


class TestPasswords:
    def test_only_a_salted_hash_is_kept(self, desk: Desk, ann: str) -> None:
        add_user(desk, "ben", Role.BILLING, WORD, by="support:root")
        with desk.database.reading() as conn:
            kept = [one.password for one in users.rows(conn)]
        assert all(one.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for one in kept)
        assert len(set(kept)) == 2
        assert not [one for one in kept if WORD in one]

    @pytest.mark.parametrize("weak", ["", "short", "x" * 300, "abababababababab"])
    def test_weak_ones_are_refused(self, desk: Desk, weak: str) -> None:
        with pytest.raises(Refused):
            add_user(desk, "ann", Role.SUPPORT, weak, by="support:root")

    def test_wrong_ones_and_unknown_names_open_nothing(self, desk: Desk, ann: str) -> None:
        assert log_in(desk, "ann", WORD + "!") is None
        assert log_in(desk, "nobody", WORD) is None
        assert log_in(desk, "ann", "\ud800" * 40) is None
        assert _noted(desk)[-1] == ("system", "login-refused")


class TestNames:
    @pytest.mark.parametrize("name", ["Ann", "a", "ann lee", "support:ann", "<script>", "a\n"])
    def test_odd_ones_are_refused(self, desk: Desk, name: str) -> None:
        with pytest.raises(Refused):
            add_user(desk, name, Role.SUPPORT, WORD, by="support:root")

    def test_one_name_is_one_person(self, desk: Desk, ann: str) -> None:
        with pytest.raises(Refused):
            add_user(desk, "ann", Role.ADMIN, WORD, by="support:root")
        assert log_in(desk, "ann", WORD) is not None

    def test_a_programs_role_is_no_persons(self, desk: Desk) -> None:
        with pytest.raises(Refused):
            add_user(desk, "ann", Role.PLATFORM, WORD, by="support:root")


class TestSessions:
    def test_they_name_their_person(self, desk: Desk, ann: str) -> None:
        token = log_in(desk, ann, WORD)
        assert token is not None
        agent = find_agent(desk, token)
        assert agent is not None
        assert (agent.name, agent.role, agent.actor) == ("ann", Role.SUPPORT, "support:ann")
        assert find_agent(desk, token + "x") is None
        assert ("support:ann", "logged-in") in _noted(desk)

    def test_they_end_when_left_alone(self, desk: Desk, world: GateWorld, ann: str) -> None:
        token = log_in(desk, ann, WORD)
        assert token is not None
        for _ in range(5):
            world.clock.advance(timedelta(minutes=14))
            assert find_agent(desk, token) is not None
        world.clock.advance(timedelta(minutes=15))
        assert find_agent(desk, token) is None

    def test_they_end_in_the_evening_however_busy(self, desk: Desk, world: GateWorld, ann: str) -> None:
        token = log_in(desk, ann, WORD)
        assert token is not None
        begun = world.clock.now()
        while world.clock.now() - begun < LONGEST_SESSION:
            assert find_agent(desk, token) is not None
            world.clock.advance(timedelta(minutes=12))
        assert find_agent(desk, token) is None

    def test_they_end_with_the_logout_and_with_the_account(self, desk: Desk, ann: str) -> None:
        first, second = log_in(desk, ann, WORD), log_in(desk, ann, WORD)
        assert first is not None
        assert second is not None
        log_out(desk, first)
        assert find_agent(desk, first) is None
        assert find_agent(desk, second) is not None
        remove_user(desk, ann, by="support:root")
        assert find_agent(desk, second) is None
        assert log_in(desk, ann, WORD) is None
        with pytest.raises(NotFoundError):
            remove_user(desk, ann, by="support:root")
        add_user(desk, ann, Role.ADMIN, WORD, by="support:root")
        assert find_agent(desk, second) is None
        again = log_in(desk, ann, WORD)
        assert again is not None
        agent = find_agent(desk, again)
        assert agent is not None
        assert agent.role is Role.ADMIN
