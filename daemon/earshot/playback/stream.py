"""A stream of music: files one after another, decoded ahead by a thread of their own."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from earshot.errors import AudioError, LimitError, RequestError, SettingsError
from earshot.playback.audio import RATE, Frames, silence
from earshot.playback.decoder import check, decoded
from earshot.playback.equaliser import Equaliser, sections
from earshot.playback.ring import Ring
from earshot.playback.settings import LOUDEST, SOFTEST, Tone

logger = logging.getLogger(__name__)

MOST_STREAMS = 32
MOST_FILES = 10_000
JOIN_SECONDS = 1.0
FLAT = Tone()
_ONE = "one call"


@dataclass(frozen=True, slots=True)
class Programme:
    """What is to be played, and how. Raises RequestError for what cannot be."""

    files: tuple[Path, ...]
    gain_db: float = 0.0
    loop: bool = False
    streams: int = 1
    tone: Tone = FLAT
    silent: bool = False
    """to a pretended device"""

    def __post_init__(self) -> None:
        if not self.files:
            message = "nothing to play: name at least one file"
            raise RequestError(message)
        if relative := [str(file) for file in self.files if not file.is_absolute()]:
            message = f"{relative[0]}: give the whole path, for the player runs in another folder"
            raise RequestError(message)
        if not SOFTEST <= self.gain_db <= LOUDEST:
            message = f"gain is {self.gain_db:g} dB, but must be from {SOFTEST:g} to {LOUDEST:g}"
            raise SettingsError(message)
        if self.streams < 1:
            message = f"streams is {self.streams}, but must be 1 at least"
            raise SettingsError(message)
        if self.streams > MOST_STREAMS:
            raise LimitError(_ONE, self.streams, MOST_STREAMS, "streams")
        if len(self.files) > MOST_FILES:
            raise LimitError(_ONE, len(self.files), MOST_FILES, "files")

    def order(self, stream: int) -> tuple[Path, ...]:
        """Files of a stream: each begins with another one."""
        first = stream % len(self.files)
        return self.files[first:] + self.files[:first]


def playable(files: Sequence[Path]) -> tuple[tuple[Path, ...], list[str]]:
    """Those of some files that can be played, and what is wrong with the others."""
    good, problems = list[Path](), list[str]()
    for file in files:
        try:
            check(file)
        except AudioError as error:
            problems.append(str(error))
        else:
            good.append(file)
    return tuple(good), problems


class Stream:
    """Plays files to their end, or for ever; those that cannot be played are told and left out."""

    def __init__(
        self,
        files: Sequence[Path],
        programme: Programme,
        ahead_ms: int,
        tell: Callable[[str], None],
    ) -> None:
        """`tell` gets what is wrong with a file, from the thread."""
        self._files, self._loop, self._tell = tuple(files), programme.loop, tell
        self._tone = None if programme.tone.flat else Equaliser(sections(programme.tone))
        self._ring = Ring(ahead_ms * RATE // 1_000)
        self.playing = self._files[0]
        self.starved = 0
        self._thread = threading.Thread(target=self._decode, name="decoder", daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether it was played to its end."""
        return self._ring.over

    @property
    def filled(self) -> bool:
        """Whether enough is decoded to begin."""
        return self._ring.filled

    def take(self, into: Frames) -> None:
        """Fill a block; what is missing is silence."""
        done = self._ring.take(into)
        if done < len(into):
            into[done:] = 0.0
            self.starved += not self._ring.over

    def close(self) -> None:
        """End, without waiting for the piece under way."""
        self._ring.close()

    def join(self) -> None:
        """Wait for the piece under way; not for ever, for the file may be on a network."""
        self._thread.join(JOIN_SECONDS)

    def _decode(self) -> None:
        """Decode all files, in the thread."""
        files, failed = deque(self._files), 0
        while files and failed < len(self._files):
            self.playing = files.popleft()
            try:
                for piece in decoded(self.playing):
                    if not self._put(piece):
                        return
                failed = 0
            except AudioError as error:
                failed += 1
                self._tell(str(error))
            if self._loop:
                files.append(self.playing)
        self._put(silence(0), last=True)
        self._ring.end()

    def _put(self, piece: Frames, *, last: bool = False) -> bool:
        return self._ring.put(self._tone.process(piece, last=last) if self._tone else piece)
