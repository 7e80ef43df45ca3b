"""Train the end-pointing network and write ending.onnx of a bundle: where in an utterance we are.

    python -m models.ending --cache build/cache --out build/ending/ending.onnx [--steps 6000]

Each row is a recording, from some word on, in surroundings of its own: quiet or sound before it,
pauses of 0.2 to 1 s spliced between its words, and two or three seconds of the same surroundings
behind it, so that the silence after the last word must be told from that between words by how the
words before it were said, and by how long it lasts. Noise, music and other voices lie over the
whole row. Labels come from the alignments. Refuses to write if torch and ONNX disagree.
"""

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from earshot.encoder import QUIET
from earshot.ending import AFTER, BEFORE, SPEECH, STEP, WITHIN
from earshot.units import FEATURE_BINS
from torch import Tensor, nn
from torch.nn import functional as F

from models import augment
from models.augment import USUAL, Floats
from models.data import Corpus
from models.export import convert
from models.loss import Longs
from models.talkers import Talkers

INPUT, STATE, CLASSES = 48, 80, 4
ROWS, LONG_ROWS = 24, 10
WEIGHTS = {"an4": 3.0}  # people pause where they spell, and there is little of that
VOICES = 12  # that talk on beside the rows of a batch
RATE = 3e-3
LONGEST, LONG = 400, 1_200  # feature frames of a recording, its last ones
LONG_SHARE = 0.3  # of batches, whose rows are fewer and longer
LEAD, TAIL = (0, 150), (150, 300)  # feature frames of surroundings
AT_ONCE = 0.25  # share of rows that begin with speech
PAUSED = 0.7  # share of rows with pauses spliced in
PAUSES = (20, 100)  # feature frames of one
OWN = 0.5  # share of rows with what their recording has behind the speech
BARE = 0.15  # share of rows with digital silence around
WEIGHT = torch.tensor([1.0, 1.0, 3.0, 1.0])  # of the classes: pauses are rare
HOW = replace(
    USUAL, noise=0.25, babble=0.1, voice=0.45, loudest=3.0, loudest_voice=4.5, faintest=22.0,
    masks=1,
)  # fmt: skip
SECONDS = 30  # between lines of progress


class Ending(nn.Module):
    """Pairs of log-mel frames [B, T, 160] to natural logs of the classes [B, T, 4]; causal."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(STEP * FEATURE_BINS))
        self.register_buffer("deviation", torch.ones(STEP * FEATURE_BINS))
        self.into = nn.Linear(STEP * FEATURE_BINS, INPUT)
        self.memory = nn.GRU(INPUT, STATE, batch_first=True)
        self.out = nn.Linear(STATE, CLASSES)

    def knows(self, corpus: Corpus, dice: np.random.Generator) -> None:
        """Take mean and deviation of the bins from the recordings of a corpus."""
        chosen = dice.integers(len(corpus.corpus), size=400)
        some = np.concatenate([corpus.frames(i, 0, 0, corpus.length(i, 0)) for i in chosen])
        self.mean = torch.from_numpy(some.mean(0)).repeat(STEP)
        self.deviation = torch.from_numpy(some.std(0)).repeat(STEP)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Natural logs, and the state [1, B, STATE] to go on from."""
        heard = F.relu(self.into((x - self.mean) / self.deviation))
        kept, state = self.memory(heard, state)
        return self.out(kept).log_softmax(-1), state


@dataclass(frozen=True, slots=True)
class Marked:
    """Feature frames [T, 80] of speech, and the class [T] of each."""

    x: Floats
    label: Longs
    plain: Floats
    """without pauses: what is spliced in and what is around must be equally quiet"""
    behind: Floats
    """what the recording has behind it"""


def recording(
    corpus: Corpus, number: int, dice: np.random.Generator, longest: int = LONGEST
) -> Marked:
    """A recording's last frames from some word on, silence cut off, with pauses spliced in."""
    version = int(dice.integers(len(corpus.versions)))
    start, end = corpus.times(number, version)
    opens = corpus.opens(number, 0)
    firsts = [i for i in np.flatnonzero(opens) if end[-1] - start[i] <= longest]
    first = int(firsts[0]) if firsts else len(start) - 1
    length = corpus.length(number, version)
    stop = min(int(end[-1]), length)
    plain = x = corpus.frames(number, version, int(start[first]), stop)
    behind = corpus.frames(number, version, stop, length if dice.random() < OWN else stop)
    start, end, opens = start[first:] - start[first], end[first:] - start[first], opens[first:]
    borders = np.flatnonzero(opens)[1:]
    if len(borders) and dice.random() < PAUSED:
        pause = int(dice.integers(*PAUSES)) * min(len(borders), int(dice.integers(1, 3)))
        x = augment.paused(x, (start, end), borders, pause, dice)
    label = np.full(len(x), WITHIN)
    for begin, over in zip(start, end, strict=True):
        label[begin:over] = SPEECH
    return Marked(x, label, plain, behind)


def surrounded(one: Marked, length: int, dice: np.random.Generator) -> tuple[Floats, Longs]:
    """Frames [T, 80] with surroundings before and behind, `length` in all, and their classes."""
    lead = 0 if dice.random() < AT_ONCE else int(dice.integers(*LEAD))
    tail = max(0, length - lead - len(one.x))
    if dice.random() < BARE:
        around = np.full((lead + tail, FEATURE_BINS), QUIET, np.float32)
    else:
        around = augment.quiet(one.plain, lead + tail, dice)
        around[lead : lead + len(one.behind)] = one.behind[:tail]
    x = np.concatenate([around[:lead], one.x, around[lead:]])[:length]
    marks = [np.full(lead, BEFORE), one.label, np.full(tail, AFTER)]
    return x, np.concatenate(marks)[:length]


def batch(corpus: Corpus, speech: Talkers, dice: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Rows [B, T, 160] and their classes [B, T], every 20 ms."""
    count, longest = (LONG_ROWS, LONG) if dice.random() < LONG_SHARE else (ROWS, LONGEST)
    some = [recording(corpus, speech.recording(dice), dice, longest) for _ in range(count)]
    length = max(len(one.x) for one in some) + LEAD[1] + int(dice.integers(*TAIL))
    length -= length % STEP
    rows = [surrounded(one, length, dice) for one in some]
    voices = [speech.talk(length, dice) for _ in range(VOICES)]
    sound = corpus.sound
    x = [
        augment.augmented(row, voices, sound, dice, HOW, spoken=marks == SPEECH)
        for row, marks in rows
    ]
    label = np.stack([marks[STEP - 1 :: STEP] for _, marks in rows])
    pairs = np.stack(x).reshape(count, -1, STEP * FEATURE_BINS)
    return torch.from_numpy(pairs), torch.from_numpy(label)


def loss_of(logp: Tensor, label: Tensor) -> Tensor:
    """Weighted cross-entropy."""
    return F.nll_loss(logp.flatten(0, 1), label.flatten(), WEIGHT)


def train(corpus: Corpus, steps: int, seed: int = 1) -> Ending:
    """Train for so many steps; a line of progress every half minute."""
    torch.set_num_threads(1)  # of steps this small a second thread only waits
    torch.manual_seed(seed)
    dice = np.random.default_rng(seed)
    network, speech = Ending(), Talkers(corpus, WEIGHTS)
    network.knows(corpus, dice)
    optimiser = torch.optim.AdamW(network.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1)
    shown, total, count = time.monotonic(), torch.zeros(2), 0
    for step in range(steps):
        x, label = batch(corpus, speech, dice)
        logp, _ = network(x, torch.zeros(1, len(x), STATE))
        loss = loss_of(logp, label)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        right = (logp.argmax(-1) == label).float().mean()
        total, count = total + torch.stack([loss.detach(), right]), count + 1
        if time.monotonic() - shown > SECONDS or step == steps - 1:
            mean, share = (total / count).tolist()
            print(f"{step + 1} of {steps}: loss {mean:.3f}, right {share:.1%}", flush=True)
            shown, total, count = time.monotonic(), torch.zeros(2), 0
    return network.eval()


def write(network: Ending, path: Path) -> None:
    """Write the file. Raises SystemExit where torch and ONNX do not compute the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    given = torch.randn(1, 9, STEP * FEATURE_BINS) * 3 - 6, torch.randn(1, 1, STATE)
    names = ["frames", "state"], ["logp", "next"]
    convert(network, given, *names, path, {"frames": {1: "T"}, "logp": {1: "T"}})


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True, help="folder of models.prepare")
    parser.add_argument("--out", type=Path, required=True, help="the file to write, ending.onnx")
    parser.add_argument("--steps", type=int, default=6_000)
    options = parser.parse_args()
    network = train(Corpus(options.cache), options.steps)
    write(network, options.out)
    size = sum(p.numel() for p in network.parameters())
    print(f"{options.out}: {size} parameters, {options.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
