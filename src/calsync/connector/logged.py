"""A wrapper that writes one log line for each call: ids, counts and durations, never what an event says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import structlog

from calsync.connector.around import Around, T
from calsync.connector.errors import CalendarError, Throttled
from calsync.connector.protocol import Calendar, Page
from calsync.ports import Clock

_log = structlog.get_logger(__name__)


class Logged(Around):
    """Logs under the calendar's id. `seconds` is the time spent inside the calendar, by the clock given."""

    def __init__(self, inner: Calendar, calendar_id: str, clock: Clock) -> None:
        super().__init__(inner)
        self._calendar_id = calendar_id
        self._clock = clock

    def _once(self, port: str, call: Callable[[], T]) -> T:
        began = self._clock.now()
        try:
            answer = super()._once(port, call)
        except CalendarError as problem:
            self._failed(port, problem, self._since(began), 0)
            raise
        self._done(port, self._since(began), len(answer) if isinstance(answer, list) else 1)
        return answer

    def _stream(self, port: str, call: Callable[[], Iterable[T]]) -> Iterator[T]:
        waiting = super()._stream(port, call)
        seconds, count = 0.0, 0
        while True:
            began = self._clock.now()
            try:
                part = next(waiting)
            except StopIteration:
                self._done(port, seconds + self._since(began), count)
                return
            except CalendarError as problem:
                self._failed(port, problem, seconds + self._since(began), count)
                raise
            seconds += self._since(began)
            count += len(part.items) if isinstance(part, Page) else 1
            yield part

    def _since(self, began: datetime) -> float:
        return (self._clock.now() - began).total_seconds()

    def _done(self, port: str, seconds: float, count: int) -> None:
        _log.debug("calendar_call", calendar=self._calendar_id, port=port, items=count, seconds=round(seconds, 3))

    def _failed(self, port: str, problem: CalendarError, seconds: float, count: int) -> None:
        # The class says it all; a third party's message may hold what must not be logged.
        _log.warning(
            "calendar_call_failed",
            calendar=self._calendar_id,
            port=port,
            error=type(problem).__name__,
            retry_after=problem.retry_after if isinstance(problem, Throttled) else None,
            items=count,
            seconds=round(seconds, 3),
        )
