"""Minutes floors and ceilings of procedure codes, read from the `codes.toml` that ships beside this module."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from importlib import resources
from types import MappingProxyType


@dataclass(frozen=True)
class CodeRule:
    """What one code asks for.

    `floor` is the least length and `ceiling` the greatest whole-minute length that the code covers (None: not judged);
    `per_client` says that each client who attended one shared session may be billed for it (group codes).
    """

    floor: timedelta | None = None
    ceiling: timedelta | None = None
    per_client: bool = False

    def too_short(self, length: timedelta) -> bool:
        """True when `length` does not reach the floor; a started minute is not a minute."""
        return self.floor is not None and length < self.floor


CodeTable = Mapping[str, CodeRule]
_KEYS = {"floor", "ceiling", "per_client"}


def read_codes(text: str) -> CodeTable:
    """The table in TOML `text`.

    Raises ValueError naming every code with an unknown key or a bound that is not a whole minute.
    """
    tables: dict[str, dict[str, object]] = tomllib.loads(text).get("codes", {})
    problems = [f"codes.{code}: {why}" for code, table in tables.items() for why in _problems(table)]
    if problems:
        raise ValueError("; ".join(problems))
    return MappingProxyType({code: _rule(table) for code, table in tables.items()})


@lru_cache(maxsize=1)
def shipped_codes() -> CodeTable:
    """The table that comes with the product."""
    return read_codes(resources.files(__package__).joinpath("codes.toml").read_text(encoding="utf-8"))


def _problems(table: dict[str, object]) -> list[str]:
    found = [f"unknown key {key!r}" for key in sorted(table.keys() - _KEYS)]
    bounds = {key: table[key] for key in ("floor", "ceiling") if key in table}
    found += [f"{key} is not a whole number of minutes" for key, value in bounds.items() if not _is_minutes(value)]
    if not isinstance(table.get("per_client", False), bool):
        found.append("per_client is neither true nor false")
    return found


def _is_minutes(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _rule(table: dict[str, object]) -> CodeRule:
    return CodeRule(
        floor=_minutes(table.get("floor")),
        ceiling=_minutes(table.get("ceiling")),
        per_client=table.get("per_client") is True,
    )


def _minutes(value: object) -> timedelta | None:
    return timedelta(minutes=value) if isinstance(value, int) else None
