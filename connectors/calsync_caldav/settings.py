"""The connector's keys in the config: `[connectors.caldav]`, and those of a `[[providers.calendars]]` entry."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from calsync_caldav.guard import AddressRefused, networks, origin_of
from calsync_caldav.service_records import domain_of

_DURATION = re.compile(r"([1-9][0-9]{0,5})(s|m|h)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _DURATION.fullmatch(value)
    if found is None:
        raise ValueError('write a duration as "30s", "5m" or "1h"')
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


class ConnectorSettings(BaseModel):
    """`[connectors.caldav]`: how to talk to all CalDAV servers."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    verify_tls: bool = True
    """Check the server's certificate. Turning it off lets anyone on the way read and change calendars."""
    ca_file: Path | None = None
    """File of certificates (PEM) that are trusted instead of the system's; None: the system's."""
    timeout: Annotated[timedelta, BeforeValidator(_duration)] = Field(
        default=timedelta(seconds=30), gt=timedelta(0), le=timedelta(minutes=10)
    )
    """The longest that one request may take in all, from connecting to the last byte."""
    allow_networks: tuple[str, ...] = ()
    """Private networks that calendar servers may be in although a URL was not written by the admin.

    Only to them, and on this very machine, is a password sent without TLS.
    """

    @field_validator("allow_networks")
    @classmethod
    def _networks_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        networks(value)
        return value


class CalendarSettings(BaseModel):
    """The keys of one CalDAV calendar."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    url: str
    """A calendar (used as it is), or a principal, calendar home or server root (a calendar of our own is made).

    A mail address stands for the service that its domain names in DNS (RFC 6764).
    """
    username: str = Field(min_length=1)
    password_file: Path | None = None
    """File that holds the password; None where it is kept in the database."""

    @field_validator("url")
    @classmethod
    def _is_a_web_address(cls, value: str) -> str:
        if domain_of(value) is not None:
            return value.strip()
        try:
            origin_of(value)
        except AddressRefused as refusal:
            raise ValueError(str(refusal)) from refusal
        return value
