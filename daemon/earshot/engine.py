"""A bundle, opened: makes a recogniser for each stream of audio. Opened once, shared by all.

Networks, tree and language model are read-only; what a stream or an utterance changes, it owns.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from earshot.bundle import MANIFEST, Bundle
from earshot.catalog import Catalog
from earshot.encoder import Encoder
from earshot.endpointers import EndPointSettings
from earshot.errors import INSTALL, BundleError, SettingsError
from earshot.grammar import Grammar, LexiconGrammar, PieceGrammar, Weights
from earshot.lattice import LatticeSettings
from earshot.lexicon import WORD_END, Tree, read
from earshot.ngram import Ngram
from earshot.recogniser import Recogniser
from earshot.search import SearchSettings
from earshot.settings import assemble
from earshot.transducer import Scorer, Transducer, scorers
from earshot.units import samples
from earshot.utterance import Utterance
from earshot.vad import VadSettings

# Every piece may follow every piece, so each hypothesis costs as much as 500 tokens; and the
# network has learnt the language, so nothing is taken away from it.
PIECES = SearchSettings(beam=8, ilm_scale=0.0)


@dataclass(frozen=True, slots=True)
class Tuning:
    """What is tuned on a bundle's dev sets, and comes with it."""

    delay_ms: int = 0
    """from the middle of a sound to the encoder frame that takes its token"""
    search: SearchSettings = field(default_factory=SearchSettings)
    lattice: LatticeSettings = field(default_factory=LatticeSettings)
    vad: VadSettings = field(default_factory=VadSettings)
    endpoint: EndPointSettings = field(default_factory=EndPointSettings)


@dataclass(frozen=True, slots=True)
class Parts:
    """What an engine shares among all its streams."""

    encoder: Encoder
    new_scorer: Callable[[], Scorer]
    new_grammar: Callable[[SearchSettings], Callable[[], Grammar]]
    """given the settings of the search: what makes the grammar of each utterance"""
    catalog: Catalog


@dataclass(frozen=True, slots=True)
class Engine:
    """Makes recognisers."""

    bundle: Bundle
    parts: Parts
    tuning: Tuning

    @classmethod
    def open(cls, bundle: Bundle) -> Self:
        """Open what a bundle holds. Raises BundleError."""
        encoder, decoder, joiner = bundle.network
        transducer = Transducer(decoder, joiner)
        if transducer.size != len(bundle.symbols):
            message = (
                f"{bundle.file('tokens.txt')}: {len(bundle.symbols)} tokens, but the network has "
                f"{transducer.size}; {INSTALL}"
            )
            raise BundleError(message)
        grammar = _pieces(bundle) if bundle.kind == "pieces" else _lexicon(bundle)
        catalog = Catalog.empty(transducer.size)
        parts = Parts(Encoder(encoder), scorers(transducer), grammar, catalog)
        return cls(bundle, parts, _tuning(bundle))

    def tuned(self, tuning: Tuning) -> Self:
        """The same engine with other settings."""
        return replace(self, tuning=tuning)

    def recogniser(self) -> Recogniser:
        """A recogniser for one stream of audio."""
        tuning, parts = self.tuning, self.parts
        new_grammar = parts.new_grammar(tuning.search)
        settings, delay = (tuning.search, tuning.lattice), samples(tuning.delay_ms)

        def begin(start: int) -> Utterance:
            scorer, grammar = parts.new_scorer(), new_grammar()
            return Utterance(start, parts.encoder, scorer, grammar, parts.catalog, settings, delay)

        return Recogniser(begin, tuning.vad, tuning.endpoint)


def _tuning(bundle: Bundle) -> Tuning:
    try:
        tuning = assemble(Tuning, bundle.tuning, str(bundle.file(MANIFEST)), "tuning.")
    except SettingsError as error:
        raise BundleError(str(error)) from error
    if bundle.kind == "pieces" and "search" not in bundle.tuning:
        return replace(tuning, search=PIECES)
    return tuning


def _pieces(bundle: Bundle) -> Callable[[SearchSettings], Callable[[], Grammar]]:
    pieces = list(bundle.symbols)
    return lambda _: lambda: PieceGrammar(pieces)


def _lexicon(bundle: Bundle) -> Callable[[SearchSettings], Callable[[], Grammar]]:
    """The tree and the language model of a phone bundle."""
    ngram = Ngram(bundle.file("words.lm"))
    rows = read(bundle.file("lexicon"), ngram.words, list(bundle.symbols), WORD_END)
    tree = Tree.build(rows, ngram.unigram)
    marks = np.array([symbol.endswith(WORD_END) for symbol in bundle.symbols])

    def grammars(search: SearchSettings) -> Callable[[], Grammar]:
        weights = Weights(search.lm_scale, search.word_bonus, search.nothing)
        grammar = LexiconGrammar(tree, ngram, marks, weights)
        return lambda: grammar

    return grammars
