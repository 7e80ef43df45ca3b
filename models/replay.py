"""What rules of end-pointing would have done to a stream that was heard only once.

A stream is heard as one utterance, with no end-pointer, and at each frame the clocks are kept. Any
table of rules can then be asked where it would have ended: of a search that goes on, the words
behind an end are those that come later, and the next utterance begins where the gate would open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from earshot.endpointers import EndPointSettings, Glance, Rule
from earshot.units import SAMPLES_PER_MS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
NEVER = 1_000_000_000  # ms
OPENS = 3  # frames of speech in a row that open the gate
ENDLESS = EndPointSettings(
    short_pause_ms=NEVER, pause_ms=NEVER, long_pause_ms=NEVER, breath_ms=NEVER, long_ms=NEVER,
    longest_ms=NEVER, nothing_ms=NEVER, deaf_ms=NEVER, others=NEVER, speculations=0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Segment:
    """From where to where an utterance went. Positions are samples."""

    begin: int
    end: int | None
    """None: only the end of the audio ended it"""
    heard: bool = True
    """whether it was committed, and not cancelled"""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Every glance at a stream, as columns [T]. Times in milliseconds."""

    at: Ints
    words: Ints
    speech: Bools
    silence: Floats
    pause: Floats
    length: Floats
    still: Floats
    over: Floats
    probability: Floats

    @classmethod
    def of(cls, glances: Iterable[Glance]) -> Self:
        """Take the glances in their order."""
        rows = [
            (
                g.at, g.words, g.speech, g.silence_ms, g.pause_ms, g.length_ms, g.still_ms,
                g.over, g.probability,
            )
            for g in glances
        ]  # fmt: skip
        table = np.array(rows, np.float64).reshape(-1, 9).T
        return cls(
            table[0].astype(np.int64), table[1].astype(np.int64), table[2].astype(bool), *table[3:]
        )


@dataclass(frozen=True, slots=True)
class Replay:
    """A table of rules that is tried."""

    table: tuple[Rule, ...]
    deaf: bool = False
    """it has no decoder, so that whatever opens the gate counts as heard"""


def replayed(clocks: Clocks, replay: Replay) -> list[Segment]:
    """The utterances that the rules make of a stream."""
    found, first = list[Segment](), 0
    opens = _opens(clocks.speech) if len(clocks.at) else clocks.speech
    while first < len(clocks.at):
        begin = int(clocks.at[first]) - (0 if first else round(clocks.length[0] * SAMPLES_PER_MS))
        words = int(clocks.words[first - 1]) if first else 0
        ends = np.flatnonzero(_met(clocks, replay.table, first, begin, words))
        if not len(ends):
            found.append(Segment(begin, None, heard=True))
            break
        last = first + int(ends[0])
        heard = replay.deaf or bool(clocks.words[last] > words)
        found.append(Segment(begin, int(clocks.at[last]), heard))
        later = np.flatnonzero(opens[last + 1 :])
        first = last + 1 + int(later[0]) if len(later) else len(clocks.at)
    return found


def _opens(speech: Bools) -> Bools:
    """Where so many frames in a row have been speech."""
    before = np.concatenate([np.zeros(OPENS - 1, np.bool_), speech])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(before, OPENS).all(1))


def _met(clocks: Clocks, table: Sequence[Rule], first: int, begin: int, words: int) -> Bools:
    """Where any rule is met in an utterance that begins at a sample, after so many words."""
    length = (clocks.at[first:] - begin) / SAMPLES_PER_MS
    silence = np.minimum(clocks.silence[first:], length)
    pause = np.minimum(clocks.pause[first:], length)
    spoken = clocks.words[first:] > words
    met = np.zeros(len(length), np.bool_)
    for rule in table:
        met |= (
            (spoken | (not rule.after_words))
            & (clocks.probability[first:] >= rule.probability)
            & (clocks.still[first:] >= rule.still)
            & (clocks.over[first:] >= rule.over)
            & (silence >= rule.silence)
            & (pause >= rule.pause)
            & (length >= rule.length)
        )
    return met
