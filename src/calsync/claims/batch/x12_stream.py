"""The segments of an X12 file, read by pyx12, with its envelopes checked.

pyx12 stops without a word at an empty segment and at one that does not end, reads the separators of the first
interchange only, and quotes the file in its messages. So: one reader for each interchange, a look at what it left over,
and never a message of its own in ours.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final, TextIO

import pyx12.errors
from pyx12.segment import Segment
from pyx12.x12file import X12Reader

from calsync.claims.batch.lines import FileRefused
from calsync.claims.reasons import ReasonCode

MOST_SEGMENTS: Final = 2_000_000
MOST_INTERCHANGES: Final = 200

# Also the mark that some editors put before UTF-8, as latin-1 reads its three bytes.
_BLANK: Final = "\xef\xbb\xbf \t\r\n"
_PART: Final = 4096
_ENVELOPE: Final = frozenset({"isa", "gs", "st"})
_UNREADABLE: Final = frozenset({"1", "8"})

# What pyx12 says about a file quotes it; children of this logger would pass a mere `disabled` by.
_chatter = logging.getLogger("pyx12")
_chatter.addHandler(logging.NullHandler())
_chatter.propagate = False


class Rest:
    """What one interchange left over, followed by the rest of the file; as much of a file as pyx12 asks for."""

    closed = False

    def __init__(self, head: str, source: TextIO | Rest) -> None:
        self._head = head
        self._source = source

    def read(self, size: int) -> str:
        """Up to `size` characters; fewer only at the end."""
        head, self._head = self._head[:size], self._head[size:]
        if len(head) < size:
            head += self._source.read(size - len(head))
        return head


class Interchange:
    """One ISA…IEA. Iterate over `segments`; an error in it refuses the whole file."""

    def __init__(self, number: int, source: Rest) -> None:
        self.number = number
        try:
            self.reader = X12Reader(source)
        except pyx12.errors.X12Error:
            raise self.refused(ReasonCode.FILE_UNREADABLE, "its head") from None
        self.count = 0
        self._check_separators()

    def segments(self) -> Iterator[Segment]:
        """Its segments, ISA and IEA included. Raises FileRefused as soon as one cannot be trusted."""
        reader = self.reader
        source = iter(reader)
        while True:
            try:
                segment = next(source, None)
            except IndexError:
                # pyx12 takes a trailer without its header for granted.
                raise self.refused(ReasonCode.FILE_COUNTS_WRONG) from None
            except Exception:  # noqa: BLE001 - whatever it is, its text quotes the file
                raise self.refused(ReasonCode.FILE_UNREADABLE) from None
            if segment is None:
                raise self.refused(ReasonCode.FILE_INCOMPLETE)
            self.count += 1
            if reader.err_list:
                self._check_errors()
            yield segment
            if segment.seg_id == "IEA":
                self._check_end()
                return

    def rest(self) -> str:
        """What was read beyond its end."""
        return str(self.reader.raw.buffer)

    def refused(self, code: ReasonCode, what: str = "") -> FileRefused:
        """The refusal, with the place reached so far."""
        place = f"interchange {self.number}, segment {getattr(self, 'count', 0) + 1}"
        return FileRefused(code, f"{place}, {what}" if what else place)

    def _check_separators(self) -> None:
        one = self.reader
        separators = [one.seg_term, one.ele_term, one.subele_term]
        if len(set(separators)) < 3 or any(not mark or mark.isalnum() or mark == " " for mark in separators):
            raise self.refused(ReasonCode.FILE_UNREADABLE, "its separators")

    def _check_errors(self) -> None:
        for level, code, *_told in self.reader.pop_errors():
            if level in _ENVELOPE:
                raise self.refused(ReasonCode.FILE_COUNTS_WRONG)
            if code in _UNREADABLE:
                raise self.refused(ReasonCode.FILE_UNREADABLE)

    def _check_end(self) -> None:
        self.reader.cleanup()
        if self.reader.pop_errors():
            raise self.refused(ReasonCode.FILE_INCOMPLETE)


def interchanges(file: TextIO) -> Iterator[Interchange]:
    """The interchanges of a file opened as latin-1 with `newline=""`. Read each to its end before the next.

    Raises FileRefused for an empty file, for anything between or after them, and for a file beyond all measure.
    """
    source: TextIO | Rest = file
    head = skip_blank("", file)
    if not head:
        raise FileRefused(ReasonCode.FILE_EMPTY)
    number, count = 0, 0
    while head:
        number += 1
        if number > MOST_INTERCHANGES:
            raise FileRefused(ReasonCode.FILE_UNREADABLE, f"more than {MOST_INTERCHANGES} interchanges")
        source = Rest(head, source)
        one = Interchange(number, source)
        yield one
        count += one.count
        if count > MOST_SEGMENTS:
            raise FileRefused(ReasonCode.FILE_UNREADABLE, f"more than {MOST_SEGMENTS} segments")
        head = skip_blank(one.rest(), source)


def skip_blank(head: str, source: TextIO | Rest) -> str:
    """The head of what follows, without leading blanks; empty at the end of the file."""
    head = head.lstrip(_BLANK)
    while not head:
        part = source.read(_PART)
        if not part:
            return ""
        head = part.lstrip(_BLANK)
    return head
