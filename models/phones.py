"""The tokens of a phone bundle: blank, the 39 phones of CMUdict, each with a word-end mark too."""

from earshot.lexicon import WORD_END

PHONES = (
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW "
    "V W Y Z ZH"
).split()
BLANK = "<blk>"
SYMBOLS = [BLANK, *PHONES, *(phone + WORD_END for phone in PHONES)]
SIZE = len(SYMBOLS)
_ID = {symbol: i for i, symbol in enumerate(SYMBOLS)}


def tokens(pronunciation: list[str]) -> list[int]:
    """Phones of one word as token ids: the last one carries the word-end mark."""
    *inner, last = pronunciation
    return [*(_ID[phone] for phone in inner), _ID[last + WORD_END]]
