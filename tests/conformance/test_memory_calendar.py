"""The calendars in memory keep the protocol's promises, whatever their personality."""

from calsync.testing.conformance import CalendarConformance, Subject
from calsync.testing.memory_subject import MemorySubject
from calsync.testing.personality import CALDAV_CTAG, CALDAV_SOGO, CALDAV_SYNC, GOOGLE, GRAPH, NASTY


class TestCaldavSync(CalendarConformance):
    def make_subject(self) -> Subject:
        return MemorySubject(CALDAV_SYNC)


class TestCaldavCtag(CalendarConformance):
    def make_subject(self) -> Subject:
        return MemorySubject(CALDAV_CTAG)


class TestCaldavSogo(CalendarConformance):
    def make_subject(self) -> Subject:
        return MemorySubject(CALDAV_SOGO)


class TestGoogle(CalendarConformance):
    def make_subject(self) -> Subject:
        return MemorySubject(GOOGLE)


class TestGraph(CalendarConformance):
    def make_subject(self) -> Subject:
        return MemorySubject(GRAPH)


class TestNasty(CalendarConformance):
    def make_subject(self) -> Subject:
        return MemorySubject(NASTY)
