"""Commands instead of dictation: what may be heard, what it means, and what is none of them."""

import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from earshot.automaton import Automaton
from earshot.closed import ClosedGrammar, ClosedTrees
from earshot.dictionary import Dictionary
from earshot.errors import RequestError
from earshot.events import Command, Result
from earshot.grammar import Weights
from earshot.intents import read
from earshot.lattice import EMPTY
from earshot.lexicon import WORD_END, Pronunciations
from earshot.places import Places
from earshot.search import SearchSettings
from earshot.transducer import Scorer
from earshot.witness import WORST, Witness

REJECT = 0.8  # misfit; models.closed tells what others would give


@dataclass(frozen=True, slots=True)
class Commands:
    """A closed set of commands as somebody gives it."""

    text: str  # TOML, as earshot.intents tells
    source: str  # names it in errors
    reject: float = REJECT  # misfit above which nothing is taken for a command

    def __post_init__(self) -> None:
        """Raise RequestError for a threshold that nothing is above."""
        if math.isnan(self.reject):
            message = f"{self.source}: reject is not a number; {REJECT:g} is a good one"
            raise RequestError(message)


def closed_search(settings: SearchSettings) -> SearchSettings:
    """Settings for a closed set: few hypotheses, so a wide search is cheap."""
    return replace(
        settings, ilm_scale=0.0, lm_scale=0.7, word_bonus=0.0, width=12.0, extend_width=8.0
    )


@dataclass(frozen=True, slots=True)
class Judge:
    """What may be said beside what was said: earshot.utterance.Judges."""

    places: Places
    lengths: Mapping[str, int]  # tokens of each word
    reject: float
    witness: Witness

    def fork(self) -> tuple["Judge", Scorer]:
        """One that hears on by itself, and its scorer."""
        witness = copy(self.witness)
        return replace(self, witness=witness), witness

    @property
    def last_token(self) -> int:
        """As free as what is said: a sentence that is no command is heard to its end as well."""
        return self.witness.last_token

    def judged(self, found: Result, score: float) -> Result:
        """Say what was meant. What is no command keeps no words: it only resembles them most."""
        if not found.words and not self.witness.tokens:
            return EMPTY
        words = [word.text for word in found.words]
        meaning = self.places.meaning(words) if words else None
        tokens = sum(self.lengths[word] for word in words)
        misfit = self.witness.misfit(score, tokens) if meaning else WORST
        if meaning is None or misfit > self.reject:
            return replace(EMPTY, command=Command("", (), misfit))
        sentence, slots = meaning
        return replace(found, command=Command(sentence.intent, tuple(slots.items()), misfit))


class CommandSet:
    """A closed set, compiled."""

    def __init__(self, commands: Commands, dictionary: Dictionary) -> None:
        """Raises RequestError for what is wrong with it, LimitError for what is too much."""
        self._reject = commands.reject
        self._places = Places(read(commands.text, commands.source), commands.source)
        automaton = Automaton.build(self._places, commands.source)
        said = dictionary.said(automaton.words, commands.source)
        self._trees = ClosedTrees(automaton, said)
        self._lengths = _lengths(said, automaton.words)
        self._marks = np.array([symbol.endswith(WORD_END) for symbol in dictionary.symbols])

    def grammars(self, search: SearchSettings) -> Callable[[], ClosedGrammar]:
        """What makes the grammar of each utterance."""
        weights = Weights(search.lm_scale, search.word_bonus, search.nothing)
        return ClosedGrammar(self._trees, self._marks, weights).fresh

    def judge(self, witness: Witness) -> Judge:
        """Who tells of an utterance what was meant."""
        return Judge(self._places, self._lengths, self._reject, witness)


def _lengths(said: Pronunciations, words: Sequence[str]) -> dict[str, int]:
    """Tokens of the shortest pronunciation of each word."""
    shortest = np.full(len(words), said.tokens.shape[1])
    np.minimum.at(shortest, said.word, (said.tokens != 0).sum(1))
    return dict(zip(words, shortest.tolist(), strict=True))
