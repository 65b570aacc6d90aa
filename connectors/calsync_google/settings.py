"""The connector's keys in the config: `[connectors.google]`, and those of a `[[providers.calendars]]` entry."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

GOOGLE_API = "https://www.googleapis.com/calendar/v3/"
GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"
GOOGLE_CONSENT = "https://accounts.google.com/o/oauth2/v2/auth"


def _is_endpoint(value: str) -> str:
    parts = urlsplit(value)
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("write an address such as https://www.googleapis.com/calendar/v3/")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ValueError("only https is taken, except on this very machine")
    return value


class ConnectorSettings(BaseModel):
    """`[connectors.google]`: how to reach Google, and as whom. One of the two ways of logging in must be complete."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    api_endpoint: str = GOOGLE_API
    """Where the Calendar API lies, with its path; another one is for tests."""
    batch_endpoint: str | None = None
    """Where batches go; None: `/batch/calendar/v3` on the same host."""
    token_uri: str = GOOGLE_TOKENS
    """Where access tokens come from; the one in a service account's key file is not used."""
    auth_uri: str = GOOGLE_CONSENT
    """Where people agree, for `calsync connect google`."""
    service_account_file: Path | None = None
    """Key file (JSON) of a service account with domain-wide delegation; then calendars name a `subject`."""
    client_id: str | None = None
    """The OAuth client under which people agree one by one; then calendars have a `refresh_token_file`."""
    client_secret_file: Path | None = None
    """File with that client's secret: the secret alone, or the JSON that Google's console gives."""
    timeout: timedelta = Field(default=timedelta(seconds=30), gt=timedelta(0), le=timedelta(minutes=10))
    """The longest wait for one part of an answer; a whole answer may take twice that."""
    search_other_calendars: bool = False
    """Ask for the right to list a person's calendars, so that an event moved to another one is found there."""

    @field_validator("api_endpoint", "token_uri", "auth_uri")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        return _is_endpoint(value)

    @field_validator("batch_endpoint")
    @classmethod
    def _is_an_address_if_given(cls, value: str | None) -> str | None:
        return None if value is None else _is_endpoint(value)

    @field_validator("timeout", mode="before")
    @classmethod
    def _is_a_duration(cls, value: object) -> object:
        if isinstance(value, str):
            number, unit = value[:-1], value[-1:]
            if not (number.isascii() and number.isdecimal() and len(number) < 6 and unit in ("s", "m")):
                raise ValueError('write a duration as "30s" or "5m"')
            return timedelta(seconds=int(number) * (60 if unit == "m" else 1))
        return value

    @model_validator(mode="after")
    def _is_one_way(self) -> ConnectorSettings:
        if self.service_account_file is not None and self.client_id is not None:
            raise ValueError("give service_account_file, or client_id with client_secret_file, not both")
        if (self.client_id is None) != (self.client_secret_file is None):
            raise ValueError("client_id and client_secret_file go together")
        return self


class CalendarSettings(BaseModel):
    """The keys of one Google calendar."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    calendar_id: str | None = Field(default=None, min_length=1, max_length=500)
    """An existing calendar (`primary`, or an id), used as it is; None: one of calsync's own is made."""
    subject: str | None = Field(default=None, min_length=3, max_length=320)
    """The person's address, for whom the service account acts."""
    refresh_token_file: Path | None = None
    """File with the person's refresh token; None where it is kept in the database."""
    shared: bool = False
    """The calendar belongs to somebody else and is shared with this account: a wider right is asked for."""
