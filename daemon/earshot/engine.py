"""A bundle, opened: makes a recogniser for each stream of audio. Opened once, shared by all.

Networks, tree and language model are read-only; what a stream or an utterance changes, it owns.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from earshot.bundle import MANIFEST, SPELLER, Bundle
from earshot.catalog import Catalog
from earshot.command_set import Commands, CommandSet, closed_search
from earshot.dictionary import Dictionary
from earshot.encoder import Encoder
from earshot.endpointers import EndPointSettings
from earshot.errors import INSTALL, BundleError, RequestError, SettingsError
from earshot.grammar import Grammar, LexiconGrammar, PieceGrammar, Weights
from earshot.lattice import LatticeSettings
from earshot.lexicon import WORD_END, Tree, read
from earshot.loop import Loop
from earshot.ngram import Ngram
from earshot.p2g import P2g
from earshot.recogniser import Recogniser
from earshot.search import SearchSettings
from earshot.settings import assemble
from earshot.speller import Speller
from earshot.transducer import Scorer, Transducer, scorers
from earshot.units import samples
from earshot.utterance import Utterance
from earshot.vad import VadSettings
from earshot.witness import Witness

# Every piece may follow every piece, so each hypothesis costs as much as 500 tokens; and the
# network has learnt the language, so nothing is taken away from it.
PIECES = SearchSettings(beam=8, ilm_scale=0.0)


Grammars = Callable[[SearchSettings], Callable[[], Grammar]]


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
    new_grammar: Grammars
    """given the settings of the search: what makes the grammar of each utterance"""
    catalog: Catalog
    dictionary: Dictionary | None = None
    """how words are said; None for word pieces"""
    commands: CommandSet | None = None
    """what alone is listened for; None for dictation"""


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
        grammar, dictionary = _pieces(bundle) if bundle.kind == "pieces" else _lexicon(bundle)
        catalog = Catalog.empty(transducer.size)
        parts = Parts(Encoder(encoder), scorers(transducer), grammar, catalog, dictionary)
        return cls(bundle, parts, _tuning(bundle))

    def tuned(self, tuning: Tuning) -> Self:
        """The same engine with other settings."""
        return replace(self, tuning=tuning)

    def commanded(self, commands: Commands) -> Self:
        """The same networks for a closed set of commands. Raises RequestError, LimitError."""
        if self.parts.dictionary is None:
            message = f"{self.bundle.label} has word pieces, but commands need a bundle of phones"
            raise RequestError(message)
        known = CommandSet(commands, self.parts.dictionary)
        parts = replace(self.parts, new_grammar=known.grammars, commands=known)
        tuning = replace(self.tuning, search=closed_search(self.tuning.search))
        return replace(self, parts=parts, tuning=tuning)

    def recogniser(self) -> Recogniser:
        """A recogniser for one stream of audio."""
        tuning, parts = self.tuning, self.parts
        new_grammar = parts.new_grammar(tuning.search)
        settings, delay = (tuning.search, tuning.lattice), samples(tuning.delay_ms)

        def begin(start: int) -> Utterance:
            scorer, judge = parts.new_scorer(), None
            if known := parts.commands:
                scorer = witness = Witness(scorer, tuning.search.ilm_scale)
                judge = known.judge(witness)
            way = (start, parts.encoder, scorer, new_grammar(), parts.catalog)
            return Utterance(*way, settings, delay, judge)

        return Recogniser(begin, tuning.vad, tuning.endpoint)


def _tuning(bundle: Bundle) -> Tuning:
    try:
        tuning = assemble(Tuning, bundle.tuning, str(bundle.file(MANIFEST)), "tuning.")
    except SettingsError as error:
        raise BundleError(str(error)) from error
    if bundle.kind == "pieces" and "search" not in bundle.tuning:
        return replace(tuning, search=PIECES)
    return tuning


def _pieces(bundle: Bundle) -> tuple[Grammars, None]:
    first = PieceGrammar(list(bundle.symbols))
    return (lambda _: first.fresh), None


def _lexicon(bundle: Bundle) -> tuple[Grammars, Dictionary]:
    """The tree and the language model of a phone bundle."""
    ngram = Ngram(bundle.file("words.lm"))
    rows = read(bundle.file("lexicon"), ngram.words, list(bundle.symbols), WORD_END)
    tree = Tree.build(rows, ngram.unigram)
    marks = np.array([symbol.endswith(WORD_END) for symbol in bundle.symbols])
    loop: Loop | None = None
    if bundle.holds(SPELLER):
        p2g = P2g(bundle.file(SPELLER))
        speller = Speller(p2g, bundle.symbols, tree, ngram.words, ngram.unigram)
        loop = Loop.build(tree, rows, marks, ngram.unknown, speller.spell)

    def grammars(search: SearchSettings) -> Callable[[], Grammar]:
        weights = Weights(search.lm_scale, search.word_bonus, search.nothing, search.unknown)
        return LexiconGrammar(tree, ngram, marks, weights, loop).fresh

    return grammars, Dictionary(ngram.words, rows, bundle.symbols, bundle.file("g2p.onnx"))
