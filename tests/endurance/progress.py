"""How far a long run has come, on one line of the terminal; and the table at its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Progress:
    """Tells at most once a second. A quiet one tells nothing."""

    title: str = ""
    quiet: bool = False
    begun: float = field(default_factory=time.monotonic)
    _last: float = 0.0

    def step(self, done: float, of: float, words: str = "") -> None:
        """So much of it is done."""
        now = time.monotonic()
        if self.quiet or (now - self._last < 1.0 and done < of):
            return
        self._last = now
        line = f"{self.title}: {done:g} of {of:g}, {now - self.begun:.0f} s  {words}"
        print(f"\r{line:<78}", end="\n" if done >= of else "", file=sys.stderr, flush=True)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)
