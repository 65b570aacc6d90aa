"""The envelopes of an X12 file: each whole, between their own separators, and nothing but blanks around them."""

from __future__ import annotations

import io

import pytest

from calsync.claims.batch import x12_stream
from calsync.claims.batch.lines import FileRefused
from calsync.claims.batch.x12_stream import Rest, interchanges, skip_blank
from calsync.claims.reasons import ReasonCode
from tests.unit.claims.batch.sample_world import SAMPLES

ONE = (SAMPLES / "v01-one-claim-one-line.x12").read_text("latin-1").replace("\n", "")
COUNT = ONE.count("~")
ISA = ONE[:106]


def names(text: str) -> list[list[str]]:
    return [[str(one.seg_id) for one in each.segments()] for each in interchanges(io.StringIO(text))]


def refused(text: str) -> tuple[ReasonCode, str]:
    with pytest.raises(FileRefused) as refusal:
        names(text)
    return refusal.value.code, refusal.value.where


def test_each_interchange_is_read_with_its_own_separators_and_from_its_own_beginning() -> None:
    other = ONE.replace("*", "|").replace("~", "!")
    found = names(f"\xef\xbb\xbf \r\n{ONE}\r\n\t {other}{ONE}\n")
    assert [len(one) for one in found] == [COUNT] * 3
    assert found[0] == found[1] == found[2]
    assert (found[0][0], found[0][-1]) == ("ISA", "IEA")


@pytest.mark.parametrize("blanks", [0, 1, 4095, 4096, 4097, 9000])
def test_blanks_between_them_are_nothing_however_many(blanks: int) -> None:
    assert len(names(ONE + " " * blanks + ONE + "\n" * blanks)) == 2
    source = io.StringIO("\t" * blanks + "rest")
    assert skip_blank(" " * blanks, source) + source.read() == "rest"
    assert skip_blank("", io.StringIO("\n" * blanks)) == ""


def test_a_refusal_says_how_far_it_came() -> None:
    assert refused(" \n") == (ReasonCode.FILE_EMPTY, "")
    assert refused(ONE + "more") == (ReasonCode.FILE_UNREADABLE, "interchange 2, segment 1, its head")
    assert refused(ONE.replace("~LX*1", "~~LX*1")) == (ReasonCode.FILE_INCOMPLETE, "interchange 1, segment 24")
    assert refused(ONE + ONE[: ONE.index("GE*")]) == (
        ReasonCode.FILE_INCOMPLETE,
        f"interchange 2, segment {COUNT - 1}",
    )
    assert refused(ONE.replace("SE*26", "SE*27")) == (
        ReasonCode.FILE_COUNTS_WRONG,
        f"interchange 1, segment {COUNT - 1}",
    )
    assert refused(ONE.replace("SE*26*0001~", "SE*26*0001~GE*1*1~SE*1*1~"))[0] is ReasonCode.FILE_COUNTS_WRONG


@pytest.mark.parametrize("bad", ["A", "7", " "])
@pytest.mark.parametrize("mark", ["~", "*", ":"])
def test_separators_are_marks_of_their_own(mark: str, bad: str) -> None:
    place = {"~": 105, "*": 103, ":": 104}[mark]
    text = ONE.replace("*", bad) if mark == "*" else ONE[:place] + bad + ONE[place + 1 :].replace(mark, bad)
    code, where = refused(text)
    assert code in (ReasonCode.FILE_UNREADABLE, ReasonCode.FILE_INCOMPLETE)
    assert where.startswith("interchange 1, segment 1")
    same = ONE[:104] + "~" + ONE[105:]
    assert refused(same) == (ReasonCode.FILE_UNREADABLE, "interchange 1, segment 1, its separators")


def test_there_are_only_so_many_interchanges_and_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x12_stream, "MOST_INTERCHANGES", 2)
    assert len(names(ONE * 2)) == 2
    assert refused(ONE * 3) == (ReasonCode.FILE_UNREADABLE, "more than 2 interchanges")
    monkeypatch.setattr(x12_stream, "MOST_SEGMENTS", COUNT * 2)
    assert len(names(ONE * 2)) == 2
    monkeypatch.setattr(x12_stream, "MOST_SEGMENTS", COUNT * 2 - 1)
    assert refused(ONE * 2) == (ReasonCode.FILE_UNREADABLE, f"more than {COUNT * 2 - 1} segments")


def test_what_is_left_over_comes_before_what_follows() -> None:
    rest = Rest("abc", io.StringIO("defg"))
    assert [rest.read(2), rest.read(2), rest.read(10), rest.read(1)] == ["ab", "cd", "efg", ""]
    assert Rest("ab", Rest("cd", io.StringIO("e"))).read(9) == "abcde"
    exact = io.StringIO("de")
    assert (Rest("abc", exact).read(3), exact.tell()) == ("abc", 0)


@pytest.mark.parametrize("segment", ["1X*1", "lx*1", "L*1", " LX*1", "LX", "TOOLONG*1"])
def test_what_is_no_segment_refuses_the_file(segment: str) -> None:
    assert refused(ONE.replace("~LX*1~", f"~{segment}~")) == (
        ReasonCode.FILE_UNREADABLE,
        "interchange 1, segment 25",
    )


def test_numbers_of_lines_and_levels_are_the_guides_business() -> None:
    assert len(names(ONE.replace("~LX*1~", "~LX*7~").replace("~HL*2*1*", "~HL*9*1*"))[0]) == COUNT


def test_a_trailer_or_a_head_where_none_belongs_refuses_the_file() -> None:
    assert refused(f"{ISA}GE*1*1~{ONE[106:]}") == (ReasonCode.FILE_COUNTS_WRONG, "interchange 1, segment 2")
    assert refused(f"{ISA}ISA*1~{ONE[106:]}") == (ReasonCode.FILE_UNREADABLE, "interchange 1, segment 2")
