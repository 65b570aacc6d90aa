"""What a large file costs, beside pyx12 that does nothing but read it, in the same run (`./dev benchmark claims`)."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.claims.material import write_file
from pyx12.x12file import X12Reader

from calsync.claims.batch.x12_claims import read_x12
from calsync.claims.batch.x12_cleared import write_x12
from calsync.store.claim_spool import ClaimSpool

CLAIMS = 3_000
ALLOWED = 2.0
MOST_BYTES = 4 * 1024 * 1024


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "claims.x12"
    write_file(path, CLAIMS)
    return path


def bare(path: Path) -> None:
    with path.open(encoding="latin-1", newline="") as source:
        for _ in X12Reader(source):
            pass


def ours(path: Path) -> None:
    spool = ClaimSpool()
    with path.open(encoding="latin-1", newline="") as source:
        for one in read_x12(source):
            spool.add(
                (one.claim, one.place, one.claim_id, one.line, one.stated, one.provider, one.client, str(one.day),
                 one.code, one.where, one.frequency, one.control, "")
            )  # fmt: skip
    spool.close_file(claims_by_id=False)
    assert sum(len(claim) for claim in spool.claims()) == CLAIMS
    spool.close()


def cost(act: Callable[[Path], None], path: Path) -> float:
    began = time.process_time()
    act(path)
    return time.process_time() - began


def test_reading_claims_costs_at_most_twice_what_reading_segments_does(large: Path) -> None:
    bare(large)
    ours(large)
    # Side by side, and the better of three: what else the machine does is nobody's cost.
    ratios = [cost(ours, large) / cost(bare, large) for _ in range(3)]
    assert min(ratios) <= ALLOWED, ratios


def test_memory_does_not_grow_with_the_file(large: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.x12"
    tracemalloc.start()
    ours(large)
    with large.open(encoding="latin-1", newline="") as source, out.open("w", encoding="latin-1", newline="") as target:
        write_x12(source, target, lambda claim: claim % 2 == 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MOST_BYTES, f"{peak / 1e6:.1f} MB for a file of {large.stat().st_size / 1e6:.1f} MB"
