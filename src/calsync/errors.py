"""The errors that calsync raises on purpose, and what whoever catches one may do.

    CalsyncError
    ├── UserError            a person can mend it; carries every problem found, each with a place and a remedy
    │   ├── ConfigError      the configuration cannot be used; nothing was started            exit 2
    │   └── Refused          a rule says no to a command; nothing was changed                 exit 1
    ├── NotFoundError        an id that is not on the books                                   exit 1
    └── StartRefusedError    it would be unsafe to go on (lost key, newer database)           exit 2

Calendar services have errors of their own in `calsync.connector.errors`. Texts here may hold ids, file names and
keys, never names of clients, secrets or health data.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what, where (file, line or row, key) and what the person should do about it."""

    what: str
    where: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        sentence = f"{self.where}: {self.what}" if self.where else self.what
        return f"{sentence}. {self.remedy}" if self.remedy else sentence


class CalsyncError(Exception):
    """Root of the tree. Catch it only at a border (a command, a request, a pass)."""


class UserError(CalsyncError):
    """Something that a person wrote or asked for cannot be used.

    `problems` holds all of them at once, in the order in which the person wrote them, and is never empty.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        if not self.problems:
            raise ValueError("a UserError needs at least one problem")
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def of(cls, what: str, where: str = "", remedy: str = "") -> Self:
        """An error with a single problem."""
        return cls([Problem(what=what, where=where, remedy=remedy)])


class ConfigError(UserError):
    """The configuration, or a file it names, cannot be used. Raised before anything is started or changed."""


class Refused(UserError):
    """A rule of the practice or of calsync says no to a command, which has changed nothing.

    `code` is stable and names the rule, for programs; the problems say it in words, with what can be done instead.
    """

    def __init__(self, problems: Iterable[Problem], *, code: str = "refused") -> None:
        super().__init__(problems)
        self.code = code


class NotFoundError(CalsyncError):
    """No such thing on the books. `kind` is a word of the product ("appointment"), `key` the id that was asked for."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"There is no {kind} {key!r}.")
        self.kind = kind
        self.key = key


class StartRefusedError(CalsyncError):
    """Going on would be unsafe, whatever the command: the marker key is lost, the database is of a newer release."""
