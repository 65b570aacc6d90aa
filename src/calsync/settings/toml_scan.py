"""Finding the line of every key in a TOML text, and what the parser is better not given. Pure.

It understands just enough of the language to find keys; what is valid remains the parser's word.
"""

import re
from bisect import bisect_right
from typing import Final

MAX_LEVELS: Final = 100

KeyPath = tuple[str | int, ...]
"""Where a value stands: table names and keys, and numbers inside lists of tables."""

_SPACE: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_KEY_PART: Final = re.compile(r"""[ \t]*([A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*""")
_VALUE_TOKEN: Final = re.compile(
    r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\#[^\n]*|[\[{]|[\]}]|\n|[^"'\#\[\]{}\n]+''',
    re.DOTALL,
)


class Scan:
    """One walk over a text, made when it is constructed. Stops silently where the text ceases to be TOML.

    `lines`: the line of each key and table, from 1. `doubled`: key, its first line, its next one. `tabs`: lines with a
    tab outside of comments. `too_deep`: the line where nesting passes MAX_LEVELS, else None.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines: dict[KeyPath, int] = {}
        self.doubled: list[tuple[KeyPath, int, int]] = []
        self.tabs: list[int] = []
        self.too_deep: int | None = None
        self._spare: list[tuple[int, int]] = []
        self._tables: set[KeyPath] = set()
        self._lists: dict[KeyPath, int] = {}
        self._table: KeyPath = ()
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self._walk()

    def text_without_doubles(self) -> str:
        """The text with every repeated assignment blanked out, so that the rest can still be checked."""
        text = self.text
        for start, end in self._spare:
            text = text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
        return text

    def _walk(self) -> None:
        position = 0
        while self.too_deep is None:
            space = _SPACE.match(self.text, position)
            start = space.end() if space else position
            self._note_tabs(position, start)
            if start >= len(self.text):
                return
            end = self._header(start) if self.text[start] == "[" else self._assignment(start)
            if end is None:
                return
            position = end

    def _header(self, start: int) -> int | None:
        width = 2 if self.text.startswith("[[", start) else 1
        parts, end = self._key(start + width)
        if not parts or not self.text.startswith("]" * width, end):
            return None
        line = self._line(start)
        path = (*self._resolve(parts[:-1]), parts[-1])
        if width == 2:
            self._open_list(path, line)
        else:
            path = self._inside_list(path)
            if path in self._tables or path in self.lines:
                self.doubled.append((path, self.lines.get(path, line), line))
            self._tables.add(path)
            self._table = path
        self.lines.setdefault(self._table, line)
        self._note_tabs(start, end)
        return end + width

    def _open_list(self, path: KeyPath, line: int) -> None:
        if path in self.lines and path not in self._lists:
            self.doubled.append((path, self.lines[path], line))
        self._lists[path] = self._lists.get(path, -1) + 1
        self.lines.setdefault(path, line)
        self._table = (*path, self._lists[path])

    def _assignment(self, start: int) -> int | None:
        parts, end = self._key(start)
        if not parts or not self.text.startswith("=", end):
            return None
        value_end = self._value(end + 1)
        path, line = (*self._table, *parts), self._line(start)
        if path in self.lines:
            self.doubled.append((path, self.lines[path], line))
            self._spare.append((start, value_end))
        else:
            self.lines[path] = line
        self._note_tabs(start, end)
        return value_end

    def _key(self, start: int) -> tuple[list[str], int]:
        parts: list[str] = []
        while part := _KEY_PART.match(self.text, start):
            parts.append(part[1].strip("\"'"))
            if len(self._table) + len(parts) > MAX_LEVELS:
                self.too_deep = self._line(start)
                return [], start
            start = part.end()
            if not self.text.startswith(".", start):
                break
            start += 1
        return parts, start

    def _value(self, start: int) -> int:
        depth = 0
        while token := _VALUE_TOKEN.match(self.text, start):
            text = token[0]
            if text == "\n" and depth == 0:
                break
            depth += (text in ("[", "{")) - (text in ("]", "}"))
            if depth > MAX_LEVELS:
                self.too_deep = self._line(start)
                break
            if not text.startswith("#"):
                self._note_tabs(start, token.end())
            elif depth == 0:
                break
            start = token.end()
        return start

    def _resolve(self, parts: list[str]) -> KeyPath:
        path: KeyPath = ()
        for part in parts:
            path = self._inside_list((*path, part))
        return path

    def _inside_list(self, path: KeyPath) -> KeyPath:
        return (*path, self._lists[path]) if path in self._lists else path

    def _line(self, position: int) -> int:
        return bisect_right(self._starts, position)

    def _note_tabs(self, start: int, end: int) -> None:
        at = self.text.find("\t", start, end)
        if at >= 0 and "#" not in self.text[self.text.rfind("\n", 0, at) + 1 : at] and self._line(at) not in self.tabs:
            self.tabs.append(self._line(at))
