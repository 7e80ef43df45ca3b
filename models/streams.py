"""Streams of audio whose end of speech is known, to measure and to train end-pointers.

    for stream in streams(KIT, "test", count=20):
        stream.samples, stream.start, stream.end

A stream is an utterance with some of its background before it and AFTER seconds of it behind, so
that one that never ends shows. Where speech starts and ends, alignments say, not files. The
background is made of the recording's own quiet; music, voices and noise lie over the whole stream,
so many decibel below the speech. What a stream holds is a function of split, seed and the names in
it. There are two, for nobody was trained on either: each has every second of the dev recordings of
the kit, and music of its own. On the one end-pointers are tuned, on the other they are measured.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from earshot.units import SAMPLES_PER_MS

from models.backgrounds import Backgrounds, music_of
from models.corpus import Samples
from models.tracks import (
    CHANGES,
    Span,
    Spoken,
    bare,
    joined,
    over,
    pauses,
    spoken,
    surrounded,
    track_of,
)

BEFORE = (0.5, 1.5)  # seconds of background before the speech
AFTER = 4.5  # seconds from the end of speech to that of the stream
LONGEST = 12.0  # seconds of speech, but in dictation
DICTATION = 40.0  # seconds

SPEECH = ("synthetic", "an4", "librispeech_dev", "speech_commands", "common_voice_en")
BOOKS, CROWD = "librispeech_dev", "common_voice_en"
COMMANDS = ("synthetic", "an4", "speech_commands")  # the others are read
HALVES = {"tune": slice(0, None, 2), "test": slice(1, None, 2)}  # of the dev recordings of a set


@dataclass(frozen=True, slots=True)
class Stream:
    """An utterance in its surroundings. Positions are samples."""

    samples: Samples
    start: int  # of the first word
    end: int  # of the last word
    words: tuple[str, ...]
    spans: tuple[Span, ...]  # of the words
    pauses: tuple[Span, ...]  # inner ones, from GAP_MS on: end of speech, and where it goes on
    corpus: str
    condition: str
    path: Path

    @property
    def longest_pause(self) -> float:
        """Milliseconds, of that between words; 0 for a single one."""
        return max((end - start for start, end in self.pauses), default=0) / SAMPLES_PER_MS


@dataclass(frozen=True, slots=True)
class Condition:
    """What is hard about a stream."""

    name: str
    noise: str = ""
    """a kind of Backgrounds; empty for none"""
    snr: float = 0.0
    """decibel of the speech above it"""
    words: int = 1
    """least number of words"""
    change: str = ""
    """one of CHANGES; empty for none"""
    bare: bool = False
    """0 ms before the first word and after the last"""
    after: float = AFTER
    """seconds behind the last word"""
    dictation: bool = False
    """several sentences of a speaker"""


CONDITIONS = (
    Condition("quiet"),
    Condition("music 10 dB", "music", 10),
    Condition("music 5 dB", "music", 5),
    Condition("babble 10 dB", "babble", 10),
    Condition("babble 5 dB", "babble", 5),
    Condition("television 10 dB", "television", 10),
    Condition("television 5 dB", "television", 5),
    Condition("steady 10 dB", "steady", 10),
    Condition("inner pauses", words=3, change="paused"),
    Condition("false starts", words=2, change="stuttered"),
    Condition("bare", bare=True),
    Condition("cut off", bare=True, after=0.0),
    Condition("dictation", dictation=True),
)


NOISY = {one.name for one in CONDITIONS if one.noise}


def named(names: Sequence[str]) -> tuple[Condition, ...]:
    """Conditions by their names. Raises SystemExit for one that is none."""
    known = {one.name: one for one in CONDITIONS}
    if missing := set(names) - set(known):
        message = f"no conditions {', '.join(missing)}; there are {', '.join(known)}"
        raise SystemExit(message)
    return tuple(known[name] for name in names)


@dataclass(frozen=True, slots=True)
class Take:
    """What a stream is made of."""

    condition: Condition
    spoken: tuple[Spoken, ...]
    seed: str


class Kit:
    """Speech and sounds of a split of the data kit."""

    def __init__(self, kit: Path, split: str, alignments: Path | None = None) -> None:
        self.split, half = split, HALVES[split]
        self.speech = {name: spoken(kit, name, "dev", alignments)[half] for name in SPEECH}
        self._backgrounds = Backgrounds(
            music_of(kit, split), self.speech[CROWD], self.speech[BOOKS]
        )

    def takes(self, conditions: Sequence[Condition], count: int, seed: int = 0) -> Iterator[Take]:
        """Give `count` a condition, as many of each corpus, and fewer where there are no more."""
        for condition in conditions:
            dice = random.Random(f"{self.split} {seed} {condition.name}")
            every = self._texts(condition, dice)[:count]
            for number, one in enumerate(every):
                yield Take(condition, one, f"{self.split} {seed} {number} {condition.name}")

    def _texts(self, condition: Condition, dice: random.Random) -> list[tuple[Spoken, ...]]:
        if condition.dictation:
            return list(dictations(self.speech[BOOKS], dice))
        by_corpus = []
        for corpus in SPEECH:
            fit = [one for one in self.speech[corpus] if fits(one, condition)]
            by_corpus.append(dice.sample(fit, len(fit)))
        return [(one,) for several in zip_longest(*by_corpus) for one in several if one]

    def make(self, take: Take) -> Stream:
        """Make the stream of a take."""
        condition, dice, first = take.condition, random.Random(take.seed), take.spoken[0]
        track = joined([track_of(one, dice) for one in take.spoken], dice)
        if condition.change:
            track = CHANGES[condition.change](track, dice)
        if condition.bare:
            track = bare(track)
        before = 0.0 if condition.bare else dice.uniform(*BEFORE)
        track = surrounded(track, before, condition.after, digital=condition.bare)
        if condition.noise:
            length = len(track.samples)
            noise = self._backgrounds.draw(condition.noise, first.speaker, length, dice)
            track = replace(track, samples=over(track, noise, condition.snr))
        return Stream(
            track.samples, track.spans[0][0], track.spans[-1][1], track.words, track.spans,
            pauses(track.spans), first.corpus, condition.name, first.path,
        )  # fmt: skip


def fits(one: Spoken, condition: Condition) -> bool:
    """Whether a recording may stand in a condition."""
    return len(one.words) >= condition.words and one.seconds <= LONGEST


def streams(  # noqa: PLR0913 - to train and to measure differ in all of them
    kit: Path,
    split: str = "test",
    count: int = 20,
    conditions: Sequence[Condition] = CONDITIONS,
    *,
    seed: int = 0,
    alignments: Path | None = None,
) -> Iterator[Stream]:
    """`count` streams a condition of the split tune or test; `alignments` are of models.align."""
    opened = Kit(kit, split, alignments)
    for take in opened.takes(conditions, count, seed):
        yield opened.make(take)


def dictations(every: Sequence[Spoken], dice: random.Random) -> Iterator[tuple[Spoken, ...]]:
    """Recordings of one speaker each, for about DICTATION seconds; each at most once."""
    for speaker in dice.sample(names := sorted({one.speaker for one in every}), len(names)):
        of = [one for one in every if one.speaker == speaker]
        some = list[Spoken]()
        for one in dice.sample(of, len(of)):
            some.append(one)
            if sum(each.seconds for each in some) >= DICTATION:
                yield tuple(some)
                some = []
