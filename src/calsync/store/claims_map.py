"""Which appointment a line of a claim stands for: by the practice's own list, and by what was filed before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from calsync.store.dialect import Upsert
from calsync.store.rows import chunks
from calsync.store.schema_billing import claims_map
from calsync.store.schema_claims import filings


@dataclass(frozen=True, slots=True)
class MapRow:
    """A line of a claim (None: every line of it) and its appointment."""

    claim: str
    line: str | None
    appointment: str


def put_many(conn: Connection, rows: Iterable[MapRow], at: datetime) -> int:
    """Put rows on the books; how many were new."""
    return sum(
        _PUT.run(
            conn,
            [{"claim": one.claim, "line": one.line or "", "appointment": one.appointment, "at": at} for one in part],
        )
        for part in chunks(rows)
    )


def appointments_of(conn: Connection, claims: Iterable[str]) -> dict[tuple[str, str | None], set[str]]:
    """The appointments of these claims' lines, by claim and line; line None stands for every line."""
    found: dict[tuple[str, str | None], set[str]] = defaultdict(set)
    for part in chunks(sorted(set(claims))):
        for statement in (_MAPPED, _FILED):
            for row in conn.execute(statement, {"ids": part}):
                found[row.claim, row.line or None].add(row.appointment)
    return dict(found)


_IDS: Any = bindparam("ids", expanding=True)
_PUT = Upsert(claims_map, [claims_map.c.claim, claims_map.c.line, claims_map.c.appointment])
_MAPPED = select(claims_map.c.claim, claims_map.c.line, claims_map.c.appointment).where(claims_map.c.claim.in_(_IDS))
_FILED = select(filings.c.claim, filings.c.line, filings.c.appointment).where(filings.c.claim.in_(_IDS))
