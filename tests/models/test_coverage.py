"""Numbers, times, dates and units: made up to be learnt, and others to be tested with."""

import gzip
import random
import re
from pathlib import Path

import numpy as np
import pytest
from earshot.counting import counted
from earshot.ngram import Ngram

from models.coverage import DRAWS, LISTS, TEMPLATES, filled, said, spoken
from models.lexicon import Dictionary
from models.lm import mixture, save, texts_of
from models.made import made
from models.perplexity import perplexity
from models.templates import DAYS, MONTHS, UNITS
from models.vocabulary import vocabulary

FRAME = "set the oven to {} degrees"


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kit of a dictionary that knows every word of the templates, and of one dev recording."""
    folder: Path = tmp_path_factory.mktemp("kit")
    for part in ("text/cmudict", "text/slurp", "speech/heard"):
        (folder / part).mkdir(parents=True)
    module = Path(__file__).parents[2] / "models/templates.py"
    written = module.read_text(encoding="utf8").lower()
    counts = " ".join(counted(i) for i in range(20_000))
    words = set(re.findall(r"[a-z][a-z']*", f"{written} {counts}"))
    with gzip.open(folder / "text/cmudict/cmudict.dict.gz", "wt", encoding="utf8") as file:
        file.writelines(f"{word} B AH0\n" for word in sorted(words))
    (folder / "text/slurp/slurp_lm.txt").write_text("what is new\nstop it\n", encoding="utf8")
    header, row = "path\tspeaker\tseconds\ttext\tsplit\n", "a.flac\tone\t1\tmidnight now\tdev\n"
    (folder / "speech/heard/manifest.tsv").write_text(header + row, encoding="utf8")
    return folder


@pytest.fixture(scope="module")
def model(kit: Path) -> Ngram:
    dictionary = Dictionary(kit)
    texts = texts_of(kit, dictionary)
    words = vocabulary(kit, dictionary, 60, texts)
    save(mixture(kit, words, texts), words, kit / "words.lm")
    return Ngram(kit / "words.lm")


def test_every_number_month_day_and_unit_is_a_word(model: Ngram) -> None:
    wanted = " ".join([*map(said, range(1_001)), UNITS, MONTHS, DAYS]).split()
    wanted += ["percent", "degrees", "celsius", "o'clock", "am", "pm", "noon", "dollars", "euros"]
    wanted += " ".join(LISTS["ordinal"]).split()
    assert set(wanted) <= set(model.words)


def test_no_number_is_much_less_likely_than_the_others(model: Ngram) -> None:
    figures = [perplexity(model, [FRAME.format(said(n))])[0] for n in range(101)]
    assert max(figures) < 4 * np.median(figures)


def test_a_number_is_expected_where_one_belongs(model: Ngram) -> None:
    right, _ = perplexity(model, [FRAME.format("forty five")])
    wrong, _ = perplexity(model, [FRAME.format("kitchen percent")])
    assert right < wrong / 2


def test_made_up_sentences_are_pronounceable_new_and_the_same_again(kit: Path) -> None:
    dictionary = Dictionary(kit)
    found = list(made(kit, dictionary, ["light"]))
    assert found == list(made(kit, dictionary, ["light"]))
    texts = [" ".join(words) for words, _ in found]
    assert len(set(texts)) == len(texts)
    assert all(dictionary.pronunciations(word) for words, _ in found for word in words)
    assert "midnight now" not in texts


def test_sentences_to_test_with_are_not_those_learnt(kit: Path) -> None:
    learnt = {" ".join(words) for words, _ in made(kit, Dictionary(kit), ["light"])}
    for texts in spoken().values():
        assert not learnt & set(texts)


def test_there_are_sentences_of_every_kind_and_all_gaps_are_filled() -> None:
    found = spoken()
    assert {kind: len(texts) for kind, texts in found.items()} == {
        kind: DRAWS * len(rows) for kind, rows in TEMPLATES.items()
    }
    assert not re.search(r"[^a-z' ]", " ".join(" ".join(texts) for texts in found.values()))
    assert found == spoken()


@pytest.mark.parametrize(
    ("number", "words"),
    [(7, "seven"), (42, "forty two"), (105, "one hundred and five"), (300, "three hundred")],
)
def test_numbers_are_said_in_full(number: int, words: str) -> None:
    assert said(number) == words


def test_a_template_is_filled_with_numbers_and_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LISTS, "room", ["attic"])
    dice = random.Random(1)  # noqa: S311
    assert filled("light {5..5} in the {room}", dice) == "light five in the attic"
