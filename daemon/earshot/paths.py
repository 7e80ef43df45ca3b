"""The paths of a lattice, likeliest first, and the texts along them."""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterator

from earshot.events import Alternative, Arc, Lattice


def paths(lattice: Lattice) -> Iterator[tuple[float, tuple[Arc, ...]]]:
    """All paths, likeliest first (best-first with exact look-ahead)."""
    last = len(lattice.nodes) - 1
    back = [-math.inf] * last + [0.0]
    leaving: dict[int, list[Arc]] = defaultdict(list)
    for arc in reversed(lattice.arcs):
        back[arc.source] = max(back[arc.source], score(arc) + back[arc.target])
        leaving[arc.source].append(arc)
    count = 0  # breaks ties
    heap: list[tuple[float, int, float, int, tuple[Arc, ...]]] = [(-back[0], 0, 0.0, 0, ())]
    while heap:
        _, _, total, node, path = heapq.heappop(heap)
        if node == last:
            yield total, path
        for arc in leaving[node]:
            count += 1
            onward = total + score(arc)
            heapq.heappush(
                heap, (-(onward + back[arc.target]), count, onward, arc.target, (*path, arc))
            )


def score(arc: Arc) -> float:
    """Natural log-probability of an arc, given its source."""
    return arc.acoustic + arc.language + arc.bias


def alternatives(lattice: Lattice, count: int, most: int = 400) -> tuple[Alternative, ...]:
    """The `count` likeliest different texts, of the `most` likeliest paths."""
    found: dict[str, float] = {}
    for i, (total, path) in enumerate(paths(lattice)):
        if i >= most or len(found) >= count:
            break
        found.setdefault(" ".join(arc.word for arc in path), total)
    return tuple(Alternative(text, total) for text, total in found.items())


def joined_alternatives(lists: list[tuple[Alternative, ...]]) -> tuple[Alternative, ...]:
    """Alternatives of utterances in a row: the best of all, then one changed at a time."""
    if not lists:
        return ()
    best = [utterance[0] for utterance in lists]
    base = sum(a.score for a in best)
    found = [Alternative(" ".join(a.text for a in best), base)]
    for i, utterance in enumerate(lists):
        for other in utterance[1:]:
            texts = [other.text if j == i else a.text for j, a in enumerate(best)]
            found.append(Alternative(" ".join(texts), base - best[i].score + other.score))
    longest = max(len(utterance) for utterance in lists)
    return tuple(sorted(found, key=lambda a: -a.score)[:longest])
