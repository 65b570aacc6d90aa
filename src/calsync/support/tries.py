"""How often anybody may try to get in, by name and over all. Counted on the books: all web processes count together.

A try is taken before the password is looked at, so that a hundred at the same moment are no more than a hundred in a
row, and given back if it was right. What was used up comes back evenly over a quarter of an hour.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection

from calsync.store import budgets
from calsync.store.budgets import Rate

WRONG_BY_NAME: Final = 10
WRONG_IN_ALL: Final = 60
_PERIOD_S: Final = 15 * 60
_BY_NAME: Final = Rate(WRONG_BY_NAME / _PERIOD_S, WRONG_BY_NAME)
_IN_ALL: Final = Rate(WRONG_IN_ALL / _PERIOD_S, WRONG_IN_ALL)
_ALL: Final = "login"


def take_try(conn: Connection, name: str, now: datetime) -> bool:
    """Take one try for a name, known or not; False if there is none left, for it or for anybody."""
    by_name = budgets.take(conn, _key(name), now, _BY_NAME)
    return by_name is None and budgets.take(conn, _ALL, now, _IN_ALL) is None


def give_back(conn: Connection, name: str) -> None:
    """It was right: the try does not count."""
    budgets.give_back(conn, _key(name))
    budgets.give_back(conn, _ALL)


def _key(name: str) -> str:
    # Names come from strangers: they fill no more than so many rows, and none of them is kept.
    return f"{_ALL}:{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:3]}"
