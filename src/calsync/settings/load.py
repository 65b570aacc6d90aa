"""Reading the whole configuration, with every problem in it reported at once: file, line, key and what to do.

Sources, in order: the named file, `conf.d/*.toml` beside it, `practices/*.toml` beside it. A key may stand in one file
only; lists of tables (providers) are joined. Nothing is changed on disk.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from calsync.errors import ConfigError, Problem
from calsync.settings.checks import find_contradictions
from calsync.settings.model import ConfigFile, ConnectorModels, Database, Secrets, Settings
from calsync.settings.paths import resolve_paths
from calsync.settings.plugin_keys import Plugins, take_connectors, take_providers
from calsync.settings.practice import DEFAULT_PRACTICE, Practice
from calsync.settings.sources import Sources
from calsync.settings.toml_files import read_toml
from calsync.settings.wording import describe_errors

MAX_FILES: Final = 1000

_PLACE: Final = re.compile(r"(.*?):(\d+)(?::|$)")


def load(
    path: Path, connectors: Mapping[str, ConnectorModels], *, unusable: Mapping[str, Problem] = MappingProxyType({})
) -> Settings:
    """The settings that `path` and the files beside it make. `connectors` are the installed ones by name.

    `unusable` says of others why they cannot be used, for a config that names one.

    Raises ConfigError with all problems found. Secret files are looked at (present, not open to others), not read.
    """
    path = path.absolute()
    problems: list[Problem] = []
    files = [read_toml(file) for file in [path, *_list_toml(path.parent / "conf.d", problems)]]
    sources = Sources(files)
    problems += sources.problems
    practices = _load_practices(path.parent, problems)
    values: dict[str, Any] = resolve_paths(_with_default_paths(sources.values), path.parent)
    problems += find_contradictions(values, practices, path, sources.where)
    checked = _validate(values, Plugins(connectors, unusable), sources, problems)
    if problems or checked is None:
        raise ConfigError(sorted(dict.fromkeys(problems), key=_place))
    return Settings.model_construct(path=path, practices=practices, **_fields_of(checked))


def _list_toml(folder: Path, problems: list[Problem]) -> list[Path]:
    """The TOML files of a folder in the order of their names; none if there is no such folder."""
    try:
        names = sorted(entry for entry in folder.iterdir() if entry.suffix == ".toml")
    except FileNotFoundError:
        return []
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        problems.append(Problem(f"cannot be read ({reason})", str(folder), "Make it a readable folder, or remove it"))
        return []
    if len(names) > MAX_FILES:
        problems.append(
            Problem(f"holds {len(names)} files, more than {MAX_FILES}", str(folder), "Join them, or import by command")
        )
        return []
    return names


def _load_practices(folder: Path, problems: list[Problem]) -> dict[str, Practice]:
    practices = {DEFAULT_PRACTICE: Practice()}
    for path in _list_toml(folder / "practices", problems):
        file = read_toml(path)
        problems += file.problems
        try:
            practices[path.stem] = Practice.model_validate(file.values)
        except ValidationError as error:
            problems += describe_errors(error, Practice, file.where)
            practices[path.stem] = Practice()  # known by name, so that providers do not stumble over it as well
    return practices


def _validate(values: dict[str, Any], plugins: Plugins, sources: Sources, problems: list[Problem]) -> ConfigFile | None:
    problems += take_connectors(values, plugins, sources.where)
    problems += take_providers(values, plugins, sources.where)
    try:
        return ConfigFile.model_validate(values)
    except ValidationError as error:
        problems += describe_errors(error, ConfigFile, sources.where)
        return None


def _with_default_paths(values: dict[str, Any]) -> dict[str, Any]:
    """Default paths are written out before paths are resolved, for they too start at the config file's folder."""
    paths = {"database": {"url": Database().url}, "secrets": {"key_file": str(Secrets().key_file)}}
    filled = {
        table: {**keys, **values.get(table, {})}
        for table, keys in paths.items()
        if isinstance(values.get(table, {}), dict)
    }
    return {**values, **filled}


def _fields_of(model: BaseModel) -> dict[str, Any]:
    return {name: getattr(model, name) for name in type(model).model_fields}


def _place(problem: Problem) -> tuple[str, int]:
    """Problems are told in the order in which a person meets them: file by file, downwards."""
    place = _PLACE.match(problem.where)
    return (place[1], int(place[2])) if place else (problem.where, 0)
