"""Speech that is worked on: pauses put in, words said again, sentences joined, silence around it.

All is done to samples, and the times of the words go along.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from earshot.units import FEATURE_HOP, SAMPLE_RATE, samples

from models.corpus import Recording, Samples, read, recordings, table
from models.sounds import rms
from models.texts import words_of

GAP_MS = 200  # silence between words from which it is an inner pause
PAUSES_MS = (300, 900)  # put in between words
STUTTER_MS = (150, 400)  # before what is said again
SENTENCES_MS = (300, 700)  # between the sentences of dictation
WINDOW = 512  # samples, of a spectrum
RAMP = samples(5)  # of a cut
LEAST = 4  # frames that a background is made of
Span = tuple[int, int]  # first sample and the one behind the last


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording that is aligned. Spans of its words are samples."""

    path: Path
    corpus: str
    speaker: str
    words: tuple[str, ...]
    spans: tuple[Span, ...]

    @property
    def seconds(self) -> float:
        """From the first word to the last."""
        return (self.spans[-1][1] - self.spans[0][0]) / SAMPLE_RATE


def spoken(kit: Path, corpus: str, split: str, alignments: Path | None = None) -> list[Spoken]:
    """Aligned recordings of a corpus, with the times of their words."""
    folder = kit / "speech" / corpus
    if not folder.exists():
        return []
    texts = {folder / row["path"]: words_of(row["text"]) for row in table(folder / "manifest.tsv")}
    found = []
    for one in recordings(kit, [corpus], split, alignments):
        spans, words = spans_of(one), tuple(texts[one.path])
        if len(spans) == len(words):
            found.append(Spoken(one.path, corpus, one.speaker, words, spans))
    return found


def spans_of(one: Recording) -> tuple[Span, ...]:
    """From which sample to which each word goes."""
    first = np.flatnonzero(np.diff(one.word, prepend=-1))
    last = np.append(first[1:], len(one.word)) - 1
    pairs = zip(one.start[first] * FEATURE_HOP, one.end[last] * FEATURE_HOP, strict=True)
    return tuple((int(start), int(end)) for start, end in pairs)


@dataclass(frozen=True, slots=True)
class Track:
    """Speech that is worked on, and its background, of which there can be any length."""

    samples: Samples
    words: tuple[str, ...]
    spans: tuple[Span, ...]
    background: Callable[[int], Samples]


def track_of(one: Spoken, dice: random.Random) -> Track:
    """The recording, and a background like its own."""
    heard = read(one.path)
    spans = tuple((min(start, len(heard)), min(end, len(heard))) for start, end in one.spans)
    return Track(heard, one.words, spans, quiet_like(heard, spans, dice))


def quiet_like(
    heard: Samples, spans: Sequence[Span], dice: random.Random
) -> Callable[[int], Samples]:
    """Noise of any length with the mean spectrum of the quietest quarter of the unspoken."""
    padded = np.pad(heard, (0, max(0, WINDOW - len(heard))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[:: WINDOW // 4]
    power = np.square(frames).sum(1)
    begin = np.arange(len(frames)) * WINDOW // 4
    spoken = np.zeros(len(frames), np.bool_)
    for start, end in spans:
        spoken |= (begin + WINDOW > start) & (begin < end)
    order = np.lexsort((power, spoken))
    quietest = frames[order[: max(LEAST, int((~spoken).sum()) // 4)]]
    window = np.hanning(WINDOW)
    mean = np.square(np.abs(np.fft.rfft(quietest * window))).mean(0) / np.square(window).sum()
    seed = dice.getrandbits(32)

    def background(length: int) -> Samples:
        white = np.random.default_rng([seed, length]).standard_normal(max(1, length))
        spectrum = np.fft.rfft(white)
        place = np.linspace(0, WINDOW // 2, len(spectrum))
        shape = np.sqrt(np.interp(place, np.arange(WINDOW // 2 + 1), mean))
        return np.fft.irfft(spectrum * shape, max(1, length))[:length].astype(np.float32)

    return background


def joined(tracks: Sequence[Track], dice: random.Random) -> Track:
    """Tracks one after the other, each without the silence around it, with pauses between."""
    whole = tracks[0]
    if len(tracks) == 1:
        return whole
    for after in tracks[1:]:
        pause = whole.background(samples(dice.uniform(*SENTENCES_MS)))
        first, speech = after.spans[0][0], bare(after)
        at = whole.spans[-1][1]
        parts = (faded(whole.samples[:at]), pause, faded(speech.samples))
        moved = at + len(pause)
        spans = tuple((start - first + moved, end - first + moved) for start, end in after.spans)
        whole = replace(
            whole, samples=np.concatenate(parts), words=whole.words + after.words,
            spans=whole.spans + spans,
        )  # fmt: skip
    return whole


def faded(part: Samples) -> Samples:
    """Without a click where it begins and ends."""
    ramp = np.linspace(0, 1, min(RAMP, len(part) // 2), dtype=np.float32)
    shape = np.ones(len(part), np.float32)
    shape[: len(ramp)] = ramp
    shape[len(part) - len(ramp) :] = ramp[::-1]
    return np.asarray(part * shape, np.float32)


def spliced(track: Track, place: int, before: Samples) -> Track:
    """Samples put in before the word at a place; it moves with all behind it."""
    spans = track.spans
    cut = (spans[place - 1][1] + spans[place][0]) // 2
    parts = (faded(track.samples[:cut]), before, faded(track.samples[cut:]))
    moved = tuple((start + len(before), end + len(before)) for start, end in spans[place:])
    return replace(track, samples=np.concatenate(parts), spans=spans[:place] + moved)


def paused(track: Track, dice: random.Random) -> Track:
    """With one or two pauses between words."""
    many = min(dice.randint(1, 2), len(track.words) - 1)
    for place in sorted(dice.sample(range(1, len(track.words)), many), reverse=True):
        length = samples(dice.uniform(*PAUSES_MS))
        track = spliced(track, place, track.background(length))
    return track


def stuttered(track: Track, dice: random.Random) -> Track:
    """The first word or two are said, and after a pause all of it."""
    many = dice.randint(1, min(2, len(track.words) - 1))
    start, end = track.spans[0][0], track.spans[many - 1][1]
    said = faded(track.samples[:end])
    pause = track.background(samples(dice.uniform(*STUTTER_MS)))
    moved = len(said) + len(pause) - start
    again = tuple((first + moved, last + moved) for first, last in track.spans)
    return replace(
        track,
        samples=np.concatenate([said, pause, faded(track.samples[start:])]),
        words=track.words[:many] + track.words,
        spans=track.spans[:many] + again,
    )


Change = Callable[[Track, random.Random], Track]
CHANGES: dict[str, Change] = {"paused": paused, "stuttered": stuttered}


def bare(track: Track) -> Track:
    """Nothing before the first word and after the last."""
    start, end = track.spans[0][0], track.spans[-1][1]
    spans = tuple((first - start, last - start) for first, last in track.spans)
    return replace(track, samples=track.samples[start:end], spans=spans)


def surrounded(track: Track, before: float, after: float, *, digital: bool) -> Track:
    """So many seconds before the first word and after the last, of background or of nothing."""
    fill = (lambda count: np.zeros(count, np.float32)) if digital else track.background
    start, end = track.spans[0][0], track.spans[-1][1]
    lead, tail = samples(1000 * before), samples(1000 * after)
    first, last = max(0, start - lead), min(len(track.samples), end + tail)
    parts = (
        fill(lead - (start - first)), track.samples[first:last], fill(tail - (last - end)),
    )  # fmt: skip
    moved = lead - start
    spans = tuple((one + moved, two + moved) for one, two in track.spans)
    return replace(track, samples=np.concatenate(parts), spans=spans)


def over(track: Track, noise: Samples, snr: float) -> Samples:
    """Noise over it, `snr` decibel below the mean power of the speech; at most full scale."""
    speech = track.samples[track.spans[0][0] : track.spans[-1][1]]
    both = track.samples + noise * np.float32(rms(speech) / rms(noise) * 10 ** (-snr / 20))
    return np.asarray(both / max(1.0, float(np.abs(both).max())), np.float32)


def pauses(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Where nobody speaks between two words, for GAP_MS or longer."""
    between = zip((end for _, end in spans), (start for start, _ in spans[1:]), strict=False)
    return tuple(gap for gap in between if gap[1] - gap[0] >= samples(GAP_MS))
