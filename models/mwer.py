"""The discriminative end of a training: fewer word errors, not likelier phones.

    python -m models.mwer --config models/recipe_mwer.toml --cache build/cache --bundle en
        --weights models/checkpoints/en.pt --out build/mwer [--control]
    OMP_NUM_THREADS=1 torchrun --standalone --nproc-per-node 2 -m models.mwer …

Minimum word error rate training (Prabhavalkar et al., 2018; of transducers Guo et al., 2020): the
network in training hears an utterance, the search that ships makes a list of texts, and the loss is
the errors that are expected of the list: those of each text by its probability within the list. The
ordinary losses stay, with less weight. The list is made anew in each step, of the very scores the
loss is made of: our search takes less time than that, so no list is kept and none grows old.

The wanted text is in a list only where the search found it. To be unlikely beside what was found
would make it count for next to nothing; what is to be learnt of it, the ordinary losses teach.

With --control the same steps on the same utterances go without lists. What a step does is a
function of (seed, step) and the weights, dropout as well, so a resumed run goes on exactly.
"""

import argparse
import random
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from earshot.bundle import find, open_bundle
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from models import train
from models.augment import Augmentation
from models.data import Batch, Corpus, batch
from models.kept import kept
from models.loss import transducer_loss, windows
from models.nbest import BLANK, Hypothesis, Lister, word_errors
from models.network import Transducer, feature_frames
from models.progress import Log
from models.train import Recipe, Run, begin, loop, place
from models.utterances import Sizes, batches

NAMES = ("frames", "ctc", "transducer", "expected", "least", "hypotheses")


class Losses(train.Losses):
    """The ordinary losses and the expected word errors, in one forward."""

    def __init__(self, network: Transducer, recipe: Recipe, lister: Lister | None) -> None:
        """Without a lister the ordinary losses only."""
        super().__init__(network, recipe["data"]["window"])
        self.scale, self.lister = recipe["list"]["scale"], lister

    def forward(self, data: Batch, stage: Recipe) -> tuple[Tensor, Tensor]:
        """Give the loss, per token, and its parts; expected and least errors are per word."""
        net, tokens, device = self.network, sum(data.counts), self.network.encoder.mean.device
        hidden = net.encoder(data.x.to(device))
        frames = F.cross_entropy(net.frame(hidden).transpose(1, 2), data.frames.to(device))
        ctc = self._ctc(hidden, data, tokens)
        transducer = self._transducer(hidden, data, tokens, stage["emit"])
        loss = stage["frames"] * frames + stage["ctc"] * ctc + stage["transducer"] * transducer
        ordinary = torch.stack([frames, ctc, transducer]).detach().cpu()
        if self.lister is None:
            return loss, torch.cat([ordinary, torch.zeros(3)])
        expected, figures = self._expected(hidden, data, self.lister)
        return loss + stage["errors"] * expected / tokens, torch.cat([ordinary, figures])

    def _expected(self, hidden: Tensor, data: Batch, lister: Lister) -> tuple[Tensor, Tensor]:
        """Expected word errors of all rows [B, T, D], and figures for people."""
        projected, internal = self.network.project(hidden), self._internal().cpu()
        rows = zip(projected.detach(), data.target.numpy(), data.counts, strict=True)
        lists, errors, words = [], [], 0
        for encoded, target, count in rows:
            lists.append(lister(self._table(encoded).cpu().numpy(), internal.detach().numpy()))
            wanted = lister.wanted(target[:count])
            words += len(wanted)
            errors.append([float(word_errors(wanted, one.words)) for one in lists[-1]])
        every = [one for found in lists for one in found]
        of = torch.arange(len(lists)).repeat_interleave(torch.tensor([len(e) for e in errors]))
        language = torch.tensor([one.language for one in every])
        score = self._likelihood(hidden[of.to(hidden.device)], every) + language
        score = score - lister.search.ilm_scale * internal_of(every, internal)
        each = expected_errors(self.scale * score, errors).to(hidden.device)
        least = sum(min(e) for e in errors) / max(1, words)
        mean = float(each.detach().sum()) / max(1, words)
        return each.sum(), torch.tensor([mean, least, len(every) / len(lists)])

    def _rows(self) -> Tensor:
        """Predictor rows [V, J] of all tokens."""
        net = self.network
        return net.predictor(torch.arange(net.shape.tokens, device=net.encoder.mean.device))

    def _internal(self) -> Tensor:
        """Log-probabilities of tokens after each [V, V] with nothing heard, blank 0."""
        rows = self._rows()
        silent = self.network.joiner(torch.zeros_like(rows), rows)
        return F.pad(silent[:, BLANK + 1 :].log_softmax(-1), (1, 0))

    @torch.no_grad()
    def _table(self, projected: Tensor) -> Tensor:
        """Log-probabilities [T, V, V] after every token, of projected frames [T, J]."""
        return self.network.joiner(projected[:, None], self._rows()).log_softmax(-1)

    def _likelihood(self, hidden: Tensor, every: list[Hypothesis]) -> Tensor:
        """Log-likelihood [H] of hypotheses in encoded rows [H, T, D], over all their walks."""
        frames, counts = hidden.shape[1], [len(one.token) for one in every]
        first = np.stack([windows(one.frame, frames, self.window) for one in every])
        around, target = torch.from_numpy(first), targets(every)
        places = around.to(hidden.device), target.to(hidden.device)
        projected = self.network.project(hidden)
        logits = self.network.window_logits(projected, *places, self.window)
        return -transducer_loss(logits, around, places[1], counts, 0.0)


def targets(every: list[Hypothesis]) -> Tensor:
    """Tokens [H, U] of hypotheses, padded with blank; at least one column, if all are empty."""
    found = np.full((len(every), max(1, *(len(one.token) for one in every))), BLANK)
    for row, one in zip(found, every, strict=True):
        row[: len(one.token)] = one.token
    return torch.from_numpy(found)


def internal_of(every: list[Hypothesis], internal: Tensor) -> Tensor:
    """What the predictor alone expects of each hypothesis [H], of its table [V, V]."""
    token = targets(every)
    return internal[F.pad(token, (1, -1), value=BLANK), token].mul(token != BLANK).sum(1)


def expected_errors(score: Tensor, errors: list[list[float]]) -> Tensor:
    """Errors [B] expected of lists, of the scores [H] of their members, list after list.

    The gradient at a score is its probability times what its errors are above the expected ones.
    """
    parts = score.split([len(e) for e in errors])
    each = [p.softmax(0) @ torch.tensor(e) for p, e in zip(parts, errors, strict=True)]
    return torch.stack(each)


def coming(run: Run, rank: int, world: int) -> Iterator[Batch]:
    """Endless batches of this rank, from where the run is; a batch given out counts as done."""
    data, progress, chunk = run.recipe["data"], run.progress, feature_frames(run.network.shape)
    how = Augmentation(**run.recipe.get("augmentation", {}))
    sizes = Sizes(data["longest"], data["frames"], chunk, data["others"])
    while True:
        dice = random.Random(f"{data['seed']} {progress.epoch}")
        whole = batches(run.corpus, sizes, dice, how)
        steps = [whole[i : i + world] for i in range(0, len(whole) - world + 1, world)]
        dice.shuffle(steps)
        while progress.position < len(steps):
            rows, length = steps[progress.position][rank]
            seed = [data["seed"], progress.epoch, progress.position, rank]
            progress.position += 1
            yield batch(run.corpus, rows, length, data["window"], seed, how)
        progress.epoch, progress.position = progress.epoch + 1, 0


def refine(run: Run, lister: Lister | None, limit: int) -> None:
    """Loop until the last stage is over or `limit` steps are done."""
    rank, world = place()
    model: nn.Module = Losses(run.network, run.recipe, lister)
    if world > 1:
        model = DistributedDataParallel(model)
    loop(run, model, coming(run, rank, world), Log(NAMES), limit)


def begun(config: Path, cache: Path, weights: Path, out: Path) -> Run:
    """Open a run, at its beginning or where it was; of what shape, the weights tell.

    Raises SystemExit where the network sees more than one token back.
    """
    recipe = tomllib.loads(config.read_text(encoding="utf8"))
    recipe["network"] = kept(weights).recipe["network"]
    out.mkdir(parents=True, exist_ok=True)
    run = Run(recipe, Corpus(cache), out)
    if run.network.shape.context != 1:
        message = f"{weights}: lists need a network that sees one token back, this one sees more"
        raise SystemExit(message)
    run.begin_with(weights)
    run.resume()
    return run


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="folder of models.prepare")
    parser.add_argument("--bundle", default="en", help="name or folder: what the search goes by")
    parser.add_argument("--weights", type=Path, required=True, help="to begin with")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--control", action="store_true", help="the same steps without lists")
    parser.add_argument("--limit", type=int, default=0, help="stop after this many steps")
    options = parser.parse_args()
    begin()
    run = begun(options.config, options.cache, options.weights, options.out)
    lister = None
    if not options.control:
        settings, bundle = run.recipe["list"], open_bundle(find(options.bundle))
        lister = Lister(bundle, settings["count"], settings["beam"])
    refine(run, lister, options.limit)


if __name__ == "__main__":
    main()
