"""JSON as nobody should send it is refused as a whole; texts become fit for databases."""

from __future__ import annotations

import pytest

from calsync.connector.strict_json import BadJson, parse, text_of


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a": NaN}', "not-a-number"),
        (b'{"a": -Infinity}', "not-a-number"),
        (b'{"a": 1e999}', "not-finite"),
        (b'{"a": ' + b"9" * 5000 + b"}", "long-number"),
        (b"[" * 100_000, "too-deep"),
        (b'{"a":1,"a":2}', "doubled-key"),
        (b'{"b":{"a":1,"a":1}}', "doubled-key"),
        (b"<html>", "not-json"),
        (b'{"a":', "not-json"),
        (b"\xff\xfe{\x00}\x00", "not-json"),
        (b'{"a": "\xff"}', "not-json"),
        (b"", "not-json"),
        (b"[" + b"{}," * 500_000 + b"{}]", "too-many-values"),
        (b'["' + b'ab","' * 500_000 + b'"]', "too-many-values"),
    ],
)
def test_json_that_is_none_is_refused_by_its_rule(body: bytes, reason: str) -> None:
    with pytest.raises(BadJson) as told:
        parse(body)
    assert told.value.reason == reason


def test_sound_json_is_read() -> None:
    assert parse(b'{"a": [1, 2.5, null, true, "\xc3\xa9"]}') == {"a": [1, 2.5, None, True, "é"]}
    assert parse("[]") == []


def test_a_long_text_is_one_value_however_it_is_written() -> None:
    body = b'{"a": "' + b'[{,\\"' * 400_000 + b'"}'
    assert len(parse(body)["a"]) == 4 * 400_000


def test_texts_become_fit_for_databases() -> None:
    assert text_of(parse(rb'"a\ud800b\u0000"')) == "a\ufffdb\ufffd"
    assert text_of("🙂") == "🙂"
    assert text_of(7) == ""
