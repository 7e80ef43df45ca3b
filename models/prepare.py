"""Data kit -> features on disk, dry and several times in a room with another speed and microphone.

    python -m models.prepare --kit KIT --out build/cache [--rooms 2] [--limit 0]
        [--align build/aligned] [--more build/spoken …]

Waveform work (resampling, rooms, clipping, codecs) is done here, once; what can be done on log-mel
frames (noise, gain, microphone colour, masking) is done anew for every batch in models/data.py.
What an earlier run completed is kept. Reading and filter banks take most of the time, rooms a tenth
of it (0.5 s responses in float32, where oaconvolve is no faster).
"""

import argparse
import random
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr
from earshot.features import features
from earshot.units import FEATURE_BINS, SAMPLE_RATE
from scipy.signal import fftconvolve

from models import channel
from models.corpus import (
    Ints,
    Recording,
    Samples,
    noises,
    read,
    recordings,
    rooms,
    sets,
    table,
)

Features16 = npt.NDArray[np.float16]
ROW = FEATURE_BINS * np.dtype(np.float16).itemsize  # bytes of a feature frame
SPEEDS = (0.87, 1.15)  # slower and faster, with the pitch
IN_ROOM, CLIPPED, SENT = 0.75, 0.1, 0.15  # how often each happens to a recording
LINE_EVERY = 2000  # recordings


@cache
def _room(path: Path) -> Samples:
    return read(path)


def spoil(samples: Samples, responses: list[Path], dice: random.Random) -> tuple[Samples, float]:
    """Samples [N] at another speed, mostly in a room, some clipped, some sent; and the speed."""
    speed = dice.uniform(*SPEEDS)
    out = soxr.resample(samples, SAMPLE_RATE * speed, SAMPLE_RATE).astype(np.float32)
    level = np.sqrt(np.mean(out**2)) + 1e-6
    if responses and dice.random() < IN_ROOM:
        response = _room(dice.choice(responses))
        peak = int(np.abs(response).argmax())  # keeps the alignment where it was
        out = fftconvolve(out, response)[peak : peak + len(out)].astype(np.float32)
        out *= level / (np.sqrt(np.mean(out**2)) + 1e-6)
    if dice.random() < CLIPPED:
        ceiling = float(np.quantile(np.abs(out), 0.99))
        out = np.clip(out, -ceiling, ceiling)
    out += np.float32(level * 10 ** dice.uniform(-4, -2)) * np.random.default_rng(
        dice.getrandbits(32)
    ).standard_normal(len(out), np.float32)
    return channel.line(out, dice) if dice.random() < SENT else out, speed


def one(path: Path, versions: list[int], responses: list[Path]) -> list[tuple[Features16, float]]:
    """Features [T, 80] of each version of a recording, and its speed; version 0 is dry.

    What a version is like depends on the names of the file and its folder alone.
    """
    dry, found = read(path), []
    for version in versions:
        samples, speed = dry, 1.0
        if version:
            samples, speed = spoil(
                dry, responses, random.Random(f"{version} {path.parent.name}/{path.name}")
            )
        found.append((features(samples).astype(np.float16), speed))
    return found


def complete(out: Path, recordings: int) -> bool:
    """Whether an earlier run wrote so many recordings to `out`, all of each."""
    frames, index = out.with_suffix(".f16"), out.with_suffix(".npz")
    if not (frames.exists() and index.exists()):
        return False
    counts = np.load(index)["count"]
    return len(counts) == recordings and frames.stat().st_size == counts.sum() * ROW


def write(paths: list[Path], outs: dict[int, Path], responses: list[Path]) -> None:
    """For each version all features one after the other, as NAME.f16, and NAME.npz to find them."""
    missing = {v: out for v, out in outs.items() if not complete(out, len(paths))}
    drafts = [out.with_name(f"unfinished-{out.name}") for out in missing.values()]
    counts: list[list[int]] = [[] for _ in drafts]
    speeds: list[list[float]] = [[] for _ in drafts]
    work = partial(one, versions=list(missing), responses=responses)
    with ExitStack() as stack:
        files = [stack.enter_context(draft.with_suffix(".f16").open("wb")) for draft in drafts]
        pool = stack.enter_context(ProcessPoolExecutor())
        for i, found in enumerate(pool.map(work, paths if missing else [], chunksize=32)):
            for j, (frames, speed) in enumerate(found):
                files[j].write(frames.tobytes())
                counts[j].append(len(frames))
                speeds[j].append(speed)
            if i % LINE_EVERY == 0:
                print(f"{i} of {len(paths)} recordings", flush=True)
    for draft, out, count, speed_of in zip(drafts, missing.values(), counts, speeds, strict=True):
        np.savez(draft.with_suffix(".npz"), count=count, speed=speed_of)
        for suffix in (".f16", ".npz"):
            draft.with_suffix(suffix).replace(out.with_suffix(suffix))
        print(f"{out.name}: {len(paths)} recordings, {sum(count) / 360_000:.2f} h", flush=True)


def ragged(known: list[Recording]) -> dict[str, Ints]:
    """Alignments as flat columns with row counts."""
    names = ("token", "start", "end", "word")
    columns = {name: np.concatenate([getattr(r, name) for r in known]) for name in names}
    return {**columns, "tokens": np.array([len(r.token) for r in known], np.int32)}


def apart(folder: Path) -> None:
    """Raise ValueError where somebody who is tested on in a set is also trained on in it."""
    for corpus in sets(folder):
        rows = list(table(folder / "speech" / corpus / "manifest.tsv"))
        train, dev = ({r["speaker"] for r in rows if r["split"] == s} for s in ("train", "dev"))
        if both := sorted(train & dev):
            message = f"{corpus}: {', '.join(both)} both in training and in dev"
            raise ValueError(message)


def every(kit: Path, more: list[Path], alignments: Path | None) -> list[Recording]:
    """Recordings of the kit to train on, and all to train on of folders laid out like it."""
    for folder in (kit, *more):
        apart(folder)
    found = list(recordings(kit, alignments=alignments))
    for folder in more:
        found += recordings(folder, sets(folder), alignments=alignments)
    return found


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True, help="folder of the data kit")
    parser.add_argument("--out", type=Path, required=True, help="folder for the features")
    parser.add_argument("--rooms", type=int, default=2, help="spoilt versions beside the dry one")
    parser.add_argument("--limit", type=int, default=0, help="only every Nth, for a trial")
    parser.add_argument("--align", type=Path, help="alignments of models.align, before the kit's")
    parser.add_argument("--more", type=Path, nargs="+", default=[], help="more recordings")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    known = every(options.kit, options.more, options.align)[:: max(1, options.limit)]
    of_whom = {name: np.array([getattr(r, name) for r in known]) for name in ("corpus", "speaker")}
    columns: dict[str, Any] = {**ragged(known), **of_whom}
    np.savez(options.out / "alignments.npz", **columns)
    write(noises(options.kit), {0: options.out / "noise"}, [])
    outs = {version: options.out / f"speech{version}" for version in range(1 + options.rooms)}
    write([r.path for r in known], outs, rooms(options.kit))


if __name__ == "__main__":
    main()
