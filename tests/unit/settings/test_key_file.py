"""The key file over time."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from calsync.domain.marker import Marker, place_of, sign_marker, verify_marker
from calsync.errors import ConfigError, StartRefusedError
from calsync.settings.key_file import KeyFile, LiveMarkerKeys, add_first_key
from calsync.settings.secrets import KeyRing, create_key_file
from calsync.system_ports import SystemIds

IDS = SystemIds()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "calsync.key"
    create_key_file(file, IDS)
    return file


def test_a_new_first_key_stands_before_the_old_ones_and_the_file_stays_closed(path: Path) -> None:
    before = KeyRing.read(path)
    path.chmod(0o640)
    after = add_first_key(path, IDS)
    assert after.keys[1:] == before.keys
    assert KeyRing.read(path) == after
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_two_at_once_lose_no_key(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: add_first_key(path, IDS), range(16)))
    assert len({key.id for key in KeyRing.read(path).keys}) == 17


def test_what_an_earlier_one_left_when_it_was_killed_is_no_hindrance(path: Path) -> None:
    (path.parent / f".{path.name}.new").write_text("half a fi")
    assert len(add_first_key(path, IDS).keys) == 2


def test_a_resident_process_follows_the_file(path: Path) -> None:
    keys = KeyFile(path)
    first = keys().current
    fresh = add_first_key(path, IDS).current
    assert keys().current == fresh != first


def test_it_keeps_what_it_has_when_the_file_breaks_and_never_starts_without_one(path: Path) -> None:
    keys = KeyFile(path)
    ring = keys()
    path.write_text("nonsense")
    assert keys() == ring
    path.unlink()
    assert keys() == ring
    with pytest.raises(StartRefusedError):
        KeyFile(path)()
    path.write_text("nonsense")
    path.chmod(0o600)
    with pytest.raises(ConfigError):
        KeyFile(path)()


def test_a_marker_that_another_process_signs_with_a_new_key_is_ours_at_once(path: Path) -> None:
    here = replace(KeyRing.read(path).marker_keys("here"), keys=LiveMarkerKeys(KeyFile(path)))
    there = add_first_key(path, IDS).marker_keys("here")
    marker = Marker("L1", 1, "content", place_of(there, "work"))
    assert verify_marker(here, sign_marker(there, marker)) == marker
    assert verify_marker(there, sign_marker(here, marker)) == marker
    assert len(here.keys) == 2
    assert set(here.keys) == set(there.keys)
