"""The connector's keys in the config: `[connectors.outlook]`, and those of a `[[providers.calendars]]` entry."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

GRAPH = "https://graph.microsoft.com/v1.0"
ENTRA = "https://login.microsoftonline.com"
_SHARED_TENANTS = {"common", "organizations", "consumers"}
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_DURATION = re.compile(r"([1-9][0-9]{0,4})(s|m)")


class ConnectorSettings(BaseModel):
    """`[connectors.outlook]`: the application's registration, and where Graph and Entra are (other clouds differ)."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    graph_url: str = GRAPH
    """Root of the Graph API with its version; national clouds have their own."""
    authority: str = ENTRA
    """Where tokens come from, without the tenant."""
    tenant: str = "common"
    """The directory's id or domain; `common` only where people log in one by one."""
    client_id: str | None = None
    """The application's id in Entra."""
    client_secret_file: Path | None = None
    """File with the application's secret."""
    certificate_file: Path | None = None
    """File (PEM) with the application's private key and its certificate, instead of a secret."""
    ca_file: Path | None = None
    """File of certificates (PEM) that are trusted instead of the system's."""
    timeout: timedelta = Field(default=timedelta(seconds=60), gt=timedelta(0), le=timedelta(minutes=10))
    """The longest that one request may take in all."""

    @field_validator("graph_url", "authority")
    @classmethod
    def _is_https(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"write an https address such as {GRAPH}")
        return value.rstrip("/")

    @field_validator("tenant")
    @classmethod
    def _is_a_tenant(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("write the directory's id or domain")
        return value

    @field_validator("timeout", mode="before")
    @classmethod
    def _is_a_duration(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = _DURATION.fullmatch(value)
        if found is None:
            raise ValueError('write a duration as "30s" or "5m"')
        return timedelta(seconds=int(found[1]) * (60 if found[2] == "m" else 1))

    @model_validator(mode="after")
    def _has_one_credential(self) -> ConnectorSettings:
        if self.client_secret_file is not None and self.certificate_file is not None:
            raise ValueError("give client_secret_file or certificate_file, not both")
        if self.client_id is None and (self.client_secret_file or self.certificate_file):
            raise ValueError("client_id is wanted beside the secret or certificate")
        return self

    @property
    def is_for_one_tenant(self) -> bool:
        """Whether an application can log in as itself."""
        return self.tenant.lower() not in _SHARED_TENANTS


class CalendarSettings(BaseModel):
    """The keys of one Outlook calendar."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    user: str | None = Field(default=None, min_length=1, max_length=320)
    """The mailbox: its id (which survives a rename) or its user principal name; needed unless a person logged in."""
    calendar_id: str | None = Field(default=None, min_length=1, max_length=1000)
    """An existing calendar's id; None: the default calendar, or with placement = "dedicated" one of calsync's own."""
    refresh_token_file: Path | None = None
    """File with the refresh token of a person who logged in; calsync keeps it up to date. None: the application."""
