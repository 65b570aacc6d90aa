"""Statements that are transactions of their own: what every pass does, a hundred times a second, and nothing more.

Prepared once for each database and handed to the driver as they are; a transaction around a single statement would
cost several times the statement. They are kept in the order of all transactions, and nobody waits until they are on
the disk: a power cut may lose the last of them, together with everything that came after and never without. So this is
for what may be forgotten: a lease, and the end of a pass that recorded nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Engine, Select
from sqlalchemy.exc import DBAPIError

Processor = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """One statement in one database's words. `order` is None where parameters go by name."""

    text: str
    order: tuple[str, ...] | None
    fixed: dict[str, Any]
    bind: tuple[tuple[str, Processor | None], ...]
    read: tuple[tuple[int, Processor], ...]

    def parameters(self, given: Mapping[str, Any]) -> Any:
        """What the driver is handed for these values."""
        values = self.fixed.copy()
        for name, turn in self.bind:
            values[name] = given[name] if turn is None else turn(given[name])
        return values if self.order is None else [values[name] for name in self.order]

    def row(self, raw: Sequence[Any]) -> tuple[Any, ...]:
        """A row's values as the columns' types have them."""
        values = list(raw)
        for place, turn in self.read:
            values[place] = turn(values[place])
        return tuple(values)


class Alone:
    """A statement with named parameters and its answer's columns: a select, or an update that returns something."""

    def __init__(self, statement: Any) -> None:
        self.statement: Any = statement
        self.reads_only = isinstance(statement, Select)
        self._columns = list(statement.exported_columns)
        self._prepared: dict[str, _Prepared] = {}

    def run(self, engine: Engine, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows that it answers, as plain tuples; see `Database.alone`."""
        dialect = engine.dialect
        prepared = self._prepared.get(dialect.name)
        if prepared is None:
            prepared = self._prepared[dialect.name] = self._prepare(dialect)
        parameters = prepared.parameters(given)
        raw = engine.raw_connection()
        try:
            cursor = raw.cursor()
            try:
                cursor.execute(prepared.text, parameters)
                rows = cursor.fetchall()
            finally:
                cursor.close()
        except dialect.loaded_dbapi.Error as problem:
            if dialect.is_disconnect(problem, raw.driver_connection, None):
                raw.invalidate(problem)
            raise _wrapped(problem, prepared.text, dialect) from problem
        finally:
            raw.close()
        return [prepared.row(row) for row in rows]

    def _prepare(self, dialect: Dialect) -> _Prepared:
        compiled: Any = self.statement.compile(dialect=dialect)
        turns = {name: one.type.dialect_impl(dialect).bind_processor(dialect) for name, one in compiled.binds.items()}
        fixed: dict[str, Any] = {}
        for name, one in compiled.binds.items():
            if not one.required:
                turn = turns.pop(name)
                fixed[name] = one.effective_value if turn is None else turn(one.effective_value)
        read = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in self._columns]
        order = tuple(compiled.positiontup) if compiled.positional else None
        known = tuple((place, turn) for place, turn in enumerate(read) if turn is not None)
        return _Prepared(compiled.string, order, fixed, tuple(turns.items()), known)


def _wrapped(problem: Exception, text: str, dialect: Dialect) -> BaseException:
    return DBAPIError.instance(text, None, problem, dialect.loaded_dbapi.Error, dialect=dialect)
