"""A person's own event may stand under the name that one of ours had: our names are for everybody to see.

It is theirs: never taken for ours, never written to. Ours is gone then, and comes back under another name.
"""

from __future__ import annotations

from collections.abc import Mapping

from calsync.connector.protocol import Gone, Item, Seen
from calsync.domain.link import Link
from calsync.reconcile.match import is_strangers
from calsync.worker.context import PassContext


def without_strangers(context: PassContext, by_name: Mapping[str, Link], items: Mapping[str, Item]) -> dict[str, Item]:
    """What was seen, by name; where a person's own event stands under the name of ours, ours is gone."""
    found = dict(items)
    for name in by_name.keys() & found.keys() if context.calendar.traits.keeps_uids else ():
        item = found[name]
        if isinstance(item, Seen) and is_strangers(item.event.uid, item.marker, by_name[name], context.worker.keys):
            found[name] = Gone(name)
    return found
