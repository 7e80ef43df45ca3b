"""HTTP, by aiohttp: who may ask, what every answer says to browsers, and where it is served."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from earshot.errors import DeviceError
from earshot.listening import Address, is_meant, shows
from earshot.place import claim, opened
from earshot.signals import on_signals

# Nothing but what comes from here, and never within a page of others.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
GRACE = 1.0  # seconds for requests under way when it stops


def application(
    token: str = "", names: Collection[str] = (), free: Collection[str] = ()
) -> web.Application:
    """Make an application that answers only who may ask.

    `token` must be shown for all paths but the `free` ones; `names` are hosts that may be asked for
    beside the address itself.
    """
    app = web.Application(middlewares=[_guard(token, frozenset(names), frozenset(free))])
    app.on_response_prepare.append(_say_to_browsers)
    return app


def _guard(token: str, names: frozenset[str], free: frozenset[str]) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        reached = request.transport.get_extra_info("sockname") if request.transport else None
        # No name leads to a Unix socket, whose address is its path.
        if isinstance(reached, tuple) and not is_meant(request.host, reached[:2], names):
            text = (
                f"this is not {request.host}; ask for the address that was printed, or use --name\n"
            )
            raise web.HTTPMisdirectedRequest(text=text)
        if token and request.path not in free:
            header = request.headers.get("Authorization", "")
            if not shows(header, token):
                told = {"WWW-Authenticate": "Bearer"}
                raise web.HTTPUnauthorized(text="show the token that was printed\n", headers=told)
        return await handler(request)

    return guard


async def _say_to_browsers(_: web.BaseRequest, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    response.headers.popall("Server", None)


@asynccontextmanager
async def at_address(
    app: web.Application, address: Address, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serve over TCP while within; gives the URL. Raises DeviceError where that cannot be."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE)
    await runner.setup()
    try:
        site = web.TCPSite(runner, address.host, address.port, ssl_context=tls)
        try:
            await site.start()
        except OSError as error:
            message = f"{address.host}:{address.port} cannot be listened at ({error.strerror})"
            raise DeviceError(message) from error
        port = runner.addresses[0][1]
        yield f"{'https' if tls else 'http'}://{address.name}:{port}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def at_socket(app: web.Application, path: Path, group: str | None) -> AsyncIterator[None]:
    """Serve at a Unix socket while within. Raises DeviceError, SettingsError."""
    claim(path, group)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE)
    await runner.setup()
    try:
        with opened(path, group):
            await web.UnixSite(runner, str(path)).start()
        yield
    finally:
        await runner.cleanup()
        path.unlink(missing_ok=True)  # noqa: ASYNC240 - one system call, on the way out


async def until_stopped() -> None:
    """Wait for the signal that ends it."""
    stop = asyncio.Event()
    on_signals(stop)
    await stop.wait()
