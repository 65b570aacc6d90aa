"""The keys that belong to connectors: each validated by the model that the connector itself brings along."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from calsync.errors import Problem
from calsync.settings.checks import list_tables
from calsync.settings.model import CalendarConfig, ConnectorModels
from calsync.settings.toml_scan import KeyPath
from calsync.settings.wording import describe_errors, describe_unknown

Where = Callable[[KeyPath], str]


@dataclass(frozen=True, slots=True)
class Plugins:
    """The connectors installed here: those that can be used, and why the others cannot."""

    usable: Mapping[str, ConnectorModels]
    unusable: Mapping[str, Problem]


_COMMON_KEYS: Final = frozenset(CalendarConfig.model_fields) - {"settings"}


def take_connectors(values: dict[str, Any], plugins: Plugins, where: Where) -> list[Problem]:
    """Replace the tables under `connectors` in `values` by validated models, one for each installed connector."""
    tables = values.get("connectors", {})
    problems: list[Problem] = []
    if not isinstance(tables, dict):
        values["connectors"] = {}
        return [Problem("is not a table", where(("connectors",)), "Write [connectors.NAME]")]
    problems += [
        _unknown_connector(name, plugins, where(("connectors", name))) for name in tables if name not in plugins.usable
    ]
    values["connectors"] = {}
    for name, connector in plugins.usable.items():
        at = ("connectors", name)
        settings = _check(tables.get(name, {}), connector.connector_settings, at, where, problems)
        if settings is not None:
            values["connectors"][name] = settings
    return problems


def take_providers(values: dict[str, Any], plugins: Plugins, where: Where) -> list[Problem]:
    """Give each calendar in `values` its connector's validated keys as `settings`, and settle `calendars = "none"`."""
    problems: list[Problem] = []
    for number, provider in list_tables(values.get("providers")):
        at: KeyPath = ("providers", number)
        problems += _settle_calendars(provider, at, where)
        for place, calendar in list_tables(provider.get("calendars")):
            _take_calendar(calendar, plugins, (*at, "calendars", place), where, problems)
    return problems


def _settle_calendars(provider: dict[str, Any], at: KeyPath, where: Where) -> Iterable[Problem]:
    calendars = provider.get("calendars")
    key = where((*at, "calendars"))
    reasons = [name for name in ("calendars_reason", "calendars_since") if name in provider]
    if calendars == "none":
        provider["calendars"] = []
        if len(reasons) < 2:
            yield Problem(
                'calendars = "none" needs a reason and a date', key, "Add calendars_reason and calendars_since"
            )
        return
    if isinstance(calendars, str):
        provider["calendars"] = []
        yield Problem(f'"{calendars[:40]}" is not a value', key, 'Write "none", or [[providers.calendars]] tables')
    for name in reasons:
        yield Problem('only goes with calendars = "none"', where((*at, name)), "Remove it, or add that line")


def _take_calendar(
    calendar: dict[str, Any], plugins: Plugins, at: KeyPath, where: Where, problems: list[Problem]
) -> None:
    own = {key: calendar.pop(key) for key in list(calendar) if key not in _COMMON_KEYS}
    name = calendar.get("connector")
    if not isinstance(name, str):
        return
    if name not in plugins.usable:
        problems.append(_unknown_connector(name, plugins, where((*at, "connector"))))
        return
    calendar["settings"] = _check(own, plugins.usable[name].calendar_settings, at, where, problems)


def _check(values: Any, model: type[BaseModel], at: KeyPath, where: Where, problems: list[Problem]) -> BaseModel | None:
    if not isinstance(values, dict):
        problems.append(Problem("is not a table", where(at), f"Write [{'.'.join(map(str, at))}]"))
        return None
    known = {field.alias or name for name, field in model.model_fields.items()}
    unknown = [key for key in values if key not in known]
    choices = known | (_COMMON_KEYS if at[0] == "providers" else set())
    problems += [describe_unknown(key, choices, where((*at, key))) for key in unknown]
    try:
        return model.model_validate({key: value for key, value in values.items() if key in known})
    except ValidationError as error:
        problems += describe_errors(error, model, lambda key: where((*at, *key)))
        return None


def _unknown_connector(name: str, plugins: Plugins, where: str) -> Problem:
    if reason := plugins.unusable.get(name):
        return Problem(reason.what, where, reason.remedy)
    known = ", ".join(sorted({*plugins.usable, *plugins.unusable})) or "none"
    near = difflib.get_close_matches(name[:40], plugins.usable, n=1)
    hint = f'Did you mean "{near[0]}"? ' if near else ""
    return Problem(f'there is no connector "{name[:40]}" here', where, f"{hint}Installed: {known}")
