"""How deep JSON is nested, counted while it comes in: a parser that runs out of stack can take others' work with it."""

from __future__ import annotations

import re
from typing import Final

DEEPEST: Final = 64

# What matters of JSON's text: openers, closers, the quotes of texts, and what a backslash hides inside of them.
_TOKEN: Final = re.compile(rb'\\.|["\[{\]}]', re.DOTALL)


class Nesting:
    """Counts over chunks. `feed` says whether the text so far has been nested deeper than `DEEPEST` anywhere.

    It does not judge whether the text is JSON at all; that is the parser's.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._in_text = False
        self._held = b""  # a backslash whose partner is in the next chunk

    def feed(self, chunk: bytes) -> bool:
        """Read on. True once it is too deep."""
        chunk = self._held + chunk
        slashes = len(chunk) - len(chunk.rstrip(b"\\"))
        self._held = b"\\" if slashes % 2 else b""
        for token in _TOKEN.findall(chunk[: len(chunk) - len(self._held)]):
            self._count(token)
            if self._depth > DEEPEST:
                return True
        return False

    def _count(self, token: bytes) -> None:
        if token == b'"':
            self._in_text = not self._in_text
        elif not self._in_text and token in b"[{":
            self._depth += 1
        elif not self._in_text and token in b"]}":
            self._depth -= 1
