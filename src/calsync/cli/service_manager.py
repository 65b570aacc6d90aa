"""What a service manager is told (sd_notify): ready, reloading, still at work, ending. Silent where there is none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta

from calsync.errors import UserError
from calsync.ports import Clock

# A watchdog asks for a sign within its time; three signs in that time bear one that comes late.
_SIGNS = 3


class ServiceManager:
    """The manager that started this process with `Type=notify`, if one did.

    Raises UserError at the start if it waits for word and the library for it is not installed: it would wait in vain.
    """

    def __init__(self, clock: Clock, environ: Mapping[str, str] = os.environ) -> None:
        self._clock = clock
        self._listens = bool(environ.get("NOTIFY_SOCKET"))
        self._every = _watchdog(environ)
        self._next_sign: datetime | None = None
        self._is_ready = False
        if self._listens:
            _require_library()

    def alive(self) -> None:
        """The work went round once more: at first that means ready, then it feeds the watchdog."""
        if not self._is_ready:
            self._is_ready = True
            self._tell("READY")
        now = self._clock.now()
        if self._every is None or (self._next_sign is not None and now < self._next_sign <= now + self._every):
            return
        self._next_sign = now + self._every
        self._tell("WATCHDOG")

    def reloading(self) -> None:
        """The configuration is read anew; the next round says that it is done."""
        self._is_ready = False
        self._tell("RELOADING")

    def stopping(self) -> None:
        """The process ends because it was asked to."""
        self._tell("STOPPING")

    def says(self, status: str) -> None:
        """One line for `systemctl status`."""
        self._tell("STATUS", status)

    def _tell(self, name: str, value: str = "") -> None:
        if not self._listens:
            return
        from cysystemd.daemon import Notification, notify  # noqa: PLC0415 - an extra, and needed under systemd only

        # Words with a meaning of their own take no value, and refuse one.
        if value:
            notify(Notification[name], value)
        else:
            notify(Notification[name])


def _watchdog(environ: Mapping[str, str]) -> timedelta | None:
    text = environ.get("WATCHDOG_USEC", "")
    meant_for = environ.get("WATCHDOG_PID", str(os.getpid()))
    if not text.isdecimal() or int(text) == 0 or meant_for != str(os.getpid()):
        return None
    return timedelta(microseconds=int(text)) / _SIGNS


def _require_library() -> None:
    try:
        import cysystemd.daemon  # noqa: F401, PLC0415 - see `_tell`
    except ImportError:
        raise UserError.of(
            "the service manager waits for word, and the library for that is not installed",
            "Type=notify",
            "Install calsync with the extra: calsync[systemd]",
        ) from None
