"""How PostgreSQL is connected to, directly or through a pooler in session mode, so that nobody waits for ever for it.

Silence of half a minute ends a connection on either side, and five idle minutes inside a transaction end it on the
server's: whatever it had locked is free then. What the address says, or the server for this role or database, goes
before all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext

CHANGED_PLAN: Final = "cached plan must not change result type"
NO_DISK: Final = {"synchronous_commit": "off"}
"""Of commits that nobody waits for."""

_READ_ONLY: Final = "25006"
_UNSUPPORTED: Final = "0A000"
_GIVE_UP: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
# The same for the server's end, which by itself would keep the locks of a lost client for two hours.
_GIVE_UP_THERE: Final = {
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",
    "idle_in_transaction_session_timeout": "300000",
}


_SET_ALL: Final = (
    "SELECT set_config(name, wanted, false) FROM pg_settings"
    " JOIN unnest(%s::text[], %s::text[]) AS ours (known, wanted)"
    " ON name = known WHERE source NOT IN ('client', 'user', 'database', 'database user')"
)


def make_engine(
    url: URL, *, settings: Mapping[str, str] | None = None, connect_args: Mapping[str, Any] | None = None, **more: Any
) -> Engine:
    """An engine whose connections give up as said above; `settings` are the server's, for these connections alone."""
    told = first_statement(settings or {})
    engine = create_engine(
        url,
        connect_args={**arguments(url), **(connect_args or {})},
        **{"pool_pre_ping": True, **more},
    )
    event.listen(engine, "connect", lambda raw, _record: _begin(raw, told))
    event.listen(engine, "handle_error", _drop_useless)
    return engine


def arguments(url: URL) -> dict[str, Any]:
    """How the driver connects, but for what the address itself says."""
    return {name: value for name, value in _GIVE_UP.items() if name not in url.query}


def first_statement(settings: Mapping[str, str]) -> tuple[str, tuple[list[str], list[str]]]:
    """The statement that a new connection begins with, and its parameters: our settings, and these.

    They are no part of the address, as poolers (PgBouncer) refuse connections that bring settings along.
    """
    wanted = {**_GIVE_UP_THERE, **settings}
    return _SET_ALL, (list(wanted), list(wanted.values()))


def is_useless(problem: BaseException | None) -> bool:
    """Whether a new connection may do what this one cannot, although it stands: PostgreSQL only.

    Its server became a standby, or it keeps a plan that was made for tables as they were.
    """
    state = getattr(problem, "sqlstate", None)
    return state == _READ_ONLY or (state == _UNSUPPORTED and CHANGED_PLAN in str(problem))


def _begin(raw: Any, told: tuple[str, tuple[list[str], list[str]]]) -> None:
    raw.execute(*told).close()
    if not raw.autocommit:
        raw.commit()


def _drop_useless(context: ExceptionContext) -> None:
    if is_useless(context.original_exception):
        context.is_disconnect = True
