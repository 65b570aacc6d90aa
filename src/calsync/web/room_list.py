"""What each kind of link is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from calsync.booking.booking_links import BOOK
from calsync.notices.answer_links import ANSWER_EDIT, CHOOSE, DAY_SHEET, MANAGE
from calsync.web.client_booking import BooksSessions, ChoosesTimes
from calsync.web.client_pages import ManagesSessions
from calsync.web.day_page import FillsDaySheet
from calsync.web.edit_pages import AnswersEdits
from calsync.web.visit import Room

ROOMS: Final[Mapping[str, Room]] = {
    ANSWER_EDIT: AnswersEdits(),
    MANAGE: ManagesSessions(),
    CHOOSE: ChoosesTimes(),
    BOOK: BooksSessions(),
    DAY_SHEET: FillsDaySheet(),
}
"""The room of each kind of link under `/a/`."""
