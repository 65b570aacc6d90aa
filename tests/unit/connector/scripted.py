"""A calendar for tests of wrappers: plays a list of answers and errors, and notes what it was asked."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from calsync.connector.protocol import (
    Finding,
    Gone,
    Known,
    Outcome,
    Page,
    Reading,
    Watch,
    Write,
    WriteResult,
)
from calsync.connector.traits import Traits
from calsync.domain.event import Appearance, Event
from calsync.domain.span import Span, Window
from calsync.domain.write import WriteKind

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
EVENT = Event(
    "u@x", Appearance(Span.between(WINDOW.start, WINDOW.start + timedelta(hours=1), "Europe/Berlin"), title="Ann")
)


class NoneKnown:
    def versions(self, remote_ids: Sequence[str]) -> dict[str, str]:
        return {}


class Scripted:
    """Each call takes the next step: an exception is raised, anything else (or nothing left) is success.

    For `changes` and `write` a step is taken for each page and each result.
    """

    traits = Traits(read_batch=7)

    def __init__(self, *steps: BaseException | None, pages: Sequence[Page] = (Page((), cursor="c"),)) -> None:
        self.steps = list(steps)
        self.pages = pages
        self.asked: list[tuple[str, Any]] = []
        self.closed = 0

    def _step(self) -> None:
        step = self.steps.pop(0) if self.steps else None
        if step is not None:
            raise step

    def changes(self, cursor: str | None, window: Window, known: Known) -> Iterator[Page]:
        self.asked.append(("changes", cursor))
        for page in self.pages:
            self._step()
            yield page

    def read(self, remote_ids: Sequence[str]) -> Iterable[Reading]:
        self.asked.append(("read", tuple(remote_ids)))
        self._step()
        return [Gone(remote_id) for remote_id in remote_ids]

    def write(self, batch: Sequence[Write]) -> Iterable[WriteResult]:
        self.asked.append(("write", [write.key for write in batch]))
        for write in batch:
            self._step()
            yield WriteResult(write.key, Outcome.WRITTEN, write.remote_id, "v")

    def locate(self, uid: str) -> str | None:
        self.asked.append(("locate", uid))
        self._step()
        return "elsewhere"

    def busy(self, window: Window, without: Collection[str] = ()) -> Iterable[Span]:
        self.asked.append(("busy", None))
        self._step()
        return iter([EVENT.master.span])

    def watch(self, callback_url: str, secret: str, lifetime: timedelta) -> Watch | None:
        self.asked.append(("watch", callback_url))
        self._step()
        return Watch("w", "r", WINDOW.end)

    def unwatch(self, watch: Watch) -> None:
        self.asked.append(("unwatch", watch.id))
        self._step()

    def check(self) -> Iterable[Finding]:
        self.asked.append(("check", None))
        self._step()
        return iter([Finding("works", ok=True)])

    def close(self) -> None:
        self.closed += 1


def create(key: str) -> Write:
    return Write(key, WriteKind.CREATE, f"id-{key}", EVENT.with_uid(f"{key}@x"))


def update(key: str, version: str | None) -> Write:
    return Write(key, WriteKind.UPDATE, f"id-{key}", EVENT, version=version)
