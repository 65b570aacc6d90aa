"""One line of JSON lines, read strictly: one object of texts, nothing doubled, nothing that JSON lacks. Pure."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def read_json_line(line: str) -> dict[str, str]:
    """Return the object's texts by key, null as the empty text; `ValueError` with a sentence for anything else."""
    try:
        value = json.loads(
            line, object_pairs_hook=_once, parse_constant=_refuse, parse_float=_number, parse_int=_number
        )
    except RecursionError as problem:
        raise ValueError("nested too deep: a row is one flat object") from problem
    except json.JSONDecodeError as problem:
        raise ValueError(f"not JSON: {problem.msg} at character {problem.pos + 1}") from problem
    if not isinstance(value, dict):
        raise ValueError("not an object: write a row as {...}")  # noqa: TRY004 - callers listen for ValueError
    return {key: _text(key, item) for key, item in value.items()}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise ValueError(f"the key {key[:40]!r} stands twice")
        seen[key] = value
    return seen


class _Number(str):
    """A number as it was written: only refused where a text is wanted, so never turned into one."""

    __slots__ = ()


def _number(text: str) -> _Number:
    return _Number(text[:40])


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _text(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, _Number) or not isinstance(value, str):
        raise ValueError(f"{key[:40]!r} is not a text: write it in quotes")  # noqa: TRY004 - as above
    if any(0xD800 <= ord(character) < 0xE000 for character in value):
        raise ValueError(f"{key[:40]!r} holds half a character (a lone surrogate)")
    return value.strip()
