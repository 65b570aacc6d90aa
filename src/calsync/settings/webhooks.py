"""`[[webhooks]]`: other programs that are told what happened."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from calsync.settings.fields import Duration, Id, SecretFile, Section, Text

EventType = Literal[
    "claim.held",
    "claim.cleared",
    "claim.not-billable",
    "claim.recalled",
    "claim.recall-withdrawn",
    "edit.found",
    "edit.resolved",
    "calendar.state",
    "record.correction-requested",
]
EVENT_TYPES: Final[tuple[str, ...]] = get_args(EventType)
"""What may be told."""


def _check_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("not an address: write https://HOST/PATH") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.fragment or port == 0:
        raise ValueError("not an address: write https://HOST/PATH, without a login and without #")
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        raise ValueError("http is for this machine only: what is told names sessions; write https://")
    return text


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Webhook(Section):
    """One program that is told. Its address is trusted because an admin wrote it here; redirects are not followed."""

    id: Id = Field(examples=["platform"], description="Its name in lists and logs; must not change later.")
    url: Annotated[Text, AfterValidator(_check_address)] = Field(
        examples=["https://platform.example.org/hooks/calsync"],
        description="Where events are posted to, one at a time for each session; https, or http on this machine.",
    )
    secret_file: SecretFile = Field(
        examples=["secrets/platform.webhook"],
        description="File with the secret that signs them (standard-webhooks: `whsec_…`, or any text). Two lines while "
        "it is changed: both sign.",
    )
    events: tuple[EventType, ...] = Field(
        (), examples=[["claim.held", "claim.cleared"]], description="What it is told. Nothing named: everything."
    )
    timeout: Duration = Field(timedelta(seconds=10), description="How long it may take to answer.")
    give_up_after: Duration = Field(
        timedelta(days=3),
        description="How long an event is tried; `calsync webhooks replay` sends it again after that.",
    )
    ca_file: Path | None = Field(
        None, examples=["secrets/ca.pem"], description="Certificates to trust for it; the system's without."
    )

    def wants(self, event_type: str) -> bool:
        """Whether it is told of such events."""
        return not self.events or event_type in self.events
