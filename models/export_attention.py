"""The trained adapter -> names.onnx and attention.onnx of a bundle.

    python -m models.export_attention --run build/attention --weights en.pt --out build/export

names.onnx makes of the phones of names what they hold, once whenever the catalog changes;
attention.onnx has a chunk of encoded frames attend to them. Both in eight bits. Refuses to write if
torch and ONNX disagree before that.
"""

import argparse
from pathlib import Path

import torch
from earshot.attention import BEFORE, FILES, GIVEN, READY

from models.attending import LONGEST, MOST, Attending, Ready
from models.attention import sizes_of
from models.biasing import Biasing
from models.blocks import Shape
from models.export import compress, convert
from models.kept import keep, kept, network_of
from models.network import Transducer

ROWS = {0: "names"}
AXES = {"token": ROWS, "value": {1: "names"}, "last": ROWS, "first": ROWS, "weight": ROWS}
AFTER = ("after_rows", "after_none")


def load(run: Path, base: Transducer) -> Biasing:
    """The averaged weights of a run of the adapter, or of a file that --keep wrote."""
    recipe, weights = kept(run)
    network = Biasing(sizes_of(base, recipe))
    network.load_state_dict(weights)
    return network.eval()


def export(network: Biasing, shape: Shape, out: Path, *, int8: bool) -> None:
    """Write both graphs. Raises SystemExit where they do not compute the same."""
    out.mkdir(parents=True, exist_ok=True)
    names, attention = (out / name for name in FILES)
    token = torch.randint(1, shape.tokens, (MOST + 7, LONGEST))
    token[:, 6:] *= torch.randint(0, 2, (len(token), 1))
    token[-1] = 0
    ready = Ready(network.names)
    convert(ready, (token,), ["token"], list(READY), names, AXES)
    with torch.no_grad():
        value, *others = ready(token)
    heads, chunk = network.attention.heads, torch.randn(2, shape.chunk, shape.joiner)
    before = (
        chunk[0], torch.ones(2, 1, 1, 1), torch.randperm(len(token))[:MOST],
        torch.rand(heads, 1, 1, MOST, LONGEST), torch.ones(heads, 1, 1, 1, 1),
    )  # fmt: skip
    count = torch.full((1,), len(token) - 1.0)
    given = (chunk[1], token, value.half(), *others, count, *before)
    graph, ins = Attending(network.attention), [*GIVEN, *BEFORE]
    outs = ["biased", "share", "chosen", *AFTER]
    convert(graph, given, ins, outs, attention, AXES)
    if int8:
        compress(names)
        compress(attention)


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--run", type=Path, required=True, help="folder of models.attention, or what --keep wrote"
    )
    parser.add_argument("--weights", type=Path, required=True, help="of the network beside it")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fp32", action="store_true", help="do not quantise")
    parser.add_argument("--keep", type=Path, help="file for the weights in 16 bits")
    options = parser.parse_args()
    base = network_of(options.weights)
    network = load(options.run, base)
    export(network, base.shape, options.out, int8=not options.fp32)
    if options.keep:
        keep(options.run, options.keep)
    size = sum(p.numel() for p in network.parameters())
    print(f"{size} parameters, {sum((options.out / f).stat().st_size for f in FILES)} bytes")


if __name__ == "__main__":
    main()
