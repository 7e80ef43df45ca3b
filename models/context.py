"""What hearing in chunks costs: the same network with all that was said, and with what comes.

The network was trained in chunks, so this tells what its streaming gives away with these weights,
not what a network trained on whole recordings would reach. Errors of phones, greedily, against the
forced alignment, in 32 bits.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import torch
from earshot.encoder import QUIET, Frames
from earshot.features import features
from earshot.transducer import Scorer, greedy
from earshot.units import FEATURE_BINS
from earshot.utterance import TAIL

from models.corpus import Recording, read
from models.network import Transducer, feature_frames
from models.score import edits

STREAMED, PAST, WHOLE = "in chunks", "with all the past", "as a whole"
WAYS = (STREAMED, PAST, WHOLE)


def padded(x: Frames, chunk: int) -> Frames:
    """Features [T, 80] with silence after them, to whole chunks, as at the end of an utterance."""
    missing = -(len(x) + TAIL) % chunk + TAIL
    return np.concatenate([x, np.full((missing, FEATURE_BINS), QUIET, np.float32)])


@torch.no_grad()
def encoded(network: Transducer, x: Frames, way: str) -> Frames:
    """Encoded frames [T / 4, J] of padded features [T, 80]. Raises ValueError for an LSTM."""
    encoder, shape = network.encoder, network.shape
    if shape.kind != "conformer":
        message = f"a network of kind {shape.kind} sees what it sees; only a conformer can see more"
        raise ValueError(message)
    frames = len(x) * shape.chunk // feature_frames(shape)
    wider = {STREAMED: shape, PAST: replace(shape, left=frames)}
    encoder.shape = wider.get(way) or replace(shape, chunk=frames, left=frames)
    encoder.masks.clear()
    rows = network.project(encoder(torch.from_numpy(x)[None]))[0].numpy()
    encoder.shape = shape
    encoder.masks.clear()
    return np.asarray(rows)


def errors(
    network: Transducer, scorer: Callable[[], Scorer], every: Iterable[Recording]
) -> dict[str, list[int]]:
    """Phone errors of each recording, by way of hearing it."""
    found: dict[str, list[int]] = {way: [] for way in WAYS}
    for one in every:
        x = padded(features(read(one.path)), feature_frames(network.shape))
        for way in WAYS:
            tokens, _ = greedy(scorer(), encoded(network, x, way))
            found[way].append(edits(one.token.tolist(), tokens))
    return found
