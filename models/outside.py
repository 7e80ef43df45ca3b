"""Words outside the lexicon, counted: which were found, which were spelt, what others paid.

What was said faces what was understood, as for a word error rate. A word that the lexicon lacks is
*unknown*, all else *known*; models/unknown.py tells what the figures mean.
"""

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from earshot.events import Word

from models.score import edits

RARE = -11.0  # natural log of the unigram: about one word in 60,000
SHORTEST = 4  # letters; shorter words are mostly abbreviations
NEAR = 1e-3  # of an error: two unknown words face each other rather than other words
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Heard:
    """One recording: what was said and what was understood, and CPU seconds of the search."""

    wanted: Sequence[str]
    given: Sequence[Word]
    seconds: float
    cpu: float


def rarest(texts: Sequence[str], unigram: Mapping[str, float]) -> set[str]:
    """Of every second text the rarest word; `unigram` are natural logs of the known words."""
    found = set()
    for text in texts[::2]:
        known = [word for word in text.split() if word in unigram and len(word) >= SHORTEST]
        rare = [(unigram[word], word) for word in known if unigram[word] < RARE]
        found |= {word for _, word in sorted(rare)[:1]}
    return found


def pairs(heard: Heard, known: Container[str]) -> Iterator[tuple[str | None, Word | None]]:
    """What was said and what was understood, in the fewest errors, last first; None faces none.

    Of equally good ways it is one that puts unknown words onto unknown words.
    """
    wanted, given = heard.wanted, heard.given

    def change(i: int, j: int) -> float:
        want, got = wanted[i - 1], given[j - 1]
        same, both = want == got.text, want not in known and bool(got.phones)
        return 0.0 if same else 1.0 - NEAR * both

    cost = np.add.outer(np.arange(len(wanted) + 1.0), np.arange(len(given) + 1.0))
    for i in range(1, len(wanted) + 1):
        for j in range(1, len(given) + 1):
            skipped = 1 + min(cost[i - 1, j], cost[i, j - 1])
            cost[i, j] = min(cost[i - 1, j - 1] + change(i, j), skipped)
    i, j = len(wanted), len(given)
    while i or j:
        if i and j and cost[i, j] == cost[i - 1, j - 1] + change(i, j):
            i, j = i - 1, j - 1
            yield wanted[i], given[j]
        elif i and cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
            yield wanted[i], None
        else:
            j -= 1
            yield None, given[j]


def counted(heard: Heard, known: Container[str]) -> Counter[str]:
    """Words, letters and errors of a recording, by kind."""
    count: Counter[str] = Counter()
    for want, got in pairs(heard, known):
        text, marked = (got.text, bool(got.phones)) if got else ("", False)
        if want is None or want in known:
            count["known"] += want is not None
            count["errors"] += want != text
            count["alarms"] += marked
        else:
            count["unknown"] += 1
            count["found"] += marked
            count["right"] += want == text
            count["letters"] += len(want)
            count["wrong_letters"] += edits(want, text)
    if not count["unknown"]:
        count["plain_words"], count["plain_errors"] = count["known"], count["errors"]
    return count


def figures(every: Sequence[Heard], known: Container[str]) -> Figures:
    """All figures of the recordings of a set."""
    count: Counter[str] = Counter()
    for heard in every:
        count += counted(heard, known)

    def share(part: str, whole: str) -> float:
        return round(100 * count[part] / max(count[whole], 1), 2)

    errors = count["errors"] + count["unknown"] - count["right"]
    return {
        "unknown words": count["unknown"],
        "known words": count["known"],
        "plain words": count["plain_words"],
        "found": share("found", "unknown"),
        "right": share("right", "unknown"),
        "LER": share("wrong_letters", "letters"),
        "alarms": share("alarms", "known"),
        "known": share("errors", "known"),
        "plain": share("plain_errors", "plain_words"),
        "WER": round(100 * errors / max(count["known"] + count["unknown"], 1), 2),
        "cpu_per_second": round(
            sum(one.cpu for one in every) / max(sum(one.seconds for one in every), 1e-9), 4
        ),
    }


def shown(every: Sequence[Heard], known: Container[str], count: int) -> Iterator[str]:
    """The first unknown words, each with what was understood in its place."""
    missing = (
        f"{want} | {got.text if got else ''} {'+'.join(got.phones) if got else ''}".rstrip()
        for heard in every
        for want, got in pairs(heard, known)
        if want is not None and want not in known
    )
    yield from islice(missing, count)
