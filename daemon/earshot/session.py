"""One stream of audio through a recogniser of its own, slice by slice on the shared thread."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from earshot.events import Cancelled, Committed, Event, SpeechStarted
from earshot.inference import Inference

Samples = npt.NDArray[np.float32]
Publish = Callable[[Event], None]


class Recognises(Protocol):
    """What a session needs of a recogniser: pure, time is a count of samples."""

    def accept(self, samples: Samples) -> list[Event]:
        """Hear samples [N], and say what happened."""

    def finish(self) -> list[Event]:
        """End the utterance in progress."""


class Session:
    """Open until finished. Events are published in order, on the event loop."""

    def __init__(
        self, recogniser: Recognises, inference: Inference, turn: int, publish: Publish
    ) -> None:
        """`turn` is how many samples are recognised before another session may have its turn."""
        self._recogniser, self._inference = recogniser, inference
        self._turn, self._publish = turn, publish
        self._lock = asyncio.Lock()  # a recogniser does one thing at a time
        self._open = True
        self._at = 0  # of the last event
        self.position = 0  # samples heard
        self.utterances = 0
        self.utterance: int | None = None  # in progress

    def use(self, recogniser: Recognises) -> None:
        """Hear by another recogniser, before anything was heard."""
        self._recogniser = recogniser

    async def hear(self, samples: Samples) -> None:
        """Recognise samples [N], in turns. What comes after the end is not heard."""
        for first in range(0, len(samples), self._turn):
            piece = samples[first : first + self._turn]
            async with self._lock:
                if not self._open:
                    return
                await self._run(self._recogniser.accept, piece)
                self.position += len(piece)

    async def pause(self) -> None:
        """End the utterance in progress, since its audio does."""
        async with self._lock:
            if self._open:
                await self._run(self._recogniser.finish)

    async def finish(self, seconds: float | None = None) -> None:
        """End it: the utterance in progress is committed, or cancelled if that takes `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self.pause()
        except TimeoutError:
            self.give_up("there was no time to finish it")
        self._open = False

    def give_up(self, reason: str) -> None:
        """End it at once: the utterance in progress, if there is one, is cancelled."""
        if self._open and self.utterance is not None:
            self._tell(Cancelled(self._at, self.utterance, reason))
        self._open = False

    async def _run(self, work: Callable[..., list[Event]], *arguments: Samples) -> None:
        for event in await self._inference.run(work, *arguments):
            if self._open:  # it may have been given up meanwhile
                self._tell(event)

    def _tell(self, event: Event) -> None:
        self._at = event.at
        if isinstance(event, SpeechStarted):
            self.utterance = event.utterance
            self.utterances += 1
        elif isinstance(event, Committed | Cancelled):
            self.utterance = None
        self._publish(event)
