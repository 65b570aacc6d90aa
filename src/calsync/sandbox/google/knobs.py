"""The switches: where the contract sheet is not sure how Google behaves, both ways can be had."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Exceptions(StrEnum):
    """What becomes of single changes when the master's time or rule changes."""

    KEPT = "kept"  # those whose slot still exists
    RESET = "reset"
    ORPHANED = "orphaned"  # all stay, whether or not their slot still exists


@dataclass(slots=True)
class Knobs:
    """Every switch; the defaults are the more awkward reading. Numbers in brackets: rows of the sheet's section 16."""

    opaque_instance_ids: bool = True  # [31] False: `<master>_<UTC start>`
    one_entity_series: bool = True  # addendum: an edit of one occurrence moves the whole series' etags and re-sends it
    master_reappears: bool = False  # [33] with a version per record: the master comes again beside its exception
    exceptions_on_master_change: Exceptions = Exceptions.KEPT  # [35]
    tombstone_exceptions: bool = True  # [38] exceptions of a deleted master are told as deleted
    bare_tombstones: bool = True  # [19] deleted events in a feed: id and status only
    short_pages: bool = True  # [23] pages hold fewer than asked for
    empty_pages: bool = True  # [23] an empty page stands before each page
    shuffled: bool = True  # [25] rows in an arbitrary but stable order
    lag: int = 0  # [29] a change shows in lists only after so many further requests
    garbage_token_code: int = 400  # [27] 400 or 410
    token_uses_up: bool = False  # [28] a sync token works once only
    no_op_patch_keeps_etag: bool = True  # [12]
    zero_length_events: bool = True  # [9]
    split_by_count: bool = False  # [36] this-and-following in the UI reduces COUNT instead of setting UNTIL
    tail_ids_from_base: bool = False  # [36] instances of a tail carry the first series' name
    put_without_sequence_refused: bool = True  # addendum: a PUT counts as sequence 0
    batch_limit: int = 50  # [47] 50 or 1000
    batch_conflicts: bool = False  # [47] the second write of one event in a batch answers 409
    batch_shuffled: bool = True  # [47] parts are answered in another order
    rate_per_minute: int = 600  # [48] requests of one user
    rate_code: int = 403  # [48] 403 or 429
    stop_twice: int = 404  # [49] the second stop of a channel: 404 or 204
    sync_message_first: bool = True  # [49] the first message comes before the watch's answer
    require_send_updates: bool = True  # [53]
    require_client_ids: bool = True  # [53] an insert without an id is a fault of the test
    trash_refuses: bool = True  # [17] purged: PATCH answers 403; False: it is gone, 404
