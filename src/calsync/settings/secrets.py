"""Secrets that live in files: the installation's keys, and passwords.

The key file is a TOML list: the first key signs and encrypts, all of them verify and decrypt, so that a key can be
replaced without losing what the old one made. It lies outside the database on purpose: a stolen database opens nothing.
"""

import base64
import binascii
import hmac
import os
import re
import tomllib
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote, urlsplit, urlunsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from calsync.domain.marker import MarkerKeys
from calsync.errors import CalsyncError, ConfigError, Problem, StartRefusedError
from calsync.ports import Ids
from calsync.settings.model import Database as DatabaseKeys
from calsync.settings.paths import check_secret_file

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_MAX_SECRET_BYTES: Final = 64 * 1024


class WrongKeyError(CalsyncError):
    """A ciphertext that none of the keys opens, or that was sealed for another purpose or row."""


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """One key: a short id that may be seen by anybody, and 32 secret bytes."""

    id: str
    secret: bytes

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose; knowing them tells nothing about those of another."""
        return hmac.new(self.secret, f"calsync {purpose}".encode(), sha256).digest()


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """The installation's keys, the one in use first."""

    keys: tuple[Key, ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        """The keys in a file.

        Raises StartRefusedError if it is not there (without it calsync would take its own events for somebody else's)
        and ConfigError if it is open to other users or does not hold keys.
        """
        if not path.exists():
            raise StartRefusedError(
                f"The key file {path} is missing. Put it back from its copy; "
                "only for a new installation, make one with `calsync init`."
            )
        if problem := check_secret_file(path, str(path), must_exist=True):
            raise ConfigError([problem])
        keys, problems = _parse_keys(path)
        if problems:
            raise ConfigError(problems)
        return cls(keys)

    @property
    def current(self) -> Key:
        """The key that signs and encrypts."""
        return self.keys[0]

    def marker_keys(self, installation: str) -> MarkerKeys:
        """The keys that sign what calsync writes into calendars."""
        return MarkerKeys(
            signing=self.current.id,
            keys={key.id: key.derive("marker") for key in self.keys},
            installation=installation,
        )

    def encrypt(self, plain: bytes, *, bound_to: str, ids: Ids) -> str:
        """A text that only this key ring opens, and only for the same `bound_to` (the row that it belongs to)."""
        nonce = ids.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self.current.derive("encryption")).encrypt(nonce, plain, bound_to.encode())
        return f"{self.current.id}.{base64.urlsafe_b64encode(nonce + sealed).decode('ascii')}"

    def decrypt(self, text: str, *, bound_to: str) -> bytes:
        """What was encrypted. Raises WrongKeyError if no key opens it, it was changed, or it belongs to another row."""
        key_id, _, body = text.partition(".")
        key = next((key for key in self.keys if key.id == key_id), None)
        try:
            sealed = base64.urlsafe_b64decode(body)
            if key is not None and len(sealed) > _NONCE_BYTES:
                cipher = AESGCM(key.derive("encryption"))
                return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to.encode())
        except (InvalidTag, ValueError):  # not base64, or not made by this key for this row
            pass
        raise WrongKeyError(f"no key opens the secret of {bound_to}")


def create_key_file(path: Path, ids: Ids) -> None:
    """Make a key file with one fresh key, readable by its owner alone; FileExistsError if there is one."""
    secret = base64.b64encode(ids.token_bytes(KEY_BYTES)).decode("ascii")
    text = (
        "# The keys of this calsync installation. Keep a copy apart from the database: without them\n"
        "# calsync cannot tell its own events. The first one signs and encrypts, all of them verify and decrypt.\n\n"
        f'[[keys]]\nid = "{ids.new_id("k")}"\nkey = "{secret}"\n'
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_secret_file(path: Path) -> str:
    """The secret in a file, without the line break at its end.

    Raises ConfigError if it is absent, open to other users, empty or no text; never with its content.
    """
    if problem := check_secret_file(path, str(path), must_exist=True):
        raise ConfigError([problem])
    try:
        with path.open("rb") as file:
            secret = file.read(_MAX_SECRET_BYTES).decode("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise ConfigError.of("the secret file cannot be read as text", str(path), "Write the secret as UTF-8") from None
    if not secret:
        raise ConfigError.of("the secret file is empty", str(path), "Write the secret into it")
    return secret


def complete_database_url(database: DatabaseKeys) -> str:
    """The database's address with the password from its file, if it has one. Must not be logged or shown."""
    return with_password(database.url, database.password_file)


def with_password(url: str, password_file: Path | None) -> str:
    """A database's address with the password from a file, if there is one. Must not be logged or shown."""
    if password_file is None:
        return url
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    password = quote(read_secret_file(password_file), safe="")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:{password}{at or '@'}{host}"))


def _parse_keys(path: Path) -> tuple[tuple[Key, ...], list[Problem]]:
    where, remedy = str(path), "Put the file back from its copy"
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("keys")
    except (OSError, ValueError):
        return (), [Problem("the key file is not valid TOML", where, remedy)]
    if not isinstance(rows, list) or not rows:
        return (), [Problem("the key file holds no [[keys]]", where, remedy)]
    keys = tuple(filter(None, map(_parse_key, rows)))
    problems = []
    if len(keys) < len(rows):
        problems.append(Problem("a key is not an id with 32 bytes in base64", where, remedy))
    if len({key.id for key in keys}) < len(keys):
        problems.append(Problem("two keys have one id", where, "Give each key an id of its own"))
    return keys, problems


def _parse_key(row: object) -> Key | None:
    key_id, text = (row.get("id"), row.get("key")) if isinstance(row, dict) else (None, None)
    if not isinstance(key_id, str) or not isinstance(text, str) or not _is_plain(key_id):
        return None
    try:
        secret = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return Key(key_id, secret) if len(secret) == KEY_BYTES else None


def _is_plain(key_id: str) -> bool:
    # Ids stand inside markers and ciphertexts, where a dot separates.
    return re.fullmatch(r"[A-Za-z0-9_-]{1,40}", key_id) is not None
