"""The HTTP face put together. Every room has its module; this one says which there are and what surrounds them."""

from __future__ import annotations

from fastapi import FastAPI

from calsync import __version__
from calsync.web import actions, api, connect, health, hooks, metrics, pages, problems, support
from calsync.web.access import Door
from calsync.web.describing import ABOUT, TAGS
from calsync.web.guards import Headers, Limits
from calsync.web.hook_bursts import HookBursts
from calsync.web.site import Site
from calsync.web.support import door


def make_app(site: Site) -> FastAPI:
    """The app of one installation. Nothing in it depends on the host that a request names."""
    app = FastAPI(
        title="calsync",
        version=__version__,
        description=ABOUT,
        openapi_tags=TAGS,
        # Names for generated clients; without it they would hold paths.
        generate_unique_id_function=lambda route: route.name,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        # A redirect would be built from the Host header.
        redirect_slashes=False,
    )
    app.state.site = site
    app.state.door = Door()
    problems.install(app)
    door.install(app)
    for room in (health, metrics, hooks, api, actions, connect, support, pages):
        app.include_router(room.router)
    app.add_middleware(HookBursts, site=site)
    app.add_middleware(Limits)
    app.add_middleware(Headers, https=(site.settings.web.public_url or "").startswith("https://"))
    return app
