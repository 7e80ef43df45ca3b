"""What an utterance means: by the owner's sentence templates, and else by the bundle's model.

Of a lattice, templates are looked for along its likeliest paths. By the model, an intent and a path
are chosen together: what is likely to have been said, and likely to mean that. Of the paths that
may mean it, that one is taken whose slots are also sure. A plain text is a lattice of one path.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from earshot.bundle import Bundle
from earshot.cues import Paths, bag
from earshot.directed import DirectedSettings, directed
from earshot.events import Interpretation, Named, Result, Slot
from earshot.explain import Index
from earshot.formatting import formatted
from earshot.intents import read, text_of
from earshot.nlu import FILE, NONE, OUTSIDE, Nlu, Tagged, normal
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

    paths: int = 8
    """of the lattice that are looked at"""
    path: float = 0.5
    """weight of how likely a path is, beside how likely it means an intent"""
    tags: float = 0.5
    """weight of how sure its slots are"""
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
        """An intent and a path, chosen together; then the path also by its slots."""
        scores = np.array([one.score for one in texts])
        meant = np.array([nlu.meant(bag(Paths.of_words(one.words))) for one in texts])
        joint = self.settings.path * scores[:, None] + meant
        intent = int(joint.max(0).argmax())
        sure = min(1.0, float(np.exp(normal(scores) + meant[:, intent]).sum()))
        if nlu.intents[intent] == NONE:
            return Interpretation(NONE, sure, (), texts[0].words)
        tags = nlu.tagged([one.words for one in texts], intent)
        certain = np.array([one.score for one in tags])
        best = int((joint[:, intent] + self.settings.tags * certain).argmax())
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


def _slots(nlu: Nlu, words: Words, tagged: Tagged, index: Index) -> Iterator[Slot]:
    """Words in a row with the same tag are one slot."""
    at = 0
    for tag, group in groupby(tagged.tags):
        first, at = at, at + len(list(group))
        if tag != OUTSIDE:
            said = words[first:at]
            names = _called(said, index)
            yield Slot(nlu.slots[tag - 1], " ".join(said), as_written(said), first, at, names)


def _called(said: Words, index: Index) -> tuple[Named, ...]:
    """Entries of the catalog by their name, or by that as an owner's."""
    bare = (*said[:-1], *(word.removesuffix(OWNER) for word in said[-1:]))
    return index.called(said) or index.called(bare)


def as_written(said: Words) -> str:
    """Words as they are written, where numbers or times are among them; else empty."""
    number = cardinal(said, 0)
    text = str(number[0]) if number and number[1] == len(said) else formatted(said).text
    return text if any(sign.isdigit() for sign in text) else ""
