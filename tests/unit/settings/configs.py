"""Small configs for the tests of this folder, and a connector whose only use is to have keys."""

from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from pydantic import BaseModel, Field

from calsync.errors import ConfigError, Problem
from calsync.settings import Settings, load
from calsync.settings.fields import Duration


class PaperKeys(BaseModel):
    """Keys of `[connectors.paper]`."""

    timeout: Duration = Field(timedelta(seconds=30), description="Longest wait for an answer.")


class PaperCalendarKeys(BaseModel):
    """Keys of a paper calendar."""

    url: str = Field(description="Where it lies.")
    username: str = Field("nobody", description="Whose it is.")
    password_file: Path | None = Field(None, description="File with the password.")


class Paper:
    """A connector as far as the config knows it."""

    connector_settings: type[BaseModel] = PaperKeys
    calendar_settings: type[BaseModel] = PaperCalendarKeys


CONNECTORS = MappingProxyType({"paper": Paper()})

ADA = """
[[providers]]
id = "ada"
name = "Ada Example"
email = "ada@example.org"
zone = "Europe/Berlin"
"""

ADAS_CALENDAR = """
[[providers.calendars]]
id = "ada-paper"
connector = "paper"
url = "https://paper.example.org/ada/"
"""


def write_config(folder: Path, text: str = "", **others: str) -> Path:
    """A config folder with this calsync.toml; `others` are files by path, with `__` for a slash."""
    path = folder / "calsync.toml"
    path.write_text(text, encoding="utf-8")
    for name, content in others.items():
        file = folder / f"{name.replace('__', '/')}.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return path


def load_text(folder: Path, text: str = "", **others: str) -> Settings:
    """The settings that such a folder makes."""
    return load(write_config(folder, text, **others), CONNECTORS)


def problems_of(path: Path) -> tuple[Problem, ...]:
    """What is wrong with a config that must not load."""
    with pytest.raises(ConfigError) as caught:
        load(path, CONNECTORS)
    return caught.value.problems


def sentences_of(folder: Path, text: str, **others: str) -> list[str]:
    """The same as sentences, without the folder in front of file names."""
    found = problems_of(write_config(folder, text, **others))
    return [str(problem).replace(f"{folder}/", "") for problem in found]
