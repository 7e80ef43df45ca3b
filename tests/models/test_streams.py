"""Streams: speech is where they say it is, all around it is background, and splits are apart."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from earshot.units import FEATURE_HOP, SAMPLE_RATE

from models import tiny_kit
from models.corpus import Samples
from models.sounds import rms
from models.streams import AFTER, BEFORE, CONDITIONS, HALVES, Condition, Kit, Stream, named, streams
from models.tracks import (
    GAP_MS,
    PAUSES_MS,
    SENTENCES_MS,
    STUTTER_MS,
    Spoken,
    Track,
    bare,
    joined,
    over,
    paused,
    pauses,
    quiet_like,
    spliced,
    stuttered,
    surrounded,
)

MS = SAMPLE_RATE // 1_000
LOUD = 0.02  # of the mean amplitude in 10 ms; the whistles' noise is below, their tones above
SENTENCES = ("turn on the light", "call my mother", "what time is it", "set the light to five")
SETS = {"synthetic": 3, "librispeech_dev": 3, "common_voice_en": 4}  # speakers


def whistle(folder: Path, split: str, speakers: int) -> None:
    """Sentences of several speakers, each exactly as long as its alignment says."""
    known, dice, rows = tiny_kit.dictionary(), np.random.default_rng(len(folder.name)), []
    folder.mkdir(parents=True, exist_ok=True)
    for speaker in range(speakers):
        for i, sentence in enumerate(SENTENCES):
            words = sentence.split()
            length = 9 * sum(len(known[word][0]) for word in words)
            there = tiny_kit.placed(words, 25, 25 + length, known)
            path = f"{split}-{speaker}-{i}.flac"
            soundfile.write(folder / path, tiny_kit.whistled(there, dice), SAMPLE_RATE)
            rows.append((path, f"{folder.name} {speaker}", split, there))
    tiny_kit.corpus(folder, rows)


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kit")
    for corpus, speakers in SETS.items():
        whistle(folder / "speech" / corpus, "dev", speakers)
    (folder / "noise").mkdir()
    dice, rows = np.random.default_rng(0), []
    for name, use in (("song", "test"), ("tune", "train")):
        soundfile.write(folder / f"noise/{name}.wav", dice.normal(0, 0.1, 20_000), SAMPLE_RATE)
        rows.append({"path": f"{name}.wav", "kind": "music", "class": "pop", "use": use})
    tiny_kit.rows_to(folder / "noise/manifest.tsv", rows)
    return folder


def loud(stream: Stream) -> list[int]:
    """Samples at which each 10 ms of sound begin."""
    count = len(stream.samples) // FEATURE_HOP
    blocks = np.abs(stream.samples[: count * FEATURE_HOP]).reshape(count, FEATURE_HOP).mean(1)
    return (np.flatnonzero(blocks > LOUD) * FEATURE_HOP).tolist()


def ramp(count: int = 4, word: int = 1_600, gap: int = 800) -> Track:
    """Words that are all ones, with zeros before, between and after them."""
    spans = tuple((place, place + word) for place in range(gap, count * (word + gap), word + gap))
    heard = np.zeros(gap + count * (word + gap), np.float32)
    for start, end in spans:
        heard[start:end] = 1
    words = ("one", "two", "three", "four")[:count]
    return Track(heard, words, spans, lambda many: np.zeros(many, np.float32))


def sounding(track: Track) -> list[tuple[int, int]]:
    """Where a ramp has ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (track.samples > 0).astype(int), [0]])))
    pairs: list[list[int]] = edges.reshape(-1, 2).tolist()
    return [(start, end) for start, end in pairs]


@pytest.mark.parametrize("name", ["quiet", "inner pauses", "false starts", "bare", "cut off"])
def test_speech_is_where_the_stream_says(kit: Path, name: str) -> None:
    every = list(streams(kit, count=6, conditions=named([name])))
    assert len(every) == 6
    for one in every:
        places = loud(one)
        assert places[0] == pytest.approx(one.start, abs=20 * MS)
        assert places[-1] + FEATURE_HOP == pytest.approx(one.end, abs=20 * MS)
        assert len(one.words) == len(one.spans)
        assert (one.spans[0][0], one.spans[-1][1]) == (one.start, one.end)
        for start, end in one.pauses:
            assert not [place for place in places if start + 10 * MS < place < end - 20 * MS]


def test_streams_of_a_condition_are_surrounded_as_it_says(kit: Path) -> None:
    for one in streams(kit, count=3, conditions=named(["quiet", "music 5 dB", "dictation"])):
        assert BEFORE[0] <= one.start / SAMPLE_RATE <= BEFORE[1]
        assert len(one.samples) - one.end == round(AFTER * SAMPLE_RATE)
    cut, whole = (
        next(streams(kit, count=1, conditions=named([name]))) for name in ("cut off", "bare")
    )
    assert (cut.start, cut.end) == (0, len(cut.samples))
    assert (whole.start, len(whole.samples) - whole.end) == (0, round(AFTER * SAMPLE_RATE))
    assert not whole.samples[whole.end :].any()


def test_a_stream_is_a_function_of_seed_and_split(kit: Path) -> None:
    def made(seed: int) -> list[Stream]:
        return list(streams(kit, count=2, conditions=CONDITIONS[:8], seed=seed))

    one, same, other = made(0), made(0), made(1)
    assert [stream.path for stream in one] == [stream.path for stream in same]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(one, same, strict=True))
    assert [len(stream.samples) for stream in one] != [len(stream.samples) for stream in other]
    assert all(np.abs(stream.samples).max() <= 1 for stream in one)


def test_corpora_take_turns_and_none_is_asked_for_more_than_it_has(kit: Path) -> None:
    every = list(streams(kit, count=1_000, conditions=named(["quiet"])))
    assert [one.corpus for one in every[:3]] == ["synthetic", "librispeech_dev", "common_voice_en"]
    assert len({one.path for one in every}) == len(every) == 2 * sum(SETS.values())


def test_the_splits_share_no_recording_and_no_music(kit: Path) -> None:
    heard = {split: list(streams(kit, split, 1_000, named(["quiet"]))) for split in HALVES}
    tune, test = ({one.path for one in every} for every in heard.values())
    assert tune
    assert not tune & test
    assert len(tune | test) == 4 * sum(SETS.values())
    for split, name in (("tune", "tune"), ("test", "song")):
        assert [path.stem for path in Kit(kit, split)._backgrounds.music] == [name]


def test_noise_lies_over_all_of_it_so_far_below_the_speech(kit: Path) -> None:
    opened = Kit(kit, "test")
    clean, loud_one = Condition("noise"), Condition("noise", "steady", snr=5)
    for take in opened.takes([clean], 3):
        whole, noisy = opened.make(take), opened.make(replace(take, condition=loud_one))
        scale = np.float32(np.abs(whole.samples + 1e-9).max())
        noise = noisy.samples - whole.samples * _gain(noisy.samples, whole.samples)
        assert rms(noise[: whole.start]) > 0.01 * scale
        assert rms(noise[whole.end :]) == pytest.approx(rms(noise), rel=0.3)


def _gain(both: Samples, clean: Samples) -> np.float32:
    return np.float32(np.dot(both, clean) / np.dot(clean, clean))


@pytest.mark.parametrize("snr", [10, 5, 0])
def test_the_level_counts_over_the_speech_alone(snr: int) -> None:
    track = replace(ramp(), samples=ramp().samples * np.float32(0.2))
    noise = np.random.default_rng(0).normal(0, 1, len(track.samples)).astype(np.float32)
    rest = over(track, noise, snr) - track.samples
    first, last = track.spans[0][0], track.spans[-1][1]
    assert 20 * np.log10(rms(track.samples[first:last]) / rms(rest)) == pytest.approx(snr, abs=0.01)


@pytest.mark.parametrize("kind", ["babble 10 dB", "television 10 dB"])
def test_nobody_talks_over_himself(kit: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heard, opened = list[set[str]](), Kit(kit, "test")

    def talk(every: Sequence[Spoken], length: int, _: random.Random) -> Samples:
        heard.append({one.speaker for one in every})
        return np.ones(length, np.float32)

    monkeypatch.setattr("models.backgrounds.talk", talk)
    for take in opened.takes(named([kind]), 12):
        heard.clear()
        opened.make(take)
        assert heard
        assert all(take.spoken[0].speaker not in speakers for speakers in heard)


def test_without_another_voice_one_line_says_so(tmp_path: Path) -> None:
    whistle(tmp_path / "speech" / "librispeech_dev", "dev", 1)
    tiny_kit.rows_to(tmp_path / "noise/manifest.tsv", [{"path": "x", "kind": "noise", "use": ""}])
    with pytest.raises(SystemExit, match="nothing for television without librispeech_dev 0"):
        list(streams(tmp_path, count=1, conditions=named(["television 5 dB"])))
    with pytest.raises(SystemExit, match="no conditions loud; there are quiet, "):
        named(["loud"])


@pytest.mark.parametrize("place", [1, 2, 3])
def test_what_is_put_in_moves_all_behind_it(place: int) -> None:
    track = spliced(ramp(), place, np.zeros(5_000, np.float32))
    assert sounding(track) == list(track.spans)
    assert track.spans[place][0] - track.spans[place - 1][1] == 5_800
    assert track.spans[:place] == ramp().spans[:place]


@pytest.mark.parametrize("seed", range(8))
def test_pauses_are_as_long_as_the_table_says(seed: int) -> None:
    track = paused(ramp(gap=0), random.Random(seed))  # noqa: S311 - no secret
    gaps = pauses(track.spans)
    assert 1 <= len(gaps) <= 2
    for start, end in gaps:
        assert PAUSES_MS[0] <= (end - start) / MS <= PAUSES_MS[1] + 1
        assert not track.samples[start:end].any()


@pytest.mark.parametrize("seed", range(8))
def test_what_is_said_again_is_the_beginning(seed: int) -> None:
    track = stuttered(ramp(gap=0), random.Random(seed))  # noqa: S311 - no secret
    again = len(track.words) - 4
    assert again in {1, 2}
    assert track.words == track.words[again:][:again] + ramp().words
    gap = track.spans[again][0] - track.spans[again - 1][1]
    assert STUTTER_MS[0] <= gap / MS <= STUTTER_MS[1] + 1
    assert len(sounding(track)) == 2


def test_sentences_are_joined_without_their_silence() -> None:
    parts = [ramp(2, gap=4_000), ramp(3, gap=800), ramp(1, gap=8_000)]
    track = joined(parts, random.Random(0))  # noqa: S311 - no secret
    assert track.words == ("one", "two", "one", "two", "three", "one")
    found = [(start, end) for start, end in sounding(track) if end <= track.spans[-1][1]]
    assert len(found) == len(track.spans) == 6
    for (a, b), (c, d) in zip(found, track.spans, strict=True):
        assert abs(a - c) <= 1
        assert abs(b - d) <= 1
    for place in (2, 5):
        gap = track.spans[place][0] - track.spans[place - 1][1]
        assert SENTENCES_MS[0] <= gap / MS <= SENTENCES_MS[1] + 1


@pytest.mark.parametrize(("before", "after"), [(0.0, 0.0), (0.02, 0.01), (1.0, 2.0)])
def test_around_the_speech_is_as_much_as_asked(before: float, after: float) -> None:
    track = surrounded(ramp(), before, after, digital=True)
    assert track.spans[0][0] == round(before * SAMPLE_RATE)
    assert len(track.samples) - track.spans[-1][1] == round(after * SAMPLE_RATE)
    assert sounding(track) == list(track.spans)
    assert bare(track).samples.size == track.spans[-1][1] - track.spans[0][0]


def test_inner_pauses_begin_where_a_word_ends() -> None:
    gap = GAP_MS * MS
    spans = ((0, 100), (100 + gap - 1, 9_000), (9_000 + gap, 20_000))
    assert pauses(spans) == ((9_000, 9_000 + gap),)
    assert pauses(spans[:1]) == ()


@pytest.mark.parametrize("taps", [1, 4])
def test_background_sounds_like_what_is_between_words(taps: int) -> None:
    hiss = np.random.default_rng(3).normal(0, 0.01, 32_000)
    still = np.convolve(hiss, np.ones(taps), "same").astype(np.float32)
    heard = still.copy()
    heard[8_000:24_000] += 0.5
    made = quiet_like(heard, [(8_000, 24_000)], random.Random(0))(48_000)  # noqa: S311 - no secret

    def spectrum(samples: Samples) -> Samples:
        parts = samples[: len(samples) // 512 * 512].reshape(-1, 512) * np.hanning(512)
        found: Samples = np.square(np.abs(np.fft.rfft(parts))).mean(0)[2:100]
        return found

    ratio = np.log10(spectrum(made) / spectrum(still[:8_000]))
    assert len(made) == 48_000
    assert np.abs(ratio).mean() < 0.3  # decades of power; the quietest quarter is chosen
