"""Best paths of a known text through the network's scores: how each word was said, and when.

`choose` walks a graph of pronunciations with the transducer, which takes at most one token an
encoder frame (as in models/loss.py), and so picks a pronunciation of each word. `place` gives every
token of that one its time, in frames of 10 ms: a hidden Markov model over the frame classifier with
silence between words where there is some. Both are Viterbi searches (1967), compiled with numba;
`tests/models/test_paths.py` compares them with all paths of small cases.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
from earshot.units import SUBSAMPLING

from models.loss import HARDLY, NEVER, Doubles, Floats, Longs
from models.phones import tokens

Ints = npt.NDArray[np.int32]
Phones = tuple[str, ...]
LEAST = 3  # frames of 10 ms that a phone or a silence lasts


@dataclass(frozen=True, slots=True)
class Graph:
    """The ways to say a text. Node 0 is its beginning, the others each say a token [N].

    before[at[n]] … before[at[n + 1]] are the nodes from which node n may follow.
    """

    token: Longs
    word: Longs  # [N] number of the word, -1 for the beginning
    at: Longs
    before: Longs
    last: Longs  # nodes with which the text ends


@dataclass(frozen=True, slots=True)
class Choice:
    """The best path through a graph and the log-probability of all its tokens and blanks."""

    token: Longs  # [U]
    word: Longs  # [U]
    frame: Longs  # [U] the encoder frame that emits each token
    logp: float


def graph(text: Sequence[Sequence[Phones]]) -> Graph:
    """Join the pronunciations of each word of a text, in any combination."""
    token, word, before = [0], [-1], [[0][:0]]
    ends = [0]
    for number, pronunciations in enumerate(text):
        reached = []
        for phones in pronunciations:
            now = ends
            for one in tokens(list(phones)):
                before.append(now)
                now = [len(token)]
                token.append(one)
                word.append(number)
            reached += now
        ends = reached
    at = np.cumsum([0, *map(len, before)])
    flat = np.array([node for nodes in before for node in nodes], np.int64)
    return Graph(np.array(token), np.array(word), at, flat, np.array(ends))


@numba.njit(cache=True)
def _walk(
    logp: Floats, token: Longs, context: Longs, at: Longs, before: Longs
) -> tuple[Doubles, Ints]:
    """Best score of each node at the end [N], and from which node each was reached [T, N]."""
    frames, nodes = len(logp), len(token)
    now = np.full(nodes, NEVER)
    now[0] = 0.0
    came = np.zeros((frames, nodes), np.int32)
    for t in range(frames):
        after = np.empty(nodes)
        for n in range(nodes):
            best, source = now[n] + logp[t, context[n], 0], n
            for e in range(at[n], at[n + 1]):
                score = now[before[e]] + logp[t, context[before[e]], token[n]]
                if score > best:
                    best, source = score, before[e]
            after[n], came[t, n] = best, source
        now = after
    return now, came


def choose(logp: Floats, context: Longs, ways: Graph) -> Choice | None:
    """Find the best path; None where the frames are too few for any.

    logp: log-probabilities [T, C, V] after each of C tokens; context: which of these each node's
    own is [N].
    """
    score, came = _walk(logp, ways.token, context, ways.at, ways.before)
    node = int(ways.last[score[ways.last].argmax()])
    total = float(score[node])
    if not total > HARDLY:  # not a number neither
        return None
    nodes, frames = [], []
    for t in range(len(logp) - 1, -1, -1):
        source = int(came[t, node])
        if source != node:
            nodes.append(node)
            frames.append(t)
        node = source
    path = nodes[::-1]
    return Choice(ways.token[path], ways.word[path], np.array(frames[::-1], np.int64), total)


@numba.njit(cache=True)
def _stretch(total: Doubles, silence: npt.NDArray[np.bool_], least: int) -> tuple[Doubles, Ints]:
    """Best score [T + 1, K] of the first frames ending in each place, and steps back from there.

    total: score of the frames before each [T + 1, K]; place 0 is before the first frame. A silence
    may be stepped over; 0 steps back is the same place for one frame more.
    """
    frames, places = total.shape
    best = np.full((frames, places), NEVER)
    back = np.zeros((frames, places), np.int32)
    best[0, 0] = 0.0
    for t in range(1, frames):
        for k in range(1, places):
            best[t, k] = best[t - 1, k] + total[t, k] - total[t - 1, k]
            begin = t - least
            if begin < 0:
                continue
            gain = total[t, k] - total[begin, k]
            for steps in range(1, 3 if k > 1 and silence[k - 1] else 2):
                score = best[begin, k - steps] + gain
                if score > best[t, k]:
                    best[t, k], back[t, k] = score, steps
    return best, back


def place(score: Floats, token: Longs, word: Longs) -> tuple[Longs, Longs] | None:
    """First frames and ends [U] of tokens in log-probabilities [T, V], V = 0 being silence.

    None where there are fewer frames than tokens.
    """
    least = min(LEAST, len(score) // max(1, len(token)))
    if not least:
        return None
    borders = np.flatnonzero(np.diff(word)) + 1
    # A place for each token and for each silence; the first 0 is the place before all.
    chain = np.insert(token, [0, 0, *borders, len(token)], 0)
    total = np.zeros((len(score) + 1, len(chain)))
    total[1:] = score[:, chain].cumsum(0, dtype=np.float64)
    best, back = _stretch(total, chain == 0, least)
    t, k = len(score), len(chain) - 1
    k -= int(best[t, k - 1] > best[t, k])
    start, end = np.zeros((2, len(chain)), np.int64)
    end[k] = t
    while k:
        steps = int(back[t, k])
        t -= least if steps else 1
        if steps:
            start[k] = t
            k -= steps
            end[k] = t
    return start[chain > 0], end[chain > 0]


def interpolated(logp: Floats, first: int, length: int) -> Floats:
    """Scores [length, V] of feature frames of encoder frames' [T, V], two at least.

    first: the feature frame that encoder frame 0 speaks of.
    """
    at = (np.arange(length) - first) / SUBSAMPLING
    low = np.clip(at.astype(np.int64), 0, len(logp) - 2)
    part = np.clip(at - low, 0, 1).astype(np.float32)[:, None]
    return np.asarray(logp[low] * (1 - part) + logp[low + 1] * part, np.float32)
