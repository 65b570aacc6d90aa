"""What is read from an 837P file, line by line: only what stands where the guide wants it, and every doubt with it."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import pytest

from calsync.claims.batch.lines import MOST_LINES, BatchLine, FileRefused
from calsync.claims.batch.x12_claims import read_x12
from calsync.claims.reasons import ReasonCode
from tests.unit.claims.batch.sample_world import SAMPLES

WHOLE = (SAMPLES / "v01-one-claim-one-line.x12").read_text("latin-1").replace("\n", "")
HEAD, _, _TAIL = WHOLE.partition("CLM*")
CLAIM = ["CLM*C-1*150***10:B:1", "NM1*82*1*RIVERA*CASEY****XX*1987654328"]
LINE = ["LX*1", "SV1*HC:90834:95*150*UN*1***1", "DTP*472*D8*20261110", "REF*6R*A-1001"]
SET = HEAD.count("~", HEAD.index("ST*")) + 1
PLACE = "interchange 1, set 0001, claim 1"
GOOD = BatchLine(
    claim=1,
    place=f"{PLACE}, line 1",
    claim_id="C-1",
    line="1",
    stated="A-1001",
    provider="1987654328",
    day=date(2026, 11, 10),
    code="90834",
    where="10",
)


def whole(*segments: str, head: str = HEAD) -> str:
    """A file of one set with these segments behind its heading."""
    body = "".join(f"{one}~" for one in segments)
    return f"{head}{body}SE*{SET + len(segments)}*0001~GE*1*1~IEA*1*000000001~"


def read(*segments: str, head: str = HEAD) -> list[BatchLine]:
    return list(read_x12(io.StringIO(whole(*segments, head=head))))


def one(*segments: str) -> BatchLine:
    (found,) = read(*segments)
    return found


def changed(segments: list[str], old: str, new: str) -> list[str]:
    assert sum(old in one for one in segments) == 1
    return [one.replace(old, new) for one in segments]


def refused(*segments: str, head: str = HEAD) -> tuple[str, str]:
    with pytest.raises(FileRefused) as refusal:
        read(*segments, head=head)
    return str(refusal.value.code), refusal.value.where


def test_a_line_is_read_with_all_that_is_asked_of_it() -> None:
    assert one(*CLAIM, *LINE) == GOOD


def test_claims_are_numbered_through_sets_and_interchanges() -> None:
    twice = whole(*CLAIM, *LINE) * 2
    assert [(one.claim, one.place) for one in read_x12(io.StringIO(twice))] == [
        (1, f"{PLACE}, line 1"),
        (2, "interchange 2, set 0001, claim 2, line 1"),
    ]


def test_each_line_has_its_own_and_what_it_does_not_say_is_the_claims() -> None:
    second = ["LX*2", "SV1*HC:90837*190*UN*1*02**1", "DTP*472*D8*20261112", "NM1*82*1*OTHER*KIM****XX*1000000004"]
    assert read(*CLAIM, *LINE, *second, "CLM*C-2*1***11:B:7", *LINE) == [
        GOOD,
        replace(
            GOOD,
            place=f"{PLACE}, line 2",
            line="2",
            stated=None,
            provider="1000000004",
            day=date(2026, 11, 12),
            code="90837",
            where="02",
        ),
        replace(
            GOOD,
            claim=2,
            place="interchange 1, set 0001, claim 2, line 1",
            claim_id="C-2",
            provider=None,
            where="11",
            frequency="7",
        ),
    ]


@pytest.mark.parametrize(
    ("segment", "provider"),
    [
        ("NM1*82*1*RIVERA*CASEY****XX*1000000004", "1000000004"),
        ("NM1*82*1*RIVERA*CASEY****EI*1000000004", None),
        ("NM1*77*1*RIVERA*CASEY****XX*1000000004", None),
        ("NM1*82*1*RIVERA*CASEY", None),
    ],
)
def test_only_who_rendered_it_is_its_provider(segment: str, provider: str | None) -> None:
    assert one(CLAIM[0], segment, *LINE).provider == provider
    assert one(CLAIM[0], *LINE, segment).provider == provider


def test_who_is_named_outside_a_claim_or_by_another_payer_is_none_of_its_providers() -> None:
    other = "NM1*82*1*OTHER*KIM****XX*1000000004"
    assert one(other, CLAIM[0], *LINE).provider is None
    assert one(CLAIM[0], "SBR*S*18", other, *LINE).provider is None
    assert one(CLAIM[0], "SBR*S*18", *LINE, other).provider == "1000000004"


class TestReferences:
    @pytest.mark.parametrize(
        ("segments", "stated", "problems"),
        [
            (["REF*6R*A-1"], "A-1", ()),
            (["REF*6R*A-1", "REF*6R*A-1"], None, (ReasonCode.AMBIGUOUS_MATCH,)),
            (["REF*F8*A-1"], None, ()),
            (["REF*6R"], None, ()),
            ([], None, ()),
        ],
    )
    def test_a_line_names_its_appointment_once(
        self, segments: list[str], stated: str | None, problems: tuple[ReasonCode, ...]
    ) -> None:
        found = one(*CLAIM, *LINE[:3], *segments)
        assert (found.stated, found.problems, found.control) == (stated, problems, None)

    @pytest.mark.parametrize(
        ("segments", "control"),
        [
            (["REF*F8*ICN-1"], "ICN-1"),
            (["REF*6R*ICN-1"], None),
            (["REF*F8*ICN-1", "SBR*S*18", "REF*F8*ICN-2"], "ICN-1"),
            (["SBR*S*18", "REF*F8*ICN-2"], None),
        ],
    )
    def test_a_correction_names_the_number_that_the_payer_gave(self, segments: list[str], control: str | None) -> None:
        found = one("CLM*C-1*150***10:B:7", *segments, *LINE)
        assert (found.control, found.frequency, found.problems, found.stated) == (control, "7", (), "A-1001")

    @pytest.mark.parametrize(("frequency", "problems"), [("1", ()), ("7", (ReasonCode.CORRECTION_REFERENCE_MISMATCH,))])
    def test_two_such_numbers_are_a_doubt_of_a_correction(
        self, frequency: str, problems: tuple[ReasonCode, ...]
    ) -> None:
        found = one(f"CLM*C-1*150***10:B:{frequency}", "REF*F8*ICN-1", "REF*F8*ICN-2", *LINE)
        assert (found.control, found.problems) == ("ICN-1", problems)

    def test_what_stands_before_the_first_claim_belongs_to_none(self) -> None:
        before = ["REF*F8*ICN-1", "DTP*472*D8*20261225", "DTP*434*D8*20261225", "SBR*P*18"]
        assert one(*before, *CLAIM, *LINE) == GOOD


class TestDates:
    @pytest.mark.parametrize(
        ("segment", "day", "problem"),
        [
            ("DTP*472*D8*20261110", date(2026, 11, 10), None),
            ("DTP*472*RD8*20261110-20261110", date(2026, 11, 10), None),
            ("DTP*472*RD8*20261110-20261111", None, "date-range-not-single"),
            ("DTP*472*RD8*20261111-20261110", None, "date-unreadable"),
            ("DTP*472*RD8*20261110", None, "date-unreadable"),
            ("DTP*472*RD8*20261110-20261110*1", None, "date-unreadable"),
            ("DTP*472*D8*20261110*1", None, "date-unreadable"),
            ("DTP*472*TM*20261110", None, "date-unreadable"),
            ("DTP*472*DTR*20261110-20261110", None, "date-unreadable"),
            ("DTP*472*D8", None, "date-unreadable"),
            ("DTP* 472*D8*20261110", date(2026, 11, 10), None),
            ("DTP*573*D8*20261110", None, "date-missing"),
        ],
    )
    def test_one_day_in_the_guides_own_writing(self, segment: str, day: date | None, problem: str | None) -> None:
        found = one(*CLAIM, *changed(LINE, LINE[2], segment))
        assert (found.day, found.problems) == (day, () if problem is None else (ReasonCode(problem),))

    def test_two_are_a_doubt_the_same_one_twice_too(self) -> None:
        assert one(*CLAIM, *LINE, LINE[2]).problems == (ReasonCode.DATE_REPEATED,)
        assert one(*CLAIM, LINE[2], LINE[2], *LINE).problems == ()
        assert one(*CLAIM, LINE[2], "DTP*472*D8*20261111", *LINE).problems == (ReasonCode.DATE_REPEATED,)

    def test_a_day_that_cannot_be_read_is_told_as_that_beside_a_period_of_the_claim(self) -> None:
        line = changed(LINE, "*D8*20261110", "*D8*november")
        assert one(*CLAIM, "DTP*434*RD8*20261101-20261130", *line).problems == (ReasonCode.DATE_UNREADABLE,)


@pytest.mark.parametrize(
    ("claim", "line", "problems"),
    [
        (CLAIM, LINE, ()),
        (CLAIM, changed(LINE, "*UN*1*", "***"), ()),
        (CLAIM, changed(LINE, "*UN*1*", "**1*"), ()),
        (CLAIM, changed(LINE, "*UN*1*", "*MJ*50*"), (ReasonCode.CLAIM_UNREADABLE,)),
        (changed(CLAIM, ":B:1", ":B:6"), LINE, (ReasonCode.CLAIM_UNREADABLE,)),
        (changed(CLAIM, ":B:1", ""), LINE, (ReasonCode.CLAIM_UNREADABLE,)),
        (CLAIM, changed(LINE, "HC:90834:95", "HC"), (ReasonCode.CLAIM_UNREADABLE,)),
        (CLAIM, [LINE[0], *LINE[2:]], (ReasonCode.CLAIM_UNREADABLE,)),
        (CLAIM, [*LINE, LINE[1]], (ReasonCode.CLAIM_UNREADABLE,)),
        (CLAIM, [LINE[0], LINE[3]], (ReasonCode.DATE_MISSING, ReasonCode.CLAIM_UNREADABLE)),
    ],
)
def test_a_line_has_one_service_with_a_code_and_a_frequency_that_is_known(
    claim: list[str], line: list[str], problems: tuple[ReasonCode, ...]
) -> None:
    found = one(*claim, *line)
    assert (found.problems, found.frequency) == (problems, "1")


def test_a_claim_without_lines_is_held_as_one() -> None:
    first, second = read(*CLAIM, "CLM*C-2*1***11:B:1", *LINE)
    assert first == BatchLine(
        claim=1,
        place=PLACE,
        claim_id="C-1",
        provider="1987654328",
        where="10",
        problems=(ReasonCode.CLAIM_UNREADABLE,),
    )
    assert (second.claim, second.problems) == (2, ())


def test_a_claim_ends_where_the_next_patient_begins() -> None:
    lines = read(
        *CLAIM, *LINE, "HL*3*1*22*0", "NM1*82*1*OTHER*KIM****XX*1000000004", "REF*6R*A-9", "CLM*C-2*1***11:B:1"
    )
    assert [(one.claim, one.stated, one.provider) for one in lines] == [(1, "A-1001", "1987654328"), (2, None, None)]


def test_a_claim_may_have_many_lines_but_not_more_than_any_claim_has() -> None:
    lines = [one for number in range(MOST_LINES) for one in changed(LINE, "LX*1", f"LX*{number + 1}")]
    assert len(read(*CLAIM, *lines)) == MOST_LINES
    assert refused(*CLAIM, *lines, *LINE)[0] == "file-unreadable"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("GS*HC*", "GS*HN*", "file-not-837p"),
        ("ST*837*", "ST*835*", "file-not-837p"),
        ("ST*837*0001*005010X222A1", "ST*837*0001*005010X223A2", "file-not-837p"),
        ("*X*005010X222A1~ST", "*X*005010X223A2~ST", "file-not-837p"),
        ("ST*837*0001*005010X222A1", "ST*837*0001", None),
        ("ST*837*0001*005010X222A1", "ST*837*0001*005010X222", None),
    ],
)
def test_only_professional_claims_of_this_guide_are_read(old: str, new: str, code: str | None) -> None:
    head = HEAD.replace(old, new)
    assert head != HEAD
    if code is None:
        assert read(*CLAIM, *LINE, head=head) == [GOOD]
    else:
        assert refused(*CLAIM, *LINE, head=head)[0] == code


def test_what_stands_nowhere_refuses_the_file_and_says_where() -> None:
    place = "interchange 1, segment "
    assert refused() == ("file-no-claims", "")
    assert refused(*LINE) == ("file-unreadable", f"{place}{SET + 3}")
    assert refused(*CLAIM, *LINE[1:]) == ("file-unreadable", f"{place}{SET + 5}")
    assert refused(*CLAIM, *LINE, "SV2*0900*HC:90834")[0] == "file-not-837p"
    assert refused(*CLAIM, *LINE, "SV3*AD:D0120")[0] == "file-not-837p"
    for outside in (
        whole(*CLAIM, *LINE).replace("GE*1*1~", "CLM*C-2*1***11:B:1~GE*1*1~"),
        whole(*CLAIM, *LINE).replace("~ST*", "~CLM*C-2*1***11:B:1~ST*"),
    ):
        with pytest.raises(FileRefused) as refusal:
            list(read_x12(io.StringIO(outside)))
        assert refusal.value.code is ReasonCode.FILE_UNREADABLE


def test_blanks_are_no_file() -> None:
    with pytest.raises(FileRefused) as refusal:
        list(read_x12(io.StringIO(" \r\n\t ")))
    assert refusal.value.code is ReasonCode.FILE_EMPTY
