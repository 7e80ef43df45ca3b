"""A kit of a minute, laid out as the real one, to run every step of models/ where that is not.

    python -m models.tiny_kit --audio tests/audio --out KIT

Real are the recordings that come with the tests, their phones spread evenly over the speech; they
are trained and tested on, which nothing but a trial may do. The rest is whistled: a phone is a
chord of two tones, so that a small network has something to learn, and all is exact.
"""

import argparse
import csv
import gzip
import json
import lzma
import random
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from earshot.units import FEATURE_HOP, SAMPLE_RATE

from models.corpus import Samples, table
from models.phones import PHONES

SENTENCES = """
turn on the light|turn off the light|turn the light on|turn off the radio|turn on the radio
what time is it|what is the time|call my mother|call mary|call john at home|play some music
set the light to five|set the time to eight|stop|stop the music|is the light on|is the radio off
""".replace("\n", "|")
WORDS = """
a AH|all AO L|and AH N D|and AE N D|at AE T|boy B OY|call K AO L|crew K R UW|day D EY|eight EY T
enter EH N T ER|five F AY V|go G OW|home HH OW M|i AY|in IH N|is IH Z|it IH T|john JH AA N
january JH AE N Y UW EH R IY|light L AY T|lost L AO S T|man M AE N|mary M EH R IY|met M EH T
morning M AO R N IH NG|mother M AH DH ER|music M Y UW Z IH K|must M AH S T|my M AY|next N EH K S T
nineteen N AY N T IY N|noon N UW N|off AO F|old OW L D|on AA N|over OW V ER|philip F IH L AH P
play P L EY|predict P R IH D IH K T|radio R EY D IY OW|right R AY T|river R IH V ER|set S EH T
seven S EH V AH N|seventh S EH V AH N TH|six S IH K S|sixty S IH K S T IY|some S AH M
stop S T AA P|that DH AE T|the DH AH|the DH IY|time T AY M|to T UW|turn T ER N|was W AA Z|we W IY
what W AH T|yellow Y EH L OW|zero Z IH R OW|fish F IH SH|chair CH EH R
no N OW|one W AH N|two T UW|three TH R IY|twelve T W EH L V|thirty TH ER D IY|down D AW N|bed B EH D
boat B OW T|good G UH D
""".replace("\n", "|")
PHONE = 9  # feature frames of a whistled phone
QUIET = 25  # frames before and after
TAKES = 3  # of every sentence
Phones = tuple[str, ...]
Word = tuple[str, list[tuple[str, int]], int]  # word, phones with their first frames, end frame


def dictionary() -> dict[str, list[Phones]]:
    """Words and their pronunciations."""
    found: dict[str, list[Phones]] = {"philip's": [(*"F IH L AH P S".split(),)]}
    for entry in filter(None, WORDS.split("|")):
        word, *phones = entry.split()
        found.setdefault(word, []).append(tuple(phones))
    return found


def placed(
    words: Sequence[str], begin: int, end: int, known: dict[str, list[Phones]]
) -> list[Word]:
    """Spread the phones of words evenly over frames [begin, end)."""
    spoken = [known[word][0] for word in words]
    borders = np.linspace(begin, end, sum(map(len, spoken)) + 1).astype(int).tolist()
    found, at = [], 0
    for word, phones in zip(words, spoken, strict=True):
        starts = list(zip(phones, borders[at:], strict=False))
        at += len(phones)
        found.append((word, starts, borders[at]))
    return found


def written(words: list[Word]) -> str:
    """Write an alignment as the kit does: word:PHONE@start,PHONE@start@end and so on."""
    parts = (
        f"{word}:{','.join(f'{phone}@{start}' for phone, start in phones)}@{end}"
        for word, phones, end in words
    )
    return " ".join(parts)


def whistled(words: list[Word], dice: np.random.Generator) -> Samples:
    """Chords for phones, with some noise; QUIET frames of it before and after."""
    end = words[-1][2]
    out = dice.normal(0, 0.002, (end + QUIET) * FEATURE_HOP)
    phones = [pair for _, starts, _ in words for pair in starts]
    borders = [start for _, start in phones] + [end]
    pitch = dice.uniform(0.97, 1.03)
    for (phone, start), stop in zip(phones, borders[1:], strict=True):
        time = np.arange((stop - start) * FEATURE_HOP) / SAMPLE_RATE
        high, low = divmod(PHONES.index(phone), 7)
        tones = (300 + 120 * low, 1500 + 600 * high)
        chord = sum(np.sin(2 * np.pi * tone * pitch * time) for tone in tones)
        out[start * FEATURE_HOP : stop * FEATURE_HOP] += 0.1 * chord * np.hanning(len(time)) ** 0.3
    return out.astype(np.float32)


def rows_to(path: Path, rows: Iterable[dict[str, str]]) -> None:
    """Write a table, gzipped where its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    every = list(rows)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf8", newline="") as file:
        writer = csv.DictWriter(
            file, every[0], delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE,
            quotechar=None,
        )  # fmt: skip
        writer.writeheader()
        writer.writerows(every)


def corpus(folder: Path, rows: list[tuple[str, str, str, list[Word]]]) -> None:
    """Manifest and alignments of recordings: path, speaker, split, words."""
    manifest, aligned = [], []
    for path, speaker, split, words in rows:
        text = " ".join(word for word, _, _ in words)
        manifest.append({"path": path, "speaker": speaker, "text": text, "split": split})
        aligned.append({"path": path, "words": written(words)})
    rows_to(folder / "manifest.tsv", manifest)
    rows_to(folder / "align.tsv.gz", aligned)


def real(audio: Path, folder: Path, split: str) -> None:
    """Take the recordings that come with the tests as a corpus."""
    folder.mkdir(parents=True)
    known, rows = dictionary(), []
    for row in table(audio / "manifest.tsv"):
        if not known.keys() >= set(row["text"].split()):
            continue
        shutil.copyfile(audio / row["path"], folder / row["path"])
        begin, end = (round(100 * float(row[key])) for key in ("start", "end"))
        words = placed(row["text"].split(), begin, end, known)
        rows.append((row["path"], row["path"].split("_")[0], split, words))
    corpus(folder, rows)


def synthetic(folder: Path) -> None:
    """Whistled sentences; the last take is for dev."""
    folder.mkdir(parents=True)
    known, dice, rows = dictionary(), np.random.default_rng(0), []
    for take in range(TAKES):
        for i, sentence in enumerate(filter(None, SENTENCES.split("|"))):
            words = sentence.split()
            length = PHONE * sum(len(known[word][0]) for word in words)
            there = placed(words, QUIET, QUIET + length, known)
            path = f"{take}-{i}.flac"
            soundfile.write(folder / path, whistled(there, dice), SAMPLE_RATE)
            rows.append((path, f"whistle{take}", "dev" if take == TAKES - 1 else "train", there))
    corpus(folder, rows)


def sounds(kit: Path) -> None:
    """Noise, a room measured and a room made up."""
    dice = np.random.default_rng(1)
    noise: dict[str, npt.NDArray[np.float64]] = {
        "hiss.flac": dice.normal(0, 0.05, SAMPLE_RATE * 5),
        "hum.flac": 0.1 * np.sin(np.arange(SAMPLE_RATE * 5) * 2 * np.pi * 100 / SAMPLE_RATE),
    }
    fading = dice.normal(0, 0.1, 3200) * np.exp(-np.arange(3200) / 600)
    fading[0] = 1.0
    (kit / "noise").mkdir()
    (kit / "rir/simulated").mkdir(parents=True)
    for name, samples in noise.items():
        soundfile.write(kit / "noise" / name, samples, SAMPLE_RATE)
    for folder in ("rir", "rir/simulated"):
        soundfile.write(kit / folder / "room.flac", 0.9 * fading, SAMPLE_RATE)
        rows_to(kit / folder / "manifest.tsv", [{"file": "room.flac", "rt60_s": "0.26"}])
    rows = ({"path": name, "use": "train", "sharealike": "no"} for name in noise)
    rows_to(kit / "noise/manifest.tsv", rows)


def grams(sentences: list[list[str]], order: int) -> Iterator[str]:
    """Lines of a table of n-grams and their counts."""
    whole = ([*["<s>"] * (order > 1), *words, "</s>"] for words in sentences)
    counts = Counter(
        " ".join(words[i : i + order]) for words in whole for i in range(len(words) - order + 1)
    )
    yield from (f"{words}\t{300 * count}\n" for words, count in sorted(counts.items()))


def texts(kit: Path) -> None:
    """Dictionary, sentences, and tables as of books."""
    for folder in ("cmudict", "slurp", "gutenberg"):
        (kit / "text" / folder).mkdir(parents=True)
    lines = (f"{w} {' '.join(p)}\n" for w, spoken in dictionary().items() for p in spoken)
    with gzip.open(kit / "text/cmudict/cmudict.dict.gz", "wt", encoding="utf8") as file:
        file.writelines(lines)
    sentences = [sentence.split() for sentence in SENTENCES.split("|") if sentence]
    words = sorted(dictionary())
    dice = random.Random(0)
    sentences += [dice.choices(words, k=6) for _ in range(200)]
    path = kit / "text/slurp/slurp_lm.txt"
    path.write_text("".join(f"{' '.join(s)}\n" for s in sentences), encoding="utf8")
    for order, name in enumerate(("unigrams", "bigrams", "trigrams"), 1):
        with lzma.open(kit / f"text/gutenberg/{name}.tsv.xz", "wt", encoding="utf8") as file:
            file.writelines(grams(sentences, order))


def meanings(kit: Path) -> None:
    """A table of what sentences mean; none of them is whistled."""
    rows: list[dict[str, str]] = []

    def add(intent: str, text: str, **slots: str) -> None:
        said = [{"slot": slot, "value": value} for slot, value in slots.items()]
        split = "test" if len(rows) % 5 == 4 else "train"  # noqa: PLR2004 - every fifth
        rows.append({"text": text, "intent": intent, "slots": json.dumps(said), "split": split})

    for thing, room, state in product(("lamp", "fan", "oven"), ("hall", "attic"), ("on", "off")):
        text = f"turn {state} the {thing} in the {room}"
        add(f"iot_wemo_{state}", text, device_type=thing, house_place=room)
    for place in ("rome", "york", "bern", "paris"):
        add("weather_query", f"how warm is it in {place} now", place_name=place)
        add("general_joke", f"tell me a joke of {place}")
    rows_to(kit / "text/nlu-eval/nlu_eval.tsv.gz", rows)


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--audio", type=Path, required=True, help="recordings with manifest.tsv")
    parser.add_argument("--out", type=Path, required=True, help="a folder that is not there yet")
    options = parser.parse_args()
    real(options.audio, options.out / "speech/an4", "train")
    real(options.audio, options.out / "speech/common_voice_en", "dev")
    synthetic(options.out / "speech/synthetic")
    sounds(options.out)
    texts(options.out)
    meanings(options.out)


if __name__ == "__main__":
    main()
