"""Training data spoken by machine: texts and voices → recordings, laid out as a set of the kit.

    python -m models.speak --kit KIT --out build/spoken --hours 10 [--jobs 2] [--seed 1]

Needs one at least of flite, espeak-ng, festival and pico2wave; those of Debian are in flite,
espeak-ng, and festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts festlex-cmu. It writes
`speech/spoken/manifest.tsv`, and a folder of Ogg/Opus files for every pseudo-speaker. A speaker is
a job; `parts/` keeps what came out of each, and a run that is broken off goes on there. The same
seed, kit and programs give the same recordings.
"""

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from earshot.units import SAMPLE_RATE

from models.corpus import Samples
from models.sayings import Saying, sayings
from models.texts import words_of
from models.tiny_kit import rows_to
from models.voices import ENGINES, Speaker, speaker

CORPUS = "spoken"
PER_SPEAKER = 24  # clips
COMPRESSION = 0.95  # Opus at about 21 kbit/s
LINE_EVERY = 30.0  # seconds

STEP = SAMPLE_RATE // 200  # samples of 5 ms, by which silence is cut
SILENT = 10 ** (-50 / 20)  # of the loudest step
MARGIN = 2  # steps that are kept before and after, for soft beginnings and ends
LONGEST_QUIET = 0.3  # seconds before and after
NO_QUIET = 0.15  # of the clips begin at once, and as many end so
LEVELS = (-38.0, -14.0)  # dB of the mean power, full scale being 0
PEAK = 0.98
LETTER_SECONDS = (0.025, 0.5)  # of a clip for each letter of its text: less or more is no speech
CLIPPED = 0.001  # share of samples at full scale, from which a clip is garbage


@dataclass(frozen=True, slots=True)
class Job:
    """What a speaker says, and where to: samples into `folder`, what came out into `part`."""

    speaker: Speaker
    sayings: list[Saying]
    folder: Path
    part: Path
    seed: int

    @property
    def plan(self) -> dict[str, Any]:
        """By which a part is known to be this job's."""
        return {
            "speaker": asdict(self.speaker),
            "texts": [saying.text for saying in self.sayings],
            "seed": self.seed,
        }


def trimmed(samples: Samples) -> Samples:
    """Cut samples [N] before and after the speech; [0] where there is none."""
    count = len(samples) // STEP
    power = np.sqrt(np.mean(samples[: count * STEP].reshape(count, STEP) ** 2, axis=1))
    loud = np.flatnonzero(power > SILENT * power.max(initial=1e-4))
    if not len(loud):
        return samples[:0]
    return samples[max(0, loud[0] - MARGIN) * STEP : (loud[-1] + 1 + MARGIN) * STEP]


def finished(speech: Samples, dice: random.Random) -> Samples:
    """Speech [N] with quiet before and after, at a level drawn."""
    before, after = (
        round(SAMPLE_RATE * dice.uniform(0, LONGEST_QUIET)) * (dice.random() >= NO_QUIET)
        for _ in range(2)
    )
    wanted = 10 ** (dice.uniform(*LEVELS) / 20)
    gain = min(
        wanted / np.sqrt(np.mean(np.square(speech, dtype=np.float64))), PEAK / np.abs(speech).max()
    )
    return np.pad(speech * np.float32(gain), (before, after))


def heard(path: Path, formant: float, letters: int) -> Samples | None:
    """Speech [N] of an engine's file, played faster by `formant`; None where it is no speech."""
    try:
        samples, rate = soundfile.read(path, dtype="float32")
    except soundfile.LibsndfileError:
        return None
    if samples.ndim != 1 or not len(samples) or np.mean(np.abs(samples) >= 1 - 1e-4) > CLIPPED:
        return None
    played = soxr.resample(samples, rate * formant, SAMPLE_RATE).astype(np.float32)
    speech = trimmed(played)
    shortest, longest = (each * letters * SAMPLE_RATE for each in LETTER_SECONDS)
    return speech if shortest < len(speech) < longest + SAMPLE_RATE else None


def spoken(job: Job) -> dict[str, Any]:
    """Have a job spoken: its plan, rows of the manifest, how many clips were dropped, CPU used."""
    began, engine = _cpu(), ENGINES[job.speaker.engine]
    dice = random.Random(f"finish {job.seed} {job.speaker.name}")
    rows = []
    job.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch) / f"{i}.wav" for i in range(len(job.sayings))]
        engine.speak(job.speaker, [engine.written(saying.text) for saying in job.sayings], paths)
        for i, (saying, path) in enumerate(zip(job.sayings, paths, strict=True)):
            text = " ".join(words_of(saying.text))
            speech = heard(path, job.speaker.formant, len(text))
            if speech is None:
                continue
            clip, out = finished(speech, dice), job.folder / f"{i:02d}.opus"
            soundfile.write(
                out, clip, SAMPLE_RATE, "OPUS", format="OGG", compression_level=COMPRESSION
            )
            rows.append(_row(job, saying, out, len(clip) / SAMPLE_RATE, text))
    counts = {"clips": len(rows), "dropped": len(job.sayings) - len(rows)}
    return {"plan": job.plan, "rows": rows, **counts, "cpu": _cpu() - began}


def _row(job: Job, saying: Saying, path: Path, seconds: float, text: str) -> dict[str, str]:
    return {
        "path": f"{path.parent.name}/{path.name}",
        "speaker": job.speaker.name,
        "seconds": f"{seconds:.3f}",
        "text": text,
        "split": "train",
        "note": f"{job.speaker.note} kind={saying.kind}",
    }


def _cpu() -> float:
    """CPU seconds of this process and of the programs it ran."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def done(job: Job) -> dict[str, Any] | None:
    """What an earlier run has of a job."""
    if not job.part.exists():
        return None
    part: dict[str, Any] = json.loads(job.part.read_text(encoding="utf8"))
    return part if part["plan"] == job.plan else None


def work(job: Job) -> dict[str, Any]:
    """Have a job spoken unless it was, and keep what came out."""
    part = done(job)
    if part is None:
        part = spoken(job)
        draft = job.part.with_suffix(".draft")
        draft.write_text(json.dumps(part), encoding="utf8")
        draft.replace(job.part)
    return part


def jobs(kit: Path, out: Path, seed: int, voices: dict[str, dict[str, int]]) -> Iterator[Job]:
    """Speaker after speaker, as long as there is something to say."""
    texts, number = sayings(kit, seed), 0
    while said := list(islice(texts, PER_SPEAKER)):
        who = speaker(number, seed, voices)
        folder = out / "speech" / CORPUS / who.name
        yield Job(who, said, folder, out / "parts" / f"{number:05d}.json", seed)
        number += 1


def parts(waiting: Iterator[Job], processes: int) -> Iterator[dict[str, Any]]:
    """What comes out of jobs, in their order; few are under way at a time."""
    with ProcessPoolExecutor(processes) as pool:
        under_way: list[Future[dict[str, Any]]] = []
        try:
            for job in waiting:
                under_way.append(pool.submit(work, job))
                if len(under_way) > 2 * processes:
                    yield under_way.pop(0).result()
            while under_way:
                yield under_way.pop(0).result()
        finally:
            for future in under_way:
                future.cancel()


def generate(every: Iterator[dict[str, Any]], hours: float) -> list[dict[str, Any]]:
    """Take parts until there are so many hours; a line about it now and then."""
    taken: list[dict[str, Any]] = []
    total, began = 0.0, time.monotonic()
    said = began
    for part in every:
        taken.append(part)
        total += seconds_of(part)
        if time.monotonic() > said + LINE_EVERY:
            said = time.monotonic()
            print(f"{total / 3600:.2f} of {hours:g} h, {said - began:.0f} s", flush=True)
        if total >= hours * 3600:
            break
    return taken


def seconds_of(part: dict[str, Any]) -> float:
    """Seconds of audio of a part."""
    return sum(float(row["seconds"]) for row in part["rows"])


def report(taken: list[dict[str, Any]]) -> None:
    """Print what each engine made: hours, speakers, clips, CPU."""
    by_engine: dict[str, list[dict[str, Any]]] = {}
    for part in taken:
        by_engine.setdefault(part["plan"]["speaker"]["engine"], []).append(part)
    for name, several in {**by_engine, "all": taken}.items():
        audio, cpu = sum(map(seconds_of, several)), sum(part["cpu"] for part in several)
        clips, dropped = (sum(part[key] for part in several) for key in ("clips", "dropped"))
        print(
            f"{name}: {audio / 3600:.2f} h, {len(several)} speakers, {clips} clips, {dropped} "
            f"dropped as no speech, {3600 * cpu / max(1.0, audio):.0f} s of CPU an hour"
        )


def present() -> dict[str, dict[str, int]]:
    """Engines and voices that are here. Raises SystemExit where there are none."""
    found = {name: engine.installed() for name, engine in ENGINES.items()}
    for name in (name for name, voices in found.items() if not voices):
        print(f"{name}: {ENGINES[name].program} or its voices are not installed; left out")
    voices = {name: known for name, known in found.items() if known}
    if not voices:
        sys.exit("no program that speaks is installed: install flite, espeak-ng or festival")
    return voices


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    voices = present()
    (options.out / "parts").mkdir(parents=True, exist_ok=True)
    waiting = jobs(options.kit, options.out, options.seed, voices)
    taken = generate(parts(waiting, options.jobs), options.hours)
    rows = [row for part in taken for row in part["rows"]]
    if not rows:
        sys.exit("nothing was spoken: run one of the programs by hand to see why")
    rows_to(options.out / "speech" / CORPUS / "manifest.tsv", rows)
    report(taken)


if __name__ == "__main__":
    main()
