"""What a practice's file may say of bookings, and what is told to whoever wrote it otherwise."""

import tomllib
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from calsync.errors import ConfigError
from calsync.settings import load
from calsync.settings.practice import Practice
from tests.unit.settings.configs import CONNECTORS, write_config

SHIPPED = Path(__file__).parents[3] / "config" / "practices"


def problem(tmp_path: Path, text: str) -> str:
    config = write_config(tmp_path)
    (tmp_path / "practices").mkdir()
    (tmp_path / "practices" / "own.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(config, CONNECTORS)
    assert "own.toml" in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_practices_load(path: Path) -> None:
    Practice.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def test_no_practice_is_known_to_the_code() -> None:
    names = [path.stem for path in SHIPPED.glob("*.toml") if path.stem != "default"]
    assert len(names) == 3
    words = {name for stem in names for name in (stem, stem.replace("-", " "), stem.replace("-", "_"))}
    source = SHIPPED.parents[1] / "src" / "calsync"
    for path in source.rglob("*.py"):
        text = path.read_text(encoding="utf-8").casefold()
        assert [word for word in words if word in text] == [], path


def test_the_default_restricts_nothing() -> None:
    plain = Practice()
    assert (plain.cancel.client_notice, plain.fees.late_cancellation, plain.drift.adopt) == (timedelta(0), None, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[fees]\nno_show = "seventy"', "not an amount of money"),
        ('[fees]\nno_show = "7.005"', "not an amount of money"),
        ('[fees]\nno_show = "-1"', "not an amount of money"),
        ("[fees]\nno_show = true", "not an amount of money"),
        ('[fees]\ncurrency = "dollars"', "currency"),
        ('[cancel]\nby = ["patient"]', "provider"),
        ('[cancel]\nclient_notice = "24"', "not a duration"),
        ('[cancel]\nclient_notise = "24h"', 'Did you mean "client_notice"'),
        ('[cancel]\nreason = { provider = "list" }', "[[reasons]]"),
        ('[[reasons]]\ncode = "a"\ntext = "A"\n[[reasons]]\ncode = "a"\ntext = "B"', "twice"),
        ('[[reasons]]\ncode = "a b"\ntext = "A"', "not an id"),
        ("[limits]\nprovider_changes = 0", "provider_changes"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, text: str, said: str) -> None:
    assert said in problem(tmp_path, text)


def test_amounts_are_exact() -> None:
    fees = Practice.model_validate({"fees": {"no_show": "0.10", "late_cancellation": 75}}).fees
    assert (str(fees.no_show), fees.late_cancellation) == ("0.10", Decimal("75.00"))
