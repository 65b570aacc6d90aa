"""Listings in pages: what is left of one is kept under the token that its link carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from calsync.sandbox.graph.call import Call
from calsync.sandbox.graph.exchange import Answer
from calsync.sandbox.graph.state import GraphState

Json = dict[str, Any]


@dataclass(slots=True)
class Listings:
    """All listings that were begun."""

    state: GraphState
    kept: dict[str, list[Json]] = field(default_factory=dict)

    def page(self, call: Call, rows: list[Json]) -> Answer:
        """The first of the rows, or those that the request's token goes on with."""
        query = call.asked.query
        token = query.get("$skiptoken")
        if token is not None:
            rows = self.kept.get(token, [])
        size = min(int(query.get("$top", call.page_size)), 999)
        answer: Json = {"value": rows[:size]}
        if rows[size:]:
            following = f"s{self.state.next_number()}"
            self.kept[following] = rows[size:]
            base = call.asked.target.partition("?")[0]
            options = "&".join(f"{name}={value}" for name, value in query.items() if name != "$skiptoken")
            answer["@odata.nextLink"] = f"{call.root}{base}?{_quoted(options)}&$skiptoken={following}"
        return Answer(200, answer)


def _quoted(text: str) -> str:
    return text.replace(" ", "%20").replace("'", "%27").replace("+", "%2B")
