"""What a connector's author gives to the suite: a calendar to test, a person's hands, and the server's weaknesses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from calsync.connector.protocol import Calendar
from calsync.domain.event import Event
from calsync.testing.edits import Edit


class Weakness(StrEnum):
    """What a server, not a connector, may fall short of. Each needs a reason where it is declared."""

    CREATE_OVERWRITES = "create-overwrites"  # no guard on creates: the newer body stands, and nothing is doubled
    STALE_DELETE = "stale-delete"  # a delete on an old version is carried out
    UPDATE_MAKES_MISSING = "update-makes-missing"  # an update of a removed event creates it
    IDS_RESERVED = "ids-reserved"  # the id of a removed event cannot be used again
    FALSE_CONFLICTS = "false-conflicts"  # a conditional write may be refused without cause; a second try works
    VERSIONS_MOVE = "versions-move"  # a version may move although the content did not
    NO_CALLED_OFF = "no-called-off"  # an event is there or deleted: none stands as called off
    SIMPLE_RULES = (
        "simple-rules"  # some recurrences and zones have no form here: their events are refused, with a reason
    )
    NO_LOCATE = "no-locate"  # the other calendars of the account cannot be searched, or there are none
    NO_EXPIRY = "no-expiry"  # cursors never expire, and none can be spoilt
    NO_PASSWORDS = "no-passwords"  # this subject takes any credentials
    NO_REMOVAL = "no-removal"  # the calendar cannot be taken away
    NO_NONSENSE = "no-nonsense"  # the server refuses every event that cannot be understood
    NO_ACCOUNT_OF_BYTES = "no-account-of-bytes"  # there is no stored form to compare byte for byte


class PersonHands(ABC):
    """A person with another client, who edits the subject's calendar by the service's own means.

    What they save must be what such a client would send: in particular `save` keeps all that it does not change, our
    marker and unknown properties included.
    """

    @abstractmethod
    def count(self) -> int:
        """How many events (not occurrences) the calendar holds."""

    @abstractmethod
    def see(self, remote_id: str) -> Event | None:
        """The event as it stands, None if it is gone."""

    @abstractmethod
    def raw(self, remote_id: str) -> object:
        """The stored form of an event, for comparing it with itself later."""

    @abstractmethod
    def save(self, remote_id: str, change: Edit) -> None:
        """Read an event, change it, and save it over the old one."""

    @abstractmethod
    def add(self, event: Event, *, like: str | None = None) -> str:
        """Add an event and return its remote id; with `like`, as a copy of that one with all its properties."""

    @abstractmethod
    def delete(self, remote_id: str) -> None:
        """Remove an event."""

    @abstractmethod
    def decorate(self, remote_id: str) -> None:
        """Give an event what is the user's own, as much of it as the service has: colour, reminder, note, category."""

    @abstractmethod
    def decorations(self, remote_id: str) -> object:
        """What `decorate` gave, as it stands now; anything that can be compared. Not empty after `decorate`."""

    @abstractmethod
    def strip_marker(self, remote_id: str) -> None:
        """Save an event without our marker, as a client does that drops what it does not know."""

    def spoil(self, remote_id: str) -> None:
        """Save an event in a form that exists and cannot be understood. Not needed with `NO_NONSENSE`."""
        raise AssertionError(f"say how {remote_id} is spoilt, or declare Weakness.NO_NONSENSE with its reason")

    def move_away(self, remote_id: str) -> None:
        """Move an event into another calendar of the account. Not needed with `NO_LOCATE`."""
        raise AssertionError(f"say how {remote_id} is moved away, or declare Weakness.NO_LOCATE with its reason")


class Subject(ABC):
    """One fresh calendar on one server, and the means to make trouble for it."""

    hands: PersonHands
    weaknesses: Mapping[Weakness, str] = MappingProxyType({})

    @abstractmethod
    def open(self) -> Calendar:
        """A client of this subject's calendar; each call gives a new client of the same one."""

    def is_weak(self, weakness: Weakness) -> bool:
        """Whether the server has this weakness; a declared one needs a reason."""
        reason = self.weaknesses.get(weakness)
        assert reason is None or reason, f"say why: {weakness}"
        return reason is not None

    def requests(self, calendar: Calendar) -> int:
        """Requests sent so far through this client: its `requests_made`, unless you count them otherwise."""
        made = getattr(calendar, "requests_made", None)
        assert isinstance(made, int), "give the calendar a requests_made, or override Subject.requests"
        return made

    def settle(self) -> None:  # noqa: B027 - most need not wait
        """Wait until what was done shows in the feed, and what is done next shows as later.

        Called before and after each look. Override where the service needs time for either.
        """

    def expire(self, cursor: str) -> str:
        """Make the service forget a cursor, or return one that it never gave out. Not needed with `NO_EXPIRY`."""
        raise AssertionError(f"say how {cursor} is forgotten, or declare Weakness.NO_EXPIRY with its reason")

    def open_with_wrong_password(self) -> Calendar:
        """A client whose credentials do not work (any more). Not needed with `NO_PASSWORDS`."""
        raise AssertionError("say how a login fails, or declare Weakness.NO_PASSWORDS with its reason")

    def take_away(self) -> None:
        """Remove the whole calendar by the service's own means. Not needed with `NO_REMOVAL`."""
        raise AssertionError("say how a calendar is removed, or declare Weakness.NO_REMOVAL with its reason")

    def close(self) -> None:  # noqa: B027 - most have nothing to clean up
        """Clean up after a check."""
