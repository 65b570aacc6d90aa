"""Bodies of the interface for programs, read strictly: what JSON libraries let pass in silence is refused.

Doubled keys, NaN and numbers beyond all bounds are 400, before anything looks at them. Texts are judged field by field.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from calsync.connector.strict_json import BadJson, parse


class StrictRequest(Request):
    """A request whose JSON is read by our own rules."""

    async def json(self) -> Any:
        """The body's value; `json.JSONDecodeError`, which is answered with 400, for anything odd."""
        try:
            return parse(await self.body())
        except BadJson as problem:
            raise json.JSONDecodeError(problem.reason, "", 0) from None


class StrictRoute(APIRoute):
    """A route whose handler is given such requests."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strictly
