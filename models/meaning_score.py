"""How well sentences are understood: intents that are right, and F1 of slots."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

from earshot.nlu import spans


class Filled(NamedTuple):
    """An intent, and the texts of slots with their names."""

    intent: str
    slots: tuple[tuple[str, str], ...]


def filled(words: Sequence[str], intent: str, tags: Sequence[str]) -> Filled:
    """An intent, and slots by the words in them."""
    slots = ((slot, " ".join(words[first:end])) for slot, first, end in spans(tags))
    return Filled(intent, tuple(slots))


class Tally(NamedTuple):
    """Counts over sentences."""

    sentences: int = 0
    right: int = 0  # intents
    wanted: int = 0  # slots
    given: int = 0
    both: int = 0
    whole: int = 0  # sentences of which all is right

    def seen(self, wanted: Filled, given: Filled, *, slots: bool = True) -> Self:
        """Count a sentence; without `slots`, those that are wanted are not known."""
        left, both = list(given.slots), 0
        for slot in wanted.slots:
            if slot in left:
                left.remove(slot)
                both += 1
        right = wanted.intent == given.intent
        all_right = right and both == len(wanted.slots) == len(given.slots)
        counts = (len(wanted.slots), len(given.slots), both) if slots else (0, 0, 0)
        return self._replace(
            sentences=self.sentences + 1,
            right=self.right + right,
            wanted=self.wanted + counts[0],
            given=self.given + counts[1],
            both=self.both + counts[2],
            whole=self.whole + (all_right if slots else right),
        )

    @property
    def accuracy(self) -> float:
        """Intents that are right, in percent."""
        return 100 * self.right / max(1, self.sentences)

    @property
    def f1(self) -> float:
        """F1 of the slots, in percent."""
        return 100 * 2 * self.both / max(1, self.wanted + self.given)

    @property
    def figures(self) -> dict[str, float]:
        """All, as of a JSON file."""
        return {
            "sentences": self.sentences,
            "slots": self.wanted,
            "intents": round(self.accuracy, 2),
            "f1": round(self.f1, 2),
            "whole": round(100 * self.whole / max(1, self.sentences), 2),
        }


def together(tallies: Iterable[Tally]) -> Tally:
    """Counts of several sets."""
    return Tally(*(sum(counts) for counts in zip(*tallies, strict=True)))
