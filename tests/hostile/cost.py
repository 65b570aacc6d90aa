"""What a hostile case may cost: seconds of CPU and 64 MiB, in this process, server of the test included."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A case is to cost a second. Beside other tests on shared cores the same work is charged with up to twice as much, and
# what made these cases hang cost minutes.
MOST_SECONDS = 3.0
MOST_MEBIBYTES = 64.0


@contextmanager
def small_cost(*, memory: bool = True) -> Iterator[None]:
    """Assert the costs of what happens inside; `memory`: that too (the kernel is asked for the highest mark)."""
    if memory:
        Path("/proc/self/clear_refs").write_text("5")  # the highest mark begins anew
    before, began = _mebibytes("VmRSS"), time.process_time()
    yield
    assert time.process_time() - began < MOST_SECONDS
    if memory:
        assert _mebibytes("VmHWM") - before < MOST_MEBIBYTES


def _mebibytes(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024
