import sys
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from calsync.connector.registry import GROUP, Registry
from calsync.errors import UserError
from calsync.testing.memory_connector import MemoryConnector
from calsync.testing.memory_service import MemoryService


class FakeDistribution(Distribution):
    def __init__(self, text: str) -> None:
        self.text = text

    def read_text(self, filename: str) -> str | None:
        return self.text if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Any:
        return Path(path)


def plugin(name: str, value: str, metadata: str | None = None) -> EntryPoint:
    found = EntryPoint(name, value, GROUP)
    if metadata is not None:
        vars(found)["dist"] = FakeDistribution(metadata)
    return found


OURS = "Metadata-Version: 2.1\nName: calsync\nVersion: 1\nProvides-Extra: caldav\n\n"
THEIRS = "Metadata-Version: 2.1\nName: calsync-zimbra\nVersion: 1\n\n"


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("plugged_in")
    monkeypatch.setitem(sys.modules, "plugged_in", module)
    return module


def problem_of(registry: Registry, name: str) -> str:
    with pytest.raises(UserError) as caught:
        registry.get(name)
    [problem] = caught.value.problems
    return str(problem)


def test_a_plugin_is_found_by_its_name(plugged: ModuleType) -> None:
    connector = MemoryConnector(default=MemoryService())
    plugged.CONNECTOR = connector  # type: ignore[attr-defined]
    registry = Registry(plugins=[plugin("memory", "plugged_in:CONNECTOR")])
    assert registry.names == ("memory",)
    assert registry.get("memory") is connector
    assert registry.usable() == {"memory": connector}


def test_installed_plugins_are_known() -> None:
    assert "caldav" in Registry().names


def test_a_test_can_register_its_own(plugged: ModuleType) -> None:
    registry = Registry(plugins=[plugin("memory", "plugged_in:NOTHING")])
    connector = MemoryConnector()
    registry.register(connector)
    assert registry.get("memory") is connector
    assert Registry([connector], plugins=[]).names == ("memory",)


def test_an_unknown_name_lists_the_known_ones_and_the_nearest() -> None:
    registry = Registry([MemoryConnector()], plugins=[plugin("caldav", "x:y"), plugin("google", "x:y")])
    text = problem_of(registry, "caldev")
    assert 'Did you mean "caldav"?' in text
    assert "caldav, google, memory" in text
    assert "none" in problem_of(Registry(plugins=[]), "caldav")


def test_a_missing_extra_is_named_with_the_command_that_installs_it() -> None:
    registry = Registry(plugins=[plugin("caldav", "no_such_package_here.connector:CONNECTOR", OURS)])
    text = problem_of(registry, "caldav")
    assert "no_such_package_here" in text
    assert "pip install 'calsync[caldav]'" in text
    assert registry.usable() == {}
    assert registry.names == ("caldav",)


def test_a_missing_package_of_somebody_elses_plugin_names_theirs() -> None:
    registry = Registry(plugins=[plugin("zimbra", "no_such_package_here:CONNECTOR", THEIRS)])
    assert "pip install calsync-zimbra" in problem_of(registry, "zimbra")


def test_a_plugin_without_distribution_is_taken_for_an_extra_of_ours() -> None:
    registry = Registry(plugins=[plugin("caldav", "no_such_package_here:CONNECTOR")])
    assert "pip install 'calsync[caldav]'" in problem_of(registry, "caldav")


@pytest.mark.parametrize(("version", "remedy"), [(0, "package of the connector"), (2, "calsync"), (None, "calsync")])
def test_another_protocol_version_is_refused(plugged: ModuleType, version: int | None, remedy: str) -> None:
    connector = MemoryConnector()
    connector.protocol_version = version  # type: ignore[assignment]
    plugged.CONNECTOR = connector  # type: ignore[attr-defined]
    text = problem_of(Registry(plugins=[plugin("old", "plugged_in:CONNECTOR")]), "old")
    assert f"version {version}" in text
    assert f"Upgrade the {remedy}" in text or f"Upgrade {remedy}" in text
    with pytest.raises(UserError):
        Registry([connector], plugins=[])


def test_a_fault_inside_a_plugin_is_not_disguised(plugged: ModuleType) -> None:
    registry = Registry(plugins=[plugin("broken", "plugged_in:CONNECTOR")])
    with pytest.raises(AttributeError):
        registry.get("broken")
