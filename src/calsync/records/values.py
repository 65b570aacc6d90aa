"""Single cells of imported files, as normal values. Each reader raises `ValueError` with a sentence for the writer."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, TypeVar

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}", re.ASCII)
_EMAIL: Final = re.compile(r"[^\s@,;<>()\[\]\\\"]{1,64}@[A-Za-z0-9.-]{1,253}")
_SHORT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+:/-]{0,39}", re.ASCII)
Word = TypeVar("Word", bound=StrEnum)


class Payer(StrEnum):
    """Who pays for a session."""

    INSURANCE = "insurance"
    SELF = "self"


def read_id(text: str) -> str:
    """Return an id that is safe in files, URLs and logs."""
    if not text:
        raise ValueError("empty")
    if not _ID.fullmatch(text):
        # The value is not shown: where people write names instead of ids, it may be a client's.
        raise ValueError(
            "not an id: write up to 128 letters and digits with any of . _ @ + - between them, no spaces and no names"
        )
    return text


def is_id(text: str) -> bool:
    """Whether a text may be an id at all."""
    return _ID.fullmatch(text) is not None


def read_word(text: str, words: type[Word]) -> Word:
    """Return one of the words of an enumeration."""
    try:
        return words(text)
    except ValueError as problem:
        known = ", ".join(words)
        raise ValueError(f"{_shown(text)} is not one of {known}") from problem


def read_short_text(text: str) -> str:
    """Return a short code or word, such as a billing code or a session format."""
    if not _SHORT.fullmatch(text):
        raise ValueError(f"{_shown(text)} is not a short code of letters, digits and . _ + : / -")
    return text


def read_email(text: str) -> str:
    """Return one e-mail address without a display name."""
    if not _EMAIL.fullmatch(text):
        raise ValueError("not an e-mail address: exactly one, as in ada@example.org")
    return text


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
