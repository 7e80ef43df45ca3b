"""Mean of the weights of several trainings that go back to one: a model soup (Wortsman 2022).

    python -m models.soup --of build/deep.pt build/spoken/run.pt --shares 0.35 0.65 --out build/soup

It costs nothing in use, and errs less than each of them where their valleys are one. What comes out
is a folder for models.export --run; its run.pt is also taken by models.train --weights.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from models.kept import Kept, kept


def soup(files: Sequence[Path], shares: Sequence[float]) -> Kept:
    """Average the averaged weights; shares are scaled to 1. Raises SystemExit if shapes differ."""
    every = [kept(file) for file in files]
    last, total = every[-1], sum(shares)
    wanted = {name: value.shape for name, value in last.weights.items()}
    for file, one in zip(files, every, strict=True):
        if {name: value.shape for name, value in one.weights.items()} != wanted:
            message = (
                f"{file} holds another network than {files[-1]}; only like ones can be averaged"
            )
            raise SystemExit(message)
    parts = list(zip(every, (share / total for share in shares), strict=True))
    mean = {
        name: torch.stack([part * one.weights[name] for one, part in parts]).sum(0)
        for name in wanted
    }
    return Kept(last.recipe, mean)


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--of",
        type=Path,
        nargs="+",
        required=True,
        help="run.pt of models.train or a file of models.export --keep; the recipe is the last's",
    )
    parser.add_argument("--shares", type=float, nargs="+", help="weight of each; like if left out")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    options = parser.parse_args()
    shares = options.shares or [1.0] * len(options.of)
    if len(shares) != len(options.of) or min(shares) <= 0:
        parser.error(f"{len(options.of)} files need as many --shares above 0")
    options.out.mkdir(parents=True, exist_ok=True)
    mean = soup(options.of, shares)
    torch.save({"recipe": mean.recipe, "average": mean.weights}, options.out / "run.pt")


if __name__ == "__main__":
    main()
