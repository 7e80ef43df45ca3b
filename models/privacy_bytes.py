"""What a lattice takes on its way, beside the same speech as audio, and what pruning it costs.

Bytes are those of the message that the uplink writes down and sends, for each utterance with words.
Speech is from the first node of its lattice to the last, without the silence that an assistant
would send as well; as audio it takes OPUS bytes a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from earshot.events import Lattice
from earshot.generated.v1.rescoring_pb2 import RescoreRequest
from earshot.link import PATHS
from earshot.masking import masked
from earshot.parcel import ParcelSettings, pack
from earshot.units import seconds
from earshot.word_list import WordList

from models.lattices import OPUS, oracle
from models.rescored import Recording, joined


@dataclass(frozen=True, slots=True)
class Sent:
    """Of one recording."""

    words: int
    whole: int
    """errors of the nearest path of the lattices"""
    nearest: int
    """of what was sent of them"""
    bytes: tuple[int, ...]
    """of each utterance"""
    seconds: tuple[float, ...]
    """of speech, as many"""
    arcs: int


def sent(recording: Recording, words: WordList, settings: ParcelSettings) -> Sent:
    """Send the lattices of a recording."""
    wanted, kept = recording.text.split(), list[Lattice]()
    sizes, spans = list[int](), list[float]()
    for lattice in recording.lattices:
        packed = pack(masked(lattice, words), words, settings)
        kept.append(Lattice(lattice.nodes, tuple(lattice.arcs[i] for i in packed.arcs)))
        sizes.append(RescoreRequest(parcel=packed.parcel, n_best=PATHS).ByteSize())
        spans.append(seconds(lattice.nodes[-1] - lattice.nodes[0]))
    whole, nearest = (oracle(joined(some), wanted) for some in (recording.lattices, kept))
    arcs = sum(len(lattice.arcs) for lattice in kept)
    return Sent(len(wanted), whole, nearest, tuple(sizes), tuple(spans), arcs)


def figures(name: str, every: Sequence[Sent]) -> dict[str, float]:
    """Of a set that was sent so."""
    sizes = np.array([size for one in every for size in one.bytes] or [1])
    audio = OPUS * np.array([span for one in every for span in one.seconds] or [1.0])
    words = max(1, sum(one.words for one in every))
    return {
        f"{name}_utterances": len(sizes),
        f"{name}_bytes_mean": round(float(sizes.mean()), 1),
        f"{name}_bytes_p95": round(float(np.percentile(sizes, 95)), 1),
        f"{name}_opus_to_lattice": round(float(audio.sum() / sizes.sum()), 1),
        f"{name}_oracle_wer": round(100 * sum(one.nearest for one in every) / words, 2),
        f"{name}_oracle_wer_unpruned": round(100 * sum(one.whole for one in every) / words, 2),
        f"{name}_arcs_a_word": round(sum(one.arcs for one in every) / words, 2),
    }
