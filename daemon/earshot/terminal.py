"""A daemon followed in a terminal: as a picture that moves, as one frame, or as lines."""

import asyncio
import io
import re
import signal
import time
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.live import Live

from earshot.errors import DeviceError
from earshot.events import Partial
from earshot.following import Back, Gone, Item, Take, follow
from earshot.lines import line
from earshot.screen import frame
from earshot.signals import on_signals
from earshot.view import View, harmless
from earshot.vitals import Vitals

TURN_SECONDS = 0.1  # from one frame to the next
ONCE_SECONDS = 10.0  # for a daemon to answer
USUAL = (80, 24)
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # to be fetched from elsewhere


def draws(console: Console) -> bool:
    """Whether a picture can be drawn there, and drawn over."""
    return console.is_terminal and not console.is_dumb_terminal


async def live(path: Path, console: Console) -> None:
    """Draw the daemon at a socket until a signal comes."""
    view = View()

    async def draw() -> None:
        # Not on the event loop, for a terminal may be stopped; one that is gone needs no picture.
        with suppress(OSError), Live(console=console, screen=True, auto_refresh=False) as screen:
            while True:
                picture = frame(view, *console.size)
                await asyncio.to_thread(screen.update, picture, refresh=True)
                await asyncio.sleep(TURN_SECONDS)

    await _until_stopped(follow(path, _into(view)), draw())


async def once(path: Path, console: Console, after: float, svg: Path | None) -> None:
    """Draw one frame `after` so many seconds, or write it as a picture. Raises DeviceError."""
    view = View()
    following = asyncio.create_task(follow(path, _into(view)))
    try:
        async with asyncio.timeout(ONCE_SECONDS):
            while view.vitals.status is None and not view.vitals.trouble:  # noqa: ASYNC110 - a view tells nobody
                await asyncio.sleep(TURN_SECONDS)
    except TimeoutError:
        pass
    else:
        await asyncio.sleep(after if view.vitals.status else 0)
    finally:
        failed = following.done()  # it ends only by what nobody expects
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    if failed:
        following.result()
    if view.vitals.status is None:
        raise DeviceError(view.vitals.trouble or f"the daemon at {path} does not answer")
    if svg:
        _write(view, svg)
    else:
        width, height = console.size if console.is_terminal else USUAL
        console.print(frame(view, width, height))


async def lines(path: Path) -> None:
    """Print what happens until a signal comes; partials are left out."""

    def take(item: Item) -> None:
        match item:
            case Gone():
                print(harmless(item.why), flush=True)  # noqa: T201 - that is what it is for
            case Back():
                print("the daemon answers", flush=True)  # noqa: T201
            case Vitals() | tuple() | Partial():
                pass
            case _:
                print(harmless(line(item)), flush=True)  # noqa: T201

    await _until_stopped(follow(path, take))


def _into(view: View) -> Take:
    return lambda item: view.accept(item, time.monotonic())


async def _until_stopped(*works: Coroutine[object, object, None]) -> None:
    """Work until a signal comes. Raises what a work raised."""
    stop = asyncio.Event()
    on_signals(stop, signal.SIGHUP)
    tasks = [asyncio.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(lambda _: stop.set())
    await stop.wait()
    for task in tasks:
        task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException) and not isinstance(one, asyncio.CancelledError):
            raise one


def _write(view: View, path: Path) -> None:
    """Write a frame as a picture. Raises DeviceError."""
    console = Console(width=USUAL[0], height=USUAL[1], record=True, file=io.StringIO())
    console.print(frame(view, *USUAL))
    text = _FONTS.sub("", console.export_svg(title="earshot top", unique_id="top"))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"cannot write the picture to {path}: {error.strerror or error}"
        raise DeviceError(message) from error
