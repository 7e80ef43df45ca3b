"""A language model of a handful of sentences: it sums to one, shrinks as told, and learns."""

import gzip
import lzma
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from earshot.ngram import Ngram

from models.lexicon import Dictionary
from models.lm import fixed_bytes, main, mixture, prune, save, texts_of
from models.perplexity import perplexity
from models.vocabulary import vocabulary

SAID = (
    "turn on the light",
    "turn on the kitchen light",
    "turn off the light",
    "turn the music off",
    "what is the time",
    "set a timer",
    "play the music",
)
BOOKS = ("the sea was the light of the time", "what was the sea", "the whale was a light") * 3
UNHEARD = "play a light timer"
WORDS = sorted({word for text in (*SAID, *BOOKS) for word in text.split()})


def kit(folder: Path, said: Sequence[str] = SAID) -> Path:
    """A data kit of a dictionary, a list of sentences, book tables and one dev recording."""
    for part in ("text/cmudict", "text/slurp", "text/gutenberg", "speech/heard"):
        (folder / part).mkdir(parents=True)
    with gzip.open(folder / "text/cmudict/cmudict.dict.gz", "wt", encoding="utf8") as file:
        file.writelines(f"{word} B AH0\n" for word in WORDS)
    (folder / "text/slurp/slurp_lm.txt").write_text("\n".join(said), encoding="utf8")
    header, row = "path\tspeaker\tseconds\ttext\tsplit\n", "a.flac\tone\t1\tset the timer\tdev\n"
    (folder / "speech/heard/manifest.tsv").write_text(header + row, encoding="utf8")
    for size, order in enumerate(("unigrams", "bigrams", "trigrams"), 1):
        lines = [["<s>", *text.split(), "</s>"] for text in BOOKS]
        counts = Counter(
            " ".join(line[i : i + size]) for line in lines for i in range(len(line) - size + 1)
        )
        with lzma.open(folder / f"text/gutenberg/{order}.tsv.xz", "wt", encoding="utf8") as file:
            file.writelines(f"{words}\t{count}\n" for words, count in counts.most_common())
    return folder


def trained(folder: Path, said: Sequence[str] = SAID, budget: int | None = None) -> Ngram:
    """The model of these sentences as the daemon reads it, pruned to so many bytes of n-grams."""
    source = kit(folder / "kit", said)
    dictionary = Dictionary(source)
    texts = texts_of(source, dictionary)
    words = vocabulary(source, dictionary, 1, texts)
    model = mixture(source, words, texts)
    save(model if budget is None else prune(model, budget), words, folder / "words.lm")
    return Ngram(folder / "words.lm")


def probability(model: Ngram, *words: str) -> float:
    """Of the last word after those before it in their sentence."""
    numbers = [model.words.index(word) for word in words]
    state, logp = np.array([model.start]), np.zeros(1, np.float32)
    for number in numbers:
        logp, state = model.both(state, np.array([number]))
    return float(np.exp(logp[0]))


@pytest.mark.parametrize("budget", [None, 500, 120, 12])
def test_what_may_follow_a_context_sums_to_one(tmp_path: Path, budget: int | None) -> None:
    model = trained(tmp_path, budget=budget)
    every = np.arange(len(model.words))
    states = np.unique(
        np.concatenate([model.both(np.full(len(every), s), every)[1] for s in every])
    )
    assert len(states) > len(every) or budget in {12, 120}, "there are contexts of two words"
    for state in np.union1d(states, every):
        total = np.exp(model.score(np.full(len(every), state), every)).sum()
        # Unigrams and back-off weights are kept with 11 bits: 2 % at most where all back off.
        assert total == pytest.approx(1, abs=0.01), (state, model.words)


@pytest.mark.parametrize("budget", [0, 60, 120, 250, 500])
def test_a_pruned_model_fits_its_bytes(tmp_path: Path, budget: int) -> None:
    model = trained(tmp_path, budget=budget)
    size = (tmp_path / "words.lm").stat().st_size
    assert size <= budget + fixed_bytes(model.words)


def test_pruning_costs_perplexity_and_the_more_the_less_is_left(tmp_path: Path) -> None:
    figures = []
    for budget in (None, 200, 12):
        (tmp_path / str(budget)).mkdir()
        figures.append(perplexity(trained(tmp_path / str(budget), budget=budget), list(SAID))[0])
    assert figures == sorted(figures)
    assert figures[0] < figures[-1] - 1


def test_a_sentence_that_was_added_is_expected_more(tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "with").mkdir()
    without, _ = perplexity(trained(tmp_path / "without"), [UNHEARD])
    heard, unknown = perplexity(trained(tmp_path / "with", (*SAID, UNHEARD)), [UNHEARD])
    assert heard < without
    assert unknown == 0


def test_sentences_begin_as_often_with_a_word_as_they_were_counted_to(tmp_path: Path) -> None:
    model = trained(tmp_path)
    turn, what, play, was = (probability(model, word) for word in ("turn", "what", "play", "was"))
    assert turn > what > was
    assert turn > 1.5 * play


def test_a_history_of_two_words_is_told_from_one(tmp_path: Path) -> None:
    model = trained(tmp_path)
    assert probability(model, "turn", "on", "the") > probability(model, "on", "the")
    assert probability(model, "turn", "off", "the") > probability(model, "turn", "music", "the")


def test_dev_recordings_are_never_learnt(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    trained(tmp_path / "one")
    trained(tmp_path / "two", (*SAID, "Set the timer!"))
    one, two = (tmp_path / name / "words.lm" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_unknown_words_are_counted_and_not_scored(tmp_path: Path) -> None:
    figure, unknown = perplexity(trained(tmp_path), ["turn on the zeppelin"])
    assert np.isfinite(figure)
    assert unknown == pytest.approx(100 / 5)


def test_the_command_writes_a_model_within_the_megabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["--kit", str(kit(tmp_path / "kit")), "--out", str(out), "--least", "1"]
    monkeypatch.setattr("sys.argv", ["lm", *arguments, "--megabytes", "0.004"])
    main()
    assert (out / "words.lm").stat().st_size <= 0.004 * 2**20
    words = (out / "words.txt").read_text(encoding="utf8").split()
    assert set(WORDS) <= set(words), "and those of made-up sentences that can be pronounced"
    assert "heard: perplexity" in capsys.readouterr().out
