"""Less effort while the machine is busy, and all of it afterwards: told, counted, nothing lost."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from earshot.condition import SourceState
from earshot.effort import EFFORTS, Effort
from earshot.events import AudioDropped, Committed, Event, LoadChanged, Partial, SpeechStarted
from earshot.governor import LoadSettings
from earshot.load import Governor
from earshot.sessions import Sessions, SessionSettings
from earshot.sources import Chunk

from tests import contract
from tests.fake_recogniser import BLOCK, FakeRecogniser, Samples, loud, quiet
from tests.processes import channel, following, process
from tests.sound_server import SoundServer

HOG = range(20, 45)  # seconds in which others take the processor
CHUNK = 0.1  # seconds


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Worker(FakeRecogniser):
    """Takes a third of real time, and four times as long while others are busy; by the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def _block(self, level: float) -> list[Event]:
        slower = 4 if int(self._clock.now) in HOG else 1
        self._clock.now += CHUNK / 3 * slower * self._effort.cost
        return super()._block(level)


async def spoken(audio: Samples, clock: Clock, speed: float = 1) -> AsyncIterator[Chunk]:
    """The audio, by the clock."""
    for first in range(0, len(audio), BLOCK):
        piece = audio[first : first + BLOCK]
        clock.now = max(clock.now, (first + len(piece)) / 16_000 / speed)
        yield Chunk(first, piece)


def talk(seconds: int) -> Samples:
    return np.concatenate([part for _ in range(seconds) for part in (loud(0.6), quiet(0.4))])


async def followed(
    settings: LoadSettings, *, live: bool = True, speed: float = 1
) -> tuple[Governor, list[Event]]:
    """What one who listens is told of a minute and a half of talk."""
    clock = Clock()
    governor = Governor(settings, clock=clock)
    sessions = Sessions(
        lambda: Worker(clock), SessionSettings(unread_events=10_000), SourceState("the room")
    )
    sessions.govern(governor, live=live)
    with sessions.watch() as outbox:
        await sessions.follow(spoken(talk(90), clock, speed))
        outbox.close()
        events = [event async for event in outbox]
    sessions.close()
    return governor, events


def test_effort_is_saved_step_by_step_while_others_are_busy_and_then_spent_again() -> None:
    governor, events = asyncio.run(followed(LoadSettings()))
    steps = [event for event in events if isinstance(event, LoadChanged)]
    levels = [0, *(step.level for step in steps)]
    assert max(levels) >= 2
    assert levels[-1] == governor.level == 0
    assert all(abs(a - b) == 1 for a, b in pairwise(levels))
    assert governor.changes == len(steps)
    assert all(step.name == EFFORTS[step.level].name for step in steps)
    assert HOG.start <= steps[0].at / 16_000 < HOG.stop
    assert governor.queue_ms == pytest.approx(0, abs=100)


def test_all_that_was_said_is_heard_meanwhile() -> None:
    _, events = asyncio.run(followed(LoadSettings()))
    assert contract.check(events) == 90
    assert sum(isinstance(event, Committed) for event in events) == 90
    assert sum(isinstance(event, Partial) for event in events) == 90 * 6
    assert not any(isinstance(event, AudioDropped) for event in events)


def test_without_steps_it_only_falls_behind() -> None:
    governor, events = asyncio.run(followed(LoadSettings(most=0)))
    assert not governor.changes
    assert contract.check(events) == 90
    assert not any(isinstance(event, LoadChanged) for event in events)


def test_a_recording_that_comes_faster_than_it_can_be_spoken_is_never_behind() -> None:
    governor, events = asyncio.run(followed(LoadSettings(), live=False, speed=100))
    assert (governor.level, governor.changes, governor.queue_ms) == (0, 0, 0)
    assert contract.check(events) == 90


def test_every_stream_tells_its_own_clients_where_it_went_on_with_less() -> None:
    class Told(FakeRecogniser):
        def effort(self, effort: Effort) -> None:
            efforts.append(effort)

    async def scene() -> list[Event]:
        sessions = Sessions(Told, SessionSettings(), SourceState("the room"))
        with sessions.recognise() as (session, outbox):
            await session.hear(loud(0.3))
            sessions.governor._load = sessions.governor._load.__class__(level=2, since_ms=0.0)
            await session.hear(loud(0.3))
            await session.finish()
            outbox.close()
            events = [event async for event in outbox]
        sessions.close()
        return events

    efforts: list[Effort] = []
    events = asyncio.run(scene())
    assert [e for e in events if isinstance(e, LoadChanged)] == [
        LoadChanged(4_800, 2, EFFORTS[2].name, 0)
    ]
    assert isinstance(events[0], SpeechStarted)
    assert isinstance(events[-1], Committed)
    assert [one.name for one in dict.fromkeys(efforts)] == [EFFORTS[0].name, EFFORTS[2].name]


@pytest.mark.microphone
def test_a_microphone_that_cannot_be_kept_up_with_is_heard_with_less_and_losses_are_told(
    server: SoundServer, tmp_path: Path
) -> None:
    config = tmp_path / "earshot.toml"
    config.write_text('[microphone]\ndevice = "pulse"\n[feed]\nlimit_ms = 1000\n', encoding="utf-8")
    options = ("--source", "mic", "--config", str(config))
    slow = ("tests.fake_daemon", "0.4", *options)
    with process(*slow, environment=server.environment) as house:
        house.until(lambda answer: answer.ready)
        with channel(house) as open_channel:
            call = following(open_channel)
            found = []
            for response in call:
                found.append(response.event)
                if response.event.HasField("audio_dropped"):
                    break
        steps = [event.load_changed for event in found if event.HasField("load_changed")]
        answer = house.status()
        assert answer.load.level == len(EFFORTS) - 1
        assert answer.load.name == EFFORTS[-1].name
        assert answer.load.share > 1
        assert answer.counters.load_changes == len(EFFORTS) - 1
        assert answer.counters.dropped_samples > 0
        assert [step.level for step in steps] == sorted(step.level for step in steps)
        _, _, log = house.end()
    assert f"effort: {EFFORTS[-1].name}" in log
