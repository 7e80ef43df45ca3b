"""Measuring what is hard: levels that are as asked, pairs that are the same, streams that hold."""

import json
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import torch
from earshot.effort import Effort
from earshot.events import Cancelled, Committed, Event, SpeechStarted, Word

from models import long, robustness, tiny_kit
from models.blocks import Shape
from models.context import PAST, STREAMED, WAYS, WHOLE, encoded, padded
from models.corpus import Recording
from models.export import export
from models.network import Transducer, feature_frames
from models.paired import difference, ratio
from models.sounds import KINDS, Sounds, mixed, rms
from tests import networks, small
from tests.fake_recogniser import FakeRecogniser, loud
from tests.recordings import AUDIO

TINY = Shape(width=16, middle=24, inner=1, heads=4, kernel=5, joiner=12, chunk=4, left=8, tokens=7)
Floats = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of the tests as dev sets, and a clip of each kind."""
    folder = tmp_path_factory.mktemp("kit")
    for corpus in ("librispeech_dev", "common_voice_en"):
        tiny_kit.real(AUDIO, folder / "speech" / corpus, "dev")
    (folder / "noise").mkdir()
    rows, dice = [], np.random.default_rng(0)
    for name, kind, of, use in (
        ("dog", "noise", "dog-bark", "train"),
        ("sea", "noise", "sea-waves", "train"),
        ("song", "music", "vocal-pop", "test"),
        ("tune", "music", "lofi", "train"),
    ):
        soundfile.write(folder / f"noise/{name}.wav", dice.normal(0, 0.1, 20_000), 16_000)
        rows.append({"path": f"{name}.wav", "kind": kind, "class": of, "use": use})
    tiny_kit.rows_to(folder / "noise/manifest.tsv", rows)
    return folder


def network(shape: Shape = TINY) -> Transducer:
    torch.manual_seed(1)
    return Transducer(shape, torch.randn(80), torch.rand(80) + 0.5).eval()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with run.pt, and a bundle of that network in int8 below it."""
    folder = tmp_path_factory.mktemp("run")
    kept = {"recipe": {"network": asdict(TINY)}, "average": network().state_dict()}
    torch.save(kept, folder / "run.pt")
    networks.phones(folder / "bundle")
    export(network(), folder / "bundle", int8=True, symbols=small.SYMBOLS)
    networks.manifest(folder / "bundle", "phones")
    return folder


@pytest.mark.parametrize("snr", [20, 5, -5])
def test_noise_is_so_far_below_the_speech_and_nothing_is_clipped(snr: int) -> None:
    dice = np.random.default_rng(2)
    speech, noise = (dice.normal(0, level, 9_000).astype(np.float32) for level in (0.3, 0.01))
    both = mixed(speech, noise, snr)
    assert np.abs(both).max() <= 1
    scale = np.dot(both, speech) / np.dot(speech, speech)
    rest = both - np.float32(scale) * speech
    assert 20 * np.log10(rms(both - rest) / rms(rest)) == pytest.approx(snr, abs=0.5)


def test_sounds_of_each_kind_are_a_function_of_the_name(kit: Path) -> None:
    sounds = Sounds(kit)
    assert sounds.kinds() == list(KINDS)
    for kind in KINDS:
        one, same, other = (sounds.draw(kind, name, 30_000) for name in ("a", "a", "b"))
        assert (one.dtype, one.size) == (np.dtype(np.float32), 30_000)
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, other)


def test_songs_for_tests_alone_are_heard_and_only_sounds_of_homes(kit: Path) -> None:
    heard = Sounds(kit)._clips
    assert [path.stem for paths in heard["music"] for path in paths] == ["song"]
    assert [path.stem for paths in heard["household"] for path in paths] == ["dog"]


def test_a_kit_without_music_has_no_such_kind(tmp_path: Path) -> None:
    row = {"path": "dog.wav", "kind": "noise", "class": "dog-bark", "use": "train"}
    tiny_kit.rows_to(tmp_path / "noise/manifest.tsv", [row])
    assert Sounds(tmp_path).kinds() == ["household", "steady"]


def test_ratios_and_differences_are_of_the_same_recordings() -> None:
    hard = [1, 9] * 20  # recordings differ much, but the second way errs twice as often on each
    assert ratio([2 * n for n in hard], hard) == (2.0, 2.0, 2.0)
    assert ratio([3], [0]) == (3.0, 3.0, 3.0)
    assert difference([n + 1 for n in hard], hard, [10] * 40) == (10.0, 10.0, 10.0)
    middle, low, high = difference([1, 0] * 20, [0, 1] * 20, [10] * 40)
    assert middle == 0
    assert low < 0 < high


@torch.no_grad()
def test_in_chunks_is_as_the_daemon_hears_it() -> None:
    net, frames = network(), feature_frames(TINY)
    x = padded(np.random.default_rng(0).normal(-6, 3, (93, 80)).astype(np.float32), frames)
    assert len(x) == 128
    found, state = encoded(net, x, STREAMED), net.encoder.start()
    for i in range(0, len(x), frames):
        rows, state = net.encoder.step(torch.from_numpy(x[i : i + frames])[None], state)
        wanted = net.project(rows)[0].numpy()
        np.testing.assert_allclose(found[i // 4 :][: TINY.chunk], wanted, atol=1e-4)
    assert net.encoder.shape == TINY


def changed(way: str, at: int) -> npt.NDArray[np.bool_]:
    """Which encoded frames hear that a feature frame is another."""
    net = network()
    x = np.random.default_rng(0).normal(-6, 3, (256, 80)).astype(np.float32)
    other = x.copy()
    other[at] += 3
    found = encoded(net, x, way) != encoded(net, other, way)
    return np.asarray(found.any(1))


def test_only_as_a_whole_is_the_future_heard_and_only_in_chunks_the_past_forgotten() -> None:
    assert not changed(STREAMED, 250)[:56].any()
    assert not changed(PAST, 250)[:56].any()
    assert changed(WHOLE, 250)[:56].all()
    assert not changed(STREAMED, 0)[60:].any()
    assert changed(PAST, 0)[60:].all()


def test_an_lstm_cannot_be_let_see_more() -> None:
    with pytest.raises(ValueError, match="only a conformer"):
        encoded(network(replace(TINY, kind="lstm")), np.zeros((16, 80), np.float32), WHOLE)


class Told:
    """A recogniser that says what it was told, at once."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events

    def accept(self, samples: Floats) -> list[Event]:
        del samples
        events, self._events = self._events, []
        return events

    def finish(self) -> list[Event]:
        return []

    def effort(self, effort: Effort) -> None:
        del effort

    def anew(self, at: int, utterances: int) -> "Told":
        del at, utterances
        return Told([])


def test_words_of_one_stream_go_back_to_their_recordings() -> None:
    stream, spans = long.joined([loud(1.0), loud(0.5), loud(2.0)], random.Random(3))  # noqa: S311
    for (start, end), size in zip(spans, (16_000, 8_000, 32_000), strict=True):
        assert end - start == size
        assert (stream[start:end] == 0.5).all()
    course = long.hear(FakeRecogniser(), stream)
    given = long.attributed(course.words, spans)
    assert [len(words) for words in given] == pytest.approx([10, 5, 20], abs=1)
    assert course.breaches == []
    assert sum(course.ends.values()) == len(course.spans) == 3
    assert course.memory[0][0] == 0
    assert course.memory[-1][0] == len(stream)


@pytest.mark.parametrize(
    ("events", "breach"),
    [
        ([SpeechStarted(10, 1, 0)], "utterance 1 has no end"),
        ([SpeechStarted(10, 1, 0), SpeechStarted(20, 2, 9)], "at 20 while another is open"),
        ([SpeechStarted(10, 2, 0), Cancelled(20, 2, "x")], "at 10 is not the next one"),
        ([Committed(10, 1, 1)], "Committed at 10 outside of an utterance"),
        ([SpeechStarted(10, 1, 0), Cancelled(5, 1, "x")], "Cancelled at 5 goes back in time"),
    ],
)
def test_a_breach_of_the_contract_is_told(events: list[Event], breach: str) -> None:
    course = long.hear(Told(events), np.zeros(100, np.float32))
    assert any(breach in one for one in course.breaches)


def test_a_word_in_no_utterance_is_unheard() -> None:
    word, token = np.array([0, 0, 1], np.int32), np.ones(3, np.int32)
    start, end = np.array([10, 20, 50], np.int32), np.array([20, 30, 60], np.int32)
    said = Recording(Path("a"), "an4", "s", token, start, end, word)
    assert long.unheard(said, 16_000, [(16_000, 40_000)]) == 0
    assert long.unheard(said, 16_000, [(16_000, 16_000 + 35 * 160)]) == 1
    assert long.unheard(said, 16_000, []) == 2


def test_a_word_before_all_recordings_is_the_first_ones() -> None:
    words = [Word("a", 0, 100, 0.9), Word("b", 90_000, 90_100, 0.9)]
    assert long.attributed(words, [(8_000, 20_000), (80_000, 100_000)]) == [["a"], ["b"]]


def test_a_run_of_another_network_is_refused(run: Path, tmp_path: Path) -> None:
    other = networks.phones(tmp_path / "other")
    with pytest.raises(SystemExit, match=r"is not what .* was exported from"):
        robustness.in_32_bits(run, other, tmp_path)


@pytest.fixture
def measured(
    kit: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """The figures of a run of the script with these options."""

    def measure(*options: str) -> dict[str, Any]:
        out = tmp_path / "found.json"
        given = ["--kit", str(kit), "--bundle", str(run / "bundle"), "--json", str(out)]
        monkeypatch.setattr("sys.argv", ["robustness", *given, *options])
        robustness.main()
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf8"))
        return found

    monkeypatch.setattr(robustness, "ProcessPoolExecutor", ThreadPoolExecutor)
    return measure


def test_all_of_it_on_a_tiny_bundle(
    measured: Callable[..., dict[str, Any]], run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = measured("--run", str(run), "--count", "2", "--minutes", "0.2", "--jobs", "1")
    noise = found["noise"]["librispeech_dev"]
    assert len(noise) == 1 + len(KINDS) * len(robustness.LEVELS)
    assert noise["clean"]["times_clean"] == [1.0, 1.0, 1.0]
    assert set(found["int8"]) == {"librispeech_dev", "common_voice_en"}
    assert found["int8"]["librispeech_dev"]["fp32"]["recordings"] == 2
    assert set(WAYS) < set(found["context"]["librispeech_dev"])
    assert found["long"]["breaches"] == []
    tables = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len(tables) == 4 * 2 + len(noise) + 2 + len(WAYS) + len(found["long"])


def test_what_needs_weights_asks_for_them(
    measured: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        measured("--only", "int8")
    assert "need --run" in capsys.readouterr().err


def test_a_kit_without_recordings_for_the_stream_says_so(
    measured: Callable[..., dict[str, Any]],
) -> None:
    with pytest.raises(SystemExit, match="no aligned dev recordings"):
        measured("--only", "long", "--minutes", "0")
