"""Names in the word pieces of a bundle: each in the ways that take the fewest pieces.

What a network makes of a name that it never met is not what its tokeniser would; so several
segmentations are favoured, as many systems do (and BPE-dropout trains, Provilkov et al., 2020).
"""

from collections.abc import Sequence

from earshot.bundle import WORD_START
from earshot.entries import USUAL_WEIGHTS, Alias, Entry, KindWeights
from earshot.errors import RequestError
from earshot.names import Form, Names, Refused, named_of
from earshot.saying import Words, ways
from earshot.sounds import Tokens

MOST_SEGMENTATIONS = 4  # of a name


class Segmenter:
    """Cuts words into pieces."""

    def __init__(self, symbols: Sequence[str]) -> None:
        """`symbols` [V] are those of the tokens."""
        self._token = {symbol: i for i, symbol in enumerate(symbols)}
        self._longest = max(map(len, symbols))

    def segmentations(self, words: Words) -> list[Tokens]:
        """Those with the fewest pieces, best first; none where a letter is in no piece."""
        text = "".join(WORD_START + word for word in words)
        return self._cut(text) or self._cut(text.upper())

    def _cut(self, text: str) -> list[Tokens]:
        ways: list[list[Tokens]] = [[()]]
        for end in range(1, len(text) + 1):
            found = [
                (*before, self._token[text[start:end]])
                for start in range(max(0, end - self._longest), end)
                if text[start:end] in self._token
                for before in ways[start]
            ]
            ways.append(sorted(found, key=len)[:MOST_SEGMENTATIONS])
        return ways[-1]


def segmented(
    entries: Sequence[Entry], symbols: Sequence[str], weights: KindWeights = USUAL_WEIGHTS
) -> Names:
    """What entries bring to a bundle of word pieces. What cannot be written in them is refused."""
    segmenter, refused = Segmenter(symbols), list[Refused]()
    phrases, forms = dict[Tokens, float](), dict[Form, None]()
    for entry in entries:
        weight = weights.of(entry)
        for alias in (Alias(entry.name), *entry.aliases):
            try:
                cut = {words: segmenter.segmentations(words) for words in ways(alias.name)}
            except RequestError as error:
                refused.append(Refused(alias.name, str(error)))
                continue
            if not any(cut.values()):
                refused.append(Refused(alias.name, "the bundle has no word pieces to write it in"))
            for words, several in cut.items():
                forms[Form(named_of(entry), words)] = None
                for phrase in several:
                    phrases[phrase] = max(phrases.get(phrase, 0.0), weight)
    return Names(
        tuple(phrases), tuple(phrases.values()), forms=tuple(forms), refused=tuple(refused)
    )
