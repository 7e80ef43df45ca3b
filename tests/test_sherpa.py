"""Our network in stock sherpa-onnx, and its conventions in earshot, token for token."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from earshot.bundle import WORD_START, open_bundle, read_symbols
from earshot.encoder import Encoder, Windows
from earshot.engine import Engine
from earshot.events import Committed, EndPoint
from earshot.features import features
from earshot.transducer import CachedScorer, Scorer, TableScorer, Transducer, greedy, scorers
from earshot.units import SAMPLE_RATE

from tests import contract, networks, small
from tests.floats import in_floats
from tests.recordings import recordings

Samples = contract.Samples
SHIPPED = Path(__file__).parent.parent / "models" / "bundles" / "en"
SHERPA = Path(__file__).parent / "sherpa_process.py"
TAIL = np.zeros(SAMPLE_RATE // 2, np.float32)  # the caller's: sherpa-onnx adds none
COUNT = 50
# The shipped network is int8 and finds the range of its activations as it runs, so a last bit that
# differs grows from block to block, and where two tokens are nearly equal the other one may win.
# The wheel brings an onnxruntime of its own, 1.28: on 50 utterances of 136 tokens each 36 part at
# some token from ours with 1.32, where it was ahead by 0.02 in the median and by 0.10 at most; in
# 32 bits none does. So a parting must be such a tie, and rare.
TIE = 0.2  # natural log
TIES_APART = 100  # tokens
Decoded = list[tuple[list[str], list[int]]]


def utterances(count: int) -> list[Samples]:
    """Real speech: of the kit's dev sets if EARSHOT_KIT says where it is, else pieces of ours."""
    kit = os.environ.get("EARSHOT_KIT")
    if kit:
        rows = Path(kit, "speech", "librispeech_dev", "manifest.tsv").read_text("utf8").splitlines()
        folder = Path(kit, "speech", "librispeech_dev")
        paths = [folder / row.split("\t")[0] for row in rows[1 : count + 1]]
        return [soundfile.read(path, dtype="float32")[0] for path in paths]
    dice, pieces = np.random.default_rng(0), []
    for recording in islice(cycle(recordings()), count):
        audio = recording.samples()
        first = int(dice.integers(0, len(audio) // 2))
        pieces.append(audio[first : first + int(dice.integers(6_000, 20_000))])
    return pieces


def by_sherpa(folder: Path, spoken: list[Samples], scratch: Path) -> Decoded:
    """Tokens and their frames by the wheel."""
    np.savez(scratch / "spoken.npz", *[np.concatenate([audio, TAIL]) for audio in spoken])
    command = [sys.executable, str(SHERPA), str(folder), str(scratch / "spoken.npz")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr[-2_000:]
    return [(tokens, frames) for tokens, frames in json.loads(run.stdout.splitlines()[-1])]


@dataclass(frozen=True, slots=True)
class Network:
    """A network as earshot runs it."""

    symbols: tuple[str, ...]
    encoder: Encoder
    new_scorer: Callable[[], Scorer]

    @classmethod
    def open(cls, folder: Path) -> Self:
        bundle = open_bundle(folder)
        transducer = Transducer(*bundle.network[1:])
        return cls(bundle.symbols, Encoder(bundle.network[0]), scorers(transducer))

    def encoded(self, audio: Samples) -> npt.NDArray[np.float32]:
        """Encoded frames of the windows that the wheel decodes."""
        encoder, state, found = self.encoder, self.encoder.start(), []
        # The wheel waits for one frame more than it decodes, so the last frame is never heard.
        frames = features(np.concatenate([audio, TAIL]))[:-1]
        for window in Windows(encoder.window, encoder.shift).accept(frames):
            rows, state = encoder.step(window, state)
            found.append(rows)
        return np.concatenate(found)

    def decoded(self, audio: Samples) -> tuple[list[str], list[int]]:
        """Tokens and their frames."""
        tokens, frames = greedy(self.new_scorer(), self.encoded(audio))
        return [written(self.symbols[token]) for token in tokens], frames

    def lead(self, audio: Samples, frame: int) -> float:
        """By how much (natural log) the token that is taken at a frame is ahead of the next."""
        rows, scorer = self.encoded(audio), self.new_scorer()
        tokens, _ = greedy(scorer, rows[:frame])
        context = np.array([scorer.start_context])
        for token in tokens:
            context = scorer.advance(context, np.array([token]))
        scorer.hear(rows[frame : frame + 1])
        second, first = np.sort(scorer.logp(0, context)[0])[-2:]
        return float(first - second)


def by_earshot(folder: Path, spoken: list[Samples]) -> Decoded:
    """Tokens and their frames by our own code."""
    network = Network.open(folder)
    return [network.decoded(audio) for audio in spoken]


def parting(one: tuple[list[str], list[int]], other: tuple[list[str], list[int]]) -> int:
    """The first frame at which two decodings differ."""
    events = [set(zip(frames, tokens, strict=True)) for tokens, frames in (one, other)]
    return min(events[0] ^ events[1])[0]


def written(symbol: str) -> str:
    """A token as the wheel tells it."""
    return symbol.replace(WORD_START, " ") if symbol.startswith(WORD_START) else symbol


def test_the_shipped_network_gives_the_same_tokens_in_stock_sherpa(tmp_path: Path) -> None:
    if not SHIPPED.exists():
        pytest.skip("no bundle is shipped")
    spoken, network = utterances(COUNT), Network.open(SHIPPED)
    ours = [network.decoded(audio) for audio in spoken]
    theirs = by_sherpa(SHIPPED, spoken, tmp_path)
    assert len(ours) == len(theirs) == COUNT
    different = [i for i in range(COUNT) if ours[i] != theirs[i]]
    count = sum(len(tokens) for tokens, _ in ours)
    assert len(different) <= count / TIES_APART, different
    for i in different:
        assert network.lead(spoken[i], parting(ours[i], theirs[i])) < TIE
    assert count > COUNT, "silence proves nothing"


def test_the_weights_that_ship_give_exactly_the_same_tokens_where_no_rounding_differs(
    tmp_path: Path,
) -> None:
    if not SHIPPED.exists():
        pytest.skip("no bundle is shipped")
    folder = tmp_path / "floats"
    folder.mkdir()
    for part in ("encoder", "joiner"):
        in_floats(SHIPPED / f"{part}.onnx", folder / f"{part}.onnx")
    for name in ("decoder.onnx", "tokens.txt"):
        shutil.copy(SHIPPED / name, folder)
    parts = (folder / "encoder.onnx", folder / "decoder.onnx", folder / "joiner.onnx")
    transducer = Transducer(*parts[1:])
    network = Network(read_symbols(folder / "tokens.txt"), Encoder(parts[0]), scorers(transducer))
    spoken = utterances(COUNT)
    ours = [network.decoded(audio) for audio in spoken]
    assert ours == by_sherpa(folder, spoken, tmp_path)
    assert sum(len(tokens) for tokens, _ in ours) > COUNT, "silence proves nothing"


@pytest.mark.parametrize("context", [1, 2, 3])
@pytest.mark.parametrize("kind", networks.KINDS)
def test_networks_of_each_convention_give_the_same_tokens_in_stock_sherpa(
    tmp_path: Path, kind: str, context: int
) -> None:
    folder = networks.write(tmp_path / "net", kind, context=context, seed=context + 3)
    spoken = utterances(8)
    ours = by_earshot(folder, spoken)
    assert ours == by_sherpa(folder, spoken, tmp_path)
    told = [token for tokens, _ in ours for token in tokens]
    assert len(told) > 50
    assert len(set(told)) > 4, "one token for everything proves nothing"


def test_a_tiny_phone_bundle_gives_the_same_tokens_in_stock_sherpa(tmp_path: Path) -> None:
    folder = networks.phones(tmp_path / "tiny")
    spoken = utterances(8)
    ours = by_earshot(folder, spoken)
    assert ours == by_sherpa(folder, spoken, tmp_path)
    assert {token for tokens, _ in ours for token in tokens} <= set(small.SYMBOLS)


@pytest.mark.parametrize("kind", networks.KINDS)
def test_a_foreign_folder_streams_in_earshot_from_samples_to_words(
    tmp_path: Path, kind: str
) -> None:
    engine = Engine.open(open_bundle(networks.write(tmp_path / "foreign", kind)))
    assert engine.bundle.label == "foreign unversioned"
    recogniser, events = engine.recogniser(), []
    for piece in np.array_split(recordings()[0].samples(), 11):
        events += recogniser.accept(piece)
    events += recogniser.finish()
    contract.check(events, engine.tuning.endpoint)
    assert isinstance(events[-1], Committed)
    ended = next(event for event in events if isinstance(event, EndPoint))
    assert ended.result.text
    assert WORD_START not in ended.result.text


@pytest.mark.parametrize("kind", networks.KINDS)
def test_every_state_of_the_random_networks_matters(tmp_path: Path, kind: str) -> None:
    encoder = Encoder(networks.write(tmp_path, kind) / "encoder.onnx")
    dice = np.random.default_rng(0)
    window = dice.normal(-6, 3, (encoder.window, 80)).astype(np.float32)
    _, state = encoder.step(window, encoder.start())
    plain, _ = encoder.step(window, state)
    assert not np.allclose(plain, encoder.step(window, encoder.start())[0])
    for i, one in enumerate(state):
        lost = [*state]
        lost[i] = np.zeros_like(one)
        assert np.abs(encoder.step(window, tuple(lost))[0] - plain).max() > 1e-4


def test_the_scorer_fits_the_context_of_the_predictor(tmp_path: Path) -> None:
    for context, kind in ((1, TableScorer), (2, CachedScorer)):
        folder = networks.write(tmp_path / str(context), "lstm", context=context)
        transducer = Transducer(folder / "decoder.onnx", folder / "joiner.onnx")
        assert isinstance(scorers(transducer)(), kind)
