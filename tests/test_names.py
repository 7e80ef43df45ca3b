"""The owner's names in sounds: what they bring to the search, and what the search makes of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from earshot.__main__ import main
from earshot.bundle import open_bundle
from earshot.catalog import Catalog
from earshot.engine import Engine
from earshot.entries import Alias, Entry, Kind
from earshot.errors import RequestError
from earshot.grammar import LexiconGrammar, Own
from earshot.lexicon import Pronunciations, Tree
from earshot.names import Names, names_of
from earshot.search import Search, SearchSettings
from earshot.sources import AudioFile
from earshot.transcriber import transcribe

from tests import networks, small
from tests.recordings import AUDIO

SHIPPED = Path(__file__).parents[1] / "models" / "bundles" / "en"


@pytest.fixture(scope="module")
def engine() -> Engine:
    if not SHIPPED.exists():
        pytest.skip("no bundle is shipped")
    return Engine.open(open_bundle(SHIPPED))


def found(engine: Engine, *entries: Entry) -> Names:
    vocabulary = engine.parts.vocabulary
    assert vocabulary is not None
    return names_of(entries, vocabulary.dictionary)


def phones(engine: Engine, names: Names) -> list[str]:
    return [" ".join(engine.bundle.symbols[t] for t in phrase) for phrase in names.phrases]


def test_people_are_said_as_the_dictionary_has_them_and_as_owners(engine: Engine) -> None:
    names = found(engine, Entry.of(Kind.CONTACT, "Kate Bush", weight=2.0))
    assert phones(engine, names)[0] == "K EY T| B UH SH|"
    assert "K EY T| B UH SH IH Z|" in phones(engine, names)
    assert set(names.weights) == {2.0}
    assert "kate" not in names.words, "the language model has it"


@pytest.mark.parametrize(
    ("name", "said"), [("Kate", "K EY T S|"), ("Anne", "AE N Z|"), ("Rose", "R OW Z IH Z|")]
)
def test_the_sound_of_an_owner_goes_by_the_sound_before_it(
    engine: Engine, name: str, said: str
) -> None:
    assert said in phones(engine, found(engine, Entry.of(Kind.CONTACT, name)))


def test_things_own_nothing_and_numbers_are_said(engine: Engine) -> None:
    names = found(engine, Entry.of(Kind.DEVICE, "Lamp 2"))
    assert phones(engine, names) == ["L AE M P| T UW|"]


def test_a_word_that_the_lexicon_lacks_is_new_and_guessed(engine: Engine) -> None:
    names = found(engine, Entry.of(Kind.ROOM, "Zorblaxia"))
    assert names.words == ("zorblaxia",)
    assert {word for word, _ in names.spoken} == {"zorblaxia"}
    assert phones(engine, names)[0].startswith("Z AO R B L")


def test_what_sounds_like_something_is_written_as_it_is(engine: Engine) -> None:
    names = found(engine, Entry.of(Kind.ROOM, "Siobhan Vo", "shi vawn vo"))
    assert names.words == ("siobhan vo",), "another number of words: it is one"
    assert all("|" not in phrase[:-1] for phrase in phones(engine, names))
    names = found(engine, Entry.of(Kind.ROOM, "Nguyen Hall", "win hall"))
    said = dict(names.spoken)
    assert [engine.bundle.symbols[t] for t in said["nguyen"]] == ["W", "IH", "N|"]
    names = found(engine, Entry.of(Kind.CONTACT, "דנה", "dana"))
    assert names.words == ("דנה", "דנה's")


def test_aliases_are_said_as_well_and_the_heaviest_wins(engine: Engine) -> None:
    one = Entry.of(Kind.ROOM, "Kitchen", aliases=[Alias("Galley"), Alias("Nook", "hook")])
    names = found(engine, one, Entry.of(Kind.DEVICE, "Galley", weight=3.0))
    said = dict(zip(phones(engine, names), names.weights, strict=True))
    assert said["K IH CH AH N|"] == 1.0
    assert said["G AE L IY|"] == 3.0
    assert said["HH UH K|"] == 1.0


def test_what_cannot_be_said_is_refused_and_the_rest_counts(engine: Engine) -> None:
    strange, empty, long = "דנה", "🎉", "x" * 110
    entries = [Entry.of(Kind.PHRASE, name) for name in (strange, empty, long, "Kitchen")]
    names = found(engine, *entries)
    assert [one.name for one in names.refused] == [strange, empty, long]
    assert names.refused[0].why.endswith("is no letter to say in English; give how it sounds")
    assert "110 letters exceed the limit of 100" in names.refused[2].why
    assert len(names.phrases) >= 1


def test_no_names_change_nothing(engine: Engine) -> None:
    plain, named = engine.recogniser(), engine.naming([])[0].recogniser()
    path = AUDIO / "an4_command1.flac"
    one, other = (transcribe(AudioFile(path), r).results for r in (plain, named))
    assert [result.words for result in one] == [result.words for result in other]


def test_a_name_that_was_said_is_heard_as_it_is_written(engine: Engine) -> None:
    path = AUDIO / "speech_commands_bed.flac"
    assert transcribe(AudioFile(path), engine.recogniser()).text == "bed"
    loud = replace(engine.tuning, search=replace(engine.tuning.search, name_favour=9.0))
    named, refused = engine.tuned(loud).naming([Entry.of(Kind.CONTACT, "Bédd", "bed")])
    assert refused == ()
    (heard,) = transcribe(AudioFile(path), named.recogniser()).results
    assert [word.text for word in heard.words] == ["bédd"]
    (arc,) = [arc for arc in heard.lattice.arcs if arc.word == "bédd"]
    assert arc.bias > 0
    assert any(one.text == "bed" for one in heard.alternatives), "the other stays"


def test_transcribe_takes_a_catalog_and_says_what_it_cannot_favour(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = tmp_path / "names.txt"
    names.write_text("Bedd = bed\n\u05d3\u05e0\u05d4\n" + "x" * 130, encoding="utf-8")
    path = str(AUDIO / "speech_commands_bed.flac")
    folder = str(engine.bundle.folder)
    assert main(["transcribe", "--bundle", folder, "--catalog", str(names), path]) == 0
    out, err = capsys.readouterr()
    assert out in {"bed\n", "bedd\n"}
    long, strange = err.splitlines()
    assert long.endswith(
        "names.txt, line 3: xxxxxxxxxxxxxxxxxxxxxxxx…: 130 characters exceed the "
        "limit of 120 characters"
    )
    assert "is no letter to say in English; give how it sounds" in strange


def test_names_need_a_bundle_of_phones(tmp_path: Path) -> None:
    engine = Engine.open(open_bundle(networks.write(tmp_path, "zipformer2")))
    with pytest.raises(RequestError, match="has word pieces, but names need a bundle of phones"):
        engine.naming([])


WIDE = SearchSettings(beam=10_000, width=1e4, extend_width=1e4, lattice_width=1e4, ilm_scale=0.3)


def test_a_word_beyond_the_language_model_goes_through_the_search(tmp_path: Path) -> None:
    """Sounds that only spell the new word: it is the answer, with its favour apart."""
    model = small.ngram(tmp_path)
    unknown, said = model.unknown, [2, 1, 6]  # B A C|
    tokens = np.array([[4, 0, 0], said])
    rows = Pronunciations(np.array([2, unknown + 1]), tokens, np.zeros(2, np.float32))
    tree = Tree.build(rows, np.append(model.unigram, np.float32(-8)))
    favour = np.zeros(unknown + 2, np.float32)
    favour[unknown + 1] = 1.5
    marks = np.array([symbol.endswith("|") for symbol in small.SYMBOLS])
    grammar = LexiconGrammar(
        tree, model, marks, small.grammar(tmp_path)._weights, own=Own(("bac",), favour)
    )
    scorer = small.RandomScorer(0, 3)
    scorer.table[:] = -20.0
    for frame, token in enumerate(said):
        scorer.table[frame, :, token] = 0.0
    search = Search(scorer, grammar.fresh(), Catalog.empty(7), replace(WIDE, ilm_scale=0.0))
    search.accept(np.zeros((3, 4), np.float32))
    assert [text for text, _, _ in search.words()] == ["bac"]
    arcs = search.raw().arcs
    best = arcs.word == unknown + 1
    assert set(arcs.bias[best]) == {1.5}
