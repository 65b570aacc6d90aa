"""Rows as frozen values: a dataclass whose fields are named like the columns. Used by the tables' modules only."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import fields
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import Column, Connection, Executable, Row, Table

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
Item = TypeVar("Item")

# Well below the number of parameters that either database takes in one statement.
CHUNK = 500


class Shape(Generic[T]):
    """How one table's rows become values of one frozen dataclass, and back.

    Fields carry the names of the columns; a keyword names the function that turns a column's value into the field's.
    Enums are written as their plain value, tuples as lists.
    """

    def __init__(self, table: Table, kind: type[T], /, **read: Callable[[Any], Any]) -> None:
        self.kind = kind
        self.names: tuple[str, ...] = tuple(one.name for one in fields(kind))
        self.columns: list[Column[Any]] = [table.c[name] for name in self.names]
        self._read = [(self.names.index(name), turn) for name, turn in read.items()]

    def of(self, row: Iterable[Any]) -> T:
        """The value of a row that was selected with `columns`."""
        values = list(row)
        for place, turn in self._read:
            values[place] = turn(values[place])
        return self.kind(*values)

    def values(self, value: T) -> dict[str, Any]:
        """The columns of a value, ready to be bound."""
        return {name: plain(getattr(value, name)) for name in self.names}

    def first(self, conn: Connection, statement: Executable, parameters: dict[str, Any]) -> T | None:
        """The value of the first row, or None."""
        row = conn.execute(statement, parameters).first()
        return None if row is None else self.of(row)

    def all(self, conn: Connection, statement: Executable, parameters: dict[str, Any] | None = None) -> list[T]:
        """The values of all rows, in the statement's order."""
        return [self.of(row) for row in conn.execute(statement, parameters or {})]


def stream(
    conn: Connection, statement: Executable, parameters: dict[str, Any] | None = None
) -> Generator[Row[Any], None, None]:
    """The rows one by one, fetched in parts, so that any number of them fits in memory."""
    with conn.execute(statement, parameters or {}, execution_options={"yield_per": CHUNK}) as rows:
        yield from rows


def plain(value: Any) -> Any:
    """What a driver understands: an enum's value instead of the enum, a list instead of a tuple."""
    if isinstance(value, Enum):
        return value.value
    return [plain(one) for one in value] if isinstance(value, tuple) else value


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Lists of at most `CHUNK` items, for statements with one parameter an item."""
    source = iter(items)
    while part := list(islice(source, CHUNK)):
        yield part
