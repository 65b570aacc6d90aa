"""`[mail]` of `practices/*.toml`: which mails a practice's clients and providers get."""

from datetime import timedelta
from typing import Final

from pydantic import Field

from calsync.settings.fields import DurationOrZero, Flag, Section

_A_DAY: Final = timedelta(hours=24)


class PracticeMail(Section):
    """Mails of one practice. What they say is in the templates."""

    clients: Flag = Field(
        True,
        description="Whether clients get mails about sessions that are booked, moved or cancelled with calsync's own "
        "commands and pages. Records that are imported cause none: their platform writes itself.",
    )
    invitations: Flag = Field(
        True,
        description="Whether such a mail also carries the session for the client's own calendar. It asks for no reply.",
    )
    reminder: DurationOrZero = Field(
        _A_DAY,
        description='How long before a session its client is reminded, once; "0s": never. Who books or moves it later '
        "than that is not reminded.",
    )
    day_sheet: Flag = Field(
        True,
        description="Whether a provider gets the day's sessions as a page in the evening, if anything is still open: "
        "nobody has said that a session took place, or an edit waits for an answer.",
    )
