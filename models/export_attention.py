"""The trained adapter -> names.onnx and attention.onnx of a bundle.

    python -m models.export_attention --run build/attention --weights en.pt --out build/export

names.onnx turns the phones of names into rows, once whenever the catalog changes; attention.onnx
has a chunk of encoded frames attend to them. Refuses to write if torch and ONNX disagree.
"""

import argparse
from pathlib import Path

import torch
from earshot.attention import FILES, MOST
from torch import nn

from models.attention import base_of
from models.biasing import Attending, Biasing, Sizes, mask_of
from models.export import annotate, convert
from models.network import Transducer


def load(run: Path, base: Transducer) -> Biasing:
    """The averaged weights of a run of the adapter."""
    state = torch.load(run / "run.pt", weights_only=True, map_location="cpu")
    sizes = Sizes(base.shape.joiner, base.shape.tokens, **state["recipe"]["attention"])
    network = Biasing(sizes)
    network.load_state_dict(state["average"])
    return network.eval()


def export(network: Biasing, joiner: int, tokens: int, out: Path) -> None:
    """Write both graphs. Raises SystemExit where they do not compute the same."""
    out.mkdir(parents=True, exist_ok=True)
    names, attention = (out / name for name in FILES)
    token = torch.randint(1, tokens, (MOST + 7, 9))
    token[:, 6:] *= torch.randint(0, 2, (len(token), 1))
    rows, frames = {0: "names", 1: "phones"}, {0: "T"}
    axes = dict.fromkeys(("token", "key", "value", "mask"), rows)
    axes |= dict.fromkeys(("encoded", "history", "biased", "share"), frames)
    convert(network.names, (token,), ["token"], ["key", "value"], names, axes)
    with torch.no_grad():
        key, value = network.names(token)
    history = torch.randint(0, tokens, (8, network.names.last - 1))
    given = (torch.randn(8, joiner), history, key, value, mask_of(token))
    ins = ["encoded", "history", "key", "value", "mask"]
    outs = ["biased", "share", "chosen"]
    convert(Attending(network.attention, MOST), given, ins, outs, attention, axes)
    annotate(attention, {"history": network.names.last - 1, "joiner": joiner})
    annotate(names, {"tokens": tokens})


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of models.attention")
    parser.add_argument("--weights", type=Path, required=True, help="of the network beside it")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    base = base_of(options.weights)
    network: nn.Module = load(options.run, base)
    export(load(options.run, base), base.shape.joiner, base.shape.tokens, options.out)
    size = sum(p.numel() for p in network.parameters())
    print(f"{size} parameters, {sum((options.out / f).stat().st_size for f in FILES)} bytes")


if __name__ == "__main__":
    main()
