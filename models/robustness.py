"""What a bundle loses where hearing is hard: noise, int8, streaming, long audio. JSON and a table.

    python -m models.robustness --kit KIT --bundle B [--run build/run] [--count 50] [--minutes 10]
        [--only noise int8 context long] [--jobs 2] [--json build/robustness.json]

    noise     WER in household sounds, steady noise, music and babble at 20, 10 and 5 dB, and how
              many times the errors of the same recordings without noise; whose fault it is tell
              phone errors (the network's) and words in no utterance (the gate's)
    int8      the bundle beside the weights it was made of in 32 bits, packed with all else of it
    context   phone errors of these weights in chunks, with all the past, and as a whole
    long      recordings in one stream of some minutes beside each alone

int8 and context need --run, the folder whose run.pt the bundle was exported from. Intervals are of
95 %, by bootstrap over recordings; ratios and differences are of the same recordings.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from earshot.bundle import find, open_bundle
from earshot.sources import Chunk
from earshot.transcriber import transcribe
from earshot.transducer import Transducer as Exported
from earshot.transducer import greedy

from models import context, long
from models.compare import packed
from models.corpus import Recording, read
from models.evaluate import (
    SETS,
    SYNTHETIC,
    Heard,
    Task,
    counted,
    encoded_of,
    engine_of,
    spaced,
    summary,
)
from models.export import export
from models.kept import network_of
from models.paired import difference, ratio
from models.score import edits, rate
from models.sounds import Sounds, mixed

Figures = dict[str, Any]
LEVELS = (20, 10, 5)  # dB of speech above noise
NOISY_SETS = ("librispeech_dev", *SYNTHETIC)
ALIKE = 1e-2  # largest difference between predictors of one network, one maybe kept in 16 bits
NOISE_KEYS = ("substituted", "deleted", "inserted", "phone_errors", "unheard")
sounds_of = cache(Sounds)


def hear_in(
    row: tuple[Task, Recording], condition: tuple[str, int] | None, kit: Path, bundle: Path
) -> tuple[Heard, int]:
    """One recording in a kind of noise at a level, or in none; and how many words went unheard."""
    (task, known), engine = row, engine_of(bundle)
    samples = read(task.path)
    if condition:
        kind, level = condition
        noise = sounds_of(kit).draw(kind, task.path.name, len(samples))
        samples = mixed(samples, noise, level)
    found = transcribe([Chunk(0, samples)], engine.recogniser())
    tokens, _ = greedy(engine.parts.new_scorer(), encoded_of(engine, samples))
    heard = counted(task, found, edits(task.tokens, tokens))
    return heard, long.unheard(known, 0, long.spans_of(found.events))


def errors_of(heard: Sequence[Heard]) -> tuple[list[int], list[int]]:
    """Errors and words of recordings."""
    return [one.errors for one in heard], [one.words for one in heard]


def noise(options: argparse.Namespace, bundle: Path, pool: Executor) -> Figures:
    """WER by set, kind and level, and by how much each multiplies the errors of clean speech."""
    found: Figures = {}
    conditions = [None, *product(Sounds(options.kit).kinds(), LEVELS)]
    for corpus in NOISY_SETS:
        rows = spaced(long.aligned(options.kit, corpus), options.count)
        clean: list[int] = []
        for condition in conditions if rows else ():
            hear_row = partial(hear_in, condition=condition, kit=options.kit, bundle=bundle)
            heard, unheard = zip(*pool.map(hear_row, rows, chunksize=4), strict=True)
            wrong, words = errors_of(heard)
            clean = clean or wrong
            name = "clean" if condition is None else f"{condition[0]} {condition[1]} dB"
            figures: Figures = {**summary(corpus, heard), "times_clean": ratio(wrong, clean)}
            figures["unheard"] = round(100 * sum(unheard) / sum(words), 2)
            found.setdefault(corpus, {})[name] = figures
            print(f"{corpus}, {name}: WER {figures['wer']} %", flush=True)
    return found


def int8(options: argparse.Namespace, bundle: Path, whole: Path, pool: Executor) -> Figures:
    """Errors of a bundle and of the same in 32 bits (`whole`), on the same recordings."""
    found: Figures = {}
    for corpus in SETS:
        rows = spaced(long.aligned(options.kit, corpus), options.count)
        if not rows:
            continue
        hear_row = partial(hear_in, condition=None, kit=options.kit)
        small, large = (
            [one for one, _ in pool.map(partial(hear_row, bundle=folder), rows, chunksize=4)]
            for folder in (bundle, whole)
        )
        (wrong, words), (others, _) = errors_of(small), errors_of(large)
        found[corpus] = {
            "int8": summary(corpus, small),
            "fp32": summary(corpus, large),
            "difference": difference(wrong, others, words),
            "same_text": sum(a.given == b.given for a, b in zip(small, large, strict=True)),
        }
    return found


def in_context(options: argparse.Namespace, whole: Path) -> Figures:
    """Phone errors of the weights by what they are let see, on the same recordings."""
    network, found = network_of(options.run), dict[str, Figures]()
    scorer = engine_of(whole).parts.new_scorer
    for corpus in NOISY_SETS:
        every = [one for _, one in spaced(long.aligned(options.kit, corpus), options.count)]
        if not every:
            continue
        phones = [len(one.token) for one in every]
        by_way = context.errors(network, scorer, every)
        found[corpus] = {"recordings": len(every), "phones": sum(phones)}
        for way, wrong in by_way.items():
            per = tuple(round(figure, 2) for figure in rate(wrong, phones))
            times = ratio(by_way[context.STREAMED], wrong)
            found[corpus][way] = {"phone_errors": per, "times_streamed_has": times}
    return found


def in_32_bits(run: Path, bundle: Path, out: Path) -> Path:
    """Make the bundle again of its weights. Raises SystemExit where they are of another network."""
    export(network_of(run), out / "network", int8=False, symbols=open_bundle(bundle).symbols)
    pairs = [Exported(f / "decoder.onnx", f / "joiner.onnx") for f in (out / "network", bundle)]
    if len({(one.size, one.context, one.width()) for one in pairs}) == 1:
        contexts = np.arange(pairs[0].size)[:, None].repeat(pairs[0].context, 1)
        rows = [one.predict(contexts) for one in pairs]
        if np.abs(rows[0] - rows[1]).max() < ALIKE:
            packed(out / "network", bundle, out / "bundle")
            return out / "bundle"
    message = f"{run} is not what {bundle} was exported from; give the run that it was, as --run"
    raise SystemExit(message)


def spelt(figure: Sequence[float]) -> str:
    """A figure with its interval."""
    return f"{figure[0]:g} [{figure[1]:g}, {figure[2]:g}]"


def table(heads: str, rows: list[list[object]]) -> str:
    """Rows as a table of Markdown."""
    lines = [f"| {heads} |", "|---" * (heads.count(" | ") + 1) + "|"]
    return "\n".join(lines + [f"| {' | '.join(map(str, row))} |" for row in rows]) + "\n"


def noise_table(found: Figures) -> str:
    """WER in noise."""
    rows = list[list[object]]()
    for corpus, every in found.items():
        for name, one in every.items():
            wer = spelt([one[key] for key in ("wer", "low", "high")])
            shares = [one[key] for key in NOISE_KEYS]
            rows.append([corpus, name, wer, spelt(one["times_clean"]), *shares])
    return table(f"set | heard | WER, % | times clean | {' | '.join(NOISE_KEYS)}", rows)


def int8_table(found: Figures) -> str:
    """Errors in 8 and 32 bits."""
    rows = list[list[object]]()
    for corpus, one in found.items():
        pairs = [f"{one['int8'][key]} / {one['fp32'][key]}" for key in ("wer", "phone_errors")]
        alike = f"{one['same_text']} of {one['int8']['recordings']}"
        rows.append([corpus, *pairs, spelt(one["difference"]), alike])
    heads = "WER int8 / fp32, % | phone errors, % | difference of WER, points | same text"
    return table(f"set | {heads}", rows)


def context_table(found: Figures) -> str:
    """Phone errors by what is seen."""
    rows: list[list[object]] = [
        [corpus, way, spelt(one[way]["phone_errors"]), spelt(one[way]["times_streamed_has"])]
        for corpus, one in found.items()
        for way in context.WAYS
    ]
    return table("set | heard | phone errors, % | in chunks, times as many", rows)


def long_table(found: Figures) -> str:
    """All that was found of the long stream."""
    rows: list[list[object]] = [[name, value] for name, value in found.items()]
    return table("one stream | ", rows)


TABLES: dict[str, Callable[[Figures], str]] = {
    "noise": noise_table,
    "int8": int8_table,
    "context": context_table,
    "long": long_table,
}
OF_WEIGHTS = {"int8", "context"}


def measure(options: argparse.Namespace, only: list[str]) -> Figures:
    """Measure what is asked. Raises BundleError, and SystemExit where something does not fit."""
    bundle, found = find(options.bundle), dict[str, Any]()
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(options.jobs) as pool:
        if OF_WEIGHTS & set(only):
            whole = in_32_bits(options.run, bundle, Path(folder))
        steps: dict[str, Callable[[], Figures]] = {
            "noise": lambda: noise(options, bundle, pool),
            "int8": lambda: int8(options, bundle, whole, pool),
            "context": lambda: in_context(options, whole),
            "long": lambda: long.measure(
                options.kit, engine_of(bundle), options.minutes, NOISY_SETS[0]
            ),
        }
        for name in only:
            found[name] = steps[name]()
            print(f"\n{TABLES[name](found[name])}", flush=True)
    return {"bundle": engine_of(bundle).bundle.label, "count": options.count, **found}


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--bundle", default="en", help="name or folder")
    parser.add_argument("--run", type=Path, help="folder with the run.pt of the bundle")
    parser.add_argument("--only", nargs="+", choices=TABLES, metavar="STEP", help="some steps")
    parser.add_argument("--count", type=int, default=50, help="recordings a set; 0 for all")
    parser.add_argument("--minutes", type=float, default=10, help="of the long stream")
    parser.add_argument("--jobs", type=int, default=2, help="processes of one thread each")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    only = options.only or [name for name in TABLES if options.run or name not in OF_WEIGHTS]
    if OF_WEIGHTS & set(only) and not options.run:
        parser.error("int8 and context need --run, the folder with the run.pt of the bundle")
    found = measure(options, only)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
