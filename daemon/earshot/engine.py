"""A bundle, opened: makes a recogniser for each stream of audio. Opened once, shared by all.

Networks, tree and language model are read-only; what a stream or an utterance changes, it owns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from earshot.asked import Ends, Preset
from earshot.attention import FILES, AttendingEncoder, Attention, Encodes, attended_of
from earshot.bundle import MANIFEST, WORD_START, Bundle
from earshot.catalog import Catalog
from earshot.command_set import Commands, CommandSet, closed_search
from earshot.directed import DirectedSettings
from earshot.encoder import Encoder
from earshot.ending import CADENCE, CadenceNetwork, Ending, EndingNetwork
from earshot.ending import FILE as ENDING
from earshot.endpointers import EndPointSettings, Fusion
from earshot.entries import USUAL_WEIGHTS, Entry, KindWeights
from earshot.errors import INSTALL, BundleError, RequestError, SettingsError
from earshot.explain import Index
from earshot.grammar import PieceGrammar
from earshot.lattice import LatticeSettings
from earshot.names import Names, Refused, names_of
from earshot.places import Places
from earshot.recogniser import Recogniser, Watch, unwatched
from earshot.search import SearchSettings
from earshot.segments import segmented
from earshot.settings import assemble
from earshot.transducer import Scorer, Transducer, scorers
from earshot.understanding import Understanding
from earshot.units import SUBSAMPLING, samples
from earshot.utterance import Utterance
from earshot.vad import VadSettings
from earshot.vocabulary import Grammars, Vocabulary
from earshot.witness import Witness

# Every piece may follow every piece, so each hypothesis costs as much as 500 tokens; and the
# network has learnt the language, so nothing is taken away from it.
PIECES = SearchSettings(beam=8, ilm_scale=0.0)


# Without an end-pointing network, whoever waits for longer cuts off less.
QUICK = EndPointSettings(short_pause_ms=240, pause_ms=400, long_pause_ms=1_000)
PATIENT = EndPointSettings(
    short_pause_ms=600, pause_ms=1_000, long_pause_ms=2_200, nothing_ms=3_000
)


@dataclass(frozen=True, slots=True)
class Tuning:
    """What is tuned on a bundle's dev sets, and comes with it."""

    delay_ms: int = 0
    """from the middle of a sound to the encoder frame that takes its token"""
    search: SearchSettings = field(default_factory=SearchSettings)
    lattice: LatticeSettings = field(default_factory=LatticeSettings)
    vad: VadSettings = field(default_factory=VadSettings)
    endpoint: EndPointSettings = field(default_factory=EndPointSettings)
    quick: EndPointSettings = field(default_factory=lambda: QUICK)
    patient: EndPointSettings = field(default_factory=lambda: PATIENT)
    fusion: Fusion = field(default_factory=Fusion)
    directed: DirectedSettings = field(default_factory=DirectedSettings)


@dataclass(frozen=True, slots=True)
class Parts:
    """What an engine shares among all its streams."""

    encoder: Encodes
    new_scorer: Callable[[], Scorer]
    new_grammar: Grammars
    """given the settings of the search: what makes the grammar of each utterance"""
    catalog: Catalog
    vocabulary: Vocabulary | None = None
    """the words of a phone bundle; None for word pieces"""
    index: Index | None = None
    """the names that are favoured"""
    ending: EndingNetwork | None = None
    """hears whether the speaker is done, if the bundle can"""
    cadence: CadenceNetwork | None = None
    """hears whether it sounded complete, if the bundle can"""
    attention: Attention | None = None
    """has the encoder attend to names, if the bundle can"""
    commands: CommandSet | None = None
    """what alone is listened for; None for dictation"""
    understanding: Understanding = field(default_factory=Understanding)
    """tells what an utterance means, if the bundle or the owner's templates can"""


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
        vocabulary = Vocabulary.open(bundle) if bundle.kind == "phones" else None
        grammars = vocabulary.grammars() if vocabulary else _pieces(bundle)
        catalog = Catalog.empty(transducer.size)
        hears = Encoder(encoder)
        parts = Parts(
            hears, scorers(transducer), grammars, catalog, vocabulary,
            ending=EndingNetwork(bundle.file(ENDING)) if bundle.holds(ENDING) else None,
            cadence=_cadence(bundle, transducer.width()),
            attention=_attention(bundle, hears, transducer.width()),
            understanding=Understanding.of(bundle),
        )  # fmt: skip
        return cls(bundle, parts, _tuning(bundle))

    def tuned(self, tuning: Tuning) -> Self:
        """The same engine with other settings."""
        return replace(self, tuning=tuning)

    def ending(self, ends: Ends) -> Self:
        """The same engine, whose utterances end so."""
        tuning = self.tuning
        presets = {
            Preset.NORMAL: tuning.endpoint,
            Preset.QUICK: tuning.quick,
            Preset.PATIENT: tuning.patient,
        }
        return self.tuned(replace(tuning, endpoint=ends.of(presets[ends.preset])))

    def attended(self, attention: float | None) -> Self:
        """The same engine, for somebody who sees whether the speaker looks at the device."""
        if attention is None:
            return self
        known = replace(self.tuning.directed, attention=attention)
        return self.tuned(replace(self.tuning, directed=known))

    def understanding(self, templates: Places) -> Self:
        """The same engine, which understands by sentence templates before all else."""
        known = self.parts.understanding.with_templates(templates)
        return replace(self, parts=replace(self.parts, understanding=known))

    def commanded(self, commands: Commands) -> Self:
        """The same networks for a closed set of commands. Raises RequestError, LimitError."""
        if self.parts.vocabulary is None:
            message = f"{self.bundle.label} has word pieces, but commands need a bundle of phones"
            raise RequestError(message)
        known = CommandSet(commands, self.parts.vocabulary.dictionary)
        parts = replace(self.parts, new_grammar=known.grammars, commands=known)
        tuning = replace(self.tuning, search=closed_search(self.tuning.search))
        return replace(self, parts=parts, tuning=tuning)

    def naming(
        self,
        entries: Sequence[Entry],
        weights: KindWeights = USUAL_WEIGHTS,
        pause: Callable[[], None] = lambda: None,
    ) -> tuple[Self, tuple[Refused, ...]]:
        """The same engine, favouring names; and those that it cannot favour.

        `pause` is called now and then.
        """
        vocabulary, grammars = self.parts.vocabulary, self.parts.new_grammar
        if vocabulary:
            names = names_of(entries, vocabulary.dictionary, weights, pause)
            grammars, marks = vocabulary.grammars(names), vocabulary.marks
        else:
            names = segmented(entries, self.bundle.symbols, weights)
            marks = np.array([symbol.startswith(WORD_START) for symbol in self.bundle.symbols])
        bonus = [self.tuning.search.phrase_bonus * weight for weight in names.weights]
        catalog = Catalog.build(names.phrases, bonus, marks, closing=vocabulary is not None)
        index = Index(names.forms)
        parts = replace(
            self.parts, encoder=self._attending(names), new_grammar=grammars, catalog=catalog,
            index=index,
        )  # fmt: skip
        return replace(self, parts=parts), names.refused

    def _attending(self, names: Names) -> Encodes:
        """The encoder, attending to names if it can and shall."""
        encoder = self.parts.encoder
        plain = encoder.plain if isinstance(encoder, AttendingEncoder) else encoder
        some = attended_of(names.sounds)
        if self.parts.attention is None or not some or not self.tuning.search.attend:
            return plain
        return AttendingEncoder(plain, self.parts.attention.rows(some))

    def recogniser(
        self, latest: Callable[[], Self] | None = None, watch: Watch = unwatched
    ) -> Recogniser:
        """A recogniser for one stream of audio; every utterance is heard by the `latest` parts.

        `watch` is shown where each utterance stands, every 20 ms.
        """
        tuning = self.tuning
        settings, delay = (tuning.search, tuning.lattice), samples(tuning.delay_ms)

        def begin(start: int) -> Utterance:
            parts = (latest() if latest else self).parts
            new_grammar = parts.new_grammar(tuning.search)
            scorer, judge = parts.new_scorer(), None
            if known := parts.commands:
                scorer = witness = Witness(scorer, tuning.search.ilm_scale)
                judge = known.judge(witness)
            way = (start, parts.encoder, scorer, new_grammar(), parts.catalog)
            ending = Ending(parts.ending) if parts.ending else None
            understood = None if known else parts.understanding.adds(parts.index, tuning.directed)
            more = (judge, parts.index, ending, parts.cadence, understood)
            return Utterance(*way, settings, delay, *more)

        return Recogniser(begin, tuning.vad, tuning.endpoint, tuning.fusion, watch)


def _cadence(bundle: Bundle, width: int) -> CadenceNetwork | None:
    return CadenceNetwork(bundle.file(CADENCE), width) if bundle.holds(CADENCE) else None


def _attention(bundle: Bundle, encoder: Encoder, width: int) -> Attention | None:
    if not all(map(bundle.holds, FILES)):
        return None
    return Attention(bundle, encoder.shift // SUBSAMPLING, width)


def _tuning(bundle: Bundle) -> Tuning:
    try:
        tuning = assemble(Tuning, bundle.tuning, str(bundle.file(MANIFEST)), "tuning.")
    except SettingsError as error:
        raise BundleError(str(error)) from error
    if bundle.kind == "pieces" and "search" not in bundle.tuning:
        return replace(tuning, search=PIECES)
    return tuning


def _pieces(bundle: Bundle) -> Grammars:
    first = PieceGrammar(list(bundle.symbols))
    return lambda _: first.fresh
