"""At most four requests at a time per application: Graph refuses the fifth (contract sheet 8.1).

The sheet is unsure whether four are counted per application or per mailbox as well; one gate over all mailboxes of an
application is right under both readings. Other processes are held back by the answers 429 and the shared budget.
"""

from __future__ import annotations

import threading  # noqa: TID251 - the gate is what several threads of one process have in common
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from calsync.connector.errors import Unavailable

AT_ONCE = 4


class Gate:
    """Lets a few through at a time."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = threading.BoundedSemaphore(at_once)

    @contextmanager
    def entered(self, patience: float) -> Iterator[None]:
        """Hold a place; Unavailable when none got free within so many seconds."""
        if not self._free.acquire(timeout=patience):
            raise Unavailable("no request got free in time")
        try:
            yield
        finally:
            self._free.release()


@lru_cache(maxsize=64)
def gate_of(graph_url: str, client_id: str) -> Gate:
    """Return the gate that all calendars of an application share."""
    del graph_url, client_id
    return Gate()
