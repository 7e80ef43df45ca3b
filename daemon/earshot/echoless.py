"""A source without the echo of what is played: the remover between the source and the feed.

It works in the thread that reads the source. Positions and gaps are those of the source.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import numpy as np

from earshot.echo import EchoRemover
from earshot.errors import AudioError
from earshot.events import SourceChanged
from earshot.reference import BLOCK, Played
from earshot.sources import Attentive, AudioFile, Chunk, Item, Mutable, Source, open_recording
from earshot.tape import NANOSECONDS
from earshot.units import samples, seconds

logger = logging.getLogger(__name__)

AHEAD = samples(500)  # of a reference in a file, as a player would give it
UNLIKE = samples(1_000)  # a recording and its reference may differ by so much


class Taken(Protocol):
    """What tells what is played."""

    def take(self) -> list[Played]:
        """Give all blocks that have come since the last time, in order; never waits."""

    def close(self) -> None:
        """Let it go."""


class Echoless:
    """What a source hears, without the echo of what a player tells that it plays."""

    def __init__(
        self, source: Source, reference: Taken, now: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._source, self._reference, self._now = source, reference, now
        self._remover = EchoRemover()
        self.live = source.live

    @property
    def description(self) -> str:
        """Of the source."""
        return self._source.description

    def __iter__(self) -> Iterator[Item]:
        """All that the source gives. Raises what it raises."""
        told = False
        try:
            for item in self._source:
                now = self._now()
                self._remover.played(self._reference.take())
                yield from _items(self._remover, item, now)
                if self._remover.cleaned and not told:
                    told = True
                    logger.info("the echo of what is played is taken out of what is heard")
            yield from self._remover.flush()
        finally:
            self._reference.close()

    def close(self) -> None:
        """End the source soon."""
        self._source.close()

    def mute(self) -> bool:
        """Give the source's device back, if it has one."""
        return self._source.mute() if isinstance(self._source, Mutable) else True

    def unmute(self) -> None:
        """Open it again."""
        if isinstance(self._source, Mutable):
            self._source.unmute()

    def attend(self, *, speaking: bool) -> None:
        """Tell the source whether somebody speaks."""
        if isinstance(self._source, Attentive):
            self._source.attend(speaking=speaking)


def without_echo(source: Iterable[Item], reference: Path) -> Iterator[Item]:
    """What a recording holds, without the echo of what was played meanwhile, which is another.

    Both begin at the same time. AudioError where the reference cannot be read, or is not of the
    same length.
    """
    remover, blocks = EchoRemover(), _blocks(reference)
    heard = played = 0  # samples
    for item in source:
        if isinstance(item, Chunk):
            heard = item.first + len(item.samples)
        while played < heard + AHEAD and (block := next(blocks, None)):
            played += BLOCK
            remover.played([block])
        yield from _items(remover, item, heard * NANOSECONDS)
    yield from remover.flush()
    played += BLOCK * sum(1 for _ in blocks)
    if abs(played - heard) > UNLIKE:
        message = (
            f"{reference}: {seconds(played):.1f} s long, but the recording {seconds(heard):.1f} s: "
            "give what was played from the begin of the recording to its end"
        )
        raise AudioError(message)


def same_rate(recording: Path, reference: Path) -> None:
    """Raise AudioError where the two were not recorded at one rate, or cannot be read."""
    with closing(open_recording(recording)) as one, closing(open_recording(reference)) as other:
        if one.samplerate == other.samplerate:
            return
        message = (
            f"{reference}: {other.samplerate} Hz, but the recording has {one.samplerate} Hz: "
            "record both at one rate, by one clock"
        )
    raise AudioError(message)


def _items(remover: EchoRemover, item: Item, now: int) -> Iterator[Item]:
    if isinstance(item, Chunk):
        yield from remover.heard(item, now)
        return
    yield from remover.flush()
    if isinstance(item, SourceChanged):
        remover.moved()
    yield item


def _blocks(path: Path) -> Iterator[Played]:
    """A recording as a player would give it."""
    rest, at = np.zeros(0, np.float32), 0
    for item in AudioFile(path):
        if not isinstance(item, Chunk):
            continue
        rest = np.concatenate([rest, item.samples])
        while len(rest) >= BLOCK:
            pcm = np.round(rest[:BLOCK] * 32_767).astype(np.int16)
            yield Played(at * NANOSECONDS, pcm)
            rest, at = rest[BLOCK:], at + BLOCK
