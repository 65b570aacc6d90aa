"""The key file and what its keys do; secret files are read without ever showing their content."""

import base64
import itertools
import stat
from pathlib import Path

import pytest

from calsync.domain.marker import Marker, sign_marker, verify_marker
from calsync.errors import ConfigError, StartRefusedError
from calsync.settings.model import Database
from calsync.settings.secrets import KeyRing, WrongKeyError, complete_database_url, create_key_file, read_secret_file


class CountingIds:
    """Ids that count, so that a failure repeats exactly."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def token_bytes(self, n: int) -> bytes:
        """`n` bytes that differ from all before."""
        return next(self._numbers).to_bytes(n, "big")

    def new_id(self, prefix: str) -> str:
        """The prefix and a number."""
        return f"{prefix}-{next(self._numbers)}"

    def jitter(self, low: float, high: float) -> float:
        """The middle."""
        return (low + high) / 2


def _key_row(key_id: str, number: int) -> str:
    return f'[[keys]]\nid = "{key_id}"\nkey = "{base64.b64encode(bytes([number]) * 32).decode()}"\n'


def _write_keys(folder: Path, *rows: str) -> Path:
    path = folder / "k"
    path.write_text("".join(rows))
    path.chmod(0o600)
    return path


@pytest.fixture
def ids() -> CountingIds:
    return CountingIds()


def test_a_made_key_file_is_closed_and_can_be_read(tmp_path: Path, ids: CountingIds) -> None:
    path = tmp_path / "new" / "calsync.key"
    create_key_file(path, ids)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    [key] = KeyRing.read(path).keys
    assert len(key.secret) == 32


def test_a_key_file_is_never_replaced(tmp_path: Path, ids: CountingIds) -> None:
    path = _write_keys(tmp_path, _key_row("a", 1))
    with pytest.raises(FileExistsError):
        create_key_file(path, ids)
    assert KeyRing.read(path).current.id == "a"


def test_a_lost_key_file_stops_everything(tmp_path: Path) -> None:
    with pytest.raises(StartRefusedError, match="Put it back from its copy"):
        KeyRing.read(tmp_path / "gone")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "keys = 1",
        "[[keys]]",
        "not toml",
        '[[keys]]\nid = "a"\nkey = "c2hvcnQ="',
        '[[keys]]\nid = "a.b"\nkey = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="',
        _key_row("a", 1) + _key_row("a", 2),
    ],
)
def test_a_key_file_without_keys_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        KeyRing.read(_write_keys(tmp_path, text))
    assert "AQEB" not in str(caught.value)


def test_an_open_key_file_is_refused(tmp_path: Path) -> None:
    path = _write_keys(tmp_path, _key_row("a", 1))
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod o="):
        KeyRing.read(path)


def test_the_first_key_signs_and_all_verify(tmp_path: Path) -> None:
    old = KeyRing.read(_write_keys(tmp_path, _key_row("old", 1))).marker_keys("here")
    both = KeyRing.read(_write_keys(tmp_path, _key_row("new", 2), _key_row("old", 1))).marker_keys("here")
    new = KeyRing.read(_write_keys(tmp_path, _key_row("new", 2))).marker_keys("here")
    marker = Marker(link="L", generation=1, content="c", place="p")

    assert verify_marker(both, sign_marker(old, marker)) == marker
    assert verify_marker(new, sign_marker(both, marker)) == marker
    assert verify_marker(new, sign_marker(old, marker)) is None


def test_a_sealed_secret_opens_for_its_row_and_its_keys_only(tmp_path: Path, ids: CountingIds) -> None:
    old = KeyRing.read(_write_keys(tmp_path, _key_row("old", 1)))
    both = KeyRing.read(_write_keys(tmp_path, _key_row("new", 2), _key_row("old", 1)))
    new = KeyRing.read(_write_keys(tmp_path, _key_row("new", 2)))
    impostor = KeyRing.read(_write_keys(tmp_path, _key_row("old", 3)))
    sealed = old.encrypt(b"hunter2", bound_to="connection 1", ids=ids)

    assert "hunter2" not in sealed
    assert both.decrypt(sealed, bound_to="connection 1") == b"hunter2"
    for ring, row in [(both, "connection 2"), (new, "connection 1"), (impostor, "connection 1")]:
        with pytest.raises(WrongKeyError):
            ring.decrypt(sealed, bound_to=row)
    for text in ["", "old", "old.", "old.AAAA", "old.é", sealed[:-4] + "AAA="]:
        with pytest.raises(WrongKeyError):
            old.decrypt(text, bound_to="connection 1")


def test_keys_do_not_show_themselves(tmp_path: Path) -> None:
    ring = KeyRing.read(_write_keys(tmp_path, _key_row("a", 65)))
    assert "AAAA" not in f"{ring!r} {ring.current!r}"


def test_a_secret_file_is_read_without_its_line_break(tmp_path: Path) -> None:
    path = tmp_path / "pw"
    path.write_bytes(b" hunter 2 \r\n")
    path.chmod(0o600)
    assert read_secret_file(path) == " hunter 2 "


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_an_unusable_secret_is_told_without_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pw"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="secret file"):
        read_secret_file(path)


def test_the_database_password_comes_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "pw"
    path.write_text("p@ss/word")
    path.chmod(0o600)
    url = "postgresql+psycopg://ada@db.example.org/calsync?sslmode=require"
    full = "postgresql+psycopg://ada:p%40ss%2Fword@db.example.org/calsync?sslmode=require"
    assert complete_database_url(Database(url=url, password_file=path)) == full
    assert complete_database_url(Database(url=url)) == url
