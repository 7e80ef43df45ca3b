"""Train the transducer: frames first, then the transducer, then cooling; resumes where it was.

    python -m models.train --config models/recipe.toml --cache build/cache --out build/run
    OMP_NUM_THREADS=1 torchrun --standalone --nproc-per-node 2 -m models.train …    # as two

Two one-thread processes are fastest on two cores: two torch threads spin in barriers. On a GPU,
which is taken if there is one, one process does, in bfloat16 where that is safe. A line a minute; a
checkpoint every two minutes and at the end.
"""

import argparse
import os
import random
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from earshot.units import FEATURE_BINS
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import get_ema_multi_avg_fn

from models.augment import Augmentation
from models.blocks import Shape
from models.data import Batch, Corpus
from models.feed import Feed, fed, workers_for
from models.grow import grown
from models.kept import kept
from models.loss import transducer_loss
from models.network import Transducer
from models.progress import Log, Progress

SAVE_EVERY = 120  # seconds
LINE_EVERY = 60  # seconds
UNWALKABLE = 1e5  # a loss of this size: no walk fits the windows
MATRIX = 2  # axes
NAMES = ("frames", "ctc", "transducer")  # parts of the loss
Recipe = dict[str, Any]


class Losses(nn.Module):
    """The weighted sum of the losses, in one forward for DistributedDataParallel."""

    def __init__(self, network: Transducer, window: int) -> None:
        super().__init__()
        self.network, self.window = network, window

    def forward(self, data: Batch, stage: Recipe) -> tuple[Tensor, Tensor]:
        """Give the loss and its parts: frame cross-entropy, CTC, transducer (per token)."""
        net, device = self.network, self.network.encoder.mean.device
        zero = torch.zeros((), device=device)
        # Only there: on many processors bfloat16 is slow, and on some an illegal instruction.
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            hidden = net.encoder(data.x.to(device, non_blocking=True))
        hidden, tokens = hidden.float(), sum(data.counts)
        labels = data.frames.to(device, non_blocking=True)
        frames = F.cross_entropy(net.frame(hidden).transpose(1, 2), labels)
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
        target, counts = data.target.to(hidden.device), torch.tensor(data.counts)
        loss = F.ctc_loss(logp, target, lengths, counts, reduction="sum", zero_infinity=True)
        return loss / tokens

    def _transducer(self, hidden: Tensor, data: Batch, tokens: int, emit: float) -> Tensor:
        first, target = data.first.to(hidden.device), data.target.to(hidden.device)
        projected = self.network.project(hidden)
        logits = self.network.window_logits(projected, first, target, self.window)
        each = transducer_loss(logits, data.first, target, data.counts, emit)
        return each.where(each < UNWALKABLE, 0).sum() / tokens  # others count for nothing


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
        torch.optim.AdamW(
            rest, betas=(0.9, 0.98), weight_decay=settings["decay"], fused=rest[0].is_cuda
        )
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
        self.how = Augmentation(**recipe.get("augmentation", {}))
        torch.manual_seed(recipe["data"]["seed"])
        shape, most = Shape(**recipe["network"]), int(corpus.token.max())
        if most >= shape.tokens:
            message = f"the cache has token {most}, but [network] tokens is {shape.tokens}"
            raise ValueError(message)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        network = Transducer(shape, *corpus.statistics(random.Random(recipe["data"]["seed"])))
        self.network = network.to(self.device)
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
        state = torch.load(self.file, weights_only=True, map_location=self.device)
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.progress = Progress(**state["progress"])

    def begin_with(self, weights: Path) -> None:
        """Begin with weights that `models.export --keep` wrote, not where their run was.

        A recipe with more inner blocks or a longer context grows them (models/grow.py).
        """
        self.network.load_state_dict(grown(kept(weights).weights, self.network.shape))
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}

    def follow(self) -> None:
        """Let the average of the weights follow; faster at first."""
        keep = min(self.recipe["optimiser"]["average"], 1 - 1 / (1 + self.progress.step / 10))
        now = list(self.network.state_dict().values())
        get_ema_multi_avg_fn(keep)(list(self.average.values()), now, 0)


def batches(run: Run, rank: int, world: int) -> Iterator[Batch]:
    """Endless batches of this rank, from where the run is; a batch given out counts as done."""
    now, data = run.progress, run.recipe["data"]
    feed = Feed(run.corpus, data, run.how, rank, world, now.epoch, now.position)
    for coming in fed(feed, workers_for(run.device.type)):
        now.epoch, now.position = coming.epoch, coming.position
        yield coming.batch


def graphed(run: Run) -> None:
    """Have a GPU replay the encoder as one graph: its many small kernels wait for their launches.

    Only for steps that all have the recipe's rows and length, as here.
    """
    data, encoder = run.recipe["data"], run.network.encoder
    x = torch.zeros(data["rows"], data["length"], FEATURE_BINS, device=run.device)
    torch.set_float32_matmul_precision("high")
    with torch.autocast("cuda", torch.bfloat16, cache_enabled=False):
        torch.cuda.make_graphed_callables(encoder, (x,))


def place() -> tuple[int, int]:
    """Rank of this process, and how many train together."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def begin() -> None:
    """One thread, unless told otherwise; and meet the other processes, if torchrun started some."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        dist.init_process_group("gloo")


def train(run: Run, limit: int) -> None:
    """Loop until the last stage is over or `limit` steps are done."""
    rank, world = place()
    if run.device.type == "cuda":
        graphed(run)
    model: nn.Module = Losses(run.network, run.recipe["data"]["window"])
    if world > 1:
        model = DistributedDataParallel(model, find_unused_parameters=True)
    loop(run, model, batches(run, rank, world), Log(NAMES), limit)


def loop(run: Run, model: nn.Module, given: Iterator[Batch], log: Log, limit: int) -> None:
    """Take step after step; the first process tells, and saves.

    Dropout is a function of the step, so that a resumed run goes on exactly.
    """
    (rank, world), progress, saved = place(), run.progress, time.monotonic()
    spent = progress.cpu - time.process_time()
    while now := stage_at(progress.step, run.recipe["stage"]):
        if limit and progress.step >= limit:
            break
        (stage, rate), data = now, next(given)
        torch.manual_seed(world * progress.step + rank)
        loss, parts = model(data, stage)
        step(run, loss, rate)
        progress.step += 1
        heard = data.x.shape[0] * data.x.shape[1] * 0.01 * world
        progress.audio += heard
        progress.cpu = spent + time.process_time()
        if rank:
            continue
        log.add(parts, heard)
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
    parser.add_argument("--weights", type=Path, help="those of models.export --keep to begin with")
    parser.add_argument("--limit", type=int, default=0, help="stop after this many steps")
    options = parser.parse_args()
    begin()
    options.out.mkdir(parents=True, exist_ok=True)
    recipe = tomllib.loads(options.config.read_text(encoding="utf8"))
    run = Run(recipe, Corpus(options.cache), options.out)
    if options.weights:
        run.begin_with(options.weights)
    run.resume()
    if place()[0] == 0:
        count = sum(p.numel() for p in run.network.parameters()) / 1e6
        print(
            f"{len(run.corpus.corpus)} recordings, {count:.2f} M parameters, "
            f"from step {run.progress.step}",
            flush=True,
        )
    train(run, options.limit)


if __name__ == "__main__":
    main()
