"""The re-ranker's language model: what it learns from, that it learns, goes on, and is written."""

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from earshot.neural import open_rescorer
from torch import nn

from models import neural_lm, neural_texts, rescorer
from models.neural_lm import KINDS, MARKS, Draws, begin, kind_of, train, vocabulary
from models.neural_network import NeuralLm, Shape
from models.neural_texts import of_dev_templates, rows_of, template, triples
from models.tiny_kit import meanings, rows_to, texts
from tests.small import ngram

NUMBER = {word: i for i, word in enumerate((*MARKS, "turn", "on", "the", "light"))}


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    folder = tmp_path / "kit"
    texts(folder)
    meanings(folder)
    return folder


def test_sentences_are_numbered_and_what_is_unknown_is_not_asked_for() -> None:
    rows = rows_of([["turn", "off"], ["light"]], NUMBER, 2)
    start, end, unknown, turn, light = (
        NUMBER[w] for w in ("<s>", "</s>", "<unk>", "turn", "light")
    )
    assert rows.numbers.tolist() == [start, start, turn, unknown, end, start, start, light, end]
    assert rows.at.tolist() == [2, 4, 7, 8]


def test_a_template_has_slots_in_place_of_values() -> None:
    slots = [{"slot": "room", "value": "hall"}, {"slot": "place", "value": "hall of fame"}]
    assert template("go to the hall of fame in the hall", slots) == "go to the $place in the $room"


def test_sentences_of_a_template_of_dev_are_left_out(kit: Path) -> None:
    said = [
        {"path": "1.flac", "speaker": "a", "text": "turn on the lamp in the hall", "split": "dev"}
    ]
    (kit / "speech" / "synthetic").mkdir(parents=True)
    rows_to(kit / "speech" / "synthetic" / "manifest.tsv", said)
    found = of_dev_templates(kit)
    assert {"turn on the lamp in the hall", "turn on the oven in the attic"} <= found
    assert "turn off the lamp in the hall" not in found


def test_book_tables_are_drawn_as_often_as_they_are_met(kit: Path) -> None:
    words = {w: i for i, w in enumerate(("<s>", "</s>", "turn", "on", "off", "the", "light"))}
    found = triples(kit, words)
    share = np.diff(found.borders, prepend=0.0)
    rows = {tuple(row): s for row, s in zip(found.numbers.tolist(), share.tolist(), strict=True)}
    assert rows[words["turn"], words["on"], words["the"]] > 0
    assert share.min() > 0


def small(words: int) -> NeuralLm:
    torch.manual_seed(1)
    network = NeuralLm(Shape(words, 2, 3, 8, 16, 12, borders=(6, 9), sizes=(4, 3))).eval()
    nn.init.normal_(network.scale)
    nn.init.normal_(network.shift)
    return network


def test_what_is_drawn_says_of_what_kind_it_is(kit: Path) -> None:
    rows = {name: rows_of([["turn", "on"]] * 9, NUMBER, 6) for name in ("read", "home")}
    draws = Draws(rows, triples(kit, {}), Shape(len(NUMBER), len(KINDS)))
    _, kinds, _ = draws.batch(0, 500)
    assert set(kinds.tolist()) == {kind_of("read"), kind_of("home")}
    assert kind_of(neural_texts.BOOKS) not in kinds


def test_probabilities_sum_to_one() -> None:
    network, words = small(14), torch.arange(14)
    context = torch.randint(0, 14, (1, 3)).expand(14, 3)
    said = [network.loss(context, torch.full((14,), kind), words).detach() for kind in (0, 1)]
    assert [float((-one).exp().sum()) for one in said] == pytest.approx([1, 1], abs=1e-4)
    assert not torch.equal(*said)


def test_what_stands_out_is_evened_and_the_network_says_the_same() -> None:
    network, context = small(60), torch.randint(0, 60, (40, 3))
    with torch.no_grad():
        network.second.weight[0], network.second.bias[0] = 0, 50.0
        kind, words = torch.arange(40) % 2, torch.arange(40)
        said = network.loss(context, kind, words).numpy()
        same = network.before(network.embed(context).flatten(1))
        apart = [inner(network, same).abs().amax(0)]
        rescorer.even(network, context)
        apart.append(inner(network, same).abs().amax(0))
        assert network.loss(context, kind, words).numpy() == pytest.approx(said, abs=1e-4)
    before, after = (float(one.max() / one.median()) for one in apart)
    assert after < before / 2


def inner(network: NeuralLm, same: torch.Tensor) -> torch.Tensor:
    """What goes into the last products, of the first kind."""
    return same * network.scale[0] + network.shift[0]


def test_what_is_written_says_what_the_network_says(tmp_path: Path) -> None:
    network, folder = small(60), tmp_path / "r"
    folder.mkdir()
    rescorer.write(network, folder / "neural.onnx")
    text = "".join(f"{word}\t-1\n" for word in [*MARKS, *(f"w{i}" for i in range(60 - len(MARKS)))])
    (folder / "words.txt").write_text(text, "utf8")
    (folder / "rescorer.toml").write_text(rescorer.manifest(folder, {"neural": 0.4}), "utf8")
    bundle = open_rescorer(str(folder))
    context, words = torch.randint(0, 60, (1, 3)).expand(60, 3), torch.arange(60)
    said = bundle.model.score(context.numpy(), np.arange(60), words.numpy())
    with torch.no_grad():
        for kind in (0, 1):
            wanted = -network.loss(context, torch.full((60,), kind), words).numpy()
            assert said[kind, :6] == pytest.approx(wanted[:6], abs=0.15)
    rare = said[:, 9:] - said[:, 9:10]  # to each other; the contexts are the same
    assert rare[0] == pytest.approx(rare[1], abs=1e-5)
    assert bundle.settings.neural == 0.4


def test_it_learns_and_goes_on_where_it_stopped(
    kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(neural_lm, "BATCH", 64)
    ngram(tmp_path)
    words = list(vocabulary(next(tmp_path.glob("*.lm"))))
    number = {word: i for i, word in enumerate(words)}
    rows = {neural_texts.BOOKS: rows_of([["a", "bee"], ["ab", "cab", "b"]] * 20, number, 6)}
    draws = Draws(rows, triples(kit, number), Shape(len(words), len(KINDS)))

    def run(folder: str, steps: int, stop: int) -> NeuralLm:
        options = argparse.Namespace(out=tmp_path / folder, steps=steps, hidden=16)
        options.out.mkdir(exist_ok=True)
        found = begin(options, len(words))
        found.steps = stop
        monkeypatch.setattr(neural_lm, "rate", lambda step, _: 0.01 / (1 + step / steps))
        train(found, draws, rows)
        return found.network

    whole = run("whole", 30, 30)
    run("parts", 30, 12)
    again = run("parts", 30, 30)
    assert "goes on at step 12" in capsys.readouterr().out
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
    assert neural_lm.perplexities(whole, rows)[neural_texts.BOOKS] < 3
