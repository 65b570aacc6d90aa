"""The VTIMEZONE that we send, read back by somebody who believes nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest

from calsync_caldav.ics_text import serialise
from calsync_caldav.zones import definition_of

ZONES = (
    "America/New_York",
    "America/Phoenix",
    "Europe/Berlin",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
)


@pytest.mark.parametrize("name", ZONES)
def test_a_reader_of_the_definition_alone_sees_the_right_offsets_for_ten_years(name: str) -> None:
    # Under a made-up name, so that no reader can know better.
    text = serialise(definition_of(name, 2026)).decode().replace(f"TZID:{name}", "TZID:made-up")
    calendar = icalendar.Calendar.from_ical(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{text}END:VCALENDAR\r\n")
    [definition] = calendar.walk("VTIMEZONE")
    assert isinstance(definition, icalendar.Timezone)
    zone = definition.to_tz(lookup_tzid=False)
    for day in range(0, 3650, 5):
        wall = datetime(2026, 1, 2, 10) + timedelta(days=day)
        assert wall.replace(tzinfo=zone).utcoffset() == wall.replace(tzinfo=ZoneInfo(name)).utcoffset(), wall


@pytest.mark.parametrize("name", ZONES)
def test_no_list_of_dates_is_sent_that_a_server_may_cut_short(name: str) -> None:
    assert "RDATE" not in serialise(definition_of(name, 2026)).decode()
