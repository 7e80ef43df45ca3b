"""What an utterance means: by the owner's sentence templates, and else by the bundle's model.

Of a lattice, templates are looked for along its likeliest paths. By the model, an intent and a path
are chosen together: what is likely to have been said, and likely to mean that. Of all paths that
one is then taken whose slots agree best with those of the others, each by how likely it is: the
least expected error (minimum Bayes risk; Goel and Byrne, 2000). A plain text is a lattice of one
path.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from earshot.bundle import Bundle
from earshot.cues import Paths, bag
from earshot.directed import DirectedSettings, directed
from earshot.events import Interpretation, Named, Result, Slot
from earshot.explain import Index
from earshot.formatting import formatted
from earshot.intents import read, text_of
from earshot.nlu import FILE, NONE, Nlu, normal, spans
from earshot.numerals import cardinal
from earshot.places import Places
from earshot.sounds import OWNER

Words = tuple[str, ...]
MOST_WORDS = 60  # of an utterance that may be meant for a device; beyond, somebody dictates
NO_NAMES, UNTOLD = Index(), DirectedSettings()


@dataclass(frozen=True, slots=True)
class UnderstandingSettings:
    """How much each part has to say when a path is chosen; natural logs are added up.

    `models.understood` measures them.
    """

    paths: int = 16
    """of the lattice that are looked at"""
    path: float = 2.0
    """weight of how likely a path is, beside how likely it means an intent"""
    agree: float = 0.3
    """weight of both where the slots of paths are compared: the smaller, the more paths count"""
    template: float = 3.0
    """natural log; how much likelier the best path may be than one that a template accepts"""


class Text(NamedTuple):
    """A text that may have been said."""

    words: Words
    score: float  # natural log-probability


def templates_of(text: str, source: str) -> Places:
    """Read sentence templates (earshot.intents), and follow each to its end.

    Raises RequestError for what is wrong with them, LimitError for too much.
    """
    places = Places(read(text, source), source)
    todo, seen = [places.start], {places.start}
    while todo:
        for ways in places.leaving(todo.pop()).words.values():
            new = {place for place, _ in ways} - seen
            seen |= new
            todo += new
    return places


def template_file(path: Path) -> Places:
    """Read sentence templates from a file. Raises RequestError, LimitError."""
    return templates_of(text_of(path, "sentence templates are a TOML file"), str(path))


@dataclass(frozen=True, slots=True)
class Understanding:
    """All by which utterances are understood."""

    nlu: Nlu | None = None
    templates: Places | None = None
    settings: UnderstandingSettings = field(default_factory=UnderstandingSettings)

    @classmethod
    def of(cls, bundle: Bundle) -> Self:
        """What a bundle brings. Raises BundleError."""
        return cls(Nlu.open(bundle.file(FILE)) if bundle.holds(FILE) else None)

    def with_templates(self, templates: Places) -> Self:
        """The same, with sentence templates that go before all else."""
        return replace(self, templates=templates)

    def adds(
        self, index: Index | None, settings: DirectedSettings = UNTOLD
    ) -> Callable[[Result], Result] | None:
        """What adds to results what they mean, and to whom it is said; None if nothing can tell."""
        if self.nlu is None and self.templates is None:
            return None

        def understood(found: Result) -> Result:
            meaning = self.result(found, index)
            told = directed(found, meaning, self.nlu, settings)
            return replace(found, interpretation=meaning, directed=told)

        return understood

    def result(self, found: Result, index: Index | None = None) -> Interpretation | None:
        """What a result means; None where it holds no word, or nothing here can tell."""
        if not found.words:
            return None
        listed = found.alternatives[: self.settings.paths]
        texts = [Text(tuple(one.text.split()), one.score) for one in listed]
        best = [Text(tuple(word.text for word in found.words), 0.0)]
        return self._of(texts or best, index or NO_NAMES)

    def text(self, words: Sequence[str], index: Index | None = None) -> Interpretation | None:
        """What a plain text means; None where it holds no word, or nothing here can tell."""
        if not words:
            return None
        return self._of([Text(tuple(words), 0.0)], index or NO_NAMES)

    def _of(self, texts: Sequence[Text], index: Index) -> Interpretation | None:
        if found := self._by_template(texts, index):
            return found
        if self.nlu is None:
            return None
        if len(texts[0].words) > MOST_WORDS:
            return Interpretation(NONE, 1.0, (), texts[0].words)
        return self._by_model(self.nlu, texts, index)

    def _by_model(self, nlu: Nlu, texts: Sequence[Text], index: Index) -> Interpretation:
        """An intent and a path, chosen together; then the path whose slots most agree."""
        scores = np.array([one.score for one in texts])
        meant = np.array([nlu.meant(bag(Paths.of_words(one.words))) for one in texts])
        joint = self.settings.path * scores[:, None] + meant
        intent = int(joint.max(0).argmax())
        sure = min(1.0, float(np.exp(normal(scores) + meant[:, intent]).sum()))
        if nlu.intents[intent] == NONE:
            return Interpretation(NONE, sure, (), texts[0].words)
        listed = [one.words for one in texts]
        tags = nlu.tagged(listed, intent)
        said = [Counter(_said(*both)) for both in zip(listed, tags, strict=True)]
        best = agreed(said, np.exp(normal(self.settings.agree * joint[:, intent])))
        slots = tuple(_slots(nlu, texts[best].words, tags[best], index))
        return Interpretation(nlu.intents[intent], sure, slots, texts[best].words)

    def _by_template(self, texts: Sequence[Text], index: Index) -> Interpretation | None:
        """The likeliest path that a template accepts, if it is likely enough."""
        for words, score in texts if self.templates else ():
            if texts[0].score - score > self.settings.template:
                return None
            if self.templates and (found := self.templates.accepted(words)):
                slots = tuple(
                    Slot(one.name, one.means, "", one.first, one.end, _called(
                        words[one.first : one.end], index
                    ))
                    for one in found.slots
                )  # fmt: skip
                sure = float(np.exp(min(0.0, score)))
                return Interpretation(found.sentence.intent, sure, slots, words, template=True)
        return None


def _said(words: Words, tags: Sequence[int]) -> Iterator[tuple[int, Words]]:
    """Slots by their tags and words, wherever they stand."""
    return ((tag, words[first:end]) for tag, first, end in spans(tags))


def agreed(said: Sequence[Counter[tuple[int, Words]]], weights: npt.NDArray[np.float64]) -> int:
    """The first of the paths whose slots have the highest expected F1, paths by their weights."""
    expected = [
        sum(weight * _f1(one, other) for weight, other in zip(weights, said, strict=True))
        for one in said
    ]
    return int(np.argmax(expected))


def _f1(one: Counter[tuple[int, Words]], other: Counter[tuple[int, Words]]) -> float:
    """How far two sets of slots agree: 1 where they are the same."""
    both = one.total() + other.total()
    return 2 * (one & other).total() / both if both else 1.0


def _slots(nlu: Nlu, words: Words, tags: Sequence[int], index: Index) -> Iterator[Slot]:
    """Slots with their value as written, and the entries that are called so."""
    for tag, first, end in spans(tags):
        said = words[first:end]
        names = _called(said, index)
        yield Slot(nlu.slots[tag - 1], " ".join(said), as_written(said), first, end, names)


def _called(said: Words, index: Index) -> tuple[Named, ...]:
    """Entries of the catalog by their name, or by that as an owner's."""
    bare = (*said[:-1], *(word.removesuffix(OWNER) for word in said[-1:]))
    return index.called(said) or index.called(bare)


def as_written(said: Words) -> str:
    """Words as they are written, where numbers or times are among them; else empty."""
    number = cardinal(said, 0)
    text = str(number[0]) if number and number[1] == len(said) else formatted(said).text
    return text if any(sign.isdigit() for sign in text) else ""
