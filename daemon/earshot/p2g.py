"""How a word is spelt that was only heard: from phones to letters, by a small network.

The network and its search are those of earshot/rewriter.py. The file's metadata also has `phones`,
parted by spaces: number 0 is outside of the word, these follow from 1 on.
"""

from collections.abc import Sequence
from pathlib import Path

from earshot.rewriter import Rewriter

BEAM = 8  # paths kept a phone


class P2g:
    """A phoneme-to-grapheme network."""

    def __init__(self, path: Path, beam: int = BEAM) -> None:
        """Open a p2g.onnx. Raises BundleError if it is damaged or of another kind."""
        self._rewriter = Rewriter(path, beam, "phones")
        phones = self._rewriter.facts["phones"].split()
        self._number = {phone: i for i, phone in enumerate(phones, 1)}

    def spell(self, phones: Sequence[str], count: int = 1) -> list[tuple[str, float]]:
        """The `count` likeliest spellings, best first, and their natural log-probabilities.

        Phones that the network does not know are as if they were not there.
        """
        numbers = [self._number[phone] for phone in phones if phone in self._number]
        found = self._rewriter.rewrite(numbers, count)
        return [("".join(letters), logp) for letters, logp in found.items()]
