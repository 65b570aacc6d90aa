"""What to do about one link: the expected, the agreed and the seen event in, one `Decision` out. Pure."""

from __future__ import annotations

from calsync.reconcile.case import DecisionPolicy, LinkCase, Moment
from calsync.reconcile.plan import Decision


def decide(case: LinkCase, moment: Moment, policy: DecisionPolicy) -> Decision:
    """Return what to record about one link and what to write to its event."""
    raise NotImplementedError((case, moment, policy))
