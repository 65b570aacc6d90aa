"""What a write does to an event, and why it is owed. Values only."""

from __future__ import annotations

from enum import StrEnum


class WriteKind(StrEnum):
    """What a write does to an event."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Cause(StrEnum):
    """Why a write is owed."""

    RECORD = "record"  # the record changed
    REVERT = "revert"  # an edit is put back
    COPY = "copy"  # a copy with our marker is taken away
    RESTORE = "restore"  # a person said: write the expected event again
    PURGE = "purge"  # a person said: take our events out
