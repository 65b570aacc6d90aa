"""An 837P file with some of its claims: what belongs to the others goes, and every number counts what is there."""

from __future__ import annotations

import io

from calsync.claims.batch.x12_claims import read_x12
from calsync.claims.batch.x12_cleared import write_x12
from tests.unit.claims.batch.sample_world import SAMPLES

WHOLE = (SAMPLES / "v01-one-claim-one-line.x12").read_text("latin-1").replace("\n", "")
ISA = WHOLE[: WHOLE.index("GS*")]
GS, ST = "GS*HC*A*B*20261120*0930*{}*X*005010X222A1", "ST*837*{:04}*005010X222A1"


def claim(number: int) -> list[str]:
    return [f"CLM*C-{number}*1***11:B:1", "LX*1", "SV1*HC:90834*1*UN*1***1", "DTP*472*D8*20261110"]


def group(number: int, *sets: list[str]) -> list[str]:
    inside = [
        one
        for place, body in enumerate(sets, 1)
        for one in (ST.format(place), "BHT*0019", *body, f"SE*{len(body) + 3}*{place:04}")
    ]
    return [GS.format(number), *inside, f"GE*{len(sets)}*{number}"]


def interchange(*groups: list[str], isa: str = ISA) -> str:
    body = [one for group in groups for one in group]
    return isa + "".join(f"{one}~" for one in (*body, f"IEA*{len(groups)}*000000001"))


def kept(text: str, *claims: int) -> str:
    target = io.StringIO()
    write_x12(io.StringIO(text), target, lambda number: number in claims)
    return target.getvalue()


def heads(text: str, *names: str) -> list[str]:
    return [one for one in text.replace("\n", "").split("~") if one.split("*")[0] in names]


PRACTICE, OTHER_PRACTICE = ["HL*1**20*1", "NM1*85*2*ONE"], ["HL*5**20*1", "NM1*85*2*OTHER"]


def test_sets_and_groups_without_claims_go_and_the_trailers_count_the_rest() -> None:
    text = interchange(group(1, claim(1), claim(2)), group(2, claim(3)), group(3, claim(4), claim(5), claim(6)))
    assert kept(text, 1, 2, 3, 4, 5, 6) == text
    assert kept(text, 4, 6) == interchange(
        [
            GS.format(3),
            *(ST.format(1), "BHT*0019", *claim(4), "SE*7*0001"),
            *(ST.format(3), "BHT*0019", *claim(6), "SE*7*0003"),
            "GE*2*3",
        ]
    )
    assert heads(kept(text, 2, 3), "GS", "GE", "ST", "CLM", "IEA") == [
        *(GS.format(1), ST.format(2), "CLM*C-2*1***11:B:1", "GE*1*1"),
        *(GS.format(2), ST.format(1), "CLM*C-3*1***11:B:1", "GE*1*2"),
        "IEA*2*000000001",
    ]


def test_each_interchange_counts_for_itself() -> None:
    text = interchange(group(1, claim(1)), group(2, claim(2))) + interchange(group(1, claim(3)), group(2, claim(4)))
    assert kept(text, 4) == interchange(group(2, claim(4)))
    assert heads(kept(text, 1, 3, 4), "IEA") == ["IEA*1*000000001", "IEA*2*000000001"]


def test_levels_go_with_their_claims_and_the_rest_is_numbered_anew() -> None:
    body = [
        *PRACTICE,
        *("HL*2*1*22*0", "NM1*IL*1*ADA", *claim(1)),
        *("HL*3*1*22*1", "NM1*IL*1*BEN", *claim(2), "HL*4*3*23*0", "NM1*QC*1*CAL", *claim(3), *claim(4)),
        *OTHER_PRACTICE,
        *("HL*6*5*22*0", "NM1*IL*1*DEE", *claim(5)),
    ]
    text = interchange(group(1, body))
    assert kept(text, 1, 2, 3, 4, 5) == text
    assert heads(kept(text, 4), "HL", "NM1", "CLM") == [
        *PRACTICE, "HL*2*1*22*1", "NM1*IL*1*BEN", "HL*3*2*23*0", "NM1*QC*1*CAL", "CLM*C-4*1***11:B:1",
    ]  # fmt: skip
    assert heads(kept(text, 2), "HL", "NM1", "CLM") == [
        *PRACTICE, "HL*2*1*22*0", "NM1*IL*1*BEN", "CLM*C-2*1***11:B:1",
    ]  # fmt: skip
    assert heads(kept(text, 1, 5), "HL", "NM1", "CLM") == [
        *PRACTICE, "HL*2*1*22*0", "NM1*IL*1*ADA", "CLM*C-1*1***11:B:1",
        "HL*3**20*1", OTHER_PRACTICE[1], "HL*4*3*22*0", "NM1*IL*1*DEE", "CLM*C-5*1***11:B:1",
    ]  # fmt: skip
    assert [one.claim_id for one in read_x12(io.StringIO(kept(text, 1, 4)))] == ["C-1", "C-4"]


def test_levels_of_another_set_are_its_own() -> None:
    body = [*PRACTICE, "HL*2*1*22*0", *claim(1)], [*PRACTICE, "HL*2*1*22*0", *claim(2), "HL*3*1*22*0", *claim(3)]
    text = interchange(group(1, *body))
    assert heads(kept(text, 1, 3), "HL", "CLM") == [
        *("HL*1**20*1", "HL*2*1*22*0", "CLM*C-1*1***11:B:1"),
        *("HL*1**20*1", "HL*2*1*22*0", "CLM*C-3*1***11:B:1"),
    ]
    assert heads(kept(text, 3), "HL") == ["HL*1**20*1", "HL*2*1*22*0"]


def test_short_levels_and_sets_without_levels_stay_as_they_are() -> None:
    text = interchange(group(1, ["HL*1", *claim(1)], [*claim(2)], ["HL*7*9*22", *claim(3)]))
    assert kept(text, 1, 2, 3) == text.replace("HL*7*9", "HL*1*9")
    for short in ("HL*6*5", "HL*6*5**0"):
        one = interchange(group(1, [*PRACTICE, *claim(1), *OTHER_PRACTICE, short, *claim(2)]))
        assert heads(kept(one, 2), "HL") == ["HL*1**20*1", short.replace("6*5", "2*1")]


def test_lines_end_as_they_did_and_separators_are_those_of_each_interchange() -> None:
    one = interchange(group(1, claim(1), claim(2)))
    for end in ("\n", "\r\n", "\r"):
        lines = one.replace("~", f"~{end}")
        assert kept(lines, 1, 2) == lines
        assert heads(kept(lines, 2).replace("\r", "\n"), "SE") == ["SE*7*0002"]
    newline = one.replace("~", "\n")
    assert kept(newline, 1, 2) == newline
    assert kept(one.replace("~", "\r\n"), 1, 2) == one.replace("~", "\r")
    other = one.replace("*", "|").replace("~", "!")
    assert kept(one + other, 1, 2, 3, 4) == one + other
    spaced = one.replace("~LX", "~  LX")
    assert kept(spaced, 1, 2) == one


def test_what_stands_before_the_first_set_stays_whatever_goes() -> None:
    text = interchange(group(1, claim(1), claim(2))).replace("~GS*", "~TA1*000000001~GS*")
    assert heads(kept(text, 1), "TA1", "CLM") == ["TA1*000000001", "CLM*C-1*1***11:B:1"]


def test_nothing_is_written_of_a_file_of_which_nothing_stays() -> None:
    assert kept(interchange(group(1, claim(1)))) == ""
