"""All sessions of the daemon: one that follows the source, and one for each client's own audio.

    source ▶ feed ▶ session ▶ an outbox for each client that listens
    audio of a client ▶ session ▶ the outbox of that client

They share one inference thread and take turns on it. Everything else happens on the event loop.
"""

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from earshot.asked import Asked
from earshot.clients import STOPPING, Clients
from earshot.errors import DeviceError, EarshotError, RequestError
from earshot.events import (
    AudioDropped,
    Cancelled,
    Committed,
    Event,
    Muted,
    SourceChanged,
    SpeechStarted,
)
from earshot.inference import Inference
from earshot.outbox import Outbox
from earshot.session import Publish, Recognises, Session
from earshot.sources import Chunk
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


class Condition(Enum):
    """How the source is."""

    OPENING = "opening"
    HEARING = "hearing"
    AWAY = "away"
    ENDED = "ended"  # a recording that was heard to its end: nothing is wrong

    @property
    def ready(self) -> bool:
        """Whether there is nothing to wait for."""
        return self in {Condition.HEARING, Condition.ENDED}


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is listened to, and how that goes."""

    description: str
    condition: Condition = Condition.OPENING
    muted: bool = False

    @property
    def ready(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.muted or self.condition.ready

    @property
    def known(self) -> bool:
        """Whether there is anything to say of it."""
        return self.muted or self.condition is not Condition.OPENING


Special = Callable[[Asked], Recognises]


def unable(asked: Asked) -> Recognises:
    """Stand for a recogniser that can be told nothing. Raises RequestError."""
    message = f"this recogniser can be told nothing, but was told {asked}; leave that out"
    raise RequestError(message)


@dataclass(slots=True)
class Tally:
    """What happened since the daemon started, in all sessions together."""

    utterances: int = 0
    committed: int = 0
    cancelled: int = 0
    dropped: int = 0  # samples

    def note(self, event: Event) -> None:
        """Count an event."""
        match event:
            case SpeechStarted():
                self.utterances += 1
            case Committed():
                self.committed += 1
            case Cancelled():
                self.cancelled += 1
            case AudioDropped():
                self.dropped += event.samples


class Sessions:
    """Opens, feeds and ends them. Belongs to one event loop."""

    def __init__(
        self,
        new_recogniser: Callable[[], Recognises],
        settings: SessionSettings,
        source: str,
        special: Special = unable,
    ) -> None:
        """`source` describes what will be followed; `special` hears what a client asks for."""
        self._special = special
        self._new_recogniser, self._settings = new_recogniser, settings
        self._inference = Inference()
        self._sessions: set[Session] = set()
        self._listeners: set[Outbox] = set()
        self._outboxes: set[Outbox] = set()  # those of the listeners, and of the client sessions
        self._heard = 0  # samples, in sessions that are over
        self._changed = asyncio.Event()
        self.clients, self.tally = Clients(settings.clients), Tally()
        self.source = SourceState(source)
        self._followed = self._open(self._broadcast)
        self._forgot = False  # since it heard the source

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
        outbox = Outbox(self._settings.unread_events, without=self._followed.utterance)
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
    def recognise(self) -> Iterator[tuple[Session, Outbox]]:
        """Open a session for the audio of a client. Raises what Clients.serve raises."""
        outbox = Outbox(self._settings.unread_events)

        def publish(event: Event) -> None:
            self.tally.note(event)
            outbox.put(event)

        session = self._open(publish)
        self._outboxes.add(outbox)
        try:
            with self.clients.serve("sends audio", session, outbox):
                yield session, outbox
        finally:
            session.give_up("the client is gone")
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
                elif isinstance(item, AudioDropped):
                    self._broadcast(item)
                else:
                    await self._change(item, Condition.HEARING if item.ready else Condition.AWAY)
        except EarshotError as error:  # the source failed for good, and its error says why
            end, condition = str(error), Condition.AWAY
        else:
            end, condition = f"{self.source.description} (ended)", Condition.ENDED
        await self._change(SourceChanged(session.position, ready=False, description=end), condition)

    async def _hear(self, chunk: Chunk) -> None:
        session = self._followed
        self._source_is(self.source.description, Condition.HEARING)
        if self._forgot:
            self._forgot = False
            session.begin_at(chunk.first)
        # A gap is heard as silence, so that positions stay those of the source.
        gap = max(0, chunk.first - session.position)
        await session.hear(np.pad(chunk.samples, (gap, 0)) if gap else chunk.samples)

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
        self._broadcast(Muted(at, muted))

    async def _change(self, change: SourceChanged, condition: Condition) -> None:
        """Take note of a source that went or came. What was said until then is committed."""
        if not change.ready:
            await self._followed.pause()
        logger.info("after %.1f s: %s", seconds(change.at), change.description)
        self._source_is(change.description, condition)
        self._broadcast(change)

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

    def close(self) -> None:
        """Let the inference thread go."""
        self._inference.close()

    def _open(self, publish: Publish) -> Session:
        turn = samples(self._settings.turn_ms)
        session = Session(self._new_recogniser(), self._inference, turn, publish)
        self._sessions.add(session)
        return session

    def _broadcast(self, event: Event) -> None:
        self.tally.note(event)
        for outbox in self._listeners:
            outbox.put(event)

    def _source_is(
        self, description: str, condition: Condition, *, muted: bool | None = None
    ) -> None:
        state = replace(self.source, description=description, condition=condition)
        state = state if muted is None else replace(state, muted=muted)
        if state == self.source and not self.clients.stopping:
            return
        self.source = state
        self._changed.set()
        self._changed = asyncio.Event()
