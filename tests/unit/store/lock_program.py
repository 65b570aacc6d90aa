"""A worker process that does as it is told, line by line: `python -m tests.unit.store.lock_program URL OWNER`.

    claim SECONDS      claim one calendar at that time; answers its fence, or `nothing`
    begin              open a transaction and hold the fence; answers `holding` or `lost`
    write              put a row on the books in that transaction; answers `written`
    commit             end it; answers `committed`
    storm PASSES       claim, write, give back, until that many passes are done by all; answers `done`

Times are seconds after a fixed instant, so that no test has to wait for a lease.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager

from sqlalchemy import Connection, delete, func, insert, select

from calsync.store import work
from calsync.store.database import Database, open_database
from calsync.store.schema import holds
from calsync.store.schema_effects import budgets
from calsync.store.work import Lease
from tests.unit.store.samples import NOW, SECOND

LEASE = 30 * SECOND


class Program:
    """One worker."""

    def __init__(self, database: Database, owner: str) -> None:
        self.database = database
        self.owner = owner
        self.lease: Lease | None = None
        self.block: AbstractContextManager[Connection] | None = None
        self.conn: Connection | None = None

    def answer(self, word: str, *numbers: str) -> str:
        """Obey one line."""
        return str(getattr(self, word)(*(int(number) for number in numbers)))

    def claim(self, seconds: int) -> str:
        with self.database.transaction() as conn:
            leases = work.claim(conn, self.owner, 1, NOW + seconds * SECOND, LEASE)
        self.lease = leases[0] if leases else None
        return str(self.lease.fence) if self.lease else "nothing"

    def begin(self) -> str:
        assert self.lease is not None
        self.block = self.database.transaction()
        self.conn = self.block.__enter__()
        return "holding" if work.hold_fence(self.conn, self.lease) else "lost"

    def write(self) -> str:
        assert self.conn is not None
        assert self.lease is not None
        self.conn.execute(insert(holds).values(appointment=self.owner, drift=str(self.lease.fence), opened_at=NOW))
        return "written"

    def commit(self) -> str:
        assert self.block is not None
        self.block.__exit__(None, None, None)
        return "committed"

    def storm(self, passes: int) -> str:
        """Who runs a calendar has a row under its name; two at once would be two rows of one name."""
        while True:
            with self.database.transaction() as conn:
                if conn.execute(select(func.count()).select_from(holds)).scalar_one() >= passes:
                    return "done"
                leases = work.claim(conn, self.owner, 3, NOW, LEASE)
                for lease in leases:
                    conn.execute(insert(budgets).values(key=lease.calendar, tokens=0, refilled_at=NOW))
            for lease in leases:
                with self.database.transaction() as conn:
                    assert work.hold_fence(conn, lease)
                    conn.execute(delete(budgets).where(budgets.c.key == lease.calendar))
                    name = {"appointment": lease.calendar, "drift": str(lease.fence), "opened_at": NOW}
                    conn.execute(insert(holds).values(name))
                    assert work.done(conn, lease, NOW, NOW)


def main() -> None:
    """Read commands until there are no more."""
    program = Program(open_database(sys.argv[1]), sys.argv[2])
    for line in sys.stdin:
        print(program.answer(*line.split()), flush=True)


if __name__ == "__main__":
    main()
