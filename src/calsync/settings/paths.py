"""Paths in the config start at the config file's folder; secret files must be closed to other users."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from calsync.errors import Problem

CREDENTIAL: Final = "credential:"
"""`key_file = "credential:NAME"` is the credential of that name that systemd hands to the service."""
_CREDENTIAL_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
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
    if key.endswith("_file") and isinstance(value, str) and value.startswith(CREDENTIAL):
        return str(_credential(value, folder))
    if key == "url" and isinstance(value, str) and value.startswith(_SQLITE):
        return resolve_sqlite_url(value, folder)
    if key.endswith("_file") and isinstance(value, str) and value and "\0" not in value:
        return str(folder / Path(value).expanduser())
    return resolve_paths(value, folder)


def _credential(value: str, folder: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the service manager put a credential; else the word itself, so that `check_secret_file` can say so."""
    given = environ.get("CREDENTIALS_DIRECTORY")
    name = value.removeprefix(CREDENTIAL)
    return Path(given) / name if given and _CREDENTIAL_NAME.fullmatch(name) else folder / value


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
    if path.name.startswith(CREDENTIAL):
        remedy = "Run it as the service that has LoadCredential=, or by systemd-run with the same (docs/operating.md)"
        return Problem(
            f"the credential {path.name.removeprefix(CREDENTIAL)} was not handed to this process", where, remedy
        )
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
