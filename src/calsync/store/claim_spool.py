"""The lines of one claim file while it is checked: a private temporary database, gone with the check.

A file's lines count only once the whole of it was read, and it may hold more of them than memory should; so they wait
here. SQLite keeps such a database in memory as long as it is small, and else in an unnamed file of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

_PART: Final = 500
_COLUMNS: Final = (
    "claim", "place", "claim_id", "line", "stated", "provider", "client", "day", "code", "where_code", "frequency",
    "control", "problems",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SpooledLine:
    """A line as it was put in, as text, with what was found out about it since.

    `appointment` is the one that it is about, `note` how that was found where it needs saying, `is_doubled` that
    another line of the file is about it too.
    """

    seq: int
    claim: int
    place: str
    claim_id: str | None
    line: str | None
    stated: str | None
    provider: str | None
    client: str | None
    day: str | None
    code: str | None
    where_code: str | None
    frequency: str
    control: str | None
    problems: str
    appointment: str | None
    note: str | None
    is_doubled: int


class ClaimSpool:
    """Lines of one file, in claims. Close it at the end; nothing of it remains."""

    def __init__(self) -> None:
        self._conn = sqlite3.connect("", isolation_level=None)
        # Nothing here survives the check, so nothing has to be safe on the disk.
        self._conn.execute("PRAGMA journal_mode = OFF")
        self._conn.execute("PRAGMA synchronous = OFF")
        columns = ", ".join(f"{name} {'INTEGER' if name == 'claim' else 'TEXT'}" for name in _COLUMNS)
        self._conn.execute(
            f"CREATE TABLE lines (seq INTEGER PRIMARY KEY, {columns}, appointment TEXT, note TEXT,"
            " is_doubled INTEGER NOT NULL DEFAULT 0)"
        )
        self._waiting: list[Sequence[object]] = []

    def close(self) -> None:
        """Forget everything."""
        self._conn.close()

    def add(self, values: Sequence[object]) -> None:
        """Put a line in: the columns from `claim` to `problems`."""
        self._waiting.append(values)
        if len(self._waiting) >= _PART:
            self._write()

    def close_file(self, *, claims_by_id: bool) -> None:
        """The file was read to its end; with `claims_by_id` all lines of one claim id are one claim."""
        self._write()
        run = self._conn.execute
        if claims_by_id:
            run("CREATE INDEX by_claim_id ON lines (claim_id, claim)")
            run(
                "UPDATE lines SET claim = (SELECT min(other.claim) FROM lines other"
                " WHERE other.claim_id = lines.claim_id) WHERE claim_id IS NOT NULL"
            )
        run("CREATE INDEX by_claim ON lines (claim, seq)")

    def claims(self) -> Iterator[list[SpooledLine]]:
        """The lines of each claim, claims by number."""
        for _, lines in groupby(self._lines(), key=lambda line: line.claim):
            yield list(lines)

    def blocks(self) -> Iterator[list[list[SpooledLine]]]:
        """The same, some hundred lines at a time."""
        block: list[list[SpooledLine]] = []
        size = 0
        for claim in self.claims():
            block.append(claim)
            size += len(claim)
            if size >= _PART:
                yield block
                block, size = [], 0
        if block:
            yield block

    def tie(self, found: Iterable[tuple[str | None, str | None, int]]) -> None:
        """Remember the appointment, and a note, of lines: (appointment, note, seq)."""
        self._many("UPDATE lines SET appointment = ?, note = ? WHERE seq = ?", found)

    def add_problems(self, found: Iterable[tuple[str, int]]) -> None:
        """Add the code of a problem to lines: (code, seq)."""
        self._many("UPDATE lines SET problems = trim(problems || ' ' || ?) WHERE seq = ?", found)

    def find_doubled(self) -> None:
        """Mark the lines of appointments that stand in the file more than once.

        In whatever way: of a void and a replacement of one claim, the payer carries out whichever comes first.
        """
        self._conn.execute("CREATE INDEX by_appointment ON lines (appointment)")
        self._conn.execute(
            "UPDATE lines SET is_doubled = 1 WHERE appointment IN (SELECT appointment"
            " FROM lines WHERE appointment IS NOT NULL GROUP BY appointment HAVING count(*) > 1)"
        )

    def billed(self, appointments: Iterable[str]) -> dict[str, str | None]:
        """Those of the appointments that the file bills, a void being no bill, with the code that it bills."""
        wanted = list(dict.fromkeys(appointments))
        found: dict[str, str | None] = {}
        for start in range(0, len(wanted), _PART):
            part = wanted[start : start + _PART]
            marks = ", ".join("?" * len(part))
            found |= dict(
                self._conn.execute(
                    f"SELECT appointment, code FROM lines WHERE appointment IN ({marks}) AND frequency <> '8'",  # noqa: S608 - marks only
                    part,
                )
            )
        return found

    def appointments(self) -> Iterator[str]:
        """The appointments that lines are about."""
        for (one,) in self._conn.execute("SELECT DISTINCT appointment FROM lines WHERE appointment IS NOT NULL"):
            yield str(one)

    def in_file_order(self) -> Iterator[SpooledLine]:
        """The lines in the order in which they were put in."""
        after = 0
        while True:
            rows = self._conn.execute(
                "SELECT * FROM lines WHERE seq > ? ORDER BY seq LIMIT ?", (after, _PART)
            ).fetchall()
            yield from map(_made, rows)
            if len(rows) < _PART:
                return
            after = rows[-1][0]

    def counts(self) -> tuple[int, int]:
        """How many claims and lines there are."""
        claims, lines = self._conn.execute("SELECT count(DISTINCT claim), count(*) FROM lines").fetchone()
        return int(claims), int(lines)

    def _lines(self) -> Iterator[SpooledLine]:
        # By key, not by one long cursor: lines are changed while they are walked.
        after = (0, 0)
        while True:
            rows = self._conn.execute(
                "SELECT * FROM lines WHERE (claim, seq) > (?, ?) ORDER BY claim, seq LIMIT ?", (*after, _PART)
            ).fetchall()
            for row in rows:
                yield _made(row)
            if len(rows) < _PART:
                return
            after = (rows[-1][1], rows[-1][0])

    def _write(self) -> None:
        marks = ", ".join("?" * len(_COLUMNS))
        self._many(f"INSERT INTO lines ({', '.join(_COLUMNS)}) VALUES ({marks})", self._waiting)  # noqa: S608 - fixed names
        self._waiting = []

    def _many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        self._conn.execute("BEGIN")
        self._conn.executemany(statement, rows)
        self._conn.execute("COMMIT")


def _made(row: Sequence[object]) -> SpooledLine:
    return SpooledLine(*row)  # type: ignore[arg-type] # the columns stand in the order of the fields
