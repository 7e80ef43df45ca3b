"""A recogniser whose lattices have a choice, and which announces an end before it is sure.

After one quiet block it announces, after three it commits. Each "word" might also be a "ward".
"""

from earshot.arbiter import Arbiter, Stand
from earshot.events import Arc, Decision, Event, Lattice, Result, SpeechStarted, Word

from tests.fake_recogniser import LOUD, FakeRecogniser

OTHER = "ward"
SURE, UNSURE = 0.6, 0.4
SPECULATIONS = 3


def lattice_of(words: tuple[Word, ...], other: str = OTHER) -> Lattice:
    """Each word, or the other; arcs by source, and the other word first."""
    nodes = (words[0].start, *(w.end for w in words))
    arcs = [
        Arc(i, i + 1, text, w.start, w.end, score, 0.0, 0.0, posterior)
        for i, w in enumerate(words)
        for text, score, posterior in ((other, -0.92, UNSURE), (w.text, -0.51, SURE))
    ]
    return Lattice(nodes, tuple(arcs))


def result_of(words: tuple[Word, ...]) -> Result:
    """What is understood of words, over a lattice with a choice."""
    sure = tuple(Word(w.text, w.start, w.end, SURE) for w in words)
    return Result(sure, SURE, (), lattice_of(words))


class ChoosyRecogniser(FakeRecogniser):
    def __init__(self, delay: float = 0.0, says: str = "word") -> None:
        super().__init__(delay, says)
        self._arbiter = Arbiter(0, SPECULATIONS)

    def _block(self, level: float) -> list[Event]:
        announced = self._open and self._arbiter.stand is Stand.ANNOUNCED
        events = super()._block(level)
        if events and isinstance(events[0], SpeechStarted):
            self._arbiter = Arbiter(self._number, SPECULATIONS)
        elif announced and level >= LOUD:
            events = [*self._arbiter.retract(self._at), *events]
        if self._open and self._quiet == 1:
            events += self._arbiter.announce(self._at, *self._heard("seems done"))
        return events

    def _end(self, rule: str) -> list[Event]:
        events = self._arbiter.end(self._at, *self._heard(rule))
        self._words, self._open = (), False
        return events

    def _heard(self, rule: str) -> tuple[Decision, int, Result]:
        decision = Decision(rule, (("silence_ms", 100.0 * self._quiet),))
        return decision, self._words[-1].end, result_of(self._words)
