"""What is wrong with a file, gathered row by row, so that a person hears all of it at once. Called by the imports."""

from __future__ import annotations

from calsync.errors import Problem, Refused


class Findings:
    """The problems found so far in one file. `refuse()` raises them in the order of the file's rows."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: list[tuple[int, Problem]] = []

    def add(self, row: int | None, what: str, *, column: str = "", remedy: str = "") -> None:
        """Note what is wrong in a row (counted from 1 with the header, as spreadsheets do), or in the whole file."""
        place = self._file if row is None else f"{self._file}, row {row}"
        problem = Problem(what=what, where=f"{place}, {column}" if column else place, remedy=remedy)
        self._found.append((row or 0, problem))

    def __len__(self) -> int:
        return len(self._found)

    def rows(self) -> frozenset[int]:
        """The numbers of the rows with something wrong; 0 stands for the file as a whole."""
        return frozenset(row for row, _ in self._found)

    def problems(self) -> tuple[Problem, ...]:
        """Everything found, in the order of the file's rows."""
        return tuple(problem for _, problem in sorted(self._found, key=lambda found: found[0]))

    def refuse(self) -> None:
        """Raise `Refused` (code `import-refused`) with everything found; return if nothing was."""
        if self._found:
            raise Refused(self.problems(), code="import-refused")
