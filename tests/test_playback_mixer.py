"""What lies between decoder and output: ring, stream, mixer, and the counts."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from earshot.errors import LimitError, RequestError, SettingsError
from earshot.playback.audio import BLOCK, BLOCK_SECONDS, RATE, Frames, amplitude, silence
from earshot.playback.mixer import Mixer
from earshot.playback.output import NullOutput
from earshot.playback.ring import Ring
from earshot.playback.settings import PlaybackSettings
from earshot.playback.stream import Programme
from earshot.playback.tally import Histogram, Tally

from tests.music import level, loudest, record, spoilt
from tests.processes import PATIENCE, until

Make = Callable[..., Mixer]


def ramp(first: int, count: int) -> Frames:
    return np.repeat(np.arange(first, first + count, dtype=np.float32)[:, np.newaxis], 2, axis=1)


def test_a_ring_gives_what_it_got_in_order_and_never_holds_more_than_it_has_room() -> None:
    ring, taken = Ring(1_000), list[Frames]()

    def put() -> None:
        for first in range(0, 10_000, 770):
            ring.put(ramp(first, min(770, 10_000 - first)))
        ring.end()

    thread = threading.Thread(target=put)
    thread.start()
    while not ring.over:
        block = silence(300)
        taken.append(block[: ring.take(block)])
    thread.join(PATIENCE)
    assert np.array_equal(np.concatenate(taken), ramp(0, 10_000))


def test_who_waits_for_room_is_let_go_when_the_ring_is_closed() -> None:
    ring, answers = Ring(10), list[bool]()
    thread = threading.Thread(target=lambda: answers.append(ring.put(ramp(0, 100))))
    thread.start()
    ring.close()
    thread.join(PATIENCE)
    assert answers == [False]


@pytest.fixture
def mixer() -> Iterator[Make]:
    """Makes mixers of some settings."""
    made = list[Mixer]()

    def make(**settings: Any) -> Mixer:
        made.append(Mixer(PlaybackSettings(**settings)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def blocks(playing: Mixer, count: int) -> Frames:
    """Mix as a feeder does, but wait for the decoder, so that nothing is starved."""
    found = []
    for _ in range(count):
        until(lambda: all(s.filled for group in playing._groups for s in group.streams))
        found.append(playing.mix())
    return np.concatenate(found)


def started(playing: Mixer, *files: Path, **programme: object) -> list[str]:
    problems = list[str]()
    playing.play(Programme(tuple(files), **programme), problems.append)  # type: ignore[arg-type]
    return problems


def test_files_are_played_one_after_another_and_damaged_ones_left_out(
    mixer: Make, tmp_path: Path
) -> None:
    bad = [*spoilt(tmp_path / "bad"), tmp_path / "bad" / "bare.wav"]
    good = [record(tmp_path, "stereo.wav", 0.3), record(tmp_path, "tone.flac", 0.3, 880.0)]
    playing = mixer()
    problems = started(playing, good[0], *bad, good[1])
    heard = blocks(playing, 40)
    assert len(problems) == len(bad)
    assert all(str(path) in problem for path, problem in zip(bad, problems, strict=True))
    assert loudest(heard[: RATE // 4, 0], RATE) == pytest.approx(440, abs=5)
    assert loudest(heard[RATE * 4 // 10 : RATE * 11 // 20, 0], RATE) == pytest.approx(880, abs=8)
    until(lambda: playing.mix() is not None and playing.idle)
    assert playing.starved == 0


def test_a_loop_of_files_that_cannot_be_played_ends(mixer: Make, tmp_path: Path) -> None:
    playing = mixer()
    problems = started(playing, *spoilt(tmp_path / "bad"), loop=True)
    until(lambda: playing.mix() is not None and playing.idle)
    assert len(problems) == 4


def test_a_loop_goes_on_and_streams_begin_with_different_files(mixer: Make, tmp_path: Path) -> None:
    files = [record(tmp_path, "stereo.wav", 0.1), record(tmp_path, "tone.flac", 0.1)]
    programme = Programme(tuple(files), streams=3)
    assert [programme.order(i)[0] for i in range(3)] == [files[0], files[1], files[0]]
    playing = mixer()
    started(playing, *files, loop=True, streams=2)
    assert level(blocks(playing, 60)[-RATE // 4 :]) > 0.1
    playing.stop()


def test_what_is_stopped_while_it_pauses_is_gone(mixer: Make, tmp_path: Path) -> None:
    playing = mixer()
    started(playing, record(tmp_path, "stereo.wav", 5.0))
    blocks(playing, 5)
    playing.pause()
    blocks(playing, 1)
    playing.stop()
    blocks(playing, 5)
    assert playing.idle


def test_loudness_adds_up_and_the_sum_does_not_clip(mixer: Make, tmp_path: Path) -> None:
    path = record(tmp_path, "stereo.wav", 2.0)
    quiet, loud = mixer(), mixer()
    started(quiet, path, gain_db=-20.0)
    assert level(blocks(quiet, 20)[RATE // 5 :]) == pytest.approx(0.05 / np.sqrt(2), rel=0.02)
    started(loud, path, streams=4)
    assert np.abs(blocks(loud, 20)).max() <= 1.0


@pytest.mark.parametrize("act", ["pause", "stop"])
def test_it_ends_without_a_click(mixer: Make, act: str, tmp_path: Path) -> None:
    path = record(tmp_path, "stereo.wav", 5.0, hertz=110.0)
    playing = mixer()
    started(playing, path)
    before = blocks(playing, 10)
    getattr(playing, act)()
    after = blocks(playing, 6)
    heard = np.concatenate([before, after])[:, 0]
    steepest = 0.5 * 2 * np.pi * 110 / RATE
    assert np.abs(np.diff(heard)).max() < 1.2 * steepest
    assert level(after[-BLOCK:]) == 0.0
    assert not playing.active
    assert playing.idle == (act == "stop")


def test_a_pause_loses_nothing_but_the_fade(mixer: Make, tmp_path: Path) -> None:
    playing = mixer(fade_ms=1.0)
    started(playing, record(tmp_path, "stereo.wav", 0.5))
    heard = [blocks(playing, 10)]
    playing.pause()
    heard.append(blocks(playing, 30))
    assert level(heard[-1][-20 * BLOCK :]) == 0.0
    playing.resume()
    heard.append(blocks(playing, 30))
    sounding = np.abs(np.concatenate(heard)[:, 0]) > 1e-4
    assert RATE // 2 - 1.1 * BLOCK < sounding.sum() <= RATE // 2


def test_speech_ducks_it_and_the_end_of_speech_brings_it_back(mixer: Make, tmp_path: Path) -> None:
    playing = mixer(release_ms=100.0)
    started(playing, record(tmp_path, "stereo.wav", 5.0))
    loud = level(blocks(playing, 10)[5 * BLOCK :])
    playing.speech(on=True)
    assert playing.ducked
    ducked = level(blocks(playing, 20)[10 * BLOCK :])
    assert ducked == pytest.approx(loud * amplitude(-15.0), rel=0.02)
    playing.speech(on=False)
    assert level(blocks(playing, 20)[10 * BLOCK :]) == pytest.approx(loud, rel=0.02)
    assert not playing.ducked


def test_it_may_pause_for_speech_instead_and_music_stopped_then_is_gone(
    mixer: Make, tmp_path: Path
) -> None:
    playing = mixer(while_speaking="pause")
    started(playing, record(tmp_path, "stereo.wav", 5.0))
    blocks(playing, 10)
    playing.speech(on=True)
    assert level(blocks(playing, 10)[5 * BLOCK :]) == 0.0
    playing.stop()
    assert playing.idle


@pytest.mark.parametrize(
    ("programme", "error", "message"),
    [
        ({"files": ()}, RequestError, "name at least one file"),
        ({"files": (Path("a.ogg"),)}, RequestError, "give the whole path"),
        ({"files": (Path("/a"),), "gain_db": 40.0}, SettingsError, "from -60 to 20"),
        ({"files": (Path("/a"),), "gain_db": float("nan")}, SettingsError, "from -60 to 20"),
        ({"files": (Path("/a"),), "streams": 33}, LimitError, "33 streams exceed the limit of 32"),
        ({"files": (Path("/a"),) * 10_001}, LimitError, "10001 files exceed"),
    ],
)
def test_what_cannot_be_played_so_is_refused(
    programme: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Programme(**programme)  # type: ignore[arg-type]


def test_quantiles_are_right_to_six_percent_and_the_latest_exactly() -> None:
    times = np.random.default_rng(0).lognormal(-7.0, 1.5, 5_000)
    histogram = Histogram()
    for one in times:
        histogram.add(float(one))
    for share in (0.5, 0.99, 0.999):
        assert histogram.quantile(share) == pytest.approx(np.quantile(times, share), rel=0.07)
    assert histogram.most == times.max()
    assert Histogram().quantile(0.5) == 0.0


def test_late_blocks_are_counted_and_their_longest_run() -> None:
    tally = Tally()
    for late in (None, 0.001, 0.07, 0.08, 0.07, 0.0, 0.09):
        tally.count(late, 0.06, 0.0)
    tally.count(0.08, 0.06, 1.5)
    counts = tally.counts
    assert (counts.blocks, counts.xruns, counts.longest_run) == (8, 5, 3)
    assert (counts.underruns, counts.missed, counts.most) == (1, 1.5, 1.56)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_pretended_output_takes_audio_as_fast_as_it_is_played() -> None:
    clock = Clock()
    output, whens = NullOutput(80, clock), list[float]()
    for _ in range(15_000):  # five minutes
        while (due := output.due()) > 1e-9:
            clock.now += due
        written = output.write(silence(BLOCK))
        assert written.missed == 0.0
        whens.append(written.when)
    steps = np.diff(whens)
    assert steps == pytest.approx(np.full_like(steps, BLOCK_SECONDS), abs=1e-9)
    assert whens[-1] == pytest.approx(whens[0] + 14_999 * BLOCK_SECONDS, abs=1e-6)


def test_after_a_hold_up_it_tells_what_was_missed_and_nothing_bursts() -> None:
    clock = Clock()
    output = NullOutput(80, clock)
    for _ in range(4):
        output.write(silence(BLOCK))
    clock.now += 2.08
    assert -output.due() == pytest.approx(2.08 - BLOCK_SECONDS)
    assert output.write(silence(BLOCK)).missed == pytest.approx(2.0)
    burst = 1
    while output.due() <= 0:
        output.write(silence(BLOCK))
        burst += 1
    assert burst <= 4  # its buffer, and no more
