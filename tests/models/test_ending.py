"""The networks that listen for the end: streamed as whole, what they count, and that they learn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from earshot.ending import (
    AFTER,
    BEFORE,
    CADENCE,
    FILE,
    FRAMES_AFTER,
    LOOKS,
    MOST_FRAMES,
    SPEECH,
    STEP,
    WITHIN,
    CadenceNetwork,
    Ending,
    EndingNetwork,
)
from earshot.errors import BundleError
from earshot.events import EndPointKind
from earshot.units import FEATURE_BINS

from models import augment, cadence, ending, fusion
from models.blocks import Shape
from models.data import Corpus
from models.logistic import regression
from models.network import Transducer, feature_frames
from models.replay import Clocks
from models.talkers import Talkers
from tests.models import small_cache

Frames = npt.NDArray[np.float32]
JOINER = 12
SHAPE = Shape(width=16, middle=16, inner=1, heads=4, kernel=3, joiner=JOINER, chunk=4, left=8)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(small_cache.write(tmp_path_factory.mktemp("cache"), {"an4": 14}, 8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both networks, untrained."""
    torch.manual_seed(0)
    found = tmp_path_factory.mktemp("networks")
    ending.write(ending.Ending().eval(), found / FILE)
    cadence.write(cadence.Cadence(JOINER).eval(), JOINER, found / CADENCE)
    return found


def noise(frames: int, bins: int = FEATURE_BINS, seed: int = 0) -> Frames:
    return np.random.default_rng(seed).normal(-6, 3, (frames, bins)).astype(np.float32)


def test_any_slicing_of_the_frames_is_heard_the_same(folder: Path) -> None:
    network, x = EndingNetwork(folder / FILE), noise(61)
    whole, sliced = Ending(network), Ending(network)
    whole.hear(x)
    for part in np.split(x, [1, 2, 7, 7, 20, 33]):
        sliced.hear(part)
    for name in ("final", "speech", "over"):
        assert getattr(whole, name) == pytest.approx(getattr(sliced, name), abs=1e-4)
    assert (whole.still_ms, whole.spoken_ms) == (sliced.still_ms, sliced.spoken_ms)


class Scripted:
    """Hears what the first bin says: the number of a class."""

    start = np.zeros((1, 1, 1), np.float32)

    @staticmethod
    def step(pairs: Frames, state: Frames) -> tuple[Frames, Frames]:
        logp = np.log(np.full((len(pairs), 4), 0.05, np.float32))
        logp[np.arange(len(pairs)), pairs[:, 0].astype(int)] = np.log(0.85)
        return logp, state


def heard(classes: list[int]) -> Ending:
    x = np.zeros((STEP * len(classes), FEATURE_BINS), np.float32)
    x[::STEP, 0] = classes
    found = Ending(Scripted())  # type: ignore[arg-type]
    found.hear(x)
    return found


def test_stillness_and_the_end_are_counted_from_when_they_began() -> None:
    assert heard([BEFORE]).still_ms == 20
    after = heard([BEFORE, SPEECH, WITHIN, SPEECH, WITHIN, AFTER, AFTER])
    assert after.still_ms == 60
    assert after.final == pytest.approx(np.log(0.85 / 0.15), abs=1e-4)
    again = heard([AFTER, AFTER, WITHIN, SPEECH])
    assert again.still_ms == 0
    assert again.speech > 0


def test_how_probable_an_end_was_is_the_mean_of_a_while() -> None:
    for many in (0, 1, 30, 80, 120):
        found = heard([SPEECH] * 20 + [AFTER] * many + [SPEECH] * 2)
        ends = min(many, LOOKS - 2)
        wanted = (ends * 0.85 + min(22, LOOKS - ends) * 0.05) / LOOKS
        assert found.over == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("end", [0, 3, 12, 30, 43, 60])
def test_the_frames_around_the_end_are_those_of_the_training(tmp_path: Path, end: int) -> None:
    encoded, heard, network = noise(48, JOINER), noise(4 * 48), cadence.Cadence(JOINER).eval()
    cadence.write(network, JOINER, tmp_path / CADENCE)
    behind, below = (
        torch.from_numpy(np.pad(x, ((0, rows), (0, 0))))[None]
        for x, rows in ((encoded, 40), (heard, 160))
    )
    wanted = network(cadence.around(behind, below, [end])).item()
    found = CadenceNetwork(tmp_path / CADENCE, JOINER).odds(encoded, heard, end)
    assert found == pytest.approx(wanted, abs=1e-4)


def test_what_is_no_such_network_is_refused_with_its_name(folder: Path, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"nothing")
    with pytest.raises(BundleError, match=FILE):
        EndingNetwork(tmp_path / FILE)
    with pytest.raises(BundleError, match="not those of an end-pointing network"):
        EndingNetwork(folder / CADENCE)
    with pytest.raises(BundleError, match="not those of a cadence network"):
        CadenceNetwork(folder / FILE, JOINER)
    with pytest.raises(BundleError, match="not those of a cadence network"):
        CadenceNetwork(folder / CADENCE, JOINER + 1)


@pytest.mark.parametrize("frames", [FRAMES_AFTER - 1, MOST_FRAMES + 1])
def test_a_head_that_reads_more_than_is_kept_or_less_than_it_must_is_refused(
    frames: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cadence, "FRAMES", frames)
    cadence.write(cadence.Cadence(JOINER).eval(), JOINER, tmp_path / CADENCE)
    with pytest.raises(BundleError, match="not those of a cadence network"):
        CadenceNetwork(tmp_path / CADENCE, JOINER)


def test_rows_are_marked_where_their_words_are(corpus: Corpus) -> None:
    dice = np.random.default_rng(3)
    for number in range(len(corpus.corpus)):
        x, label = ending.surrounded(ending.recording(corpus, number, dice), 900, dice)
        assert len(x) == len(label) == 900
        (spoken,) = np.nonzero(label == SPEECH)
        assert (label[: spoken[0]] == BEFORE).all()
        assert (label[spoken[-1] + 1 :] == AFTER).all()
        assert set(label[spoken[0] : spoken[-1]].tolist()) <= {SPEECH, WITHIN}


def test_others_are_so_much_softer_than_the_words(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = list[npt.NDArray[np.bool_]]()

    def add(x: Frames, *_: object, spoken: npt.NDArray[np.bool_]) -> Frames:
        rows.append(spoken)
        return x

    monkeypatch.setattr(augment, "augmented", add)
    _, label = ending.batch(corpus, Talkers(corpus, ending.WEIGHTS), np.random.default_rng(4))
    every = np.stack(rows)[:, STEP - 1 :: STEP]
    np.testing.assert_array_equal(every, label.numpy() == SPEECH)


def test_who_talks_is_one_speaker_who_goes_on_for_any_length(corpus: Corpus) -> None:
    speech, dice = Talkers(corpus, ending.WEIGHTS), np.random.default_rng(2)
    said = dict[bytes, str]()
    for number, speaker in enumerate(corpus.speaker):
        for version in range(len(corpus.versions)):
            x = corpus.frames(number, version, 0, corpus.length(number, version))
            said |= dict.fromkeys((frame.tobytes() for frame in x), speaker)
    for length in (40, 300, 2_000):
        talk = speech.talk(length, dice)
        assert talk.shape == (length, FEATURE_BINS)
        assert len({said[frame.tobytes()] for frame in talk}) == 1


def test_every_recording_is_listened_to(corpus: Corpus) -> None:
    speech, dice = Talkers(corpus, ending.WEIGHTS), np.random.default_rng(2)
    drawn = {speech.recording(dice) for _ in range(300)}
    assert drawn == set(range(len(corpus.corpus)))


def test_speech_ends_where_the_head_is_told_that_it_does(corpus: Corpus) -> None:
    base, dice = Transducer(SHAPE).eval(), np.random.default_rng(1)
    chunk = feature_frames(SHAPE)
    x, ends, whole = cadence.batch(corpus, Talkers(corpus, ending.WEIGHTS), chunk, dice)
    assert x.shape[1] % chunk == 0
    assert set(whole.tolist()) == {0.0, 1.0}
    assert all(0 < end * 4 < x.shape[1] for end in ends)
    encoded = base.project(base.encoder(x))
    found = cadence.around(encoded, x, ends)
    assert found.shape == (len(x), cadence.FRAMES, JOINER + 320)
    last = found[0, cadence.FRAMES - FRAMES_AFTER - 1]
    assert torch.equal(last[:JOINER], encoded[0, ends[0] - 1])
    assert torch.equal(last[JOINER:], x[0, 4 * ends[0] - 4 : 4 * ends[0]].flatten())


def test_a_tiny_training_tells_speech_from_what_is_around_it(corpus: Corpus) -> None:
    dice = np.random.default_rng(5)
    network = ending.train(corpus, 200)
    x, label = ending.batch(corpus, Talkers(corpus, ending.WEIGHTS), dice)
    with torch.no_grad():
        logp, _ = network(x, torch.zeros(1, len(x), ending.STATE))
    right = ((logp.argmax(-1) == SPEECH) == (label == SPEECH)).float().mean()
    assert right > max((label == SPEECH).float().mean(), (label != SPEECH).float().mean()) + 0.02


def test_the_head_learns_what_it_is_shown() -> None:
    torch.manual_seed(0)
    x = torch.randn(400, cadence.FRAMES, JOINER + 320).half()
    whole = (x[:, -1, 0] > 0).float()
    network = cadence.train(x, whole, JOINER, 60)
    with torch.no_grad():
        assert ((network(x.float()) > 0) == (whole > 0)).float().mean() > 0.9


def test_regression_finds_the_weights_that_made_the_data() -> None:
    dice = np.random.default_rng(0)
    rows = np.concatenate([np.ones((20_000, 1)), dice.normal(size=(20_000, 3))], 1)
    weights = np.array([0.5, 1.0, -2.0, 0.0])
    done = (dice.random(20_000) < 1 / (1 + np.exp(-rows @ weights))).astype(float)
    found = regression(rows, done, np.ones(20_000), np.full(4, 20.0))
    assert found == pytest.approx(weights, abs=0.1)


def test_thresholds_cut_off_no_more_than_they_may() -> None:
    dice = np.random.default_rng(0)
    every = [made(dice) for _ in range(40)]
    clocks = [one.clocks for one in every]
    usual = fusion.PRESETS["endpoint"]
    for cut, early in ((0.0, 0.1), (0.1, 0.2), (0.3, 0.3)):
        settings = fusion.chosen(every, clocks, replace(usual, cut=cut, early=early))
        assert fusion.cut_off(fusion.first_ends(clocks, settings, fusion.FINAL), every) <= cut
        first = fusion.first_ends(clocks, settings, tuple(EndPointKind))
        assert fusion.cut_off(first, every) <= early
        assert settings.likely <= settings.done


def made(dice: np.random.Generator) -> fusion.Heard:
    """Three seconds of speech with a pause within, and two of silence; odds with some noise."""
    count, pause, end = 250, int(dice.integers(40, 100)), 150
    speech = np.ones(count, np.bool_)
    speech[pause : pause + 20] = speech[end:] = False
    quiet = np.zeros(count)
    for i in range(1, count):
        quiet[i] = 0 if speech[i] else quiet[i - 1] + 20
    probability = np.clip(quiet / 600 + dice.normal(0, 0.1, count), 0, 0.999)
    at = 320 * np.arange(1, count + 1)
    clocks = speech, quiet, quiet, at / 16.0, quiet, 0 * quiet, probability
    known = Clocks(at, np.ones(count, np.int64), *clocks)
    return fusion.Heard(known, np.zeros((count, 1)), 320 * end, command=True)


def test_the_lead_of_an_announcement_is_from_its_last_beginning() -> None:
    one = made(np.random.default_rng(1)).clocks
    sure = replace(one, probability=np.where(np.arange(250) >= 160, 0.9, 0.1))
    settings = replace(fusion.PRESETS["endpoint"].settings, likely=0.5)
    (lead,) = fusion.leads([sure], [320 * 175], settings)
    assert lead == 20 * 14
