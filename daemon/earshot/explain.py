"""Why a word came out as it did, as far as names of the catalog had a part in it.

The bias of every arc stands apart in the lattice, so it can be told which words of the best path
were favoured and by how much, and which favoured words were considered at the same time and lost.
What names a word may be of is looked up by its spelling; where a whole name was said, it is that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from earshot.events import Arc, Explanation, Named, Result, Rival
from earshot.names import Form
from earshot.paths import paths
from earshot.saying import Words
from earshot.sounds import OWNER

MOST_NAMES = 5  # told of a word
MOST_RIVALS = 5  # told of a word


class Index:
    """The names that a word may be of."""

    def __init__(self, forms: Iterable[Form] = ()) -> None:
        self._forms: dict[str, list[Form]] = {}
        for form in forms:
            for word in dict.fromkeys((*form.words, " ".join(form.words))):
                self._forms.setdefault(word, []).append(form)

    def names(self, words: Sequence[str], place: int) -> tuple[Named, ...]:
        """Names that the word at a place may be of; those that stand whole around it, if any do."""
        bare = [self._bare(word) for word in words]
        found = self._forms.get(bare[place], [])
        whole = [form for form in found if _stands(form.words, bare, place)]
        return tuple(dict.fromkeys(form.named for form in whole or found))[:MOST_NAMES]

    def called(self, words: Sequence[str]) -> tuple[Named, ...]:
        """Names that are these words and no more; or people of that first or last name."""
        name = tuple(words)
        whole = [form for form in self._forms.get(" ".join(name), []) if form.words == name]
        part = [
            form
            for form in (self._forms.get(name[0], []) if len(name) == 1 else ())
            if form.named.kind == "contact" and name[0] in {form.words[0], form.words[-1]}
        ]
        return tuple(dict.fromkeys(form.named for form in whole or part))[:MOST_NAMES]

    def _bare(self, word: str) -> str:
        """A word of a name without the ending of an owner or of several."""
        endings = ("", OWNER, "s", "es")
        known = (word.removesuffix(ending) for ending in endings if word.endswith(ending))
        return next((bare for bare in known if bare in self._forms), word)


def _stands(words: Words, said: Sequence[str], place: int) -> bool:
    """Whether words stand in what was said so that the place is one of theirs."""
    firsts = range(max(0, place - len(words) + 1), place + 1)
    return said[place] == " ".join(words) or any(
        tuple(said[first : first + len(words)]) == words for first in firsts
    )


def explained(found: Result, index: Index, best: Sequence[Arc] | None = None) -> Result:
    """A result with an explanation of each word in which names had a part.

    `best` is the path of its words, where that is not the lattice's likeliest.
    """
    if not found.words:
        return found
    best = best or next(paths(found.lattice))[1]
    every = (_explanation(i, best, found.lattice.arcs, index) for i in range(len(best)))
    return replace(found, explanations=tuple(one for one in every if one.names or one.lost))


def _explanation(place: int, best: Sequence[Arc], arcs: Sequence[Arc], index: Index) -> Explanation:
    arc, words = best[place], [one.word for one in best]
    names = index.names(words, place) if arc.bias > 0 else ()
    lost: dict[str, Rival] = {}
    for other in sorted(arcs, key=lambda one: -one.posterior):
        same_time = other.start < arc.end and arc.start < other.end
        if same_time and other.bias > 0 and other.word not in {arc.word, *lost}:
            rivals = index.names([other.word], 0)
            if rivals:
                lost[other.word] = Rival(other.word, other.bias, other.posterior, rivals)
    return Explanation(place, arc.bias, names, tuple(lost.values())[:MOST_RIVALS])
