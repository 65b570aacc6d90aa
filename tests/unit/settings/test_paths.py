"""Credentials that the service manager hands over (systemd's LoadCredential=)."""

from __future__ import annotations

from pathlib import Path

import pytest

from calsync.settings.paths import check_secret_file, resolve_paths


def test_a_credential_is_looked_for_where_the_service_manager_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    values = {"secrets": {"key_file": "credential:calsync.key"}, "mail": {"password_file": "smtp.password"}}
    resolved = resolve_paths(values, Path("/etc/calsync"))
    assert resolved["secrets"]["key_file"] == str(tmp_path / "calsync.key")
    assert resolved["mail"]["password_file"] == "/etc/calsync/smtp.password"


@pytest.mark.parametrize("name", ["../calsync.key", "/etc/passwd", ".hidden", ""])
def test_a_name_leads_nowhere_else(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "given"))
    resolved = resolve_paths({"key_file": f"credential:{name}"}, tmp_path)["key_file"]
    assert not Path(resolved).exists()
    assert "credential:" in resolved


def test_without_the_service_manager_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    path = Path(resolve_paths({"key_file": "credential:calsync.key"}, Path("/etc/calsync"))["key_file"])
    problem = check_secret_file(path, "secrets.key_file", must_exist=False)
    assert problem is not None
    assert "calsync.key was not handed" in problem.what
    assert "LoadCredential" in problem.remedy
