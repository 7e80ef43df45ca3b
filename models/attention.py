"""Train the adapter that attends to names, beside a network that stays as it is.

    python -m models.attention --config models/recipe_attention.toml --cache build/cache
        --weights models/checkpoints/en.pt --out build/attention
        [--begin models/checkpoints/attention.pt]

Names are taken from what is said: in some rows of a batch, a few words in a row are put into the
catalog of the step, among names that are said elsewhere. All rows have the same
catalog, so that most of what it holds is never said in a row. The loss is the transducer's, and in
frames of a name the log of the attention that its row gets (elsewhere: that none of the rows gets).
"""

import argparse
import random
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from earshot.sounds import Tokens
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from models.augment import Augmentation
from models.biasing import Biasing, Sizes
from models.data import Batch, Corpus
from models.kept import kept, network_of
from models.loss import transducer_loss
from models.network import Transducer
from models.phones import PHONES
from models.progress import Log, Progress
from models.train import Recipe, Run, batches, begin, loop, optimisers, place

NAMES = ("transducer", "rows", "right")
EARLY = 2  # frames before the first token of a name is due, in which it is to come
SOME = 4  # runs of words of a recording
LEAST = 1e-6  # probability


class Said(NamedTuple):
    """A name of the catalog in a row."""

    row: int
    entry: int
    begin: int  # encoder frame
    phones: tuple[int, ...]  # that are to come next, by place: one a frame from there on


def when(due: Sequence[int], first: int, end: int) -> tuple[int, tuple[int, ...]]:
    """From which frame on the tokens [first, end) of a row are to come, and which in each frame."""
    begin = max(due[first] - EARLY, due[first - 1] if first else 0, 0)
    frames = range(begin, due[end - 1])
    return begin, tuple(sum(one <= frame for one in due[first:end]) for frame in frames)


@dataclass(frozen=True, slots=True)
class Catalogs:
    """Draws the catalog of each step."""

    corpus: Corpus
    entries: tuple[int, int]
    """names that are said elsewhere"""
    said: float
    """share of rows that say some of the others"""
    words: int
    """of a name, at most"""
    tokens: tuple[int, int]
    """of a name, least and most"""
    wrong: float
    """share of the phones of said names that are others"""

    def draw(self, data: Batch, dice: random.Random) -> tuple[list[Tokens], list[Said]]:
        """Names, and where they are said."""
        names: list[Tokens] = []
        said: list[Said] = []
        for row, total in enumerate(data.counts):
            tokens, due = data.target[row, :total].tolist(), data.due[row].tolist()
            every = self._spans(tokens, dice) if dice.random() < self.said else []
            for first, end in every[: dice.randint(1, 2)]:
                said.append(Said(row, len(names), *when(due, first, end)))
                names.append(self._misheard(tokens[first:end], dice))
        count = len(said) + dice.randint(*self.entries)
        while len(names) < count:
            recording = dice.randrange(len(self.corpus.corpus))
            tokens = self.corpus.token[slice(*self.corpus.at[recording : recording + 2])].tolist()
            names += [tuple(tokens[first:end]) for first, end in self._spans(tokens, dice)]
        return names, said

    def _spans(self, tokens: Sequence[int], dice: random.Random) -> list[tuple[int, int]]:
        return spans(tokens, dice, self.words, self.tokens)

    def _misheard(self, tokens: Sequence[int], dice: random.Random) -> Tokens:
        """Now and then another phone."""
        size = len(PHONES)
        return tuple(
            1 + dice.randrange(size) + size * (token > size)
            if dice.random() < self.wrong
            else token
            for token in tokens
        )


def spans(
    tokens: Sequence[int], dice: random.Random, words: int, size: tuple[int, int]
) -> list[tuple[int, int]]:
    """Some runs of at most so many words that may be a name, as ranges of tokens."""
    known, found = _words(tokens), []
    for i in dice.sample(range(len(known)), min(SOME, len(known))):
        last = min(len(known), i + dice.randint(1, words)) - 1
        first, end = known[i][0], known[last][1]
        if size[0] <= end - first <= size[1]:
            found.append((first, end))
    return found


def _words(tokens: Sequence[int]) -> list[tuple[int, int]]:
    """Words as ranges of tokens: each ends with a marked phone."""
    found, first = [], 0
    for i, token in enumerate(tokens):
        if token > len(PHONES):
            found.append((first, i + 1))
            first = i + 1
    return found


class Losses(nn.Module):
    """Of the adapter, in one forward; the network is not trained."""

    def __init__(self, network: Biasing, base: Transducer, catalogs: Catalogs, window: int) -> None:
        super().__init__()
        self.network, self.catalogs, self.window = network, catalogs, window
        self.base = [base]  # in a list: its weights are none of ours

    def forward(self, data: Batch, stage: Recipe) -> tuple[Tensor, Tensor]:
        """Give the loss and its parts: transducer per token, row loss, share of right rows."""
        base = self.base[0]
        # Of the step's seed, as dropout is: a resumed run goes on exactly.
        names, said = self.catalogs.draw(data, random.Random(torch.initial_seed()))
        with torch.no_grad():
            encoded = base.project(base.encoder(data.x))
        token = padded(names)
        biased, share = self.network.attention(encoded, token, self.network.names(token))
        logits = base.window_logits(biased, data.first, data.target, self.window)
        each = transducer_loss(logits, data.first, data.target, data.counts, stage["emit"])
        transducer = each.sum() / sum(data.counts)
        rows, right = row_loss(share, token.shape, said)
        loss = transducer + stage["rows"] * rows
        return loss, torch.stack([transducer.detach(), rows.detach(), right])


def padded(names: Sequence[Tokens]) -> Tensor:
    """Tokens [E, L] of names, 0 behind the last; one empty row where there are none."""
    longest = max((len(name) for name in names), default=1)
    return torch.tensor([[*name, *[0] * (longest - len(name))] for name in names or [()]])


def row_loss(share: Tensor, shape: Sequence[int], said: Sequence[Said]) -> tuple[Tensor, Tensor]:
    """Attention [B, T, E L + 1] to the right rows: its loss, and how often their name has most.

    Right is the phone of the name that is to come next; where none is, the row of none. Frames
    with names and those without count as much.
    """
    none, longest = share.shape[-1] - 1, shape[1]
    wanted = torch.full(share.shape[:2], none)
    for one in said:
        rows = one.entry * longest + torch.tensor(one.phones)
        place = wanted[one.row, one.begin : one.begin + len(rows)]
        place[:] = rows[: len(place)]
    loss = -share.gather(-1, wanted[..., None])[..., 0].clamp(min=LEAST).log()
    named = wanted < none
    of_entry = share[..., :-1].unflatten(-1, tuple(shape)).sum(-1)
    most = torch.cat([of_entry, share[..., -1:]], -1).argmax(-1)
    if not named.any():
        return loss.mean(), torch.ones(())
    right = (most == wanted // longest)[named].float().mean()
    return (loss[named].mean() + loss[~named].mean()) / 2, right


class AdapterRun(Run):
    """A run of the adapter: checkpoint, optimiser and average are its own."""

    def __init__(self, recipe: Recipe, corpus: Corpus, out: Path, base: Transducer) -> None:
        self.recipe, self.corpus, self.file = recipe, corpus, out / "run.pt"
        self.base = base
        self.how = Augmentation(**recipe.get("augmentation", {}))
        torch.manual_seed(recipe["data"]["seed"])
        self.device = torch.device("cpu")
        adapter = Biasing(sizes_of(base, recipe))
        adapter.attention.knows(base)
        self.network = adapter  # type: ignore[assignment]
        self.average = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.optimisers = optimisers(self.network, recipe)
        self.progress = Progress()

    def begin_with(self, weights: Path) -> None:
        """Begin with an adapter that was kept, also of another state of the network."""
        self.network.load_state_dict(kept(weights).weights)
        self.network.attention.knows(self.base)  # type: ignore[operator, union-attr]
        self.average = {k: v.clone() for k, v in self.network.state_dict().items()}


def sizes_of(base: Transducer, recipe: Recipe) -> Sizes:
    """Of the adapter of a recipe beside a network."""
    shape = base.shape
    return Sizes(shape.joiner, shape.tokens, shape.chunk, **recipe["attention"])


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="folder of models.prepare")
    parser.add_argument("--weights", type=Path, required=True, help="of the network")
    parser.add_argument("--begin", type=Path, help="an adapter that was kept, to go on from")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--limit", type=int, default=0, help="stop after this many steps")
    options = parser.parse_args()
    begin()
    options.out.mkdir(parents=True, exist_ok=True)
    recipe = tomllib.loads(options.config.read_text(encoding="utf8"))
    base = network_of(options.weights).requires_grad_(requires_grad=False)
    run = AdapterRun(recipe, Corpus(options.cache), options.out, base)
    if options.begin:
        run.begin_with(options.begin)
    run.resume()
    rank, world = place()
    catalogs = Catalogs(run.corpus, **recipe["catalog"])
    model: nn.Module = Losses(run.network, base, catalogs, recipe["data"]["window"])  # type: ignore[arg-type]
    if world > 1:
        model = DistributedDataParallel(model)
    loop(run, model, batches(run, rank, world), Log(NAMES), options.limit)


if __name__ == "__main__":
    main()
