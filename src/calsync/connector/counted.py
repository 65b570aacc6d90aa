"""A wrapper that counts what a calendar costs, for `sync --json` and metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from calsync.connector.around import Around, Counts, T
from calsync.connector.protocol import Calendar, Outcome, Page, Seen, Unreadable, WriteResult


class Counted(Around):
    """Counts into `counts`.

    Requests are the inner calendar's own `requests_made` where it has that number, else calls and pages.
    """

    def __init__(self, inner: Calendar) -> None:
        super().__init__(inner)
        self._counts = Counts()
        self._calls = 0
        self._made_before = self._requests_made() or 0

    @property
    def counts(self) -> Counts:
        """The counts since this wrapper was made."""
        made = self._requests_made()
        self._counts.requests = self._calls if made is None else made - self._made_before
        return self._counts

    def _once(self, port: str, call: Callable[[], T]) -> T:
        self._calls += 1
        answer = super()._once(port, call)
        if isinstance(answer, list):
            self._counts.reads += sum(isinstance(item, Seen | Unreadable) for item in answer)
        return answer

    def _stream(self, port: str, call: Callable[[], Iterable[T]]) -> Iterator[T]:
        if port == "write":
            self._calls += 1
        waiting = iter(call())
        while True:
            if port == "changes":
                self._calls += 1
            try:
                part = next(waiting)
            except StopIteration:
                # Nothing came, so nothing was asked for.
                self._calls -= port == "changes"
                return
            self._count_part(part)
            yield part

    def _count_part(self, part: object) -> None:
        if isinstance(part, Page):
            self._counts.reads += sum(isinstance(item, Seen | Unreadable) for item in part.items)
        elif isinstance(part, WriteResult):
            self._counts.writes += part.outcome is Outcome.WRITTEN

    def _requests_made(self) -> int | None:
        made = getattr(self.inner, "requests_made", None)
        return made if isinstance(made, int) else None
