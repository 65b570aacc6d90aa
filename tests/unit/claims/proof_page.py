"""`python -m tests.unit.claims.proof_page` keeps the proof page of a session about which there is much to tell.

Hashes are numbered in the order of their appearance, so that the page tells which row carries which.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

from calsync.claims.filing import FiledLine, file_claims
from calsync.claims.proof import write_proof
from calsync.domain.drift import Resolution
from calsync.store import drifts, evidence, statements
from calsync.store.evidence import SessionEvidence
from calsync.store.statements import StatementRow
from tests.unit.claims.gate_world import NEXT_DAY, NOW, READ, SPAN, GateWorld, in_memory

STORED = Path(__file__).parent / "proof-page.txt"
HOUR = timedelta(hours=1)


def page() -> str:
    """The page of that session."""
    return _numbered(write_proof(_told(in_memory()).gate, "A-1"))


def _told(world: GateWorld) -> GateWorld:
    world.check()
    world.drift()
    world.read(NEXT_DAY, at=READ + HOUR, drift="D-1")
    world.drain()
    world.book("A-1", span=SPAN.starting(datetime(2026, 11, 10, 13)))
    logged = SessionEvidence("E-1", "A-1", "vidéo", "both", SPAN.start_at, SPAN.end_at, READ)
    said = StatementRow("S-1", "A-1", "provider:P-1", NOW, ("D-1", "E-1"), "took-place", SPAN.start, SPAN.end)
    with world.db.transaction() as conn:
        evidence.put_many(conn, [logged])
        statements.insert(conn, said)
        drifts.resolve(conn, "D-1", Resolution.ACKNOWLEDGED, NOW, by="support:ada", accepted=False)
    line = FiledLine(appointment="A-1", date=SPAN.start.date(), claim="C-1", line="2", batch="März-1")
    file_claims(world.gate, [line], by="billing:b", note="<a name>")
    return world


def _numbered(text: str) -> str:
    known: dict[str, str] = {}
    return re.sub(r"[0-9a-f]{64}", lambda found: known.setdefault(found[0], f"hash-{len(known) + 1}"), text)


if __name__ == "__main__":
    STORED.write_text(page() + "\n", encoding="utf-8")
