"""Push channels: watch, the messages, stop (contract sheet 10, 16 row 49). Delivery is a port: tests can hold it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from calsync.sandbox.google import faults
from calsync.sandbox.google.faults import ApiError
from calsync.sandbox.google.state import CalendarState, GoogleState

Json = dict[str, Any]
Deliver = Callable[[str, Mapping[str, str]], int]

LONGEST = timedelta(days=7)


@dataclass(slots=True)
class Channel:
    """One running channel."""

    id: str
    calendar: str
    account: str
    address: str
    resource: str
    token: str | None
    expires_at: datetime
    number: int = 1
    stopped: bool = False


@dataclass(slots=True)
class Channels:
    """All channels. `deliver` sends one POST and returns its status; `dropped`: how many next messages get lost."""

    state: GoogleState
    deliver: Deliver
    channels: dict[str, Channel] = field(default_factory=dict)
    dropped: int = 0
    late_after_stop: bool = False
    sent: list[tuple[str, Mapping[str, str], int]] = field(default_factory=list)
    https_only: bool = False

    def watch(self, account: str, calendar: CalendarState, body: Json) -> Json:
        """Open a channel on a calendar's events."""
        name, address = body.get("id"), body.get("address")
        if not isinstance(name, str) or not 0 < len(name) <= 64:
            raise faults.required("id")
        if name in self.channels:
            raise ApiError(400, "channelIdNotUnique")
        if body.get("type") not in ("web_hook", "webhook") or not isinstance(address, str):
            raise faults.invalid("type")
        if len(body.get("token") or "") > 256:
            raise faults.invalid("token")
        if self.https_only and not address.startswith("https://"):
            raise ApiError(400, "push.webhookUrlUnauthorized")
        channel = Channel(
            id=name,
            calendar=calendar.id,
            account=account,
            address=address,
            resource=hashlib.sha256(f"resource {calendar.id}".encode()).hexdigest()[:27],
            token=body.get("token"),
            expires_at=self._expiry(body),
        )
        self.channels[name] = channel
        self._send(channel, "sync")
        answer = {
            "kind": "api#channel",
            "id": name,
            "resourceId": channel.resource,
            "resourceUri": _uri(channel),
            "expiration": str(_ms(channel.expires_at)),
        }
        return answer if channel.token is None else {**answer, "token": channel.token}

    def _expiry(self, body: Json) -> datetime:
        now = self.state.now()
        wished = [now + LONGEST]
        if "expiration" in body:
            wished.append(datetime.fromtimestamp(int(body["expiration"]) / 1000, UTC))
        ttl = (body.get("params") or {}).get("ttl")
        if ttl is not None:
            wished.append(now + timedelta(seconds=int(ttl)))
        return min(wished)

    def stop(self, account: str, body: Json) -> None:
        """End a channel; only its own account may."""
        channel = self.channels.get(str(body.get("id")))
        if channel is None or channel.resource != body.get("resourceId") or channel.account != account:
            raise faults.not_found()
        if channel.stopped:
            if self.state.knobs.stop_twice == 404:
                raise faults.not_found()
            return
        channel.stopped = True

    def changed(self, calendar: CalendarState) -> None:
        """Tell every live channel of a calendar."""
        now = self.state.now()
        for channel in list(self.channels.values()):
            is_open = channel.expires_at > now and (self.late_after_stop or not channel.stopped)
            if is_open and channel.calendar == calendar.id:
                self._send(channel, "exists")

    def _send(self, channel: Channel, word: str) -> None:
        headers = {
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Message-Number": str(channel.number),
            "X-Goog-Resource-ID": channel.resource,
            "X-Goog-Resource-State": word,
            "X-Goog-Resource-URI": _uri(channel),
            "X-Goog-Channel-Expiration": format_datetime(channel.expires_at.astimezone(UTC), usegmt=True),
        }
        if channel.token is not None:
            headers["X-Goog-Channel-Token"] = channel.token
        channel.number += 7
        if self.dropped:
            self.dropped -= 1
            return
        status = self.deliver(channel.address, headers)
        self.sent.append((channel.id, headers, status))


def _uri(channel: Channel) -> str:
    return f"https://www.googleapis.com/calendar/v3/calendars/{channel.calendar}/events?alt=json"


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
