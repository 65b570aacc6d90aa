"""Bad weather: rules that make chosen requests fail, late, cut or not at all (sheet 9, row 42)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from calsync.sandbox.graph.faults import Fault


class Damage(StrEnum):
    """What happens to a request."""

    REFUSE = "refuse"  # answered with `fault`, nothing done
    DROP_BEFORE = "drop-before"  # connection closed without an answer, nothing done
    DROP_AFTER = "drop-after"  # done, and the connection closed without an answer
    CUT = "cut"  # done; half of the body comes
    HTML = "html"  # done; a page of HTML comes with status 200
    REPLACE = "replace"  # done; `body` comes with status 200
    NONE = "none"  # nothing, but `then` is done


@dataclass(slots=True)
class Storm:
    """One rule: which requests (a route such as `events.create`, or `*`), after how many, how often, what damage."""

    route: str
    damage: Damage = Damage.REFUSE
    fault: Fault | None = None
    times: int | None = 1
    skip: int = 0
    body: bytes = b""
    then: Callable[[], None] | None = None
    hit: int = 0

    def strikes(self, route: str) -> bool:
        """Whether this request is hit; counts."""
        if self.route not in ("*", route) or (self.times is not None and self.hit >= self.times):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.hit += 1
        return True


@dataclass(slots=True)
class Weather:
    """All rules; the first that strikes counts."""

    storms: list[Storm] = field(default_factory=list)

    def refuse(
        self, route: str, status: int, code: str, *, times: int | None = 1, retry_after: str | None = None
    ) -> Storm:
        """Answer with an error."""
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        return self.add(Storm(route, fault=Fault(status, code, headers=headers), times=times))

    def damage(self, route: str, damage: Damage, *, times: int | None = 1, body: bytes = b"") -> Storm:
        """Do what is asked, and spoil the answer."""
        return self.add(Storm(route, damage, times=times, body=body))

    def add(self, storm: Storm) -> Storm:
        """Let a storm come up."""
        self.storms.append(storm)
        return storm

    def clear(self) -> None:
        """Blue sky."""
        self.storms.clear()

    def strike(self, route: str) -> Storm | None:
        """The storm that hits a request, None for most."""
        for storm in self.storms:
            if storm.strikes(route):
                if storm.then is not None:
                    storm.then()
                return storm
        return None
