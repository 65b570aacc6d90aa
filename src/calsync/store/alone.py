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

from sqlalchemy import Dialect, Engine, Insert, Select
from sqlalchemy.exc import DBAPIError

from calsync.store.postgres import is_useless

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
    """A statement with named parameters and its answer's columns: a select, or an update that returns something.

    When the connection turns out to be lost it is run once more, so it must do no harm to have run twice: an update
    whose condition it has itself made untrue answers nothing then. An insert is run once.
    """

    def __init__(self, statement: Any) -> None:
        self.statement: Any = statement
        self.reads_only = isinstance(statement, Select)
        self.may_repeat = not isinstance(statement, Insert)
        self._columns = list(statement.exported_columns)
        self._prepared: dict[str, _Prepared] = {}

    def run(self, engine: Engine, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows that it answers, as plain tuples; see `Database.alone`."""
        dialect = engine.dialect
        prepared = self._prepared.get(dialect.name)
        if prepared is None:
            prepared = self._prepared[dialect.name] = self._prepare(dialect)
        parameters = prepared.parameters(given)
        try:
            try:
                rows = _rows(engine, prepared.text, parameters)
            except _LostError:
                if not self.may_repeat:
                    raise
                # It stood idle while the server went away, and so did those beside it. Asking before each statement
                # whether a connection still lives would cost as much as the statement.
                engine.dispose()
                rows = _rows(engine, prepared.text, parameters)
        except _LostError as lost:
            raise _wrapped(lost.problem, prepared.text, dialect) from lost.problem
        except dialect.loaded_dbapi.Error as problem:
            raise _wrapped(problem, prepared.text, dialect) from problem
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


class _LostError(Exception):
    """The connection broke under the statement."""

    def __init__(self, problem: Exception) -> None:
        super().__init__(str(problem))
        self.problem = problem


def _rows(engine: Engine, statement: str, parameters: Any) -> Sequence[Sequence[Any]]:
    """What the driver answers; a connection that broke on the way is not used again."""
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        try:
            cursor.execute(statement, parameters)
            rows: Sequence[Sequence[Any]] = cursor.fetchall()
        finally:
            cursor.close()
    except engine.dialect.loaded_dbapi.Error as problem:
        if is_useless(problem) or engine.dialect.is_disconnect(problem, raw.driver_connection, None):
            raw.invalidate(problem)
            raise _LostError(problem) from problem
        raise
    finally:
        raw.close()
    return rows


def _wrapped(problem: Exception, text: str, dialect: Dialect) -> BaseException:
    return DBAPIError.instance(text, None, problem, dialect.loaded_dbapi.Error, dialect=dialect)
