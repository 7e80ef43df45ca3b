"""Alignment with a network that is told what is said; whole sets; and what is made of them."""

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
import soundfile
import torch
from earshot.errors import RequestError
from torch import Tensor

from models import agree, align, prepare, tiny_kit
from models.align import Aligned, Aligner, Pronouncer, Verdict
from models.blocks import Shape
from models.corpus import aligned, recordings, sets, table
from models.data import due_frames, label_frames
from models.lexicon import Dictionary, spoken
from models.network import Transducer
from models.phones import SIZE, tokens

if TYPE_CHECKING:
    from earshot.g2p import G2p

SURE = 12.0  # a logit
TINY = Shape(width=16, middle=16, inner=1, joiner=8, chunk=4, left=8, dropout=0.0)
SPOKEN = "the:DH@20,IY@32@45 cat:K@60,AE@71,T@90@97"


class Told:
    """A network that has been told what a recording says, in the words of the kit.

    The logits of its frame classifier and of its joiner are what it "encodes".
    """

    def __init__(self, words: str) -> None:
        self.shape, self.encoder, self.masks = TINY, self, {0: None}
        parts = [word.rpartition("@") for word in words.split()]
        pairs = [[p.split("@") for p in head.partition(":")[2].split(",")] for head, _, _ in parts]
        self._token = np.array([t for word in pairs for t in tokens([name for name, _ in word])])
        self._start = np.array([int(at) for word in pairs for _, at in word])
        ends = [[*(at for _, at in w[1:]), p[2]] for w, p in zip(pairs, parts, strict=True)]
        self._end = np.array([int(at) for word in ends for at in word])

    def __call__(self, x: Tensor) -> Tensor:
        said = (self._token, self._start, self._end)
        length = x.shape[1]
        logits = torch.zeros(2, length // 4, SIZE)
        frames = torch.arange(length // 4)
        logits[0, frames, torch.from_numpy(label_frames(*said, length))] = SURE
        emitted = torch.zeros(length, dtype=torch.long)
        emitted[due_frames(self._start, self._end)] = torch.from_numpy(self._token)
        emitted = emitted[: length // 4]
        logits[1, frames, emitted] = SURE
        return torch.cat([*logits], -1)[None]

    def frame(self, hidden: Tensor) -> Tensor:
        return hidden[..., :SIZE]

    def project(self, hidden: Tensor) -> Tensor:
        return hidden[..., SIZE:]

    def predictor(self, token: Tensor) -> Tensor:
        return torch.zeros(len(token), SIZE)

    def joiner(self, encoded: Tensor, predicted: Tensor) -> Tensor:
        return encoded + predicted


class Guesses:
    """Says "kat" in two ways and signs not at all."""

    def pronounce(self, word: str, count: int) -> list[tuple[tuple[str, ...], float]]:
        if word != "kat":
            message = f"{word!r}: nothing to say"
            raise RequestError(message)
        return [(("K", "EY", "T"), -0.1), (("K", "AE", "T"), -2.4), (("S",), -5.0)][:count]


class Listed:
    """A dictionary of two words."""

    def pronunciations(self, word: str) -> list[tuple[str, ...]]:
        known: dict[str, list[tuple[str, ...]]] = {
            "the": [("DH", "AH"), ("DH", "IY")],
            "cat": [("K", "AE", "T")],
        }
        return known.get(word, [])


def heard(text: str, *, g2p: bool = True, seconds: float = 1.2, least: float = -3.5) -> Aligned:
    guesses = cast("G2p", Guesses()) if g2p else None
    pronounce = Pronouncer(cast("Dictionary", Listed()), guesses)
    aligner = Aligner(cast("Transducer", Told(SPOKEN)), pronounce, least)
    samples = np.random.default_rng(0).normal(0, 0.01, int(seconds * 16_000)).astype(np.float32)
    return aligner(samples, text.split())


def borders(words: str) -> tuple[str, list[int]]:
    """An alignment without its numbers, and these."""
    for sign in "@,:":
        words = words.replace(sign, " ")
    parts = words.split()
    return " ".join(p for p in parts if not p.isdigit()), [int(p) for p in parts if p.isdigit()]


def test_the_pronunciation_that_was_heard_is_chosen_and_placed() -> None:
    found = heard("the cat")
    names, frames = borders(found.words)
    wanted_names, wanted = borders(SPOKEN)
    assert (found.verdict, found.tokens, found.seconds) == (Verdict.ALIGNED, 5, 1.2)
    assert names == wanted_names
    assert np.abs(np.subtract(frames, wanted)).max() <= 2, "half of an encoder frame"
    assert -0.1 < found.score < 0


def test_a_word_in_no_dictionary_is_said_as_g2p_has_it_even_by_its_second_guess() -> None:
    found = heard("the kat")
    assert found.verdict == Verdict.ALIGNED
    assert borders(found.words)[0] == "the DH IY kat K AE T"


@pytest.mark.parametrize(("text", "g2p"), [("the kat", False), ("the <s>", True), ("", True)])
def test_a_text_that_nobody_can_say_is_told(text: str, *, g2p: bool) -> None:
    assert heard(text, g2p=g2p).verdict == Verdict.UNKNOWN


def test_a_text_that_is_not_what_is_said_has_a_score_and_no_words() -> None:
    found = heard("cat the cat")
    assert found.verdict == Verdict.UNFIT
    assert found.words == ""
    assert found.score < -3.5
    assert heard("cat the cat", least=found.score - 0.1).verdict == Verdict.ALIGNED


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.04])
def test_a_recording_too_short_for_its_text_is_told(seconds: float) -> None:
    assert heard("the cat", seconds=seconds).verdict == Verdict.SHORT


def test_more_tokens_than_encoder_frames_are_too_many() -> None:
    assert heard("cat " * 11, seconds=0.35).verdict == Verdict.SHORT


def checkpoint(path: Path, shape: Shape = TINY) -> Path:
    torch.manual_seed(0)
    weights = {name: value.half() for name, value in Transducer(shape).state_dict().items()}
    torch.save({"recipe": {"network": asdict(shape)}, "average": weights}, path)
    return path


def test_a_network_of_other_tokens_or_longer_context_is_refused(tmp_path: Path) -> None:
    for shape in (replace(TINY, tokens=50), replace(TINY, context=2)):
        with pytest.raises(SystemExit, match="needs a network of 79 phones"):
            align.opened(checkpoint(tmp_path / "other.pt", shape))


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Whistled sentences with alignments, and a set of damaged recordings without."""
    monkeypatch.setattr(align, "ProcessPoolExecutor", ThreadPoolExecutor)
    folder = tmp_path / "kit"
    tiny_kit.synthetic(folder / "speech/synthetic")
    tiny_kit.texts(folder)
    broken = folder / "speech/broken"
    broken.mkdir()
    (broken / "text.flac").write_text("no audio", encoding="utf8")
    soundfile.write(broken / "slow.flac", np.zeros(8000), 8000)
    soundfile.write(broken / "short.flac", np.zeros(100), 16_000)
    soundfile.write(broken / "odd.flac", np.zeros(16_000), 16_000)
    texts = {"text": "stop", "slow": "stop", "short": "stop", "odd": "stop xyz", "gone": "stop"}
    rows = (
        {"path": f"{name}.flac", "speaker": "x", "text": text, "split": "train"}
        for name, text in texts.items()
    )
    tiny_kit.rows_to(broken / "manifest.tsv", rows)
    tiny_kit.rows_to(folder / "speech/kerstin_de/manifest.tsv", [{"path": "x", "text": "ja"}])
    return folder


def run(kit: Path, out: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    network = checkpoint(out.parent / "network.pt")
    options = ["--kit", str(kit), "--out", str(out), "--network", str(network), *more]
    monkeypatch.setattr(sys, "argv", ["align", *options])
    align.main()


def test_whole_sets_are_aligned_once_and_damage_is_counted(
    kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "aligned"
    run(kit, out, monkeypatch, "--least", "-99")
    report = capsys.readouterr().out
    assert "0 aligned, 0 unfit, 1 short, 1 unknown, 3 damaged" in report
    assert "51 aligned, 0 unfit, 0 short" in report
    assert not (out / "speech/kerstin_de").exists()
    scores = list(table(out / "speech/synthetic/scores.tsv"))
    manifest = list(table(kit / "speech/synthetic/manifest.tsv"))
    assert [row["path"] for row in scores] == [row["path"] for row in manifest]
    known = aligned(out, "synthetic")
    for row in manifest:
        words, ends = borders(known[row["path"]])
        assert [word for word in words.split() if word.islower()] == row["text"].split()
        assert ends == sorted(ends)
    run(kit, out, monkeypatch)
    assert capsys.readouterr().out == "broken: done before\nsynthetic: done before\n"


def test_texts_that_do_not_fit_are_not_trained_on_and_the_kit_fills_in(
    kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = list(recordings(kit))
    ours = tmp_path / "ours/speech/synthetic"
    one, other = (str(r.path.relative_to(kit / "speech/synthetic")) for r in before[:2])
    tiny_kit.rows_to(
        ours / "align.tsv.gz",
        [{"path": one, "words": ""}, {"path": other, "words": "stop:S@3,T@9,AA@12,P@20@31"}],
    )
    after = list(recordings(kit, alignments=tmp_path / "ours"))
    assert [r.path for r in after] == [r.path for r in before[1:]]
    assert after[0].end.tolist() == [9, 12, 20, 31]
    assert after[1].start.tolist() == before[2].start.tolist()
    assert spoken(kit, tmp_path / "ours")["stop"][("S", "T", "AA", "P")] == (
        spoken(kit)["stop"][("S", "T", "AA", "P")] + 1
    )
    # A folder beside the kit is trained on as far as it is aligned.
    out = tmp_path / "aligned"
    run(kit, out, monkeypatch, "--least", "-99")
    assert sets(kit) == ["broken", "synthetic"]
    (kit / "speech/synthetic/align.tsv.gz").unlink()
    assert not prepare.every(kit, [kit], None)
    assert len(prepare.every(kit, [kit], out)) == 2 * len(before)


def test_differences_are_counted_in_words_and_frames() -> None:
    found = agree.Differences()
    found.add(
        "the:DH@10,AH@14@20 cat:K@20,AE@30,T@40@50", "the:DH@11,IY@14@20 cat:K@19,AE@30,T@40@58"
    )
    assert (found.recordings, found.words) == (1, 2)
    assert found.changed == Counter({("the", "DH AH", "DH IY"): 1})
    assert found.frames["word starts"] == [1, -1]
    assert found.frames["word ends"] == [0, 8]
    assert found.frames["phone starts"] == [-1, 0, 0]
    assert found.frames["due"] == [-1, 0, 0]
    assert "50.0 % of them said otherwise" in agree.lines("it", found, 1)[0]
    assert agree.lines("it", found, 1)[-1] == "    1 times the: DH AH -> DH IY"
