"""Silence comes in larger pieces than speech: it costs less, and no word changes by it."""

import asyncio
from collections.abc import Iterator

import numpy as np
from earshot.condition import SourceState
from earshot.devices import MicrophoneSettings
from earshot.feed import Feed
from earshot.sessions import Sessions, SessionSettings
from earshot.sources import Chunk, Item
from earshot.units import samples

from tests.fake_recogniser import BLOCK, FakeRecogniser, loud, quiet
from tests.fakes import FakeDevice


class Room:
    """A source that is told whether somebody speaks."""

    description, live = "the room", False

    def __init__(self) -> None:
        self.told: list[bool] = []

    def __iter__(self) -> Iterator[Item]:
        audio = np.concatenate([quiet(0.3), loud(0.5), quiet(0.6), loud(0.2)])
        for first in range(0, len(audio), BLOCK):
            yield Chunk(first, audio[first : first + BLOCK])

    def close(self) -> None:
        pass

    def attend(self, *, speaking: bool) -> None:
        self.told.append(speaking)


def test_a_microphone_hands_on_smaller_pieces_while_somebody_speaks() -> None:
    microphone = FakeDevice().microphone(MicrophoneSettings(block_ms=80, quiet_block_ms=160))
    chunks = (len(item.samples) for item in microphone if isinstance(item, Chunk))
    assert {next(chunks) for _ in range(3)} == {samples(160)}
    microphone.attend(speaking=True)
    assert {next(chunks) for _ in range(3)} == {samples(80)}
    microphone.attend(speaking=False)
    assert {next(chunks) for _ in range(3)} == {samples(160)}
    microphone.close()


def test_the_source_is_told_whether_somebody_speaks() -> None:
    async def scene() -> None:
        sessions = Sessions(FakeRecogniser, SessionSettings(), SourceState(room.description))
        await sessions.follow(Feed(room, 5_000, lossless=True))
        sessions.close()

    room = Room()
    asyncio.run(scene())
    spoken = [False] * 3 + [True] * 7 + [False] * 4 + [True] * 2
    assert room.told == spoken
