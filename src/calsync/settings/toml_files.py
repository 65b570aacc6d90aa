"""Reading one TOML file: its values, and the line of each of its keys.

The standard parser tells neither lines nor more than one fault, and takes seconds over a key of thousands of parts.
So a file is limited first (size, depth), then scanned for keys, then parsed.
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from calsync.errors import Problem
from calsync.settings.toml_scan import MAX_LEVELS, KeyPath, Scan

MAX_BYTES: Final = 1024 * 1024

_TOML_ERROR_LINE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True)
class TomlFile:
    """What a file holds. `lines` knows the line of each key and table; `problems` is not empty if it cannot be used."""

    path: Path
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def where(self, key: KeyPath) -> str:
        """File, line and key, for a message; the line of the nearest enclosing table if the key itself is absent."""
        near = next((key[:end] for end in range(len(key), 0, -1) if key[:end] in self.lines), None)
        line = f":{self.lines[near]}" if near else ""
        return f"{self.path}{line}: {write_key(key)}"


def write_key(key: KeyPath) -> str:
    """A key as people read it: `providers[2].calendars[1].url`, counting from 1."""
    text = ""
    for part in key:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_toml(path: Path) -> TomlFile:
    """Read a file. Never raises for what stands in it, or for its absence: that is in `problems`."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        return _refused(path, f"cannot be read ({reason})", "Check the path and its permissions")
    if len(content) > MAX_BYTES:
        return _refused(path, "is larger than 1 MiB", "Split it over files in conf.d/, or import providers by command")
    if content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return _refused(path, "starts with a byte order mark", "Save it as UTF-8 without BOM", line=1)
    try:
        text = content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return _refused(path, "is not UTF-8 text", "Save it as UTF-8", line=line)
    return _parse(path, text)


def _refused(path: Path, what: str, remedy: str, line: int | None = None) -> TomlFile:
    where = f"{path}:{line}" if line else str(path)
    return TomlFile(path, problems=(Problem(what=what, where=where, remedy=remedy),))


def _parse(path: Path, text: str) -> TomlFile:
    scan = Scan(text)
    problems = [
        Problem(f"is set twice, first in line {first}", f"{path}:{line}: {write_key(key)}", "Keep one of them")
        for key, first, line in scan.doubled
    ]
    problems += [
        Problem("holds a tab character", f"{path}:{line}", "Use spaces; tabs are only allowed in comments")
        for line in scan.tabs
    ]
    if scan.too_deep:
        what = f"is nested deeper than {MAX_LEVELS} levels"
        return TomlFile(path, problems=(*problems, Problem(what, f"{path}:{scan.too_deep}", "Write it flatter")))
    try:
        values = tomllib.loads(scan.text_without_doubles())
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        if not scan.doubled:
            problems.append(_syntax_problem(path, str(error)))
        return TomlFile(path, problems=tuple(problems))
    return TomlFile(path, values, scan.lines, tuple(problems))


def _syntax_problem(path: Path, message: str) -> Problem:
    place = _TOML_ERROR_LINE.search(message)
    line = f":{place[1]}" if place and place[1] else ""
    sentence = _TOML_ERROR_LINE.sub("", message) or message
    what = f"is not valid TOML ({sentence[:200]})"
    return Problem(what, f"{path}{line}", "Check quotes, brackets and the = sign there")
