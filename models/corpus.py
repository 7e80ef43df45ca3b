"""Read the data kit: recordings with their forced alignments, noise, rooms, tables."""

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from earshot.units import SAMPLE_RATE

from models.phones import tokens

Ints = npt.NDArray[np.int32]
Samples = npt.NDArray[np.float32]

# fsdd is left out: its share-alike licence would pass on to the network.
TRAIN_SETS = (
    "librispeech_train_clean_5 speechocean762 speech_commands an4 kathleen custom_speech_commands "
    "lj_dc_tts mycroft_precise picovoice_wakewords synthetic"
).split()
OTHER_LANGUAGES = ("_de", "_es")  # endings of the names of their sets


@dataclass(frozen=True, slots=True)
class Recording:
    """One aligned recording. Times are feature frames of 10 ms from its start."""

    path: Path
    corpus: str
    speaker: str
    token: Ints  # [U]
    start: Ints  # [U]
    end: Ints  # [U]
    word: Ints  # [U] the number of the word a token belongs to


def table(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a tab-separated table of the kit, gzipped or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf8") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def alignment(words: str) -> tuple[Ints, Ints, Ints, Ints]:
    """Read 'the:DH@10,AH@14@18 …' as tokens, start frames, end frames, word numbers, each [U]."""
    rows: list[tuple[int, int, int, int]] = []
    for number, part in enumerate(words.split()):
        phones, _, stop = part.partition(":")[2].rpartition("@")
        pairs = [phone.split("@") for phone in phones.split(",")]
        begins = [int(at) for _, at in pairs]
        ids, ends = tokens([phone for phone, _ in pairs]), [*begins[1:], int(stop)]
        rows += zip(ids, begins, ends, [number] * len(pairs), strict=True)
    token, start, end, word = np.array(rows, np.int32).reshape(-1, 4).T
    return token, start, end, word


def sets(folder: Path) -> list[str]:
    """Names of the English sets of recordings in the kit, or in a folder laid out like it."""
    manifests = (folder / "speech").glob("*/manifest.tsv")
    names = sorted(manifest.parent.name for manifest in manifests)
    return [name for name in names if not name.endswith(OTHER_LANGUAGES)]


def aligned(kit: Path, corpus: str, alignments: Path | None = None) -> dict[str, str]:
    """Alignment of each recording of a set; those of models.align go before the kit's.

    One without words says that the text of the recording is not what is said.
    """
    found: dict[str, str] = {}
    for folder in (kit, alignments):
        path = folder / "speech" / corpus / "align.tsv.gz" if folder else None
        if path and path.exists():
            found.update((row["path"], row["words"]) for row in table(path))
    return found


def recordings(
    kit: Path,
    corpora: Sequence[str] | None = None,
    split: str = "train",
    alignments: Path | None = None,
) -> Iterator[Recording]:
    """Every aligned recording of the given corpora (by default those to train on).

    alignments: folder of models.align, preferred to the kit's own.
    """
    for corpus in corpora or TRAIN_SETS:
        folder = kit / "speech" / corpus
        if not folder.exists():
            continue
        known = aligned(kit, corpus, alignments)
        for row in table(folder / "manifest.tsv"):
            words = known.get(row["path"])
            if row["split"] == split and words:
                yield Recording(folder / row["path"], corpus, row["speaker"], *alignment(words))


def noises(kit: Path) -> list[Path]:
    """Noise and music that may be trained on, less the share-alike clips."""
    rows = table(kit / "noise" / "manifest.tsv")
    wanted = (r for r in rows if r["use"] == "train" and r["sharealike"] != "yes")
    return [kit / "noise" / row["path"] for row in wanted]


def rooms(kit: Path, longest_rt60: float = 1.0) -> list[Path]:
    """Impulse responses of rooms like homes: `longest_rt60` seconds of reverberation at most."""
    real = [
        kit / "rir" / row["file"]
        for row in table(kit / "rir" / "manifest.tsv")
        if float(row["rt60_s"]) <= longest_rt60
    ]
    folder = kit / "rir" / "simulated"
    return real + [folder / row["file"] for row in table(folder / "manifest.tsv")]


def read(path: Path) -> Samples:
    """Read a recording of the kit (16 kHz mono) as samples [N] in -1..1."""
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE or samples.ndim != 1:
        message = f"{path}: {rate} Hz of shape {samples.shape}; {SAMPLE_RATE} Hz mono belong here"
        raise ValueError(message)
    return np.asarray(samples, np.float32)
