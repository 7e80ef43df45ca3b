"""The pure whole: samples in, events out. No I/O, threads or clock; time is a count of samples.

    frames ▶ vad ▶ (while somebody speaks) utterance ▶ end-pointers ▶ arbiter

Everything happens frame by frame of 20 ms, so any slicing of the audio gives the same events.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from earshot.arbiter import Act, Arbiter, Sign, Stand
from earshot.effort import ALL, Effort
from earshot.endpointers import EndPointSettings, Fusion, Glance, decide, explain, rules
from earshot.events import (
    Arc,
    Cancelled,
    Decision,
    EndPointKind,
    Event,
    Partial,
    Result,
    SpeechStarted,
    Word,
)
from earshot.frames import Frames, PreRoll
from earshot.looks import Frame, Observe
from earshot.units import SAMPLES_PER_MS, VAD_FRAME, samples
from earshot.utterance import Utterance
from earshot.vad import Gate, Vad, VadSettings

Samples = npt.NDArray[np.float32]
Begin = Callable[[int], Utterance]  # makes the utterance that begins at a sample
Watch = Callable[[Glance], None]
HANGOVER_MS = 300  # for so long the detector may go on hearing speech that is over
BEHIND_MS = 2_000  # kept behind an end, for so long what the networks do not take for speech waits
OPENING = {Gate.STARTING, Gate.SPEAKING}
SIGNS = {EndPointKind.FINAL: Sign.DONE, EndPointKind.SPECULATIVE: Sign.SEEMS_DONE}
UNFUSED = Fusion()


def unwatched(_: Glance) -> None:
    """Stand for somebody who watches."""


class Recogniser:
    """One stream of audio, from its first sample on."""

    def __init__(
        self,
        begin: Begin,
        vad: VadSettings,
        endpoint: EndPointSettings,
        fusion: Fusion = UNFUSED,
        watch: Watch = unwatched,
    ) -> None:
        """`watch` is shown where each utterance stands, every 20 ms."""
        self._parts = begin, vad, endpoint, fusion, watch
        self._begin, self._rules, self._fusion, self._watch = begin, rules(endpoint), fusion, watch
        self._frames, self._vad, self._preroll_ms = Frames(), Vad(vad), vad.preroll_ms
        self._preroll = PreRoll(max(vad.preroll_ms, BEHIND_MS))
        self._speculations, self._arbiter = endpoint.speculations, Arbiter(0, 0)
        # What waits for the hangover to be over must be kept meanwhile.
        self._hangover = samples(min(HANGOVER_MS, vad.preroll_ms))
        self._rested = True  # the detector has heard silence since the last utterance
        self._last: Utterance | None = None  # the last utterance, and where it was ended
        self._over = 0
        self._speaks: bool | None = None  # whether a network has heard it go on since
        self._at = self._speech_end = 0  # samples heard, in whole frames; up to the last speech
        self._utterance: Utterance | None = None
        self._number = self._start = 0  # of the utterance
        self._words: tuple[Word, ...] = ()  # as in the last partial
        self._spoke, self._done = False, 0.0  # in the last frame; how likely that it was the last
        self._observe: Observe | None = None
        self._looked = 0  # up to which sample it was heard when an end was looked for
        self._effort = ALL
        self._held: list[Samples] = []  # frames to be heard together

    def accept(self, audio: Samples) -> list[Event]:
        """Hear samples [N] in -1..1, and say what happened."""
        frames = self._frames.accept(_tamed(audio))
        return [event for frame in frames for event in self._shown(frame)]

    def finish(self) -> list[Event]:
        """The audio is over: end the utterance under way."""
        rest = self._frames.finish()
        events = self._frame(rest) if rest is not None else []
        heard = self._rested or self._speaks is not False
        if self._utterance is None and heard and self._vad.state in OPENING:
            events += self._open()  # a word cut off at its very beginning
        if self._utterance is None:
            return events
        if self._held:
            events += self._hear(self._utterance, self._together())
        return events + self._end(
            self._utterance, explain("end of audio", self._glance(self._utterance))
        )

    def reread(self, found: Result, best: Sequence[Arc]) -> Result:
        """What else there is to say of a result whose words are another path of its lattice.

        By what the utterance of now knows, or the last; nothing where there was none.
        """
        utterance = self._utterance or self._last
        return utterance.reread(found, best) if utterance else found

    def effort(self, effort: Effort) -> None:
        """Spend so much of it on what comes; however that is sliced, the events are the same."""
        self._effort = effort
        if self._utterance:
            self._utterance.effort(effort)

    def anew(self, at: int, utterances: int) -> "Recogniser":
        """Give a fresh one that has heard nothing; it counts on, from sample `at`."""
        fresh = Recogniser(*self._parts)
        fresh._at, fresh._number, fresh._observe = at, utterances, self._observe
        return fresh

    def observed(self, observe: Observe) -> "Recogniser":
        """Give a fresh one that has heard nothing; it shows every frame of 20 ms."""
        fresh = Recogniser(*self._parts)
        fresh._observe = observe
        return fresh

    def cancel(self, reason: str) -> list[Event]:
        """Give up the utterance under way."""
        if self._utterance is None:
            return []
        self._utterance = self._last = None
        return [Cancelled(self._at, self._number, reason)]

    def _shown(self, frame: Samples) -> list[Event]:
        self._done = 0.0
        events = self._frame(frame)
        if self._observe:
            number = self._number if self._utterance or self._done else 0  # or ended just now
            stand = (self._spoke, self._vad.state, self._done, number)
            self._observe(Frame(frame, self._at, *stand))
        return events

    def _frame(self, frame: Samples) -> list[Event]:
        self._at += VAD_FRAME
        self._spoke = self._vad.accept(frame)
        if self._spoke:
            self._speech_end = self._at
        self._rested = self._rested or not self._spoke
        utterance = self._utterance
        if utterance is None:
            self._preroll.add(frame)
            may = self._rested or self._goes_on(frame)
            return self._open() if may and self._vad.state is Gate.SPEAKING else []
        self._held.append(frame)
        if len(self._held) < self._effort.look:
            return []
        return [*self._hear(utterance, self._together()), *self._judge(utterance)]

    def _together(self) -> Samples:
        held, self._held = self._held, []
        return np.concatenate(held) if len(held) > 1 else held[0]

    def _goes_on(self, frame: Samples) -> bool:
        """Whether what the detector still hears is more than the end of the last utterance."""
        waited = self._at - self._over
        self._speaks = self._last.speaks(frame) if self._last else None
        if self._speaks is None:
            return waited >= self._hangover
        return self._speaks or waited >= samples(BEHIND_MS)

    def _open(self) -> list[Event]:
        """Begin an utterance with what was kept."""
        before = self._preroll.take(self._preroll_ms if self._rested else None)
        self._number += 1
        self._start, self._words, self._looked = self._at - len(before), (), 0
        self._utterance, self._held = self._begin(self._start), []
        self._utterance.effort(self._effort)
        self._arbiter = Arbiter(self._number, self._speculations)
        started = SpeechStarted(self._at, self._number, self._start)
        return [started, *self._hear(self._utterance, before)]

    def _hear(self, utterance: Utterance, audio: Samples) -> list[Event]:
        """Let the utterance go on; a partial where its words changed and no version stands."""
        went_on, announced = utterance.accept(audio), self._arbiter.stand is Stand.ANNOUNCED
        if not went_on or announced or not self._effort.early:
            return []
        return self._partial(utterance)

    def _partial(self, utterance: Utterance) -> list[Event]:
        words = utterance.words()
        if [w.text for w in words] == [w.text for w in self._words]:
            return []
        self._words = words
        return [Partial(self._at, self._number, words, utterance.heard)]

    def _judge(self, utterance: Utterance) -> list[Event]:
        """Look at the end-pointers, and do what the arbiter says."""
        glance = self._glance(utterance)
        self._watch(glance)
        self._done = glance.probability
        decided = decide(glance, self._rules)
        sign = SIGNS[decided[0]] if decided else Sign.NOTHING
        if sign is Sign.SEEMS_DONE and not self._effort.early:
            sign = Sign.NOTHING
        announced = self._arbiter.stand is Stand.ANNOUNCED
        if announced and sign is not Sign.DONE and utterance.last_token > self._looked:
            sign = Sign.WENT_ON
        match self._arbiter.act(sign), decided:
            case Act.RETRACT, _:
                return [*self._arbiter.retract(self._at), *self._partial(utterance)]
            case Act.ANNOUNCE, (_, decision):
                return self._announce(utterance, decision)
            case Act.END, (_, decision):
                return self._end(utterance, decision)
        return []

    def _glance(self, utterance: Utterance) -> Glance:
        def since(sample: int) -> float:
            return max(0.0, (self._at - sample) / SAMPLES_PER_MS)

        silence = since(max(self._speech_end, self._start))
        evidence = utterance.evidence()
        pause = since(utterance.last_token)
        probability = self._fusion.probability(evidence, pause) if evidence else 0.0
        clocks = silence, pause, since(self._start)
        words = len(self._words) or int(utterance.spoken)
        return Glance(self._at, words, self._spoke, *clocks, probability, evidence)

    def _announce(self, utterance: Utterance, decision: Decision) -> list[Event]:
        """Say what would be understood, unless the same audio was looked at before."""
        if self._looked and utterance.last_token <= self._looked:
            return []
        self._looked = self._at
        found = utterance.so_far()
        return self._arbiter.announce(self._at, decision, self._ended(found), found)

    def _end(self, utterance: Utterance, decision: Decision) -> list[Event]:
        """Say what was understood, or that nothing was."""
        self._utterance, self._last, self._speaks = None, utterance, None
        self._rested, self._over = False, self._at
        self._vad.close()
        found = utterance.finish()
        return self._arbiter.end(self._at, decision, self._ended(found), found)

    def _ended(self, found: Result) -> int:
        """Where speech ended."""
        return min(self._at, found.words[-1].end) if found.words else self._speech_end


def _tamed(audio: Samples) -> Samples:
    """What is no number is silence and what is too loud is cut: one would stay in every state."""
    return np.clip(np.nan_to_num(audio, nan=0.0), -1.0, 1.0).astype(np.float32, copy=False)
