"""Audio that was decoded ahead: bounded; whoever fills it waits, whoever empties it never does."""

import threading

from earshot.playback.audio import Frames, silence


class Ring:
    """Between one thread that puts and one that takes."""

    def __init__(self, frames: int) -> None:
        """With room for so many frames."""
        self._audio = silence(frames)
        self._state = threading.Condition()  # guards all that follows
        self._first = self._count = 0
        self._ended = self._closed = False

    @property
    def over(self) -> bool:
        """Whether nothing is left, and nothing will come."""
        with self._state:
            return self._ended and not self._count

    @property
    def filled(self) -> bool:
        """Whether there is enough to begin: half of what it holds, or all there is."""
        with self._state:
            return self._ended or 2 * self._count >= len(self._audio)

    def put(self, piece: Frames) -> bool:
        """Add frames of any number as room comes; False once it is closed."""
        while len(piece):
            with self._state:
                self._state.wait_for(lambda: self._closed or self._count < len(self._audio))
                if self._closed:
                    return False
                end = (self._first + self._count) % len(self._audio)
                room = min(len(self._audio) - self._count, len(self._audio) - end, len(piece))
                self._audio[end : end + room] = piece[:room]
                self._count += room
            piece = piece[room:]
        return not self._closed

    def take(self, into: Frames) -> int:
        """Copy what there is to the beginning of `into`; how many frames that are."""
        done = 0
        with self._state:
            while done < len(into) and self._count:
                part = min(len(into) - done, self._count, len(self._audio) - self._first)
                into[done : done + part] = self._audio[self._first : self._first + part]
                self._first = (self._first + part) % len(self._audio)
                self._count -= part
                done += part
            self._state.notify()
        return done

    def end(self) -> None:
        """Say that nothing more will come."""
        with self._state:
            self._ended = True

    def close(self) -> None:
        """Let go whoever waits for room."""
        with self._state:
            self._closed = self._ended = True
            self._state.notify_all()
