"""The live page in a headless Chromium, beside a daemon that is a process."""

import asyncio
import struct
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser import Tab, program, tab
from tests.fake_recogniser import loud, quiet
from tests.processes import Daemon, daemon, earshot, process
from tests.recordings import recording
from tests.test_metrics import serving

pytestmark = pytest.mark.skipif(
    program() is None, reason="there is no Chromium (apt-get install chromium-headless-shell)"
)
HEARD = "document.querySelectorAll('#heard > li').length"
WORDS = "document.querySelector('#heard .words')?.textContent"
DRAWN = """(() => {
  const canvas = document.getElementById('picture');
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const colours = new Set();
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i + 3] === 255) colours.add(`${pixels[i]},${pixels[i + 1]},${pixels[i + 2]}`);
  }
  return [...colours];
})()"""
SPEECH, MARK, INK = "53,104,168", "232,89,12", "19,25,35"  # of the light page
WIDER = "document.scrollingElement.scrollWidth > innerWidth"
PICTURES = "[...document.querySelectorAll('canvas, img')]"
LIVE = "document.getElementById('heard').getAttribute('aria-live')"
Scene = Callable[[Tab, str], Coroutine[Any, Any, None]]


def seen(path: Path, scene: Scene) -> None:
    """Look at the page of the daemon at a socket."""

    async def run(url: str) -> None:
        async with tab() as found:
            await found.size(1_000, 900)
            await found.prefer(color_scheme="light")
            await scene(found, url)

    with serving("web", "--listen", "127.0.0.1:0", "--socket", str(path)) as url:
        asyncio.run(run(url))


def speak(d: Daemon) -> None:
    d.hear(loud(0.4))
    d.hear(quiet(0.5))


async def looked(d: Daemon, page: Tab, url: str) -> None:
    """Open the page, and wait until it follows."""
    await page.go(url)
    await page.until("document.getElementById('state').children.length")
    await asyncio.to_thread(d.until, lambda answer: answer.counters.clients == 2)


async def can_be_heard(page: Tab) -> None:
    """Whether a screen reader finds what there is."""
    tree = (await page.send("Accessibility.getFullAXTree"))["nodes"]
    roles = {node["role"]["value"].lower() for node in tree}
    assert {"log", "heading", "image", "main", "listitem"} <= roles
    assert await page.value(f"{PICTURES}.every((one) => one.ariaLabel || one.alt)")
    assert await page.value(LIVE) == "polite"
    assert await page.value("document.documentElement.lang") == "en"


def test_the_words_of_a_recording_appear_and_are_drawn() -> None:
    async def scene(page: Tab, url: str) -> None:
        await looked(d, page, url)
        d.hear(np.concatenate([recording("an4_command2").samples(), quiet(2.0)]))
        assert "nineteen sixty seven" in await page.until(WORDS)
        for colour in (SPEECH, MARK, INK):
            await page.until(f"{DRAWN}.includes('{colour}')")
        about = await page.value("document.querySelector('#about').textContent")
        assert about.endswith("· raw audio, 16000 Hz")
        await page.value("document.querySelector('#heard details').open = true")
        await page.until("document.querySelector('.lattice img')?.naturalWidth > 300")
        assert "committed v" in await page.value("document.querySelector('.decided').textContent")
        await can_be_heard(page)
        assert page.complaints == []
        assert all(
            one.startswith((url.partition("#")[0], "blob:", "about:")) for one in page.requested
        )

    with earshot() as d:
        seen(d.path, scene)


def test_without_the_token_nothing_is_told() -> None:
    async def scene(page: Tab, url: str) -> None:
        for address in (url.partition("#")[0], url + "x"):
            await page.go(address)
            trouble = "document.getElementById('trouble')"
            await page.until(f"!{trouble}.hidden && {trouble}.textContent.includes('the token')")
            assert await page.value("document.getElementById('state').children.length") == 0
        await looked(d, page, url)
        assert await page.value("location.hash") == "", "no token stays in the address"
        await page.send("Page.reload")
        await page.until("document.getElementById('state').children.length")

    with daemon("--source", "-") as d:
        d.until(lambda _: True)
        seen(d.path, scene)


def test_what_is_said_is_text_and_never_markup() -> None:
    async def scene(page: Tab, url: str) -> None:
        await looked(d, page, url)
        d.hear(loud(0.3))
        await page.until("document.getElementById('partial').textContent.includes('onerror')")
        d.hear(quiet(0.5))
        await page.until(f"({WORDS} ?? '').includes(\"<img/src=x/onerror\")")
        await page.value("document.querySelector('#heard details').open = true")
        await page.until("document.querySelector('.lattice img')?.complete")
        assert await page.value("document.title") == "earshot"
        assert (
            await page.value("document.querySelectorAll('#heard script, #partial *').length") == 0
        )
        assert page.complaints == []

    with process("tests.rude_daemon", "0", "--source", "-") as d:
        d.until(lambda _: True)
        seen(d.path, scene)


def test_it_outlives_the_daemon_and_fits_a_phone_in_the_dark(tmp_path: Path) -> None:
    path = tmp_path / "e.sock"

    async def scene(page: Tab, url: str) -> None:
        await page.prefer(color_scheme="dark", reduced_motion="reduce")
        await page.size(360, 740)
        await page.go(url)
        for turn in range(2):
            await page.until("document.getElementById('trouble').textContent.includes('no daemon')")
            with daemon("--source", "-", path=path) as d:
                await asyncio.to_thread(d.until, lambda answer: answer.counters.clients == 2)
                speak(d)
                await page.until(f"{HEARD} === {turn + 1}")
                assert await page.value(WORDS) == "word word word word"
                assert not await page.value(WIDER)
                assert await page.value("document.getElementById('trouble').hidden")
                d.end()
        colour = await page.value("getComputedStyle(document.body).backgroundColor")
        assert colour == "rgb(18, 22, 29)"
        assert page.complaints == []

    seen(path, scene)


def test_the_picture_of_the_readme_is_one() -> None:
    data = (Path(__file__).parent.parent / "daemon/earshot/assets/web.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) <= 150_000
    assert struct.unpack(">II", data[16:24])[0] >= 800
