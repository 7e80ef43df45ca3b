"""GET /metrics: by the daemon at a Unix socket, or by a command that asks the daemon."""

from collections.abc import Awaitable, Callable, Collection

from aiohttp import web

from earshot.metrics import exposition
from earshot.serving_http import application
from earshot.vitals import Vitals

Ask = Callable[[], Awaitable[Vitals]]
WHERE = "metrics are at /metrics\n"


def exporter(ask: Ask, token: str = "", names: Collection[str] = ()) -> web.Application:
    """Make the application."""

    async def metrics(request: web.Request) -> web.Response:
        found = await ask()
        body, content_type = exposition(found, request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def where(_: web.Request) -> web.Response:
        return web.Response(text=WHERE)

    app = application(token, names)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/", where)
    return app
