"""Data kit -> features on disk, once dry and several times in a room with another speed and microphone.

    python -m models.prepare --kit KIT --out build/cache [--rooms 2] [--limit 0]

Waveform work (resampling, rooms, clipping) is done here, once; what can be done on log-mel frames
(noise, gain, microphone colour, masking) is done anew for every batch in models/data.py.
"""

import argparse
import random
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr
from scipy.signal import fftconvolve

from earshot.features import features
from earshot.units import SAMPLE_RATE
from models.corpus import Recording, Samples, noises, read, recordings, rooms

Features16 = npt.NDArray[np.float16]
SPEEDS = (0.87, 1.15)  # slower and faster, with the pitch


@cache
def _room(path: Path) -> Samples:
    return read(path)


def spoil(samples: Samples, responses: list[Path], dice: random.Random) -> tuple[Samples, float]:
    """The recording [N] at another speed, mostly in a room, sometimes clipped; and the speed."""
    speed = dice.uniform(*SPEEDS)
    out = soxr.resample(samples, SAMPLE_RATE * speed, SAMPLE_RATE).astype(np.float32)
    level = np.sqrt(np.mean(out**2)) + 1e-6
    if responses and dice.random() < 0.75:
        response = _room(dice.choice(responses))
        peak = int(np.abs(response).argmax())  # keeps the alignment where it was
        out = fftconvolve(out, response)[peak : peak + len(out)].astype(np.float32)
        out *= level / (np.sqrt(np.mean(out**2)) + 1e-6)
    if dice.random() < 0.1:
        ceiling = float(np.quantile(np.abs(out), 0.99))
        out = np.clip(out, -ceiling, ceiling)
    out += np.float32(level * 10 ** dice.uniform(-4, -2)) * np.random.default_rng(
        dice.getrandbits(32)
    ).standard_normal(len(out), np.float32)
    return out, speed


def one(path: Path, version: int, responses: list[Path]) -> tuple[Features16, float]:
    """Features of one recording [T, 80] and its speed; version 0 is dry."""
    samples, speed = read(path), 1.0
    if version:
        samples, speed = spoil(samples, responses, random.Random(f"{version} {path.name}"))
    return features(samples).astype(np.float16), speed


def write(paths: list[Path], out: Path, version: int, responses: list[Path]) -> None:
    """All features one after the other in NAME.f16, their row counts and speeds in NAME.npz."""
    counts, speeds = [], []
    with ProcessPoolExecutor(2) as pool, out.with_suffix(".f16").open("wb") as file:
        work = partial(one, version=version, responses=responses)
        for i, (frames, speed) in enumerate(pool.map(work, paths, chunksize=32)):
            file.write(frames.tobytes())
            counts.append(len(frames))
            speeds.append(speed)
            if i % 2000 == 0:
                print(f"{out.name}: {i} of {len(paths)} recordings", flush=True)
    np.savez(out.with_suffix(".npz"), count=counts, speed=speeds)
    print(f"{out.name}: {len(paths)} recordings, {sum(counts) / 360_000:.2f} h", flush=True)


def ragged(known: list[Recording]) -> dict[str, npt.NDArray[np.int32]]:
    """Alignments as flat columns with row counts."""
    columns = {name: np.concatenate([getattr(r, name) for r in known]) for name in ("token", "start", "end", "word")}
    return {**columns, "tokens": np.array([len(r.token) for r in known], np.int32)}


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kit", type=Path, required=True, help="folder of the data kit")
    parser.add_argument("--out", type=Path, required=True, help="folder for the features")
    parser.add_argument("--rooms", type=int, default=2, help="spoilt versions beside the dry one")
    parser.add_argument("--limit", type=int, default=0, help="only every Nth recording, for a trial")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    known = list(recordings(options.kit))[:: max(1, options.limit)]
    names = {"corpus": np.array([r.corpus for r in known]), "speaker": np.array([r.speaker for r in known])}
    np.savez(options.out / "alignments.npz", **ragged(known), **names)  # type: ignore[arg-type]
    responses = rooms(options.kit)
    write(noises(options.kit), options.out / "noise", 0, [])
    for version in range(1 + options.rooms):
        write([r.path for r in known], options.out / f"speech{version}", version, responses)


if __name__ == "__main__":
    main()
