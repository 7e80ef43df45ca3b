"""One stream of audio through a recogniser of its own, slice by slice on the shared thread."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from earshot.assist import Assist
from earshot.effort import ALL, Effort
from earshot.events import Arc, Cancelled, Committed, Event, LoadChanged, Result, SpeechStarted
from earshot.inference import Inference
from earshot.load import Governor
from earshot.looks import Observe

Samples = npt.NDArray[np.float32]
Publish = Callable[[Event], None]


class Recognises(Protocol):
    """What a session needs of a recogniser: pure, time is a count of samples."""

    def accept(self, samples: Samples) -> list[Event]:
        """Hear samples [N], and say what happened."""

    def finish(self) -> list[Event]:
        """End the utterance in progress."""

    def effort(self, effort: Effort) -> None:
        """Spend so much of it on what comes."""

    def anew(self, at: int, utterances: int) -> "Recognises":
        """Give a fresh one that has heard nothing; it counts on, from sample `at`."""


@runtime_checkable
class Observable(Protocol):
    """A recogniser that shows what it hears."""

    def observed(self, observe: Observe) -> Recognises:
        """Give a fresh one that has heard nothing; it shows every frame."""


@runtime_checkable
class Rereads(Protocol):
    """A recogniser that has more to say of a result than its words."""

    def reread(self, found: Result, best: Sequence[Arc]) -> Result:
        """What else there is to say of a result whose words are another path of its lattice."""


class Session:
    """Open until finished. Events are published in order, on the event loop."""

    def __init__(
        self,
        recogniser: Recognises,
        inference: Inference,
        turn: int,
        publish: Publish,
        assist: Assist | None = None,
    ) -> None:
        """`turn` is how many samples are recognised before another session may have its turn."""
        self._recogniser, self._inference, self._turn = recogniser, inference, turn
        self.stage = (assist or Assist.none()).stage(publish, self._complete)
        self._effort = ALL
        self.govern(inference.governor, live=False)
        self._lock = asyncio.Lock()  # a recogniser does one thing at a time
        self._open = True
        self._at = 0  # of the last event
        self.position = 0  # in the audio: of what is heard next
        self.heard = 0  # samples
        self.utterances = 0
        self.utterance: int | None = None  # in progress

    def govern(self, governor: Governor, *, live: bool) -> None:
        """Save effort when this governor says so; `live`: the audio comes as it is spoken."""
        self._governor, self._pace = governor, governor.pace(live=live)

    @property
    def queue_ms(self) -> float:
        """How long what is heard next has been waiting."""
        return self._pace.queue_ms

    def use(self, recogniser: Recognises) -> None:
        """Hear by another recogniser, before anything was heard."""
        self._recogniser = recogniser

    async def hear(self, samples: Samples) -> None:
        """Recognise samples [N], in turns. What comes after the end is not heard."""
        recogniser = self._recogniser
        with self._pace.hearing():
            for first in range(0, len(samples), self._turn):
                piece = samples[first : first + self._turn]
                async with self._lock:
                    if not self._open or self._recogniser is not recogniser:
                        return
                    await self._run(self._trying(recogniser), piece)
                    if self._recogniser is recogniser:
                        self.position += len(piece)
                        self.heard += len(piece)
                self._pace.recognised(len(piece))
                self._governor.look()

    def _trying(self, recogniser: Recognises) -> Callable[[Samples], list[Event]]:
        """Hear with as much effort as there is room for; tell where that has changed."""
        governor, effort = self._governor, self._governor.effort
        if effort is not self._effort:
            self._effort = effort
            queue = round(governor.queue_ms)
            self._tell(LoadChanged(self.position, governor.level, effort.name, queue))

        def accept(samples: Samples) -> list[Event]:
            recogniser.effort(effort)
            return recogniser.accept(samples)

        return accept

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
        await self.stage.settled()

    def give_up(self, reason: str) -> None:
        """End it at once: the utterance in progress, if there is one, is cancelled."""
        self._cancel(reason)
        self._open = False
        self._governor.leave(self._pace)

    def forget(self, reason: str) -> None:
        """Cancel the utterance in progress, keep nothing of what was heard, and hear on."""
        self._cancel(reason)
        self.begin_at(self.position)

    def begin_at(self, position: int) -> None:
        """Hear by a fresh recogniser what comes next, which is at this position."""
        self._recogniser = self._recogniser.anew(position, self.utterances)
        self.position = position

    def _cancel(self, reason: str) -> None:
        if self._open and self.utterance is not None:
            self._tell(Cancelled(self._at, self.utterance, reason))

    async def _run(self, work: Callable[..., list[Event]], *arguments: Samples) -> None:
        recogniser = self._recogniser
        for event in await self._inference.run(work, *arguments):
            if self._open and self._recogniser is recogniser:  # not given up meanwhile
                self._tell(event)

    def _tell(self, event: Event) -> None:
        self._at = event.at
        if isinstance(event, SpeechStarted):
            self.utterance = event.utterance
            self.utterances += 1
        elif isinstance(event, Committed | Cancelled):
            self.utterance = None
        self.stage.put(event)

    async def _complete(self, found: Result, best: Sequence[Arc]) -> Result:
        """Have the recogniser say what else there is to say of a result."""
        recogniser = self._recogniser
        if not isinstance(recogniser, Rereads):
            return found
        return await self._inference.run(recogniser.reread, found, best)
