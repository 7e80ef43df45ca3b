"""A lattice that does not tell words outside the list by which words are numbered, as most names.

Such a word would have to be spelt. But a re-ranker does not look at how a name is spelt: it hears
of a name, and of what the device makes of it. So the spelling stays here, and numbers leave. A name
that is a word of the list ("Rose") is a word like any other.
"""

from dataclasses import replace

from earshot.events import Arc, Lattice
from earshot.word_list import WordList

SIGN = "#"  # before the number; no word has it


def masked(lattice: Lattice, words: WordList) -> Lattice:
    """The same lattice, its names numbered as they come. As it is where there is no list."""
    if not words.words:
        return lattice
    numbers: dict[str, str] = {}

    def hidden(arc: Arc) -> Arc:
        if arc.word in words.number:
            return arc
        return replace(arc, word=numbers.setdefault(arc.word, f"{SIGN}{len(numbers) + 1}"))

    return Lattice(lattice.nodes, tuple(map(hidden, lattice.arcs)))
