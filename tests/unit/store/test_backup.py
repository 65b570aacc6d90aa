"""Where a copy of the books can be written, and what is said where it cannot."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from calsync.errors import UserError
from calsync.store import backup
from calsync.store.upgrade import upgrade


@pytest.fixture
def url(tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path / 'books.db'}"
    upgrade(made)
    return made


def test_a_place_that_takes_no_files_is_named(url: str) -> None:
    with pytest.raises(UserError, match=r"/proc/copy\.db.*cannot be written"):
        backup.make(url, Path("/proc/copy.db"))


def test_what_an_earlier_copy_left_behind_is_named(url: str, tmp_path: Path) -> None:
    left = tmp_path / "copy.db.part"
    left.write_text("cut off")
    with pytest.raises(UserError, match=r"copy\.db\.part.*is there already"):
        backup.make(url, tmp_path / "copy.db")
    assert left.read_text() == "cut off"


def test_a_full_disk_leaves_no_file(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_file: Path, _part: Path) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(backup, "_copy_sqlite", refuse)
    with pytest.raises(UserError, match="disk is full"):
        backup.make(url, tmp_path / "copy.db")
    assert not list(tmp_path.glob("copy*"))


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_file_system_without_second_names_takes_it_as_well(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_taken: bool
) -> None:
    target = tmp_path / "copy.db"

    def refuse(*_: object) -> None:
        if is_taken:
            target.write_text("of somebody else")  # just now
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    if is_taken:
        with pytest.raises(UserError, match="is there already"):
            backup.make(url, target)
        assert target.read_text() == "of somebody else"
    else:
        backup.make(url, target)
        assert target.stat().st_mode & 0o777 == 0o600
        with closing(sqlite3.connect(target)) as copy:
            assert copy.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    assert not list(tmp_path.glob("*.part"))
