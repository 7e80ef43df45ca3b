"""Recordings and their texts -> how each word was said and when, as our own network hears it.

    python -m models.align --kit FOLDER --out ALIGNED --network models/checkpoints/en.pt
        [--lexicon-kit KIT] [--g2p models/bundles/en/g2p.onnx] [--sets NAME …] [--least -3.5]

FOLDER is laid out as the data kit: speech/SET/manifest.tsv. Of every word all pronunciations of the
dictionary may be said, those of a word in none as g2p has it. The transducer chooses among them,
the classifier of frames places them (models/paths.py). For each set are written:

    ALIGNED/speech/SET/align.tsv.gz   path, words; as in the kit; no words where the text is not
                                      what is said, so that nobody trains on it
    ALIGNED/speech/SET/scores.tsv     path, verdict, tokens, and the score: the mean log-probability
                                      a token, with its blanks

A set that is whole is not done again.
"""

import argparse
import gzip
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from itertools import groupby
from pathlib import Path

import numpy as np
import soundfile
import torch
from earshot.features import features
from earshot.g2p import G2p
from earshot.units import FEATURE_BINS, FEATURE_HOP, SAMPLE_RATE

from models.corpus import Samples, read, sets, table
from models.kept import network_of
from models.lexicon import Dictionary, guessed
from models.loss import Floats, Longs
from models.network import Transducer, feature_frames
from models.paths import Choice, Graph, Phones, choose, graph, interpolated, place
from models.phones import PHONES, SYMBOLS

GUESSES, WITHIN = 4, 3.0  # pronunciations of a word in no dictionary, and nats between them
LEAST = -3.5  # score of a text that fits; texts of other recordings are at -6 to -5
TAIL = 28  # feature frames after the audio, in which the last token can come out
LATE = 3  # feature frames: of what an encoder frame is told it speaks (models/data.py)
MASKS = 16  # lengths of recordings whose attention masks are kept
LINE_EVERY = 1000  # recordings


class Verdict(StrEnum):
    """What became of a recording."""

    ALIGNED = "aligned"
    UNFIT = "unfit"  # the text is not what is said
    SHORT = "short"  # too short to hold its text
    UNKNOWN = "unknown"  # a word that nobody can say, or no text
    DAMAGED = "damaged"  # no audio of 16 kHz mono


@dataclass(frozen=True, slots=True)
class Aligned:
    """A verdict; words as in the kit, score and tokens where there is a best path."""

    verdict: Verdict
    words: str = ""
    score: float = 0.0
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Tools:
    """What a process aligns with."""

    checkpoint: Path
    lexicon_kit: Path
    g2p: Path | None
    least: float


def opened(checkpoint: Path) -> Transducer:
    """Read the averaged weights of models.train, or those that models.export kept.

    Raises SystemExit where they are of another kind.
    """
    network = network_of(checkpoint)
    if network.shape.context != 1 or network.shape.tokens != len(SYMBOLS):
        message = (
            f"{checkpoint}: aligning needs a network of {len(SYMBOLS)} phones that sees one token "
            f"back; this one has {network.shape.tokens} and sees {network.shape.context}"
        )
        raise SystemExit(message)
    return network


class Pronouncer:
    """How words may be said."""

    def __init__(self, dictionary: Dictionary, g2p: G2p | None) -> None:
        self._dictionary, self._g2p = dictionary, g2p

    def __call__(self, word: str) -> list[Phones]:
        """All pronunciations of the dictionary, else guesses, else []."""
        listed = self._dictionary.pronunciations(word)
        if not listed and self._g2p:
            listed = list(guessed(self._g2p, word, GUESSES, WITHIN))
        return [phones for phones in listed if phones and set(phones) <= set(PHONES)]


class Aligner:
    """Aligns one recording after the other."""

    def __init__(self, network: Transducer, pronounce: Pronouncer, least: float) -> None:
        self._network, self._pronounce, self._least = network, pronounce, least

    def __call__(self, samples: Samples, text: Sequence[str]) -> Aligned:
        """Align samples [N] of 16 kHz with the words of their text."""
        seconds = len(samples) / SAMPLE_RATE
        ways = [self._pronounce(word) for word in text]
        if not all(ways) or not ways:
            return Aligned(Verdict.UNKNOWN, seconds=seconds)
        short = Aligned(Verdict.SHORT, seconds=seconds)
        if len(samples) < FEATURE_HOP * sum(min(map(len, one)) for one in ways):
            return short
        x = features(samples)
        choice, frames = self._hear(x, graph(ways))
        if choice is None:
            return short
        placed = place(interpolated(frames, -LATE, len(x)), choice.token, choice.word)
        if placed is None:
            return short
        score = choice.logp / len(choice.token)
        fits = score >= self._least
        return Aligned(
            Verdict.ALIGNED if fits else Verdict.UNFIT,
            written(text, choice, *placed) if fits else "",
            score,
            len(choice.token),
            seconds,
        )

    @torch.inference_mode()
    def _hear(self, x: Floats, ways: Graph) -> tuple[Choice | None, Floats]:
        """Best path of features [T, 80], and log-probabilities of the frame classifier."""
        net = self._network
        if len(net.encoder.masks) > MASKS:
            net.encoder.masks.clear()
        hidden = net.encoder(torch.from_numpy(padded(x, feature_frames(net.shape)))[None])[0]
        # Only tokens of this text can come before another.
        tokens, context = np.unique(ways.token, return_inverse=True)
        rows = net.predictor(torch.from_numpy(tokens))
        logp = net.joiner(net.project(hidden)[:, None], rows).log_softmax(-1).numpy()
        return choose(logp, context, ways), net.frame(hidden).log_softmax(-1).numpy()


def padded(x: Floats, chunk: int) -> Floats:
    """Features [T, 80] with a tail of their own quiet, as models/data.py has it; whole chunks."""
    low = max(1, len(x) // 10)
    quiet = np.partition(x, low // 2, 0)[: low // 2 + 1].mean(0)
    rest = TAIL + (-len(x) - TAIL) % chunk
    hiss = np.random.default_rng(0).standard_normal((rest, FEATURE_BINS), np.float32)
    return np.concatenate([x, quiet + hiss * np.float32(0.7)])


def written(text: Sequence[str], choice: Choice, start: Longs, end: Longs) -> str:
    """Write an alignment as the kit does: word:PHONE@start,PHONE@start@end and so on."""
    parts = []
    for number, group in groupby(range(len(start)), choice.word.__getitem__):
        of_word = list(group)
        names = (PHONES[(int(choice.token[i]) - 1) % len(PHONES)] for i in of_word)
        phones = ",".join(f"{name}@{start[i]}" for name, i in zip(names, of_word, strict=True))
        parts.append(f"{text[number]}:{phones}@{end[of_word[-1]]}")
    return " ".join(parts)


@cache
def aligner_of(tools: Tools) -> Aligner:
    """Open the tools once a process."""
    torch.set_num_threads(1)
    g2p = G2p(tools.g2p) if tools.g2p else None
    pronounce = Pronouncer(Dictionary(tools.lexicon_kit), g2p)
    return Aligner(opened(tools.checkpoint), pronounce, tools.least)


def one(recording: tuple[Path, str], tools: Tools) -> Aligned:
    """Align a file with its text; damage is a verdict."""
    path, text = recording
    try:
        samples = read(path)
    except (soundfile.SoundFileError, ValueError):  # missing, no audio, another rate
        return Aligned(Verdict.DAMAGED)
    return aligner_of(tools)(samples, text.split())


def complete(folder: Path, recordings: int) -> bool:
    """Whether an earlier run aligned so many recordings, the whole set."""
    scores = folder / "scores.tsv"
    return scores.exists() and sum(1 for _ in table(scores)) == recordings


def write(folder: Path, paths: Iterable[str], found: Sequence[Aligned]) -> None:
    """Write alignments and then, whole or not at all, the scores."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = list(zip(paths, found, strict=True))
    with gzip.open(folder / "align.tsv.gz", "wt", encoding="utf8") as file:
        file.write("path\twords\n")
        known = (Verdict.ALIGNED, Verdict.UNFIT)
        file.writelines(f"{path}\t{one.words}\n" for path, one in pairs if one.verdict in known)
    lines = (f"{path}\t{one.verdict}\t{one.tokens}\t{one.score:.3f}\n" for path, one in pairs)
    draft = folder / "unfinished-scores.tsv"
    draft.write_text("path\tverdict\ttokens\tscore\n" + "".join(lines), encoding="utf8")
    draft.replace(folder / "scores.tsv")


def line(corpus: str, found: Sequence[Aligned]) -> str:
    """A line for people."""
    verdicts = Counter(one.verdict for one in found)
    counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdict)
    scores = sorted(one.score for one in found if one.tokens) or [0.0]
    return (
        f"{corpus}: {len(found)} recordings, {sum(one.seconds for one in found) / 3600:.2f} h: "
        f"{counts}; score a token {scores[len(scores) // 2]:.2f} in the median, "
        f"{scores[len(scores) // 20]:.2f} at 5 %"
    )


def align(source: Path, target: Path, tools: Tools, pool: ProcessPoolExecutor) -> None:
    """Align a set, a line of progress now and then."""
    rows = list(table(source / "manifest.tsv"))
    if complete(target, len(rows)):
        print(f"{source.name}: done before")
        return
    began, found = time.monotonic(), []
    given = [(source / row["path"], row["text"]) for row in rows]
    for aligned in pool.map(partial(one, tools=tools), given, chunksize=16):
        found.append(aligned)
        if len(found) % LINE_EVERY == 0:
            print(f"{source.name}: {len(found)} of {len(rows)} recordings", flush=True)
    write(target, (row["path"] for row in rows), found)
    print(f"{line(source.name, found)}; {time.monotonic() - began:.0f} s", flush=True)


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--out", type=Path, required=True, help="folder for the alignments")
    weights = parser.add_mutually_exclusive_group(required=True)
    weights.add_argument("--network", type=Path, help="weights kept by models.export")
    weights.add_argument("--run", type=Path, help="folder of models.train")
    parser.add_argument("--lexicon-kit", type=Path, help="kit with the dictionary, if another")
    parser.add_argument("--g2p", type=Path, help="g2p.onnx, for words in no dictionary")
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="instead of all English ones")
    parser.add_argument("--least", type=float, default=LEAST, help="score of a text that fits")
    parser.add_argument("--jobs", type=int, default=2, help="processes of one thread each")
    options = parser.parse_args()
    checkpoint = options.network or options.run / "run.pt"
    tools = Tools(checkpoint, options.lexicon_kit or options.kit, options.g2p, options.least)
    with ProcessPoolExecutor(options.jobs) as pool:
        for corpus in options.sets or sets(options.kit):
            part = Path("speech") / corpus
            align(options.kit / part, options.out / part, tools, pool)


if __name__ == "__main__":
    main()
