"""How a database would run a statement, in its own words."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Delete, Executable, Update, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement


class Explain(Executable, ClauseElement):
    """A statement that is explained instead of run."""

    inherit_cache = False

    def __init__(self, statement: Any) -> None:
        self.statement = statement


@compiles(Explain, "sqlite")
def _in_sqlite(element: Explain, compiler: SQLCompiler, **kw: Any) -> str:
    return "EXPLAIN QUERY PLAN " + compiler.process(element.statement, **kw)


@compiles(Explain, "postgresql")
def _in_postgres(element: Explain, compiler: SQLCompiler, **kw: Any) -> str:
    return "EXPLAIN " + compiler.process(element.statement, **kw)


def query_plan(conn: Connection, statement: Any, parameters: dict[str, Any]) -> str:
    """The plan's lines; nothing is run."""
    if isinstance(statement, Update | Delete):
        # What is to be changed is found as a select finds it.
        statement = select(statement.table).where(*statement._where_criteria)
    rows = conn.execute(Explain(statement), parameters).cursor
    assert rows is not None
    return "\n".join(str(row[-1]) for row in rows.fetchall())
