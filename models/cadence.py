"""Train the head that hears whether an utterance is complete, and write cadence.onnx of a bundle.

    python -m models.cadence --cache build/cache --weights models/checkpoints/en.pt
        --out build/ending/cadence.onnx [--examples 84000] [--steps 3000]

When silence begins the encoder has heard how the last words were said. The head reads its last
frames and tells the fall at the end of an utterance from a word that others follow. Half of the
rows are recordings to their last word, half are cut between two words, where the speaker paused if
there is such a place; then comes a tenth of a second of the same surroundings, and the silence with
which the daemon looks ahead (earshot.utterance). Noise, music and other voices lie over the row.
The encoder stays as it is, so what it makes of the rows is kept beside the file that comes out
(cadence.pt). Refuses to write if torch and ONNX disagree.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from earshot.encoder import QUIET
from earshot.ending import FRAMES_AFTER
from earshot.units import FEATURE_BINS, SUBSAMPLING
from earshot.utterance import AHEAD_MS, TAIL
from torch import Tensor, nn
from torch.nn import functional as F

from models import augment, ending
from models.augment import Floats
from models.data import SHARE, Corpus
from models.export import convert
from models.kept import network_of
from models.network import Transducer, feature_frames
from models.talkers import Talkers

FRAMES = 40  # of the encoder, of 40 ms, that the head reads
WIDTH, STATE = 48, 64
ROWS, BATCH = 24, 256  # of the encoder, of the head
RATE = 3e-3
LONGEST = 280  # feature frames of speech, the last ones
LEAD = (8, 80)  # feature frames of surroundings before
PAUSE = 20  # feature frames of silence that make a place one where the speaker paused
PAUSED = 0.4  # share of cut rows that are cut there, if they can
WHOLE = 0.45  # share of rows to the last word; single words are whole anyway
AFTER = (AHEAD_MS // 10 - 2, AHEAD_MS // 10 + 4)  # feature frames of surroundings behind
WEIGHTS = SHARE | ending.WEIGHTS  # single words tell little: they are always whole
# Rows are short, so decibels may count from all of one.
HOW = replace(ending.HOW, noise=0.3, babble=0.15, voice=0.3, loudest=0.0, loudest_voice=3.0)
JITTER = 2  # encoder frames by which the end of speech may be taken wrongly


class Cadence(nn.Module):
    """Frames [B, T, J + 320] around the end of speech to log odds [B] of being complete.

    A frame is one of the encoder, and the four log-mel frames it was made of: the encoder has
    learnt to leave loudness and pitch aside.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, joiner: int) -> None:
        super().__init__()
        size = joiner + SUBSAMPLING * FEATURE_BINS
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))
        self.into = nn.Linear(size, WIDTH)
        self.memory = nn.GRU(WIDTH, STATE, batch_first=True)
        self.out = nn.Linear(STATE, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Read the frames in their order."""
        heard, _ = self.memory(F.relu(self.into((x - self.mean) / self.deviation)))
        return self.out(heard[:, -1])[:, 0]  # type: ignore[no-any-return]


def spoken(corpus: Corpus, number: int, dice: np.random.Generator) -> tuple[Floats, bool]:
    """Frames of a recording up to the end of a word, and whether it is the last."""
    version = int(dice.integers(len(corpus.versions)))
    start, end = corpus.times(number, version)
    borders = np.flatnonzero(corpus.opens(number, 0))[1:]
    whole = not len(borders) or dice.random() < WHOLE
    last = len(end) - 1
    if not whole:
        pauses = borders[start[borders] - end[borders - 1] >= PAUSE]
        some = pauses if len(pauses) and dice.random() < PAUSED else borders
        last = int(dice.choice(some)) - 1
    stop = min(int(end[last]), corpus.length(number, version))
    return corpus.frames(number, version, max(int(start[0]), stop - LONGEST), stop), whole


def row(x: Floats, dice: np.random.Generator) -> tuple[Floats, int]:
    """Speech in its surroundings, and the encoder frame at which it ends."""
    lead, after = int(dice.integers(*LEAD)), int(dice.integers(*AFTER))
    around = augment.quiet(x, lead + after, dice)
    end = (lead + len(x)) // SUBSAMPLING + int(dice.integers(-JITTER, JITTER + 1))
    return np.concatenate([around[:lead], x, around[lead:]]), end


def batch(
    corpus: Corpus, speech: Talkers, chunk: int, dice: np.random.Generator
) -> tuple[Tensor, list[int], Tensor]:
    """Rows [B, T, 80] with silence behind, where speech ends, and whether it is complete [B]."""
    numbers = [speech.recording(dice) for _ in range(ROWS)]
    some, whole = zip(*(spoken(corpus, one, dice) for one in numbers), strict=True)
    rows, ends = zip(*(row(x, dice) for x in some), strict=True)
    length = -(-(max(map(len, rows)) + TAIL) // chunk) * chunk
    x = np.full((ROWS, length, FEATURE_BINS), QUIET, np.float32)
    talk = [speech.talk(length, dice) for _ in range(ending.VOICES)]
    for i, one in enumerate(rows):
        voices = [voice[: len(one)] for voice in talk]
        x[i, : len(one)] = augment.augmented(one, voices, corpus.sound, dice, HOW)
    return torch.from_numpy(x), list(ends), torch.tensor(whole, dtype=torch.float32)


def around(encoded: Tensor, x: Tensor, ends: list[int]) -> Tensor:
    """Frames [B, FRAMES, J + 320] around each end; zeros before the first."""
    both = torch.cat([encoded, x.unflatten(1, (-1, SUBSAMPLING)).flatten(2)], 2)
    padded = F.pad(both, (0, 0, FRAMES, FRAMES_AFTER))
    first = [end + FRAMES_AFTER for end in ends]  # of the padded ones
    return torch.stack([one[at : at + FRAMES] for one, at in zip(padded, first, strict=True)])


def examples(corpus: Corpus, base: Transducer, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """What the head reads [N, T, J + 320], in 16 bits, and whether it is complete [N]."""
    dice, chunk, speech = (
        np.random.default_rng(seed),
        feature_frames(base.shape),
        Talkers(corpus, WEIGHTS),
    )
    shown, found, complete = time.monotonic(), list[Tensor](), list[Tensor]()
    while len(found) * ROWS < count:
        x, ends, whole = batch(corpus, speech, chunk, dice)
        with torch.no_grad():
            encoded = base.project(base.encoder(x))
        found.append(around(encoded, x, ends).half())
        complete.append(whole)
        if time.monotonic() - shown > ending.SECONDS:
            print(f"{len(found) * ROWS} of {count} examples", flush=True)
            shown = time.monotonic()
    return torch.cat(found), torch.cat(complete)


def train(x: Tensor, whole: Tensor, joiner: int, steps: int, seed: int = 1) -> Cadence:
    """Train for so many steps; one example in twenty is only looked at."""
    torch.set_num_threads(1)  # of steps this small a second thread only waits
    torch.manual_seed(seed)
    network, held = Cadence(joiner), max(1, len(x) // 20)
    some = x[held:][::10].float().flatten(0, 1)
    network.mean, network.deviation = some.mean(0), some.std(0).clamp(min=1e-3)
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1)
    for step in range(steps):
        chosen = torch.randint(held, len(x), (BATCH,))
        loss = F.binary_cross_entropy_with_logits(network(x[chosen].float()), whole[chosen])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % (steps // 10 or 1) == 0 or step == steps - 1:
            print(f"{step + 1} of {steps}: {told(network, x[:held], whole[:held])}", flush=True)
    return network.eval()


def told(network: Cadence, x: Tensor, whole: Tensor) -> str:
    """How well examples are told apart."""
    with torch.no_grad():
        odds = network(x.float())
    loss = F.binary_cross_entropy_with_logits(odds, whole).item()
    right = ((odds > 0) == (whole > 0)).float().mean().item()
    return f"loss {loss:.3f}, right {right:.1%} of {len(x)} held out"


def write(network: Cadence, joiner: int, path: Path) -> None:
    """Write the file. Raises SystemExit where torch and ONNX do not compute the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    given = (torch.randn(1, FRAMES, joiner + SUBSAMPLING * FEATURE_BINS),)
    convert(network, given, ["frames"], ["odds"], path, {"frames": {0: "N"}, "odds": {0: "N"}})


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True, help="folder of models.prepare")
    parser.add_argument("--weights", type=Path, required=True, help="of the network it reads")
    parser.add_argument("--out", type=Path, required=True, help="the file to write, cadence.onnx")
    parser.add_argument("--examples", type=int, default=84_000)
    parser.add_argument("--steps", type=int, default=3_000)
    options = parser.parse_args()
    base, kept = network_of(options.weights), options.out.with_suffix(".pt")
    if not kept.exists():
        options.out.parent.mkdir(parents=True, exist_ok=True)
        torch.save(examples(Corpus(options.cache), base, options.examples, seed=1), kept)
    x, whole = torch.load(kept, weights_only=True)
    network = train(x, whole, base.shape.joiner, options.steps)
    write(network, base.shape.joiner, options.out)
    size = sum(p.numel() for p in network.parameters())
    print(f"{options.out}: {size} parameters, {options.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
