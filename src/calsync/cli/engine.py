"""What carries due work in a resident process, as `[engine] kind` says, and what wakes it."""

from __future__ import annotations

from calsync.cli.context import App
from calsync.store.listening import listen
from calsync.system_ports import WakeEvent
from calsync.system_threads import Background
from calsync.worker.dispatch import Dispatch, EmbeddedDispatch
from calsync.worker.heartbeat import keep_beating
from calsync.worker.progress import Progress


def make_dispatch(app: App, progress: Progress, wake: WakeEvent) -> Dispatch:
    """The dispatch that the configuration names."""
    worker, threads = app.wired.worker, app.settings.sync.workers
    if app.settings.engine.kind == "procrastinate":
        # Only this kind needs the extra `procrastinate`.
        from calsync.worker.carried import CarriedDispatch  # noqa: PLC0415

        return CarriedDispatch(worker, threads=threads, done=progress.passed)
    return EmbeddedDispatch(worker, threads=threads, done=progress.passed, ended=wake.set)


def start_companions(app: App, wake: WakeEvent) -> None:
    """Say from now on that this process lives, and wake it when a calendar becomes due, here or on another machine.

    All of it ends with the app's stop.
    """
    worker = app.wired.worker
    worker.database.on_push = wake.set
    Background("heartbeat", lambda: keep_beating(worker, app.stop)).start()
    if not worker.database.is_sqlite:
        Background("listening", lambda: listen(worker.database, wake.set, app.stop, app.sleep)).start()
