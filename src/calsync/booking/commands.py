"""The book's commands, as CLI, API, pages and the answers to drags call them: one name for each thing that can be done.

Every command takes the caller's transaction and a `Command` (who, when, why, by which rules). It changes the record
first and owes the messages in the same transaction; calendars follow from the marks. A refused command raises
`calsync.errors.Refused`, whose code names the rule, and has changed nothing.
"""

from calsync.booking.attendance import Attested, complete, complete_day, record_no_show
from calsync.booking.blocks import add_block, remove_block
from calsync.booking.bookings import Booking, book, book_series
from calsync.booking.cancelling import cancel, cancel_series
from calsync.booking.charges import add_package, change_fee, record_payment
from calsync.booking.command import Command, Outcome
from calsync.booking.conditions import Cancellation
from calsync.booking.confirming import confirm
from calsync.booking.pausing import pause, resume
from calsync.booking.requests import Ask, ask_to_reschedule, respond
from calsync.booking.rescheduling import Move, reschedule
from calsync.booking.rulebook import Rulebook

__all__ = [
    "Ask",
    "Attested",
    "Booking",
    "Cancellation",
    "Command",
    "Move",
    "Outcome",
    "Rulebook",
    "add_block",
    "add_package",
    "ask_to_reschedule",
    "book",
    "book_series",
    "cancel",
    "cancel_series",
    "change_fee",
    "complete",
    "complete_day",
    "confirm",
    "pause",
    "record_no_show",
    "record_payment",
    "remove_block",
    "reschedule",
    "respond",
    "resume",
]
