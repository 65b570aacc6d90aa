"""What is printed from the model says the same as the model."""

import json
import re
import tomllib
from pathlib import Path

from calsync.domain.drift import DriftKind
from calsync.settings import load
from calsync.settings.model import ConfigFile
from calsync.settings.practice import Practice
from calsync.settings.render import render_config, render_practice, render_schema, write_value
from tests.unit.settings.configs import ADA, ADAS_CALENDAR, CONNECTORS, write_config


def _uncomment(text: str) -> str:
    """Every commented `key = value` line in force."""
    return re.sub(r"^# ([\w.-]+ = .+)$", r"\1", text, flags=re.MULTILINE)


def test_the_printed_config_is_the_defaults(tmp_path: Path) -> None:
    printed = load(write_config(tmp_path, render_config(CONNECTORS)), CONNECTORS)
    empty = load(write_config(tmp_path), CONNECTORS)
    assert printed == empty


def test_every_printed_default_is_the_models(tmp_path: Path) -> None:
    text = render_config(CONNECTORS).split("# Providers and their calendars.")[0]
    # Keys without a default show an example; only those with one are compared.
    values = tomllib.loads(_uncomment(text))
    for table, keys in values.items():
        model = ConfigFile.model_fields[table].annotation
        for key, value in keys.items():
            if table != "connectors":
                default = model.model_fields[key].get_default()  # type: ignore[union-attr]
                assert default is None or tomllib.loads(f"x = {write_value(default)}")["x"] == value


def test_every_key_is_explained() -> None:
    lines = render_config(CONNECTORS).splitlines()
    keys = [number for number, line in enumerate(lines) if re.match(r"# [\w-]+ =", line)]
    unexplained = [lines[number] for number in keys if not re.match(r"# .*[\w.\"]", lines[number - 1])]
    assert len(keys) > 60
    assert unexplained == []


def test_chosen_values_are_in_force(tmp_path: Path) -> None:
    text = render_config(CONNECTORS, {"sync.mode": "observe", "sync.workers": 3})
    settings = load(write_config(tmp_path, text), CONNECTORS)
    assert settings.sync.mode == "observe"
    assert settings.sync.workers == 3


def test_the_printed_practice_is_the_default_and_its_examples_load() -> None:
    text = render_practice()
    assert Practice.model_validate(tomllib.loads(text)) == Practice()
    shown = Practice.model_validate(tomllib.loads(_uncomment(text).replace("# [[reasons]]", "[[reasons]]")))
    assert shown.dispositions == Practice().dispositions
    assert [one.code for one in shown.reasons] == ["client-asked"]
    assert all(f"# {kind} = " in text for kind in DriftKind)


def test_the_schema_knows_every_table_and_the_connectors_keys() -> None:
    schema = json.loads(render_schema(CONNECTORS))
    assert set(schema["properties"]) == set(ConfigFile.model_fields)
    assert "timeout" in schema["properties"]["connectors"]["properties"]["paper"]["properties"]
    assert {"id", "connector", "url", "password_file"} <= set(schema["$defs"]["CalendarConfig"]["properties"])
    assert "settings" not in schema["$defs"]["CalendarConfig"]["properties"]


def test_values_are_written_as_toml_reads_them() -> None:
    values = {"a": True, "b": 1, "c": 0.5, "d": 'q"\\\n', "e": ["x", 1], "f": {"g h": "i"}, "j": {}}
    for name, value in values.items():
        assert tomllib.loads(f"{name} = {write_value(value)}") == {name: value}


def test_providers_are_shown_by_example(tmp_path: Path) -> None:
    text = render_config(CONNECTORS) + ADA + ADAS_CALENDAR
    assert load(write_config(tmp_path, text), CONNECTORS).calendars()[0][1].id == "ada-paper"
