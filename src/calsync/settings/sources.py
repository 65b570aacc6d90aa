"""Several TOML files seen as one, remembering which file and line each key came from."""

from collections.abc import Sequence
from typing import Any

from calsync.errors import Problem
from calsync.settings.toml_files import TomlFile, write_key
from calsync.settings.toml_scan import KeyPath


class Sources:
    """The joined values of some files. A key set in two of them is a problem; lists of tables are put together."""

    def __init__(self, files: Sequence[TomlFile]) -> None:
        self.values: dict[str, Any] = {}
        self.problems: list[Problem] = [problem for file in files for problem in file.problems]
        self._origin: dict[KeyPath, tuple[TomlFile, KeyPath]] = {}
        self._fallback = files[0]
        for file in files:
            self._join(self.values, file.values, file, ())

    def where(self, key: KeyPath) -> str:
        """File, line and key for a message."""
        for end in range(len(key), 0, -1):
            if origin := self._origin.get(key[:end]):
                file, start = origin
                return file.where((*start, *key[end:]))
        return f"{self._fallback.path}: {write_key(key)}"

    def _join(self, into: dict[str, Any], values: dict[str, Any], file: TomlFile, at: KeyPath) -> None:
        for name, value in values.items():
            key = (*at, name)
            if name not in into:
                into[name] = {} if isinstance(value, dict) else [] if _is_list_of_tables(value) else value
                self._origin[key] = (file, key)
            here = into[name]
            if isinstance(here, dict) and isinstance(value, dict):
                self._join(here, value, file, key)
            elif _is_list_of_tables(value) and isinstance(here, list) and all(isinstance(row, dict) for row in here):
                self._extend(here, value, file, key)
            elif here is not value:
                self._note_double(key, file)

    def _extend(self, rows: list[Any], more: list[Any], file: TomlFile, key: KeyPath) -> None:
        for number, row in enumerate(more):
            self._origin[(*key, len(rows))] = (file, (*key, number))
            rows.append(row)

    def _note_double(self, key: KeyPath, file: TomlFile) -> None:
        first = self._origin[key][0]
        where_first = first.where(key).removesuffix(f": {write_key(key)}")
        self.problems.append(Problem(f"is set twice, first in {where_first}", file.where(key), "Keep one of them"))


def _is_list_of_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)
