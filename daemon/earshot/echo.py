"""Hearing over our own music: the echo of what is played is taken out of what is heard.

    played blocks ──▶ tape ──────────────┐ (position by times, then by the sound itself)
    heard samples ──▶ hops of 16 ms ──▶ canceller ──▶ as many samples, at the same positions

Pure: time is what the blocks say. Hops lie on the grid of positions, so that any slicing gives the
same samples. While nothing is played, what is heard passes as it is and nothing is computed; after
a pause of the music the response of the room is still known.

Which of what is played is heard, the two times tell at first, and again where they jump far. They
only have to be right to some tens of milliseconds: the canceller learns the rest. Where the echo
comes later than it can learn, or where what it has learnt no longer fits (a device slipped, which
no time tells), `DelayFinder` finds the echo in the sound, and `Drift` follows clocks that drift
apart. What was learnt of the room stays through all of this.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earshot.canceller import HOP, TAPS, Canceller
from earshot.delay import SECTION, SPAN, DelayFinder
from earshot.drift import Drift
from earshot.errors import SettingsError
from earshot.reference import Played
from earshot.sources import Chunk
from earshot.tape import NANOSECONDS, Clock, Tape
from earshot.units import samples

Samples = npt.NDArray[np.float32]

AUTO, OFF = "auto", "off"
GUARD = samples(16)  # before the time told, an echo may still come
EARLIER = samples(48)  # and before that it may be found
LATEST = TAPS // 2  # place of the echo in the response, from which too much of it is cut off
SAME = 4  # samples between two guesses of one place
JUMP = samples(100)  # of the times, from which they are followed; less, the sound tells better
LOUDEST = np.float32(4)  # sample; what is louder, or no number, is no sound
PATIENCE = 4  # once the echo is taken out, only each so many sections are looked at
SERVER_NAMES = ("echo-cancel", "echo_cancel", "echo cancel", "echocancel")  # …led, …ing


@dataclass(frozen=True, slots=True)
class EchoSettings:
    """What happens to the echo of what earshot's own player plays."""

    remove: str = AUTO
    """auto: taken out of what the microphone hears; off: left in"""

    def __post_init__(self) -> None:
        """Raise SettingsError for what is neither."""
        if self.remove not in {AUTO, OFF}:
            message = f"remove is {self.remove!r}, but must be {AUTO} or {OFF}"
            raise SettingsError(message)

    def wanted(self, device: str | None) -> bool:
        """Whether to take it out of what this device hears: a sound server may have done so."""
        return self.remove == AUTO and not cancelled_by_server(device or "")


def cancelled_by_server(device: str) -> bool:
    """Whether a device is, by its name, a sound server's own source without echo."""
    return any(name in device.lower() for name in SERVER_NAMES)


class EchoRemover:
    """Push in what is played and what is heard, pull out what is heard without its echo."""

    def __init__(self) -> None:
        self._tape, self._clock = Tape(), Clock()
        self._canceller, self._finder, self._drift = Canceller(), DelayFinder(), Drift()
        self._next = 0  # position of what is heard next
        self._held = np.zeros(0, np.float32)  # the begin of a hop, up to there
        self._told: int | None = None  # lag by the times
        self._lag: int | None = None  # position on the tape less that of what is heard
        self._done: int | None = None  # where a hop would follow those the canceller remembers
        self._section: list[Samples] = []  # hops heard one after the other, for the finder
        self._follows = 0  # position of the hop after them
        self._sections = 0  # hops to leave out
        self._proven = False  # that the response helps, or did before the echo moved
        self.cleaned = 0  # samples that an echo was looked for in

    def played(self, blocks: Iterable[Played]) -> None:
        """Take what is played, as early as it is known."""
        for block in blocks:
            self._tape.write(block)

    def heard(self, chunk: Chunk, time: int) -> list[Chunk]:
        """Give what is heard without echo, all but the begin of a hop.

        time: when the last of the samples had been recorded, in nanoseconds of the clock of what
        is played.
        """
        found = self.flush() if chunk.first != self._next else []
        self._next = chunk.first + len(chunk.samples)
        self._clock.note(self._next, time)
        self._follow_times()
        if self._lag is None or (not len(self._held) and self._silent(chunk.first)):
            self._rest()
            return [*found, chunk]
        whole = np.concatenate([self._held, chunk.samples])
        self._held = whole[:0]
        first, before = self._next - len(whole), self.cleaned
        parts = list(self._hops(first, whole))
        if parts:
            found.append(Chunk(first, np.concatenate(parts), cleaned=self.cleaned > before))
        return found

    def flush(self) -> list[Chunk]:
        """Give what is still held, as nothing follows it."""
        held, self._held = self._held, np.zeros(0, np.float32)
        if not len(held):
            return []
        first, before = self._next - len(held), self.cleaned
        return [Chunk(first, self._clean(first, held), cleaned=self.cleaned > before)]

    def moved(self) -> None:
        """The device is another one from here on, or was away: its times are as well."""
        self._clock.forget()
        self._finder.forget()
        self._drift = Drift()
        self._told = self._lag = None

    def _hops(self, first: int, whole: Samples) -> Iterator[Samples]:
        """Clean hop by hop; what is left at the end is held."""
        at, end = first, first + len(whole)
        while at < end:
            stop = min(end, (at // HOP + 1) * HOP)
            part = whole[at - first : stop - first]
            if self._silent(at - at % HOP):
                self._rest()
                yield part
            elif stop % HOP:
                self._held = part
            else:
                yield self._clean(at, part)
            at = stop

    def _silent(self, heard: int) -> bool:
        """Whether no echo of anything played can be in what is heard from this position on."""
        return self._place_of(heard) - TAPS - HOP >= self._tape.sounds_until

    def _place_of(self, heard: int) -> float:
        """Where on the tape that is which is heard at a position, GUARD after it was played."""
        return heard + (self._lag or 0) - self._drift.later(heard)

    def _rest(self) -> None:
        self._done = None
        self._section.clear()

    def _clean(self, first: int, part: Samples) -> Samples:
        """Take the echo out of a hop or a part of one, at its place on the grid."""
        begin = first - first % HOP
        hop = np.zeros(HOP, np.float32)
        place = slice(first - begin, first - begin + len(part))
        hop[place] = part
        if not np.abs(hop).max() <= LOUDEST:
            return part
        at = self._place_of(begin)
        read, canceller = self._tape.read_between, self._canceller
        if self._done != begin:
            canceller.recall(read(at - TAPS - HOP, TAPS + HOP))
        known = at + HOP <= self._tape.end
        self._done = begin + HOP if known else None
        learn = known and len(part) == HOP
        cleaned = canceller.step(hop, read(at - HOP, 2 * HOP), learn=learn)[place]
        if learn:
            self._drift.follow(canceller.spectra, begin + HOP)
        self.cleaned += len(part)
        self._look_for_delay(hop, begin)
        return cleaned

    def _follow_times(self) -> None:
        """Move what is heard along what is played where the times say so."""
        heard, played = self._clock.earliest, self._tape.zero
        if heard is None or played is None:
            return
        told = round((heard - played) / NANOSECONDS)
        if self._told is None or self._lag is None:
            self._lag = told + GUARD
        elif abs(told - self._told) > JUMP:
            self._lag += told - self._told
            self._drift.forget()
            self._rest()
        self._told = told

    def _look_for_delay(self, hop: Samples, begin: int) -> None:
        """Once a section: if the echo comes outside the response that is learnt, go there."""
        if self._sections and self._canceller.works:
            self._sections -= 1
            self._section.clear()
            return
        if begin != self._follows:
            self._section.clear()
        self._section.append(hop)
        self._follows = begin + HOP
        if len(self._section) * HOP < SECTION:
            return
        heard = np.concatenate(self._section)
        self._section.clear()
        first = round(self._place_of(begin + HOP - SECTION)) + EARLIER - SPAN
        found = self._finder.find(heard, self._tape.read(first, SPAN + SECTION))
        if found is None:
            return
        self._go_to(found - EARLIER)

    def _go_to(self, place: int) -> None:
        """The echo comes at this place of the response: see that it is, or can be, learnt."""
        canceller, known = self._canceller, place
        late = self._done is None  # what would come first of the response, is not yet told
        if canceller.works:
            self._proven, self._sections = True, (PATIENCE - 1) * SECTION // HOP
        elif self._proven:  # what was learnt is right, but the echo has moved
            known = int(np.abs(canceller.response).argmax())
        moved = place - known if abs(place - known) > SAME else 0
        if late or not 0 <= place - moved <= LATEST:
            later = GUARD - (place - moved)
            canceller.shift(later) if self._proven else canceller.forget()
            moved -= later
        if moved:
            self._lag = (self._lag or 0) - moved
            self._finder.forget()
            self._drift.forget()
            self._done = None
