"""All sessions of the daemon: one that follows the source, and one for each client's own audio.

    source ▶ feed ▶ session ▶ an outbox for each client that listens
    audio of a client ▶ session ▶ the outbox of that client

They share one inference thread and take turns on it. Everything else happens on the event loop.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from earshot.asked import Asked
from earshot.assist import Assist
from earshot.clients import STOPPING, Clients
from earshot.condition import Condition, SourceState
from earshot.errors import DeviceError, EarshotError, RequestError
from earshot.events import (
    AudioDropped,
    Event,
    Mode,
    ModeChanged,
    Muted,
    SourceChanged,
)
from earshot.inference import Inference
from earshot.load import Governor
from earshot.looks import Observe
from earshot.meter import Meter, Ring
from earshot.outbox import Outbox
from earshot.session import Observable, Publish, Recognises, Session
from earshot.sources import Attentive, Chunk
from earshot.tally import Tally
from earshot.units import samples, seconds

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How many may be served, and how fairly."""

    clients: int = 64
    """clients at once; each one costs a recogniser while somebody speaks"""
    unread_events: int = 256
    """events kept for a client that does not read: half a minute of partials"""
    turn_ms: int = 200
    """audio that one session may recognise before another has its turn"""
    finish_seconds: float = 3.0
    """how long the utterances in progress may take to be committed when the daemon stops"""


Special = Callable[[Asked], Recognises]


def unable(asked: Asked) -> Recognises:
    """Stand for a recogniser that can be told nothing. Raises RequestError."""
    message = f"this recogniser can be told nothing, but was told {asked}; leave that out"
    raise RequestError(message)


class Sessions:
    """Opens, feeds and ends them. Belongs to one event loop."""

    def __init__(
        self,
        new_recogniser: Callable[[], Recognises],
        settings: SessionSettings,
        source: SourceState,
        special: Special = unable,
        assist: Assist | None = None,
    ) -> None:
        """`source` is what will be followed; `special` hears what a client asks for."""
        self._special, self._assist = special, assist or Assist.none()
        self._new_recogniser, self._settings = new_recogniser, settings
        self._inference = Inference()
        self._sessions: set[Session] = set()
        self._listeners: set[Outbox] = set()
        self._outboxes: set[Outbox] = set()  # those of the listeners, and of the client sessions
        self._heard = 0  # samples, in sessions that are over
        self._changed = asyncio.Event()
        self.clients, self.tally = Clients(settings.clients), Tally()
        self.source, self.meter = source, Meter()
        self._note = self.tally.stream()
        self._followed = self._open(self._broadcast, self.meter.take)
        self._forgot = False  # since it heard the source

    def govern(self, governor: Governor, *, live: bool) -> None:
        """Save effort as a governor says; `live`: the source gives audio as it is spoken."""
        self._inference.governor = governor
        self._followed.govern(governor, live=live)

    @property
    def governor(self) -> Governor:
        """Which says how much effort is spent."""
        return self._inference.governor

    @property
    def heard(self) -> int:
        """Samples that were recognised, in all sessions together."""
        return self._heard + sum(session.heard for session in self._sessions)

    @property
    def ready(self) -> bool:
        """Whether whoever asks is served at once."""
        return self.source.ready and not self.clients.stopping

    @contextmanager
    def watch(self) -> Iterator[Outbox]:
        """Subscribe to the events of the source."""
        outbox = Outbox(self._settings.unread_events, without=self._followed.stage.utterance)
        if self.source.condition in {Condition.AWAY, Condition.ENDED}:
            outbox.put(
                SourceChanged(
                    self._followed.position, ready=False, description=self.source.description
                )
            )
        if self.source.muted:
            outbox.put(Muted(self._followed.position, muted=True))
        self._listeners.add(outbox)
        self._outboxes.add(outbox)
        try:
            yield outbox
        finally:
            self._listeners.discard(outbox)
            self._outboxes.discard(outbox)

    @contextmanager
    def listen(self) -> Iterator[Outbox]:
        """Subscribe a client to the events of the source. Raises what Clients.serve raises."""
        with self.watch() as outbox, self.clients.serve("listens", self._followed, outbox):
            yield outbox

    @contextmanager
    def measure(self) -> Iterator[Ring]:
        """Have a client watch how loud the source is. Raises what Clients.serve raises."""
        with self.meter.watch() as ring, self.clients.serve("watches", self._followed, ring):
            yield ring

    @contextmanager
    def recognise(self) -> Iterator[tuple[Session, Outbox]]:
        """Open a session for the audio of a client. Raises what Clients.serve raises."""
        outbox, note = Outbox(self._settings.unread_events), self.tally.stream()

        def publish(event: Event) -> None:
            note(event)
            outbox.put(event)

        session = self._open(publish)
        self._outboxes.add(outbox)
        try:
            with self.clients.serve("sends audio", session, outbox):
                yield session, outbox
        finally:
            session.give_up("the client is gone")
            session.stage.close()
            self._outboxes.discard(outbox)
            self._sessions.discard(session)
            self._heard += session.heard

    async def attune(self, session: Session, asked: Asked) -> None:
        """Let a new session hear as it was asked to. Raises RequestError."""
        session.use(await asyncio.to_thread(self._special, asked))

    async def follow(self, feed: AsyncIterable[Chunk | AudioDropped | SourceChanged]) -> None:
        """Recognise the source to its end."""
        session = self._followed
        try:
            async for item in feed:
                if isinstance(item, Chunk):
                    await self._hear(item)
                    if isinstance(feed, Attentive):
                        closely = self.governor.effort.look == 1
                        feed.attend(speaking=closely and session.utterance is not None)
                elif isinstance(item, AudioDropped):
                    self._tell(item)
                else:
                    await self._change(item, Condition.HEARING if item.ready else Condition.AWAY)
        except EarshotError as error:  # the source failed for good, and its error says why
            end, condition = str(error), Condition.AWAY
        else:
            end, condition = f"{self.source.description} (ended)", Condition.ENDED
        await self._change(SourceChanged(session.position, ready=False, description=end), condition)

    async def _hear(self, chunk: Chunk) -> None:
        session = self._followed
        self._source_is(self.source.description, Condition.HEARING, cleaned=chunk.cleaned)
        if self._forgot:
            self._forgot = False
            session.begin_at(chunk.first)
        # A gap is heard as silence, so that positions stay those of the source.
        gap = max(0, chunk.first - session.position)
        waited, began = session.queue_ms / 1_000, time.monotonic()
        await session.hear(np.pad(chunk.samples, (gap, 0)) if gap else chunk.samples)
        self.tally.delayed.add(waited + time.monotonic() - began)

    def forget(self) -> None:
        """Cancel what is being said in the room, and keep nothing of what was heard there."""
        self._followed.forget("muted")
        self._forgot = True

    def mute(self, *, closed: bool) -> None:
        """Take note that the source is muted, and whether its device is closed."""
        was, hearing = self.source.muted, self.source.condition is Condition.HEARING
        condition = Condition.OPENING if closed and hearing else self.source.condition
        self._source_is(self.source.description, condition, muted=True)
        if not was:
            self._tell_muted(muted=True)

    def unmute(self) -> None:
        """Take note that the source is to be heard again."""
        self._source_is(self.source.description, self.source.condition, muted=False)
        self._tell_muted(muted=False)

    def _tell_muted(self, *, muted: bool) -> None:
        at = self._followed.position
        logger.info("after %.1f s: %s", seconds(at), "muted" if muted else "unmuted")
        self._tell(Muted(at, muted))

    def tell_mode(self, mode: Mode) -> None:
        """Tell who listens what may leave the device from now on."""
        self._tell(ModeChanged(self._followed.position, mode))

    def _tell(self, event: Event) -> None:
        """Tell who listens, after all that was said before."""
        self._followed.stage.put(event)

    async def _change(self, change: SourceChanged, condition: Condition) -> None:
        """Take note of a source that went or came. What was said until then is committed."""
        if not change.ready:
            await self._followed.pause()
        logger.info("after %.1f s: %s", seconds(change.at), change.description)
        self._source_is(change.description, condition)
        self._tell(change)

    async def changes(self) -> AsyncIterator[SourceState]:
        """How the source is: now, and whenever that changes, or the daemon begins to stop."""
        while True:
            changed = self._changed
            yield self.source
            await changed.wait()

    async def stop(self) -> None:
        """Commit or cancel what is in progress, and close every outbox after its last events."""
        self.clients.stopping = True
        self._source_is(self.source.description, self.source.condition)
        limit = self._settings.finish_seconds
        await asyncio.gather(*(session.finish(limit) for session in self._sessions))
        for outbox in self._outboxes:
            outbox.close(DeviceError(STOPPING))
        self.meter.close(DeviceError(STOPPING))

    def close(self) -> None:
        """Let the inference thread go."""
        self._inference.close()

    def _open(self, publish: Publish, observe: Observe | None = None) -> Session:
        turn = samples(self._settings.turn_ms)
        recogniser = self._new_recogniser()
        if observe and isinstance(recogniser, Observable):
            recogniser = recogniser.observed(observe)
        session = Session(recogniser, self._inference, turn, publish, self._assist)
        self._sessions.add(session)
        return session

    def _broadcast(self, event: Event) -> None:
        self._note(event)
        for outbox in self._listeners:
            outbox.put(event)

    def _source_is(
        self,
        description: str,
        condition: Condition,
        *,
        muted: bool | None = None,
        cleaned: bool = False,
    ) -> None:
        state = replace(self.source, description=description, condition=condition, cleaned=cleaned)
        state = state if muted is None else replace(state, muted=muted)
        if state == self.source and not self.clients.stopping:
            return
        self.source = state
        self._changed.set()
        self._changed = asyncio.Event()
