"""Values in another program's table that Python cannot hold: one such row must not hide all the others.

Times of no day (infinity, years before 1 and after 9999) come as text, text of no encoding with marks in it. Whoever
reads the row finds that it is none.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Connection


class OddTime(str):
    """A time as PostgreSQL writes it that is no day of any calendar here."""

    __slots__ = ()


def read_odd_values(conn: Connection) -> None:
    """Have this connection hand them on instead of failing."""
    driver: Any = conn.connection.driver_connection
    if conn.dialect.name == "sqlite":
        driver.text_factory = _decoded
    elif conn.dialect.name == "postgresql":
        for name, loader in _loaders().items():
            driver.adapters.register_loader(name, loader)


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", errors="replace")


@lru_cache(maxsize=1)
def _loaders() -> dict[str, type[Any]]:
    # Only who reads from PostgreSQL needs its driver.
    from psycopg import DataError  # noqa: PLC0415
    from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader  # noqa: PLC0415

    def lenient(plain: type[Any]) -> type[Any]:
        class Lenient(plain):  # type: ignore[misc]
            def load(self, data: Any) -> Any:
                try:
                    return super().load(data)
                except DataError:
                    return OddTime(bytes(data).decode("ascii", errors="replace"))

        return Lenient

    kinds = {"date": DateLoader, "timestamp": TimestampLoader, "timestamptz": TimestamptzLoader}
    return {name: lenient(plain) for name, plain in kinds.items()}
