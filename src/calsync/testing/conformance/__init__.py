"""The conformance suite: what every connector must do, against every server it is meant for.

A connector's author writes one test file:

    class MySubject(Subject):
        def __init__(self) -> None:
            self.hands = MyHands(...)          # a person with a client of their own, by the service's own means
        def open(self) -> Calendar: ...        # a client of one fresh, empty calendar

    class TestMyConnector(CalendarConformance):
        def make_subject(self) -> Subject:
            return MySubject()

and names what the *server* cannot do in `weaknesses`, each with its reason; a check then holds it to what is left.
For readable failures call `pytest.register_assert_rewrite("calsync.testing.conformance")` in a conftest.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import pytest

from calsync.testing.conformance.bench import Bench
from calsync.testing.conformance.failures import FailureChecks
from calsync.testing.conformance.feed import FeedChecks
from calsync.testing.conformance.people import PeopleChecks
from calsync.testing.conformance.subject import PersonHands, Subject, Weakness
from calsync.testing.conformance.users_fields import UsersFieldChecks
from calsync.testing.conformance.writing import WritingChecks

__all__ = ["Bench", "CalendarConformance", "PersonHands", "Subject", "Weakness"]


class CalendarConformance(WritingChecks, UsersFieldChecks, FeedChecks, PeopleChecks, FailureChecks, ABC):
    """All checks. Subclass it in a test file and say how to make the subject."""

    @abstractmethod
    def make_subject(self) -> Subject:
        """Return a subject with a calendar of its own, fresh and empty. Called for each check."""

    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        """The subject of one check, on the bench; closed afterwards."""
        subject = self.make_subject()
        bench = Bench(subject)
        try:
            yield bench
        finally:
            bench.calendar.close()
            subject.close()
