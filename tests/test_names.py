"""The owner's names in sounds: what they bring to the search, and what the search makes of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from earshot.__main__ import main
from earshot.bundle import open_bundle
from earshot.catalog import Catalog
from earshot.engine import Engine
from earshot.entries import Alias, Entry, Kind, KindWeights
from earshot.events import Named
from earshot.grammar import LexiconGrammar, Weights
from earshot.lexicon import Pronunciations
from earshot.names import Form, Names, OwnWord, names_of
from earshot.own import Favour, Own, grown
from earshot.search import Search, SearchSettings
from earshot.sources import AudioFile
from earshot.transcriber import transcribe

from tests import small
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


def sounds(engine: Engine, names: Names) -> dict[str, str]:
    """The likeliest sounds of all that own words can make up, as names."""
    whole: dict[int, tuple[str, str]] = {-1: ("", "")}
    for i, one in enumerate(names.words):
        text, said = whole[one.before]
        phones = " ".join(engine.bundle.symbols[t] for t in one.said[0])
        whole[i] = f"{text} {one.text}".strip(), f"{said} {phones}".strip()
    return dict(whole[i] for i, one in enumerate(names.words) if one.whole)


def texts(engine: Engine, names: Names) -> set[str]:
    return set(sounds(engine, names))


def test_people_are_said_as_the_dictionary_has_them_and_as_owners(engine: Engine) -> None:
    names = found(engine, Entry.of(Kind.CONTACT, "Kate Bush", weight=2.0))
    said = sounds(engine, names)
    assert said["kate bush"] == "K EY T| B UH SH|"
    assert said["kate bush's"] == "K EY T| B UH SH IH Z|"
    assert {one.weight for one in names.words} == {2.0}


def test_people_are_also_spoken_of_by_one_of_their_names_as_owners_and_as_families(
    engine: Engine,
) -> None:
    names = found(engine, Entry.of(Kind.CONTACT, "Kate Bush"), Entry.of(Kind.CONTACT, "Kate Nash"))
    alone = {"kate", "kate's", "bush", "bush's", "nash", "nash's"}
    both = {"kate bush", "kate bush's", "kate bushes", "kate nash", "kate nash's", "kate nashes"}
    assert texts(engine, names) == alone | both
    firsts = [one.text for one in names.words if one.before == -1]
    assert firsts.count("kate") == 1, "names that begin alike share their first words"
    shares = {one.text: one.share for one in names.words if one.before == -1}
    assert shares["kate"] > shares["bush"] > shares["bush's"]


def test_how_much_is_favoured_goes_by_the_entry_or_by_its_kind(engine: Engine) -> None:
    vocabulary = engine.parts.vocabulary
    assert vocabulary is not None
    entries = [Entry.of(Kind.ROOM, "Bath"), Entry.of(Kind.DEVICE, "Fan", weight=2.0)]
    names = names_of(entries, vocabulary.dictionary, KindWeights(room=0.5, device=0.1))
    assert {one.text: one.weight for one in names.words if one.whole} == {
        "bath": 0.5, "fan": 2.0, "fans": 2.0,
    }  # fmt: skip


def test_there_may_be_several_of_a_thing_but_not_of_a_room(engine: Engine) -> None:
    lamp, bath = Entry.of(Kind.DEVICE, "Desk lamp"), Entry.of(Kind.ROOM, "Bath")
    assert texts(engine, found(engine, lamp)) == {"desk lamp", "desk lamps"}
    assert texts(engine, found(engine, bath)) == {"bath"}


@pytest.mark.parametrize(
    ("name", "said"), [("Kate", "K EY T S|"), ("Anne", "AE N Z|"), ("Rose", "R OW Z IH Z|")]
)
def test_the_sound_of_an_owner_goes_by_the_sound_before_it(
    engine: Engine, name: str, said: str
) -> None:
    names = found(engine, Entry.of(Kind.CONTACT, name))
    assert sounds(engine, names)[f"{name.casefold()}'s"] == said


def test_things_own_nothing_and_numbers_are_said(engine: Engine) -> None:
    names = found(engine, Entry.of(Kind.DEVICE, "Lamp 2"))
    assert sounds(engine, names)["lamp two"] == "L AE M P| T UW|"
    assert not any("'" in one.text for one in names.words)


def test_a_word_that_the_lexicon_lacks_is_new_and_guessed(engine: Engine) -> None:
    names = found(engine, Entry.of(Kind.PHRASE, "Zorblaxia kitchen"))
    assert [(one.text, one.before) for one in names.words] == [("zorblaxia", -1)]
    assert phones(engine, names)[0].startswith("Z AO R B L")


def test_what_sounds_like_something_is_written_as_it_is(engine: Engine) -> None:
    names = found(engine, Entry.of(Kind.ROOM, "Siobhan Vo", "shi vawn vo"))
    ((text, said),) = sounds(engine, names).items()
    assert text == "siobhan vo"
    assert len(names.words) == 1, "another number of words: it is one"
    assert "|" not in said[:-1]
    names = found(engine, Entry.of(Kind.ROOM, "Nguyen Hall", "win hall"))
    (nguyen,) = (one for one in names.words if one.text == "nguyen")
    assert [[engine.bundle.symbols[t] for t in said] for said in nguyen.said] == [["W", "IH", "N|"]]
    names = found(engine, Entry.of(Kind.CONTACT, "דנה", "dana"))
    assert {"דנה", "דנה's"} < texts(engine, names)


def test_aliases_are_said_as_well_and_the_heaviest_wins(engine: Engine) -> None:
    one = Entry.of(Kind.PHRASE, "Kitchen", aliases=[Alias("Galley"), Alias("Nook", "hook")])
    names = found(engine, one, Entry.of(Kind.PHRASE, "Galley", weight=3.0))
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


WIDE = SearchSettings(beam=10_000, width=1e4, extend_width=1e4, lattice_width=1e4, ilm_scale=0.3)


CLASSED = [*small.WORDS, "$contact"]
SAID = {"bac": [2, 1, 6], "bab": [2, 1, 5], "ca": [3, 4]}  # B A C|, B A B|, C A|


def own_grammar(folder: Path, words: list[OwnWord], known: list[str]) -> LexiconGrammar:
    """The small grammar, whose language model has `known` words, with names."""
    model = small.ngram(folder, known)
    rows = Pronunciations(np.array([2]), np.array([[4]]), np.zeros(1, np.float32))
    forms = (Form(Named("contact", name), (name,)) for name in ("one", "two"))
    names = Names(words=tuple(words), forms=tuple(forms))
    tree, own = grown(rows, Own.build(names, model, -8.0, Favour(1.5)), names, model, 0.6)
    marks = np.array([symbol.endswith("|") for symbol in small.SYMBOLS])
    return LexiconGrammar(tree, model, marks, Weights(0.6), own=own)


def heard_as(grammar: LexiconGrammar, said: list[int]) -> Search:
    """The search, after sounds that spell these tokens and nothing else."""
    scorer = small.RandomScorer(0, len(said))
    scorer.table[:] = -20.0
    for frame, token in enumerate(said):
        scorer.table[frame, :, token] = 0.0
    search = Search(scorer, grammar.fresh(), Catalog.empty(7), replace(WIDE, ilm_scale=0.0))
    search.accept(np.zeros((len(said), 4), np.float32))
    return search


def contact(text: str, before: int = -1, *, whole: bool = True) -> OwnWord:
    return OwnWord(text, Kind.CONTACT, before, whole, (tuple(SAID[text]),))


def test_a_word_beyond_the_language_model_goes_through_the_search(tmp_path: Path) -> None:
    """Sounds that only spell the new word: it is the answer, with its favour apart."""
    search = heard_as(own_grammar(tmp_path, [contact("bac")], small.WORDS), SAID["bac"])
    assert [text for text, _, _ in search.words()] == ["bac"]
    arcs = search.raw().arcs
    best = arcs.word == len(small.WORDS) + 1
    assert set(arcs.bias[best]) == {1.5}


def test_the_class_says_how_likely_a_name_is_and_the_words_of_one_come_in_a_row(
    tmp_path: Path,
) -> None:
    words = [contact("bac", whole=False), contact("ca", 0), contact("bab")]
    grammar = own_grammar(tmp_path, words, CLASSED)
    search = heard_as(grammar, SAID["bac"] + SAID["ca"])
    assert [text for text, _, _ in search.words()] == ["bac", "ca"]
    first = grammar._ngram.unknown + 1
    start = np.full(3, grammar.start_state)
    name = np.array([first, first + 1, first + 2])
    (one, inside, other), after = grammar.language(start, name)
    expected = grammar._ngram.score(start[:1], np.array([CLASSED.index("$contact")]))[0]
    assert one == other == pytest.approx(0.6 * (expected - np.log(2)))
    assert inside == 0.0
    assert after.tolist() == [CLASSED.index("$contact"), grammar.start_state, after[0]]


@pytest.mark.parametrize("said", [["ca"], ["bac"], ["bac", "bab"], ["bab", "ca"]])
def test_parts_of_a_name_are_no_name(tmp_path: Path, said: list[str]) -> None:
    words = [contact("bac", whole=False), contact("ca", 0), contact("bab")]
    tokens = [token for one in said for token in SAID[one]]
    search = heard_as(own_grammar(tmp_path, words, CLASSED), tokens)
    assert search.raw().last.score.max() < -10, "only by sounds that were not there"
