"""Credentials at rest: sealed with our key, and bound to their connection so that swapped rows do not open.

Used by whatever opens calendars, and by `calsync secrets rotate`. Plain credentials never leave this module but as
the return value of `open_one`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from calsync.errors import NotFoundError, StartRefusedError
from calsync.ports import Ids
from calsync.settings.secrets import KeyRing, WrongKeyError
from calsync.store import connections, installation
from calsync.store.connections import Sealed
from calsync.store.database import Database

_CHECKED: Final = b"calsync"
_CHECK_BOUND_TO: Final = "installation"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Seals and opens. `keys` is asked at each use, so that a resident process follows a rotation."""

    keys: Callable[[], KeyRing]
    ids: Ids

    def seal(self, conn: Connection, connection: str, plain: bytes) -> None:
        """Keep a credential for the connection; NotFoundError if there is no such connection."""
        if not connections.set_sealed(conn, self._sealed(self.keys(), connection, plain)):
            raise NotFoundError("connection", connection)

    def open_one(self, conn: Connection, connection: str) -> bytes | None:
        """The connection's credential, None if it has none.

        Raises WrongKeyError if it was changed, belongs to another connection, or its key is gone.
        """
        found = connections.sealed(conn, connection)
        return None if found is None else _opened(self.keys(), found)

    def reseal(self, database: Database) -> int:
        """Seal everything anew that another than the first key sealed, each row in a transaction; how many rows it was.

        Safe to break off and to begin again. A credential that is replaced meanwhile keeps its newer text.
        """
        keys = self.keys()
        with database.reading() as conn:
            waiting = list(connections.sealed_by_others(conn, keys.current.id))
        done = 0
        for connection in waiting:
            with database.transaction() as conn:
                before = connections.sealed(conn, connection)
                if before is None or before.key_id == keys.current.id:
                    continue
                after = self._sealed(keys, connection, _opened(keys, before))
                done += connections.replace_sealed(conn, before, after)
        with database.transaction() as conn:
            installation.set_key_check(conn, self._check_text(keys))
        return done

    def is_rotating(self, database: Database) -> bool:
        """Whether an earlier rotation was broken off: something is still sealed by another than the first key."""
        current = self.keys().current.id
        with database.reading() as conn:
            check = installation.key_check(conn)
            others = set(connections.count_by_key(conn)) - {current}
        return bool(others) or (check is not None and check.partition(".")[0] != current)

    def require_own_keys(self, conn: Connection) -> None:
        """Return if the key file is this database's own; StartRefusedError otherwise (R-26).

        Without the keys that signed them, calsync would take its own events for somebody else's.
        """
        keys, check = self.keys(), installation.key_check(conn)
        if check is None:
            installation.set_key_check(conn, self._check_text(keys))
            return
        missing = sorted(set(connections.count_by_key(conn)) - {key.id for key in keys.keys})
        try:
            keys.decrypt(check, bound_to=_CHECK_BOUND_TO)
        except WrongKeyError:
            missing.append(check.partition(".")[0])
        if missing:
            raise StartRefusedError(
                f"The key file does not hold the keys of this database (missing: {', '.join(sorted(set(missing)))}). "
                "Put it back from its copy; calsync would take its own events for somebody else's without them."
            )

    def _check_text(self, keys: KeyRing) -> str:
        return keys.encrypt(_CHECKED, bound_to=_CHECK_BOUND_TO, ids=self.ids)

    def _sealed(self, keys: KeyRing, connection: str, plain: bytes) -> Sealed:
        text = keys.encrypt(plain, bound_to=_bound_to(connection), ids=self.ids)
        return Sealed(connection, keys.current.id, text.encode("ascii"))


def _opened(keys: KeyRing, one: Sealed) -> bytes:
    try:
        text = one.credential.decode("ascii")
    except UnicodeDecodeError:
        raise WrongKeyError(f"the credential of {one.connection} was changed") from None
    return keys.decrypt(text, bound_to=_bound_to(one.connection))


def _bound_to(connection: str) -> str:
    return f"connection:{connection}"
