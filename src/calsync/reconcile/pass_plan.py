"""One pass over one calendar as a plan: decide every link, then ask the brakes. Pure; called by the worker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from calsync.reconcile.case import CalendarFacts, DecisionPolicy, LinkCase, Moment
from calsync.reconcile.plan import Plan


def make_plan(cases: Iterable[LinkCase], facts: CalendarFacts, *, moment: Moment, policy: DecisionPolicy) -> Plan:
    """Return the decisions about all cases, sorted by link, or the stampede that forbids them."""
    raise NotImplementedError((cases, facts, moment, policy))


def describe(plan: Plan) -> str:
    """Return the plan for people: ids and times only."""
    raise NotImplementedError(plan)


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON-able data: ids and times only."""
    raise NotImplementedError(plan)
