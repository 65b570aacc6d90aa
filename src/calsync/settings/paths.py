"""Paths in the config start at the config file's folder; secret files must be closed to other users."""

import stat
from pathlib import Path
from typing import Any, Final

from calsync.errors import Problem

_SQLITE: Final = ("sqlite:///", "sqlite+pysqlite:///")
_OPEN_FILES: Final = frozenset({"ca_file"})
_OPEN_TO_OTHERS: Final = stat.S_IROTH | stat.S_IWOTH


def resolve_paths(values: Any, folder: Path) -> Any:
    """A copy of config values in which every `*_file` and the SQLite URL is absolute. Keys of connectors included."""
    if isinstance(values, list):
        return [resolve_paths(value, folder) for value in values]
    if not isinstance(values, dict):
        return values
    return {key: _resolve(key, value, folder) for key, value in values.items()}


def _resolve(key: str, value: Any, folder: Path) -> Any:
    if key == "url" and isinstance(value, str) and value.startswith(_SQLITE):
        return resolve_sqlite_url(value, folder)
    if key.endswith("_file") and isinstance(value, str) and value and "\0" not in value:
        return str(folder / Path(value).expanduser())
    return resolve_paths(value, folder)


def resolve_sqlite_url(url: str, folder: Path) -> str:
    """The URL with its file under `folder` if it was relative; `:memory:` and four-slash URLs stay as they are."""
    scheme = next(prefix for prefix in _SQLITE if url.startswith(prefix))
    name, question, options = url.removeprefix(scheme).partition("?")
    if not name or name.startswith((":memory:", "file:")):
        return url
    return f"{scheme}{folder / name}{question}{options}"


def find_secret_files(values: Any) -> list[str]:
    """Names of the keys directly in this table that hold a secret's path."""
    return [key for key in values if isinstance(key, str) and key.endswith("_file") and key not in _OPEN_FILES]


def check_secret_file(path: Path, where: str, *, must_exist: bool) -> Problem | None:
    """What is wrong with a secret file, if anything. Looks at it without reading it."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not must_exist:
            return None
        reason = (error.strerror or "unknown error").lower()
        return Problem(f"the file {path} cannot be read ({reason})", where, "Create it, or correct the path")
    if not stat.S_ISREG(mode):
        return Problem(f"{path} is not a file", where, "Name a file that holds the secret alone")
    if mode & _OPEN_TO_OTHERS:
        return Problem(f"the file {path} is open to every user of this machine", where, f"Run: chmod o= {path}")
    return None
