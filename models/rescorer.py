"""A trained network -> models/rescorers/en, what a re-ranker loads; or new weights for one.

    python -m models.rescorer --run build/neural_lm --out models/rescorers/en [--weights tuned.toml]

Everything is in eight bits: the products of matrices as models.export makes them, the embeddings as
whole numbers with a scale for each word.
"""

import argparse
import shutil
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime as ort
import torch
from earshot.bundle import checksum
from earshot.neural import MANIFEST, NETWORK, WORDS
from torch import Tensor, nn
from torch.nn import functional

from models.bundle import lines
from models.export import annotate, compress, convert
from models.neural_lm import MARKS
from models.neural_network import NeuralLm, Shape

VERSION = "0.2.2"
LEVELS = 127
FACTS = Path(__file__).parent / "facts.toml"
MOST_APART = 0.2  # natural log; expected change of the probability of a word by eight bits


class Exported(nn.Module):
    """The network as the file has it.

    A softmax of tens of thousands of words is what costs, so rare words are looked up once for all
    kinds, by the mean of what each kind looks at: how likely a rare word is depends on the kind,
    which of them it is does not.
    """

    def __init__(self, network: NeuralLm) -> None:
        super().__init__()
        self.network = network
        weight = network.embed.weight.detach()
        scale = weight.abs().amax(1, keepdim=True).clamp(min=1e-8) / LEVELS
        self.register_buffer("codes", (weight / scale).round().to(torch.int8))
        self.register_buffer("scale", scale)

    def forward(self, context: Tensor, *rows: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Contexts [N, C] and rows [R] for each cluster, to logs [K, N or R, words]."""
        codes, scale = self.get_buffer("codes"), self.get_buffer("scale")
        embedded = codes[context].float() * scale[context]
        network = self.network
        same = network.before(embedded.flatten(1))
        x = network.of_kind(same, network.scale[:, None], network.shift[:, None])
        head = functional.log_softmax(network.head(x), 2)
        middle = x.mean(0, keepdim=True)
        tails = (
            functional.log_softmax(tail(middle[:, some]), 2)
            for tail, some in zip(self.network.tails, rows, strict=True)
        )
        return (head, *tails) if rows else head


def load(run: Path) -> NeuralLm:
    """Read a checkpoint of models.neural_lm."""
    state = torch.load(run / "run.pt", weights_only=True, map_location="cpu")
    shape = {key: tuple(v) if isinstance(v, list) else v for key, v in state["shape"].items()}
    network = NeuralLm(Shape(**cast("Any", shape)))
    network.load_state_dict(state["network"])
    return network.eval()


def even(network: NeuralLm, context: Tensor) -> None:
    """Make what stands out before the last products smaller, and their weights larger instead.

    What the network says stays the same; but all that goes into a product shares one scale of eight
    bits, which one unit of hundreds can have for itself (SmoothQuant, Xiao et al., 2023).
    """
    with torch.no_grad():
        same = network.before(network.embed(context).flatten(1))
        tails = cast("Iterable[nn.Sequential]", network.tails)
        behind = [network.head, *(cast("nn.Linear", tail[0]) for tail in tails)]
        inner = same * network.scale[:, None] + network.shift[:, None]
        by = _between(inner, [network.last])
        network.scale.div_(by)
        network.shift.div_(by)
        network.last.weight.mul_(by)
        by = _between(network.of_kind(same, network.scale[:, None], network.shift[:, None]), behind)
        network.last.weight.div_(by[:, None])
        network.last.bias.div_(by)
        for one in behind:
            one.weight.mul_(by)


def _between(given: Tensor, products: Sequence[nn.Linear]) -> Tensor:
    """By what units [D] that are given [..., D] are divided, and their weights multiplied."""
    most = given.abs().flatten(0, -2).amax(0)
    weights = torch.stack([one.weight.abs().amax(0) for one in products]).amax(0)
    return (most.clamp(min=most.mean()) / weights.clamp(min=weights.mean())).sqrt()


def write(network: NeuralLm, path: Path) -> None:
    """Write the network in int8. Exits if torch and ONNX differ, or eight bits cost too much."""
    shape, cut = network.shape, network.shape.cut()
    dice = torch.Generator().manual_seed(0)
    even(network, torch.randint(0, shape.words, (512, shape.context), generator=dice))
    context = torch.randint(0, shape.words, (32, shape.context), generator=dice)
    rows = [torch.arange(5 + i) for i in range(len(cut))]
    ins = ["context", *(f"rows{i}" for i in range(len(cut)))]
    outs = ["head", *(f"tail{i}" for i in range(len(cut)))]
    axes = {
        name: {int(name in outs): "N" if name in {"context", "head"} else f"R{name[4:]}"}
        for name in ins + outs
    }
    convert(Exported(network), (context, *rows), ins, outs, path, axes)
    given = dict(zip(ins, (x.numpy() for x in (context, *rows)), strict=True))
    exact = ort.InferenceSession(str(path)).run(None, given)
    compress(path)
    short = ort.InferenceSession(str(path)).run(None, given)
    apart = float((np.exp(exact[0]) * np.abs(exact[0] - short[0])).sum(2).mean())
    if not apart <= MOST_APART:
        message = f"{path}: eight bits change the mean log-probability by {apart:.2g}"
        path.unlink()
        raise SystemExit(message)
    print(f"eight bits change the natural log of a word's probability by {apart:.3f}")
    borders = [network.short, *(end for _, end, _ in cut)]
    facts: dict[str, str | int | float] = {
        "context": shape.context,
        "marks": len(MARKS),
        "kinds": shape.kinds,
        "borders": ",".join(map(str, borders)),
    }
    annotate(path, facts)


def manifest(folder: Path, weights: dict[str, Any]) -> str:
    """Tell what a folder holds, as the text of rescorer.toml."""
    data = [row for row in tomllib.loads(FACTS.read_text("utf8"))["data"] if row["what"] == "text"]
    files = {
        name: {"bytes": (folder / name).stat().st_size, "sha256": checksum(folder / name)}
        for name in (NETWORK, WORDS)
    }
    facts = {
        "name": folder.name,
        "version": VERSION,
        "language": "en",
        "licence": "Apache-2.0",
        "data": data,
        "weights": weights,
        "files": files,
    }
    return "\n".join(lines(facts)) + "\n"


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, help="folder of models.neural_lm")
    parser.add_argument("--weights", type=Path, help="table of weights by models.rescore")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    weights: dict[str, Any] = {}
    if (options.out / MANIFEST).exists():
        weights = tomllib.loads((options.out / MANIFEST).read_text("utf8"))["weights"]
    if options.run:
        write(load(options.run), options.out / NETWORK)
        shutil.copyfile(options.run / "words.txt", options.out / WORDS)
    if options.weights:
        weights = tomllib.loads(options.weights.read_text("utf8"))["weights"]
    (options.out / MANIFEST).write_text(manifest(options.out, weights), "utf8")
    size = sum(path.stat().st_size for path in options.out.iterdir())
    print(f"{options.out}: {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
