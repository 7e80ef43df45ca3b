"""The re-ranker's language model: a folder with a network, its words and how it is to be used.

    neural.onnx      in: context [N, C]; rows0 [R], rows1 [R], … of contexts, one for each cluster
                     out: head [K, N, S + clusters], tail0 [1, R, W], tail1 … as natural logs,
                     for K kinds of text (models/neural_lm.py trains, models/rescorer.py writes it)
    words.txt        its words by number, a line each, marks first; then how common each is
    rescorer.toml    name, version, licence, data, sums, weights

The softmax is adaptive: the head holds the commonest words and one place for each cluster of rarer
ones; a cluster is looked into only for contexts after which one of its words is asked for.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from earshot.bundle import RESCORERS, find, read_manifest, verify
from earshot.errors import INSTALL, BundleError
from earshot.networks import Session, metadata, number, numbers, open_network
from earshot.rescoring import RescoringSettings
from earshot.settings import assemble
from earshot.word_list import WordList

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
MANIFEST, NETWORK, WORDS = "rescorer.toml", "neural.onnx", "words.txt"
START, END, NAME = "<s>", "</s>", "$contact"  # marks; any name is one that is called


class NeuralModel:
    """The language model at run time."""

    def __init__(self, network: Path, words: list[str], common: list[float]) -> None:
        """Open it. Raises BundleError where network and words do not go together."""
        self._common = common
        self._session: Session = open_network(network)
        facts = metadata(self._session)
        self.context, marks = number(facts, "context", network), number(facts, "marks", network)
        self._kinds = number(facts, "kinds", network)
        # First words of the clusters, and the end of the last; the head has those before.
        self._borders = np.array(numbers(facts, "borders", network), np.int64)
        self._number = {word: i for i, word in enumerate(words)}
        if len(words) != self._borders[-1] or not {START, END, NAME} <= set(words[:marks]):
            message = f"{network}: not of the words beside it; {INSTALL}"
            raise BundleError(message)
        self.start, self.end, self.name = (self._number[mark] for mark in (START, END, NAME))
        self.words = WordList(tuple(words[marks:]))
        self._marks = marks

    def number(self, word: str) -> int | None:
        """The number of a word, None for one that it does not know."""
        found = self._number.get(word)
        return found if found is not None and found >= self._marks else None

    def common(self, word: int) -> float:
        """Natural log P(word), whatever is before it."""
        return self._common[word]

    def score(self, contexts: Ints, row: Ints, word: Ints) -> Floats:
        """Natural log P(word | context) [K, M] of words [M] after contexts [N, C][row]."""
        if not len(word):
            return np.zeros((self._kinds, 0), np.float32)
        # -1: in the head, as all words are where there are no clusters.
        cluster = np.searchsorted(self._borders, word, "right") - 1
        clusters = range(len(self._borders) - 1)
        asked = [np.unique(row[cluster == i]) for i in clusters]
        given = {f"rows{i}": rows if len(rows) else row[:1] for i, rows in enumerate(asked)}
        head, *tails = self._session.run(None, {"context": contexts, **given})
        short = self._borders[0]
        found = head[:, row, np.where(cluster < 0, word, short + cluster)]
        for i, (tail, rows) in enumerate(zip(tails, asked, strict=True)):
            here = np.flatnonzero(cluster == i)
            place = np.searchsorted(rows, row[here])
            found[:, here] += tail[:, place, word[here] - self._borders[i]]
        return np.asarray(found, np.float32)


@dataclass(frozen=True)
class RescorerBundle:
    """A folder that is whole."""

    folder: Path
    name: str
    version: str
    settings: RescoringSettings

    @cached_property
    def model(self) -> NeuralModel:
        """Its language model. Raises BundleError."""
        path = self.folder / WORDS
        rows = [line.split("\t") for line in path.read_text(encoding="utf8").splitlines()]
        try:
            words, common = [word for word, _ in rows], [float(logp) for _, logp in rows]
        except ValueError as error:
            message = f"{path}: not words with how common each is ({error}); {INSTALL}"
            raise BundleError(message) from error
        return NeuralModel(self.folder / NETWORK, words, common)


def open_rescorer(name: str) -> RescorerBundle:
    """Open a rescorer by its name or folder, and verify it. Raises BundleError, SettingsError."""
    folder = find(name, RESCORERS)
    path = folder / MANIFEST
    wanted = {"name": str, "version": str, "files": dict, "weights": dict}
    facts = read_manifest(path, wanted)
    for file in (NETWORK, WORDS):
        verify(folder / file, facts["files"].get(file), MANIFEST)
    settings = assemble(RescoringSettings, facts["weights"], str(path), "weights.")
    return RescorerBundle(folder, facts["name"], facts["version"], settings)
