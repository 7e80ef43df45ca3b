"""Train the transducer: frames first, then the transducer, then cooling; resumes where it was.

    python -m models.train --config models/recipe.toml --cache build/cache --out build/run
    OMP_NUM_THREADS=1 torchrun --standalone --nproc-per-node 2 -m models.train …    # as two

Two one-thread processes are fastest on two cores: two torch threads spin in barriers. On a GPU one
process does. A line a minute; a checkpoint every ten minutes and at every end of a stage.
"""

import argparse
import os
import random
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from models.data import Batch, Corpus, batch, rows
from models.grow import deepen
from models.loss import transducer_loss
from models.network import Shape, Transducer

SAVE_EVERY = 600  # seconds
LINE_EVERY = 60  # seconds
UNWALKABLE = 1e5  # a loss of this size: no walk fits the windows
MATRIX = 2  # axes
Recipe = dict[str, Any]


@dataclass
class Progress:
    """Where the run is; saved and loaded whole."""

    step: int = 0
    epoch: int = 0
    position: int = 0  # row of the epoch
    audio: float = 0.0  # seconds heard


class Losses(nn.Module):
    """The weighted sum of the losses, in one forward for DistributedDataParallel."""

    def __init__(self, network: Transducer, window: int) -> None:
        super().__init__()
        self.network, self.window = network, window

    def forward(self, data: Batch, stage: Recipe) -> tuple[Tensor, Tensor]:
        """Give the loss and its parts: frame cross-entropy, CTC, transducer (per token)."""
        net, zero = self.network, torch.zeros(())
        hidden = net.encoder(data.x)
        tokens = sum(data.counts)
        frames = F.cross_entropy(net.frame(hidden).transpose(1, 2), data.frames)
        ctc = transducer = zero
        if stage["ctc"]:
            ctc = self._ctc(hidden, data, tokens)
        if stage["transducer"]:
            transducer = self._transducer(hidden, data, tokens, stage["emit"])
        loss = stage["frames"] * frames + stage["ctc"] * ctc + stage["transducer"] * transducer
        return loss, torch.stack([frames.detach(), ctc.detach(), transducer.detach()])

    def _ctc(self, hidden: Tensor, data: Batch, tokens: int) -> Tensor:
        logp = self.network.ctc(hidden).log_softmax(-1).transpose(0, 1)
        lengths = torch.full((hidden.shape[0],), hidden.shape[1])
        counts = torch.tensor(data.counts)
        loss = F.ctc_loss(logp, data.target, lengths, counts, reduction="sum", zero_infinity=True)
        return loss / tokens

    def _transducer(self, hidden: Tensor, data: Batch, tokens: int, emit: float) -> Tensor:
        logits = self.network.window_logits(hidden, data.first, data.target, self.window)
        each = transducer_loss(logits, data.first, data.target, data.counts, emit)
        return each[each < UNWALKABLE].sum() / tokens  # others count for nothing


def optimisers(network: Transducer, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """AdamW for all, or Muon for the matrices inside blocks and AdamW for the rest."""
    settings = recipe["optimiser"]
    named = list(network.named_parameters())
    matrices = [p for n, p in named if p.ndim == MATRIX and ".norm" not in n and "encoder." in n]
    if settings["kind"] != "muon":
        matrices = []
    chosen = {id(p) for p in matrices}
    rest = [p for _, p in named if id(p) not in chosen]
    found: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(rest, betas=(0.9, 0.98), weight_decay=settings["decay"])
    ]
    if matrices:
        muon = torch.optim.Muon(
            matrices, weight_decay=settings["decay"], adjust_lr_fn="match_rms_adamw"
        )
        found.append(muon)
    return found


def stage_at(step: int, stages: list[Recipe]) -> tuple[Recipe, float] | None:
    """Find the stage of a step and the learning rate, None after the last."""
    for stage in stages:
        if step < stage["steps"]:
            low, high = stage["rate"]
            return stage, low + (high - low) * (step + 1) / stage["steps"]
        step -= stage["steps"]
    return None


class Run:
    """Network, optimisers, average and progress: all that a checkpoint holds."""

    def __init__(self, recipe: Recipe, corpus: Corpus, out: Path) -> None:
        self.recipe, self.corpus, self.file = recipe, corpus, out / "run.pt"
        torch.manual_seed(recipe["data"]["seed"])
        shape = Shape(**recipe["network"])
        self.network = Transducer(shape, *corpus.statistics(random.Random(recipe["data"]["seed"])))
        self.average = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.optimisers = optimisers(self.network, recipe)
        self.progress = Progress()

    def save(self) -> None:
        """Write the checkpoint whole or not at all."""
        state = {
            "recipe": self.recipe,
            "network": self.network.state_dict(),
            "average": self.average,
            "optimisers": [o.state_dict() for o in self.optimisers],
            "progress": vars(self.progress),
        }
        torch.save(state, self.file.with_suffix(".new"))
        self.file.with_suffix(".new").replace(self.file)

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one."""
        if not self.file.exists():
            return
        state = torch.load(self.file, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.progress = Progress(**state["progress"])

    def begin_with(self, weights: Path) -> None:
        """Begin with weights that `models.export --keep` wrote, not where their run was.

        A recipe with more inner blocks grows them (models/grow.py).
        """
        kept = torch.load(weights, weights_only=True)["average"]
        whole = {name: value.float() for name, value in kept.items()}
        self.network.load_state_dict(deepen(whole, self.network.shape.inner))
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}

    def follow(self) -> None:
        """Let the average of the weights follow; faster at first."""
        keep = min(self.recipe["optimiser"]["average"], 1 - 1 / (1 + self.progress.step / 10))
        for name, value in self.network.state_dict().items():
            self.average[name].lerp_(value, 1 - keep)


def batches(run: Run, rank: int, world: int) -> Iterator[Batch]:
    """Endless batches of this rank, from where the run is; a batch given out counts as done."""
    data, progress = run.recipe["data"], run.progress
    while True:
        plan = rows(run.corpus, data["length"], random.Random(f"{data['seed']} {progress.epoch}"))
        random.Random(progress.epoch).shuffle(plan)
        each = data["rows"] * world
        while progress.position + each <= len(plan):
            begin = progress.position + rank * data["rows"]
            seed = [data["seed"], progress.epoch, progress.position, rank]
            pieces = plan[begin : begin + data["rows"]]
            progress.position += each
            yield batch(run.corpus, pieces, data["length"], data["window"], seed)
        progress.epoch, progress.position = progress.epoch + 1, 0


class Log:
    """A line of progress now and then."""

    def __init__(self) -> None:
        self.began = self.spoken = time.monotonic()
        self.parts: list[Tensor] = []
        self.heard = 0.0  # seconds

    def add(self, parts: Tensor, heard: float) -> None:
        """Take the parts of a step's loss and the seconds it heard."""
        self.parts.append(parts)
        self.heard += heard

    def line(self, progress: Progress, stage: str, rate: float) -> None:
        """Print the mean since the last line."""
        self.spoken = time.monotonic()
        frames, ctc, transducer = torch.stack(self.parts).mean(0).tolist()
        print(
            f"step {progress.step} epoch {progress.epoch} {stage} rate {rate:.1e} "
            f"frames {frames:.3f} ctc {ctc:.3f} transducer {transducer:.3f} "
            f"{self.heard / (self.spoken - self.began):.0f}x real time",
            flush=True,
        )
        self.parts = []


def train(run: Run, rank: int, world: int, limit: int) -> None:
    """Loop until the last stage is over or `limit` steps are done."""
    losses = Losses(run.network, run.recipe["data"]["window"])
    model: nn.Module = losses
    if world > 1:
        model = DistributedDataParallel(losses, find_unused_parameters=True)
    progress, log, saved = run.progress, Log(), time.monotonic()
    coming = batches(run, rank, world)
    while now := stage_at(progress.step, run.recipe["stage"]):
        if limit and progress.step >= limit:
            break
        (stage, rate), data = now, next(coming)
        loss, each = model(data, stage)
        step(run, loss, rate)
        progress.step += 1
        heard = data.x.shape[0] * data.x.shape[1] * 0.01 * world
        progress.audio += heard
        if rank:
            continue
        log.add(each, heard)
        if time.monotonic() - log.spoken > LINE_EVERY:
            log.line(progress, stage["name"], rate)
        if time.monotonic() - saved > SAVE_EVERY:
            saved = time.monotonic()
            run.save()
    if rank == 0:
        run.save()
        print(f"done after {progress.step} steps, {progress.audio / 3600:.1f} h heard", flush=True)


def step(run: Run, loss: Tensor, rate: float) -> None:
    """One step of the optimisers and of the average."""
    for optimiser in run.optimisers:
        optimiser.zero_grad(set_to_none=True)
        for group in optimiser.param_groups:
            group["lr"] = rate
    loss.backward()
    nn.utils.clip_grad_norm_(run.network.parameters(), run.recipe["optimiser"]["clip"])
    for optimiser in run.optimisers:
        optimiser.step()
    run.follow()


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="folder of models.prepare")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--weights", type=Path, help="weights to begin with, of models.export --keep")
    parser.add_argument("--limit", type=int, default=0, help="stop after this many steps")
    options = parser.parse_args()
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    if world > 1:
        dist.init_process_group("gloo")
    options.out.mkdir(parents=True, exist_ok=True)
    recipe = tomllib.loads(options.config.read_text(encoding="utf8"))
    run = Run(recipe, Corpus(options.cache), options.out)
    if options.weights:
        run.begin_with(options.weights)
    run.resume()
    random.seed(rank)
    torch.manual_seed(1000 * run.progress.step + rank)  # dropout goes on anew, all else exactly
    if rank == 0:
        count = sum(p.numel() for p in run.network.parameters()) / 1e6
        print(
            f"{len(run.corpus.corpus)} recordings, {count:.2f} M parameters, "
            f"from step {run.progress.step}",
            flush=True,
        )
    train(run, rank, world, options.limit)


if __name__ == "__main__":
    main()
