"""The switches of the stand-in: where the contract sheet is unsure, both readings can be had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class SeriesRows(StrEnum):
    """How a change inside a series shows in a delta round (sheet 6.5)."""

    BOTH = "both"  # rows or tombstones of the occurrences, and a row of the master
    MASTER_ONLY = "master-only"  # a row of the master, and nothing of its occurrences
    INSTANCES_ONLY = "instances-only"  # rows or tombstones of the occurrences; masters never show


@dataclass(slots=True)
class Knobs:
    """All switches. The defaults are what the sheet holds for most likely."""

    series_rows: SeriesRows = SeriesRows.BOTH
    replays: bool = False  # every delta row comes twice
    empty_pages: bool = False  # an empty page with a nextLink stands before the rows
    lag: timedelta = timedelta(0)  # a write shows in delta only after so long
    page_size: int = 50
    kept_tokens: int = 400  # older delta tokens are forgotten
    expired_code: str = "SyncStateNotFound"
    expired_status: int = 410
    government: bool = False  # no cancelledOccurrences, no exceptionOccurrences, no proposedNewTime
    honours_if_match: bool = True
    master_patch_drops_exceptions: bool = True
    rebuild_returns_deleted: bool = True  # a new recurrence brings deleted occurrences back
    exception_moves_master_key: bool = True  # a change of one occurrence gives the master a new changeKey, too
    remembers_deleted_transactions: bool = True  # a transactionId of a deleted event stays taken
    calendar_id_changes_after_create: bool = False  # the id in the POST's answer is not the one that is listed
    touches_after_create: bool = False  # one more revision follows each create at once
    deleted_again: int = 404  # status of a second DELETE
    mailbox_missing_code: str = "MailboxNotEnabledForRESTAPI"
    concurrency: int = 4
    longest_subscription: timedelta = timedelta(minutes=4230)
    duplicate_notifications: bool = True
