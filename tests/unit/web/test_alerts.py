"""The alert rules: they can be read, name metrics that are told, and say what follows and what to do."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from calsync.worker.context import PassResult
from calsync.worker.progress import Progress
from tests.unit.web.conftest import House
from tests.unit.web.test_health_and_metrics import metrics, with_progress

FILE = Path(__file__).parents[3] / "monitoring" / "calsync-alerts.yml"
RULES: list[dict[str, Any]] = [rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_it_names_metrics_that_are_told(rule: dict[str, Any], house: House) -> None:
    progress, client = with_progress(house)
    assert isinstance(progress, Progress)
    progress.alive()
    progress.passed(PassResult("work", clock_apart=timedelta(0)))
    told = {name for name, *_ in metrics(client)}
    named = set(re.findall(r"calsync_[a-z_]+", rule["expr"]))
    assert named
    assert named <= told


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_it_says_what_follows_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert all(rule["annotations"][name] for name in ("summary", "consequence", "action"))
