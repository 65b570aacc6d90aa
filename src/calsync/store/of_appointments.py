"""Tables whose rows belong to appointments: add, get, and all of many appointments at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import Column, Connection, Table, bindparam, select

from calsync.store.rows import Shape, chunks

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


class AppointmentTable(Generic[T]):
    """One such table, with rows of a frozen dataclass that has an `id` and an `appointment`."""

    def __init__(self, table: Table, kind: type[T], order: Column[Any], /, **read: Callable[[Any], Any]) -> None:
        ids: Any = bindparam("ids", expanding=True)
        self.shape = Shape(table, kind, **read)
        self.all = select(*self.shape.columns).order_by(order, table.c.id)
        self._add = table.insert()
        self._get = select(*self.shape.columns).where(table.c.id == bindparam("the_id"))
        self._of_appointments = self.all.where(table.c.appointment.in_(ids))

    def insert(self, conn: Connection, row: T) -> None:
        """Put a new row on the books."""
        conn.execute(self._add, self.shape.values(row))

    def get(self, conn: Connection, row_id: str) -> T | None:
        """The row, or None."""
        return self.shape.first(conn, self._get, {"the_id": row_id})

    def of_appointments(self, conn: Connection, ids: Iterable[str]) -> dict[str, list[T]]:
        """All rows of these appointments, by appointment, the first one first; those without any are left out."""
        found: dict[str, list[T]] = {}
        for part in chunks(sorted(set(ids))):
            for row in self.shape.all(conn, self._of_appointments, {"ids": part}):
                found.setdefault(getattr(row, "appointment"), []).append(row)  # noqa: B009
        return found
