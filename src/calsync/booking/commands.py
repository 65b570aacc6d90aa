"""The book's commands, as CLI, API, pages and the answers to drags call them: one name for each thing that can be done.

Every command takes the caller's transaction and a `Command` (who, when, why). It changes the record first and owes the
messages in the same transaction; calendars follow from the marks. A refused command raises `calsync.errors.Refused`,
whose code names the rule, and has changed nothing.
"""

from calsync.booking.attendance import Attested, complete, complete_day, record_no_show
from calsync.booking.blocks import add_block, remove_block
from calsync.booking.bookings import Booking, book, book_series
from calsync.booking.cancelling import cancel, cancel_series
from calsync.booking.command import Command, Outcome
from calsync.booking.rescheduling import Move, reschedule

__all__ = [
    "Attested",
    "Booking",
    "Command",
    "Move",
    "Outcome",
    "add_block",
    "book",
    "book_series",
    "cancel",
    "cancel_series",
    "complete",
    "complete_day",
    "record_no_show",
    "remove_block",
    "reschedule",
]
