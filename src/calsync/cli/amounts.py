"""Amounts of money on the command line. What cannot be read is a usage error (exit 2)."""

from __future__ import annotations

from decimal import Decimal

import click
from pydantic import TypeAdapter, ValidationError

from calsync.settings.lifecycle import Amount

_READ: TypeAdapter[Decimal] = TypeAdapter(Amount)


def read_amount(text: str, option: str) -> Decimal:
    """The amount that an option gives, with two decimals."""
    try:
        return _READ.validate_python(text)
    except ValidationError as problem:
        raise click.UsageError(f"{option}: {text[:40]!r} is no amount of money: write it as 75.00") from problem
