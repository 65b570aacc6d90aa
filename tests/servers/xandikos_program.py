"""The program that `xandikos_server` starts: PORT FOLDER, where FOLDER holds `users` (htpasswd) and `data`."""

from __future__ import annotations

import sys
from pathlib import Path

from aiohttp import web
from xandikos.htpasswd import HtpasswdFile
from xandikos.multi_user import MultiUserFilesystemBackend, MultiUserXandikosApp
from xandikos.web import WELLKNOWN_DAV_PATHS, RedirectDavHandler, basic_auth_middleware


def main(port: int, folder: Path) -> None:
    """Serve until the end."""
    users = str(folder / "users")
    backend = MultiUserFilesystemBackend(str(folder / "data"), create_defaults=True)  # type: ignore[no-untyped-call]
    dav = MultiUserXandikosApp(backend, current_user_principal="/%(REMOTE_USER)s/", state_dir=str(folder))
    for line in Path(users).read_text().splitlines():
        backend.set_principal(line.partition(":")[0])  # type: ignore[no-untyped-call]

    async def handle(request: web.Request) -> web.StreamResponse:
        response: web.StreamResponse = await dav.aiohttp_handler(request, "/")  # type: ignore[no-untyped-call]
        return response

    login = basic_auth_middleware(HtpasswdFile(users))  # type: ignore[no-untyped-call]
    app = web.Application(middlewares=[login], client_max_size=64 << 20)
    for path in WELLKNOWN_DAV_PATHS:
        app.router.add_route("*", path, RedirectDavHandler("/").__call__)
    app.router.add_route("*", "/{path_info:.*}", handle)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
