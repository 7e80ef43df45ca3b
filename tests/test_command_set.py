"""Commands from end to end: heard, refused and told, by the bundle that ships."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from earshot.bundle import open_bundle
from earshot.command_set import REJECT, Commands
from earshot.dictionary import MOST_GUESSED
from earshot.engine import Engine
from earshot.errors import EarshotError, LimitError, RequestError
from earshot.events import Command, EndPoint, Event

from tests import contract, networks
from tests.closed_sets import HOME, SHIPPED, one
from tests.recordings import recording, recordings

MEANT = {
    "an4_enter_thirty": Command("Enter", (("place", "form"), ("number", "30")), 0.0),
    "an4_three_zero_two_one": Command(
        "Code", (("first", "3"), ("second", "0"), ("third", "2"), ("fourth", "1")), 0.0
    ),
    "an4_go": Command("Move", (("how", "at once"),), 0.0),
    "speech_commands_down": Command("Move", (("how", "at once"),), 0.0),
    "speech_commands_bed": Command("Fetch", (), 0.0),
    "speech_commands_five": Command("Fetch", (), 0.0),
    "speech_commands_six": Command("Fetch", (), 0.0),
}
OTHERS = (
    "an4_command2",
    "an4_a_seven",
    "librispeech_sentence1",
    "librispeech_sentence2",
    "common_voice_sentence",
)


@pytest.fixture(scope="module")
def bundled() -> Engine:
    if not SHIPPED.exists():
        pytest.skip("no bundle is shipped")
    return Engine.open(open_bundle(SHIPPED))


@pytest.fixture(scope="module")
def engine(bundled: Engine) -> Engine:
    return bundled.commanded(Commands(HOME, "home.toml"))


def events(engine: Engine, *pieces: contract.Samples) -> list[Event]:
    recogniser = engine.recogniser()
    heard = [event for piece in pieces for event in recogniser.accept(piece)]
    return heard + recogniser.finish()


def first_end(engine: Engine, audio: contract.Samples) -> EndPoint:
    return next(event for event in events(engine, audio) if isinstance(event, EndPoint))


def point(engine: Engine, name: str) -> EndPoint:
    return first_end(engine, recording(name).samples())


@pytest.mark.parametrize("name", MEANT)
def test_a_command_is_heard_with_its_intent_its_slots_and_its_words(
    engine: Engine, name: str
) -> None:
    result = point(engine, name).result
    assert result.text == recording(name).text
    assert result.command is not None
    assert replace(result.command, misfit=0.0) == MEANT[name]
    assert result.command.misfit < REJECT
    assert result.lattice.arcs
    assert 0 < result.confidence <= 1


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_command_keeps_no_words(engine: Engine, name: str) -> None:
    found = point(engine, name)
    assert found.result.command is not None
    assert (found.result.command.intent, found.result.command.slots) == ("", ())
    assert REJECT < found.result.command.misfit <= 100
    assert not found.result.words
    assert not found.result.lattice.arcs
    assert 0 < found.end <= len(recording(name).samples())


def test_a_sentence_that_is_no_command_is_heard_to_its_end(engine: Engine) -> None:
    said = recording("librispeech_sentence1")
    pause = np.zeros(32_000, np.float32)  # no command ends there, so the long one decides
    found = events(engine, np.concatenate([said.samples(), pause, recording("an4_go").samples()]))
    first, second = (event for event in found if isinstance(event, EndPoint))
    assert first.at > said.end * 16_000
    meant = [one.result.command for one in (first, second)]
    assert [command.intent for command in meant if command] == ["", "Move"]


def test_silence_is_no_utterance(engine: Engine) -> None:
    assert events(engine, np.zeros(32_000, np.float32)) == []


def test_lower_rejects_more_and_tells_the_same_misfit(bundled: Engine) -> None:
    def command(reject: float, audio: contract.Samples) -> Command:
        engine = bundled.commanded(Commands(HOME, "home.toml", reject))
        found = first_end(engine, audio).result.command
        assert found is not None
        return found

    clean = recording("an4_three_zero_two_one").samples()
    hiss = np.random.default_rng(1).normal(0, 0.003, len(clean))  # or it would fit too well
    said, other = (clean + hiss).astype(np.float32), recording("librispeech_sentence2").samples()
    usual = command(REJECT, said)
    assert usual.misfit > 0.01
    assert command(usual.misfit / 2, said) == Command("", (), usual.misfit)
    most = command(math.inf, other)
    assert most.intent
    assert command(REJECT, other) == Command("", (), most.misfit)


def test_any_slicing_gives_the_same_events(engine: Engine) -> None:
    audio = np.concatenate([one.samples() for one in recordings()[6:13]])
    whole = events(engine, audio)
    assert [event for event in whole if isinstance(event, EndPoint)]
    assert events(engine, *contract.slices(audio, 1)) == whole


def test_an_engine_for_commands_leaves_that_for_dictation_as_it_was(bundled: Engine) -> None:
    before = point(bundled, "an4_command1").result
    bundled.commanded(Commands(HOME, "home.toml"))
    assert point(bundled, "an4_command1").result == before
    assert before.command is None


def test_a_word_that_no_lexicon_lists_is_said_as_it_is_spelt(bundled: Engine) -> None:
    assert bundled.parts.vocabulary is not None
    dictionary = bundled.parts.vocabulary.dictionary
    assert dictionary is not None
    found = dictionary.said(["enter", "frobnitzel", "go"], "it")
    assert sorted(set(found.word.tolist())) == [0, 1, 2]
    assert np.exp(found.share[found.word == 1]).sum() == pytest.approx(1, abs=1e-5)
    assert found.tokens[found.word == 1].any(axis=1).all()
    assert bundled.commanded(Commands(one("enter frobnitzel"), "it")).recogniser()


def test_what_cannot_be_said_is_refused_with_the_name_of_the_file(bundled: Engine) -> None:
    with pytest.raises(RequestError, match=r"home.toml: '20': '2' is not a letter to say"):
        bundled.commanded(Commands(one("set it to 20"), "home.toml"))
    words = "|".join(
        f"xq{'abcdefghijklmnopqrstuvwxyz'[i % 26]}{'z' * (i // 26)}" for i in range(60)
    )
    many = f"{one('{x} {y}')}[lists]\nx = ['({words})']\ny = ['({words})({words})']"
    with pytest.raises(LimitError, match=rf"{MOST_GUESSED} words outside the lexicon"):
        bundled.commanded(Commands(many, "home.toml"))
    with pytest.raises(RequestError, match="reject is not a number"):
        Commands(HOME, "home.toml", math.nan)


def test_word_pieces_cannot_be_told_what_to_hear(tmp_path: Path) -> None:
    networks.write(tmp_path, "zipformer2")
    pieces = Engine.open(open_bundle(networks.manifest(tmp_path, "pieces")))
    with pytest.raises(RequestError, match="commands need a bundle of phones"):
        pieces.commanded(Commands(HOME, "home.toml"))


def test_both_errors_are_answered_by_their_own_status() -> None:
    assert issubclass(LimitError, EarshotError)
    assert LimitError("it", 2, 1, "arcs").status.value == "RESOURCE_EXHAUSTED"
