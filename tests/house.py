"""A daemon within the test: real sessions and a real server on a real socket, a fake recogniser."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from earshot.api import About, ApiSettings
from earshot.asking import AssistSettings
from earshot.assist import Assist
from earshot.condition import SourceState
from earshot.events import AudioDropped, SourceChanged
from earshot.generated.v1 import recognition_pb2 as pb
from earshot.generated.v1.events_pb2 import Event
from earshot.generated.v1.recognition_pb2_grpc import RecognitionStub
from earshot.link import Link
from earshot.mode import ModeSwitch, Switches
from earshot.mute import MuteSwitch
from earshot.server import serving
from earshot.session import Recognises
from earshot.sessions import Sessions, SessionSettings
from earshot.sources import Chunk
from earshot.word_list import WordList

from tests.fake_recogniser import FakeRecogniser, Samples, s16le

Item = Chunk | AudioDropped | SourceChanged
S16LE = pb.SAMPLE_FORMAT_S16LE
CONFIG = pb.RecognizeConfig(
    format=S16LE, sample_rate=16_000, filter=pb.Filter(partials=True, lattices=True)
)


class Room:
    """A source that a test speaks into."""

    def __init__(self) -> None:
        self._items: asyncio.Queue[Item | None] = asyncio.Queue()
        self._position = 0
        self._muted = False

    def say(self, *pieces: Samples, cleaned: bool = False) -> None:
        for samples in pieces:
            self._items.put_nowait(Chunk(self._position, samples, cleaned))
            self._position += len(samples)

    def skip(self, samples: int) -> None:
        """Lose audio."""
        self._items.put_nowait(AudioDropped(self._position, samples, samples))
        self._position += samples

    def change(self, *, ready: bool) -> None:
        description = "back" if ready else "away"
        self._items.put_nowait(SourceChanged(self._position, ready, description))

    async def mute(self) -> bool:
        self._muted = True
        return True

    def unmute(self) -> None:
        self._muted = False

    def end(self) -> None:
        self._items.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Item]:
        while (item := await self._items.get()) is not None:
            if not self._muted:
                yield item


@dataclass
class House:
    """A daemon and a client of it."""

    sessions: Sessions
    room: Room
    channel: grpc.aio.Channel
    path: Path

    @property
    def stub(self) -> RecognitionStub:
        return RecognitionStub(self.channel)  # type: ignore[no-untyped-call]


@asynccontextmanager
async def house(
    recogniser: Callable[[], Recognises] = FakeRecogniser,
    sessions_settings: SessionSettings | None = None,
    api_settings: ApiSettings | None = None,
    path: Path | None = None,
    assist_settings: AssistSettings | None = None,
) -> AsyncIterator[House]:
    asked = assist_settings or AssistSettings()
    link = Link(asked.socket or Path("/nowhere"), asked, WordList)
    assist = Assist(link, asked)
    limits = sessions_settings or SessionSettings()
    sessions = Sessions(recogniser, limits, SourceState("the room"), assist=assist)
    room = Room()
    following = asyncio.create_task(sessions.follow(room))
    about = About("fake", "1.0", sandboxed=False, started=time.monotonic())
    # A short name: a socket's path has 107 bytes at most, and pytest's folders are long.
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        path = path or Path(folder) / "e.sock"
        mute = MuteSwitch(sessions, room, Path(folder) / "kept", Path(folder) / "muted")
        mode = ModeSwitch(
            sessions, assist, link, Path(folder) / "kept_mode", Path(folder) / "assisted"
        )
        async with (
            serving(path, api_settings or ApiSettings(), sessions, about, Switches(mute, mode)),
            grpc.aio.insecure_channel(f"unix:{path}") as channel,
        ):
            yield House(sessions, room, channel, path)
            await sessions.stop()
            await mode.stop()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    sessions.close()


def requests(
    pieces: Iterable[bytes], config: pb.RecognizeConfig = CONFIG
) -> list[pb.RecognizeRequest]:
    audio = [pb.RecognizeRequest(audio=piece) for piece in pieces]
    return [pb.RecognizeRequest(config=config), *audio]


def spoken(samples: Samples, piece: int = 3_200) -> list[pb.RecognizeRequest]:
    """The requests of a client that sends samples, `piece` bytes at a time."""
    data = s16le(samples)
    return requests(data[first : first + piece] for first in range(0, len(data), piece))


def kinds(events: Iterable[Event]) -> list[str]:
    """The names of events, partials left out."""
    return [kind for event in events if (kind := event.WhichOneof("event") or "") != "partial"]


async def refused(house: House, messages: list[pb.RecognizeRequest]) -> tuple[str, str]:
    """Status and sentence by which a call of Recognize is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in house.stub.Recognize(iter(messages)):
            pass
    return caught.value.code().name, caught.value.details() or ""


async def everything(call: Any) -> list[Any]:
    """All responses that still come, however the call ends."""
    responses = []
    with suppress(grpc.aio.AioRpcError):
        while response := await call.read():
            responses.append(response)
    return responses


async def last_events(call: Any) -> list[Event]:
    """All events that still come, however the call ends."""
    return [response.event for response in await everything(call)]


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until something holds. Fails if it never does."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for knows of no test
            await asyncio.sleep(0.005)
