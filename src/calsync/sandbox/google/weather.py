"""Bad weather: rules that make chosen requests fail, late, cut or not at all (contract sheet 16 rows 44, 45)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from calsync.sandbox.google.faults import ApiError, usage


class Damage(StrEnum):
    """What happens to a request."""

    REFUSE = "refuse"  # answered with `error`, nothing done
    DROP_BEFORE = "drop-before"  # connection closed without an answer, nothing done
    DROP_AFTER = "drop-after"  # done, and the connection closed without an answer
    CUT = "cut"  # done; half of the body comes
    HTML = "html"  # done; a page of HTML with status 200
    REPLACE = "replace"  # done; `body` comes instead, with status 200


@dataclass(slots=True)
class Storm:
    """One rule: which requests (method id such as `events.insert`, a prefix, or `*`), how often, what damage.

    `skip`: so many matching ones pass first. `times`: so many are hit; None for all. `calendar`: only those about it.
    """

    method: str
    damage: Damage = Damage.REFUSE
    error: ApiError | None = None
    times: int | None = 1
    skip: int = 0
    calendar: str | None = None
    body: bytes = b""
    then: Callable[[], None] | None = None
    hit: int = 0

    def strikes(self, method: str, calendar: str | None) -> bool:
        """Whether this request is hit; counts."""
        if self.method not in ("*", method) and not (self.method.endswith(".") and method.startswith(self.method)):
            return False
        if self.calendar is not None and calendar != self.calendar:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None and self.hit >= self.times:
            return False
        self.hit += 1
        return True


@dataclass(slots=True)
class Weather:
    """All rules; the first that strikes counts."""

    storms: list[Storm] = field(default_factory=list)

    def add(self, storm: Storm) -> Storm:
        """Let a storm come up."""
        self.storms.append(storm)
        return storm

    def refuse(
        self, method: str, code: int, reason: str, *, times: int | None = 1, retry_after: int | None = None
    ) -> Storm:
        """Answer with an error of the usage domain (403, 429) or a backend error (5xx)."""
        error = ApiError(code, reason, retry_after=retry_after) if code >= 500 else usage(code, reason, retry_after)
        return self.add(Storm(method, error=error, times=times))

    def lose_answers(self, method: str, *, times: int | None = 1, skip: int = 0) -> Storm:
        """Do what is asked and close the connection without a word: the most important fault of all."""
        return self.add(Storm(method, Damage.DROP_AFTER, times=times, skip=skip))

    def clear(self) -> None:
        """Blue sky."""
        self.storms.clear()

    def strike(self, method: str, calendar: str | None) -> Storm | None:
        """The storm that hits this request, None for most."""
        for storm in self.storms:
            if storm.strikes(method, calendar):
                if storm.then is not None:
                    storm.then()
                return storm
        return None
