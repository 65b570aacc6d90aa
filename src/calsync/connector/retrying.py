"""A wrapper that tries again where that can do no harm and may help.

Only `Unavailable` and a short `Throttled` are tried again. Reads are harmless. Of writes, those are repeated whose
first attempt, if it did arrive, is recognised by the service: a create (its id is taken), an update on a version (it
has moved), a delete (already gone). After the first page of a feed nothing is repeated: the reader has it already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import tenacity

from calsync.connector.around import Around, T
from calsync.connector.errors import CalendarError, Throttled, Unavailable
from calsync.connector.protocol import Calendar, Finding, Known, Outcome, Page, Watch, Write, WriteResult
from calsync.domain.span import Window
from calsync.domain.write import WriteKind
from calsync.ports import Ids, Sleep, Stop


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long. Seconds throughout.

    The wait before attempt n+1 is drawn between half and all of `first * 2 ** (n - 1)`, at most `longest`. A service
    that asks for more than `patience` is left alone: the calendar's own row then holds the wait.
    """

    attempts: int = 4
    first: float = 1.0
    longest: float = 20.0
    patience: float = 20.0


class Retrying(Around):
    """Repeats as the policy says, then raises the last error. A set `stop` ends a wait with `Unavailable`."""

    def __init__(
        self, inner: Calendar, *, ids: Ids, sleep: Sleep, policy: RetryPolicy | None = None, stop: Stop | None = None
    ) -> None:
        super().__init__(inner)
        self._ids = ids
        self._sleep = sleep
        self._policy = policy or RetryPolicy()
        self._stop = stop

    def changes(self, cursor: str | None, window: Window, known: Known) -> Iterator[Page]:
        """See the protocol; tried again as long as no page has come."""

        def open_feed() -> tuple[list[Page], Iterator[Page]]:
            pages = self.inner.changes(cursor, window, known)
            first = next(pages, None)
            return ([] if first is None else [first]), pages

        first, rest = self._again(open_feed)
        yield from first
        yield from rest

    def write(self, batch: Sequence[Write]) -> Iterable[WriteResult]:
        """See the protocol; what has no answer yet is sent again while all of it is safe to repeat.

        An update that was sent twice and met another version is UNKNOWN: it may have met itself.
        """
        waiting = {write.key: write for write in batch}
        results: Iterator[WriteResult] | None = None
        repeated = False

        def next_result() -> WriteResult | None:
            nonlocal results, repeated
            if results is None:
                results = iter(self.inner.write(list(waiting.values())))
            try:
                return next(results, None)
            except CalendarError:
                results = None  # the next attempt opens a new stream, for what is still waiting
                repeated = True
                raise

        while (result := self._again(next_result, while_=lambda: all(map(_repeatable, waiting.values())))) is not None:
            write = waiting.pop(result.key, None)
            is_update = write is not None and write.kind is WriteKind.UPDATE
            if repeated and is_update and result.outcome is Outcome.CONFLICT:
                # The version that it met may well be its own, from the attempt that failed.
                result = replace(result, outcome=Outcome.UNKNOWN)
            yield result

    def watch(self, callback_url: str, secret: str, lifetime: timedelta) -> Watch | None:
        """See the protocol; tried once, since a repeat could leave two watches."""
        return self.inner.watch(callback_url, secret, lifetime)

    def check(self) -> Iterable[Finding]:
        """See the protocol; tried once, since a self-test must show what happens."""
        return self.inner.check()

    def _once(self, port: str, call: Callable[[], T]) -> T:  # noqa: ARG002 - all ports alike
        return self._again(call)

    def _again(self, call: Callable[[], T], while_: Callable[[], bool] = lambda: True) -> T:
        try:
            return call()
        except CalendarError as problem:
            return self._repeat(call, while_, problem)

    def _repeat(self, call: Callable[[], T], while_: Callable[[], bool], first: CalendarError) -> T:
        """Go on after a first attempt that failed: made only then, since by far the most calls succeed."""
        past: list[CalendarError] = [first]

        def attempt() -> T:
            if past:
                raise past.pop()
            return call()

        retrying = tenacity.Retrying(
            sleep=self._rest,
            stop=self._give_up,
            wait=self._wait,
            retry=tenacity.retry_if_exception(lambda problem: self._may_pass(problem) and while_()),
            reraise=True,
        )
        return retrying(attempt)

    def _may_pass(self, problem: BaseException) -> bool:
        if isinstance(problem, Throttled):
            return problem.retry_after is None or problem.retry_after <= self._policy.patience
        return isinstance(problem, Unavailable)

    def _give_up(self, state: tenacity.RetryCallState) -> bool:
        stopping = self._stop is not None and self._stop.is_set()
        return stopping or state.attempt_number >= self._policy.attempts

    def _wait(self, state: tenacity.RetryCallState) -> float:
        problem = state.outcome.exception() if state.outcome else None
        if isinstance(problem, Throttled) and problem.retry_after is not None:
            # Never earlier than asked for; a little later, so that not all come back at once.
            return max(0.0, problem.retry_after) + self._ids.jitter(0.0, self._policy.first)
        full = min(self._policy.longest, self._policy.first * 2.0 ** (state.attempt_number - 1))
        return self._ids.jitter(full / 2, full)

    def _rest(self, seconds: float) -> None:
        if self._stop is None:
            self._sleep.sleep(seconds)
        elif self._sleep.wait(self._stop, seconds):
            raise Unavailable("asked to stop while waiting to try again")


def _repeatable(write: Write) -> bool:
    return write.kind is not WriteKind.UPDATE or write.version is not None
