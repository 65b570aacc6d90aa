"""`calsync users`."""

from __future__ import annotations

import io

import pytest

from tests.unit.cli.test_claims_commands import shell, world  # noqa: F401 - fixtures
from tests.unit.cli.test_records import Shell


def _type(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_people_are_added_listed_and_removed(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    _type(monkeypatch, "correct horse battery\n")
    assert "ann may log in, as support" in shell("users", "add", "ann", "--role", "support")
    listed = shell.json("users", "list")
    assert [(one["name"], one["role"]) for one in listed] == [("ann", "support")]
    assert "password" not in listed[0]
    assert "may not" in shell("users", "remove", "ann")
    assert shell.json("users", "list") == []
    assert "no user" in shell("users", "remove", "ann", code=1)


def test_a_weak_password_and_a_programs_role_are_refused(
    shell: Shell,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _type(monkeypatch, "short\n")
    assert "12 to 256 characters" in shell("users", "add", "ann", "--role", "support", code=1)
    shell("users", "add", "ann", "--role", "platform", code=2)
