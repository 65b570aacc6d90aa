"""Passwords: kept as Argon2id hashes with a salt of their own (RFC 9106), compared without telling by time."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from calsync.errors import Problem, Refused
from calsync.ports import Ids

SHORTEST: Final = 12
LONGEST: Final = 256
_SALT: Final = 16
_LENGTH: Final = 32
# What OWASP names as the least for Argon2id: 19 MiB, two rounds, one lane. Some fifty milliseconds.
_MEMORY_KIB: Final = 19_456
_ROUNDS: Final = 2


def hash_password(password: str, ids: Ids) -> str:
    """The text to keep. Refused if the password is too short, too long or one sign over and over."""
    problems = []
    if not SHORTEST <= len(password) <= LONGEST:
        what = f"a password has {SHORTEST} to {LONGEST} characters"
        problems.append(Problem(what, "password", "Take a few words that only you put together"))
    elif len(set(password)) < 5:
        problems.append(Problem("this password is easy to guess", "password", "Take one with more different signs"))
    if problems:
        raise Refused(problems, code="weak-password")
    return _derive(password, ids.token_bytes(_SALT))


def is_password(password: str, kept: str | None) -> bool:
    """Whether it is the one whose hash is kept. For somebody unknown (None) it takes as long and is False."""
    try:
        Argon2id.verify_phc_encoded(password[: LONGEST + 1].encode("utf-8", "surrogatepass"), kept or _NOBODYS)
    except (InvalidKey, ValueError):
        return False
    return kept is not None


def _derive(password: str, salt: bytes) -> str:
    kdf = Argon2id(salt=salt, length=_LENGTH, iterations=_ROUNDS, lanes=1, memory_cost=_MEMORY_KIB)
    return kdf.derive_phc_encoded(password.encode("utf-8", "surrogatepass"))


_NOBODYS: Final = _derive("nobody has this password", b"nobody has this.")
