"""What is heard of all streams: added up, faded, ducked, and kept from clipping."""

import threading
from collections.abc import Callable

from earshot.playback.audio import BLOCK, Frames, amplitude, silence
from earshot.playback.limiter import Limiter
from earshot.playback.ramp import Ramp
from earshot.playback.settings import PlaybackSettings, WhileSpeaking
from earshot.playback.stream import Programme, Stream


class Group:
    """The streams of a programme, which begin and end together."""

    def __init__(self, streams: list[Stream], gain_db: float, fade_ms: float) -> None:
        self.streams, self._fade_ms = streams, fade_ms
        self._level, self.leaving = Ramp(0.0), False
        self._level.to(amplitude(gain_db), fade_ms)

    @property
    def over(self) -> bool:
        """Whether it was played to its end, or faded out."""
        faded = self.leaving and self._level.silent
        return faded or all(stream.over for stream in self.streams)

    def leave(self) -> None:
        """Fade out."""
        self.leaving = True
        self._level.to(0.0, self._fade_ms)

    def add_to(self, out: Frames) -> None:
        """Add a block, once enough is decoded."""
        if not self.leaving and not all(stream.filled for stream in self.streams):
            return
        factor, own = self._level.take(len(out)), silence(len(out))
        for stream in self.streams:
            stream.take(own)
            out += own * factor

    def close(self) -> None:
        """End decoding."""
        for stream in self.streams:
            stream.close()


class Mixer:
    """Adds up a block at a time, for the feeding thread; the rest is for any thread."""

    def __init__(self, settings: PlaybackSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()  # guards all that follows
        self._groups: list[Group] = []
        self._hold, self._duck, self._limiter = Ramp(1.0), Ramp(1.0), Limiter()
        self._starved = 0  # blocks of streams that are gone

    @property
    def active(self) -> bool:
        """Whether anything is to be heard, if only its end."""
        with self._lock:
            return bool(self._groups) and not self._held

    @property
    def idle(self) -> bool:
        """Whether there is nothing to play."""
        with self._lock:
            return not self._groups

    @property
    def paused(self) -> bool:
        """Whether it was told to pause."""
        with self._lock:
            return self._hold.target == 0.0

    @property
    def ducked(self) -> bool:
        """Whether it is quieter, because somebody speaks."""
        with self._lock:
            return self._duck.target < 1.0

    @property
    def starved(self) -> int:
        """How many blocks were incomplete because decoding was not ahead."""
        with self._lock:
            return self._starved + sum(s.starved for group in self._groups for s in group.streams)

    @property
    def playing(self) -> list[str]:
        """Names of the files that are being decoded."""
        with self._lock:
            return [s.playing.name for group in self._groups for s in group.streams]

    def play(self, programme: Programme, tell: Callable[[str], None]) -> None:
        """Fade out what is played, and in what is asked for. `tell` gets problems with files."""
        ahead = self._settings.ahead_ms
        orders = [programme.order(stream) for stream in range(programme.streams)]
        streams = [Stream(files, programme, ahead, tell) for files in orders]
        group = Group(streams, programme.gain_db, self._settings.fade_ms)
        with self._lock:
            self._leave()
            self._hold.to(1.0, self._settings.fade_ms)
            self._groups.append(group)

    def stop(self, *, unheard: bool = False) -> None:
        """Fade out, and forget the files; at once, where nobody hears it."""
        with self._lock:
            self._leave()
            if unheard:
                self._drop(held=True)

    def pause(self) -> None:
        """Fade out, and stay."""
        with self._lock:
            self._hold.to(0.0, self._settings.fade_ms)

    def resume(self) -> None:
        """Fade in."""
        with self._lock:
            self._hold.to(1.0, self._settings.fade_ms)

    def speech(self, *, on: bool) -> None:
        """Be quieter (or silent) while somebody speaks."""
        s = self._settings
        target = {
            WhileSpeaking.DUCK: amplitude(s.duck_db),
            WhileSpeaking.PAUSE: 0.0,
            WhileSpeaking.NOTHING: 1.0,
        }[WhileSpeaking(s.while_speaking)]
        with self._lock:
            self._duck.to(target if on else 1.0, s.attack_ms if on else s.release_ms)

    def mix(self) -> Frames:
        """Give the next block [BLOCK, CHANNELS]; silence where nothing plays."""
        with self._lock:
            out = silence(BLOCK)
            if self._held:
                self._drop(held=True)
            else:
                for group in self._groups:
                    group.add_to(out)
                out *= self._hold.take(BLOCK)
                out *= self._duck.take(BLOCK)
                self._drop()
            return self._limiter.process(out)

    def close(self) -> None:
        """Forget everything, and wait for the decoders to end."""
        with self._lock:
            streams = [stream for group in self._groups for stream in group.streams]
            self._leave()
            self._drop(held=True)
        for stream in streams:
            stream.join()

    @property
    def _held(self) -> bool:
        return self._hold.silent or self._duck.silent

    def _leave(self) -> None:
        """Fade out all; at once, where nothing is heard of it."""
        for group in self._groups:
            group.leave()
        if self._held:
            self._drop(held=True)

    def _drop(self, *, held: bool = False) -> None:
        """Forget what is over, and where all is held, also what leaves."""
        for group in [one for one in self._groups if one.over or (held and one.leaving)]:
            self._groups.remove(group)
            self._starved += sum(stream.starved for stream in group.streams)
            group.close()
