"""Networks beside each other: trained for the same CPU time, exported, heard; one table of it all.

    python -m models.compare --kit KIT --cache build/cache --out build/compare --minutes 12 --jobs 2

models/variants.toml names them. Each is trained by one process of one thread, with as many steps as
fit the CPU minutes, and stands in a folder of its own: what is done is not done again, what was
stopped goes on. Errors are those of the daemon's own code on the dev sets, int8; phones greedily.

The delay of a token goes from the middle of the aligned sound to the encoder frame that takes it
(as in models/tune.py), and `after` from the end of the sound to the end of the chunk that brings
it, over tokens the network got right. A piece of a word has an even share of the word's time.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import time
import tomllib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import torch
from earshot.attention import FILES, Encodes
from earshot.bundle import MANIFEST, find, read_symbols
from earshot.ending import CADENCE
from earshot.engine import Engine
from earshot.transducer import greedy
from earshot.units import ENCODER_FRAME_MS, FEATURE_BINS, FEATURE_HOP_MS, SUBSAMPLING

from models import bundle, phones, pieces
from models.corpus import Recording, read
from models.data import Corpus
from models.evaluate import REAL, SETS, encoded_of, engine_of, hear, spaced, summary, tasks
from models.export import export
from models.kept import network_of
from models.network import Transducer
from models.train import Recipe, Run, train
from models.variants import paced, variants

Figures = dict[str, Any]
VARIANTS = Path(__file__).with_name("variants.toml")
TRAINING_ONLY = ("ctc.", "frame.")  # heads that are not exported
ROUNDS, STEPS = 8, 25  # of timing an encoder: the fastest round counts, since others use the cores
HEADS = (
    "variant | parameters, M | steps | h heard | CPU min | PER, % | WER, % | mean WER, real sets | "
    "encoder, CPU ms a s | all, CPU ms a s | delay, ms: mean / p50 / p90 | after, ms: mean"
)


def folder_of(recipe: Recipe, options: argparse.Namespace) -> Path:
    """The cache that a recipe trains on: of phones, or of as many word pieces."""
    size = recipe["network"]["tokens"]
    cache: Path = options.cache
    return cache if size == phones.SIZE else options.out / f"cache-{size}"


def trained(recipe: Recipe, cache: Path, out: Path, minutes: float) -> Run:
    """Train, or go on. Raises SystemExit where other things were trained in the folder."""
    corpus, asked, plan = Corpus(cache), {"minutes": minutes, "recipe": recipe}, out / "plan.json"
    if not plan.exists():
        known = {**asked, "paced": paced(recipe, corpus, minutes, out)}
        plan.write_text(json.dumps(known, indent=1), encoding="utf8")
    known = json.loads(plan.read_text(encoding="utf8"))
    if {key: known[key] for key in asked} != asked:
        message = f"{out}: holds another recipe or was trained for other minutes; move it away"
        raise SystemExit(message)
    run = Run(known["paced"], corpus, out)
    if "start" in recipe:
        run.begin_with(Path(recipe["start"]))
    run.resume()
    train(run, 0)
    return run


def packed(network: Path, like: Path, out: Path) -> None:
    """Another bundle with this network in it."""
    shutil.copytree(like, out, dirs_exist_ok=True)
    for name in (CADENCE, *FILES):  # they read the frames of the other network
        (out / name).unlink(missing_ok=True)
    for path in network.iterdir():
        shutil.copyfile(path, out / path.name)
    facts = tomllib.loads((like / MANIFEST).read_text(encoding="utf8"))
    bundle.write(out, {k: v for k, v in facts.items() if k not in {"sizes", "files", "measured"}})


def dev(kit: Path, corpus: str, count: int, cache: Path | None) -> list[Recording]:
    """The aligned dev recordings of a corpus, in phones or in the pieces of a cache."""
    if not (kit / "speech" / corpus).exists():
        return []
    every = spaced(list(pieces.spoken(kit, [corpus], "dev")), count)
    if cache is None:
        return [one for one, _ in every]
    processor = pieces.opened(cache)
    return [pieces.respelt(one, words, processor) for one, words in every]


def delays(engine: Engine, every: Iterable[Recording]) -> Iterator[tuple[float, float]]:
    """Milliseconds to the frame of each token got right and to the end of the chunk with it."""
    chunk = engine.parts.encoder.shift // SUBSAMPLING
    for one in every:
        tokens, frames = greedy(engine.parts.new_scorer(), encoded_of(engine, read(one.path)))
        matcher = SequenceMatcher(None, one.token.tolist(), tokens, autojunk=False)
        for a, b, size in matcher.get_matching_blocks():
            for start, end, frame in zip(
                one.start[a : a + size], one.end[a : a + size], frames[b : b + size], strict=True
            ):
                brought = (frame // chunk + 1) * chunk * ENCODER_FRAME_MS
                middle = (start + end) / 2 * FEATURE_HOP_MS
                yield frame * ENCODER_FRAME_MS - middle, brought - end * FEATURE_HOP_MS


def cost(encoder: Encodes) -> float:
    """CPU milliseconds of the encoder a second of audio."""
    window = np.random.default_rng(0).normal(-6, 3, (encoder.window, FEATURE_BINS))
    state, rounds = encoder.start(), []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(STEPS):
            _, state = encoder.step(window.astype(np.float32), state)
        rounds.append(time.process_time() - began)
    return 1000 * min(rounds) / (STEPS * encoder.shift * FEATURE_HOP_MS / 1000)


def measured(folder: Path, options: argparse.Namespace, cache: Path | None) -> Figures:
    """Errors, CPU and delay of a bundle; `cache` names the pieces, if it is one of pieces."""
    engine, sets, late = engine_of(folder), dict[str, Figures](), list[tuple[float, float]]()
    for corpus in SETS:
        rows = tasks(options.kit, corpus, options.count, phones=cache is None)
        if rows:
            sets[corpus] = summary(corpus, [hear(task, folder) for task in rows])
            late += delays(engine, dev(options.kit, corpus, options.count, cache))
    found: Figures = {"sets": sets, "encoder_ms": round(cost(engine.parts.encoder), 2)}
    real = [one["wer"] for name, one in sets.items() if name in REAL]
    found["wer"] = round(float(np.mean(real)), 2) if real else None
    audio = sum(one["seconds"] for one in sets.values())
    spent = sum(one["seconds"] * one["cpu_per_second"] for one in sets.values())
    found["all_ms"] = round(1000 * spent / audio, 1)
    if late:
        delay, after = np.array(late).T
        p50, p90 = np.percentile(delay, (50, 90))
        figures = {"mean": delay.mean(), "p50": p50, "p90": p90, "after": after.mean()}
        found["delay"] = {name: round(float(value)) for name, value in figures.items()}
    return found


def size(network: Transducer) -> float:
    """Millions of parameters that are exported."""
    named = network.named_parameters()
    return sum(p.numel() for n, p in named if not n.startswith(TRAINING_ONLY)) / 1e6


def one(name: str, recipe: Recipe, options: argparse.Namespace) -> Figures:
    """Train, export and measure a variant, unless that was done before."""
    torch.set_num_threads(1)
    out, cache = options.out / name, folder_of(recipe, options)
    result = out / "result.json"
    if result.exists():
        known: Figures = json.loads(result.read_text(encoding="utf8"))
        if known["count"] == options.count:
            return known
    out.mkdir(parents=True, exist_ok=True)
    with (out / "log").open("a", encoding="utf8") as log, redirect_stdout(log):
        run = trained(recipe, cache, out, options.minutes)
        network, exported = network_of(out), out / "export"
        spelt = cache != options.cache
        symbols = read_symbols(cache / pieces.SYMBOLS) if spelt else phones.SYMBOLS
        export(network, exported, int8=True, symbols=symbols)
        if not spelt:
            packed(exported, find(options.bundle), out / "bundle")
        where = exported if spelt else out / "bundle"
        found = measured(where, options, cache if spelt else None)
    done = run.progress
    told = {"parameters": round(size(network), 2), "steps": done.step}
    told |= {"hours": round(done.audio / 3600, 1), "cpu_minutes": round(done.cpu / 60, 1)}
    found = {"variant": name, "count": options.count, **told, **found}
    result.write_text(json.dumps(found, indent=2) + "\n", encoding="utf8")
    return found


def row(found: Figures) -> str:
    """A variant as a line of the table."""
    sets, delay = found["sets"].values(), found.get("delay", {})
    errors = (
        " / ".join(str(one.get(kind, "–")) for one in sets) for kind in ("phone_errors", "wer")
    )
    cells = [
        *(found[key] for key in ("variant", "parameters", "steps", "hours", "cpu_minutes")),
        *errors,
        *(found[key] for key in ("wer", "encoder_ms", "all_ms")),
        " / ".join(str(delay.get(key, "–")) for key in ("mean", "p50", "p90")),
        delay.get("after", "–"),
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def table(every: list[Figures]) -> str:
    """All variants as a table, and what its cells hold."""
    lines = [f"| {HEADS} |", "|---" * (HEADS.count(" | ") + 1) + "|", *map(row, every)]
    return f"PER and WER of {' / '.join(every[0]['sets'])}.\n\n" + "\n".join(lines) + "\n"


def compare(known: dict[str, Recipe], options: argparse.Namespace) -> list[Figures]:
    """All variants, `jobs` at a time. What one raises comes when the others are done."""
    for recipe in known.values():
        cache = folder_of(recipe, options)
        if cache != options.cache and not (cache / "alignments.npz").exists():
            count = recipe["network"]["tokens"]
            pieces.write(options.kit, options.cache, cache, count, options.align)
    os.environ["OMP_NUM_THREADS"] = "1"  # of the processes to come
    fresh, every = multiprocessing.get_context("spawn"), []
    with ProcessPoolExecutor(options.jobs, fresh, max_tasks_per_child=1) as pool:
        coming = [pool.submit(one, name, recipe, options) for name, recipe in known.items()]
        for future in coming:
            every.append(future.result())
            print(row(every[-1]), flush=True)
    return every


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="folder of models.prepare")
    parser.add_argument("--align", type=Path, help="that of models.prepare")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--variants", type=Path, default=VARIANTS)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some of them")
    parser.add_argument("--minutes", type=float, default=12, help="of CPU, to train each")
    parser.add_argument("--jobs", type=int, default=2, help="processes of one thread each")
    parser.add_argument("--count", type=int, default=40, help="recordings a dev set; 0 for all")
    parser.add_argument("--bundle", default="en", help="whose lexicon and language model all use")
    options = parser.parse_args()
    known = variants(options.variants)
    names = options.only or list(known)
    if unknown := sorted(set(names) - set(known)):
        parser.error(f"no variant {', '.join(unknown)}; there are {', '.join(known)}")
    every = compare({name: known[name] for name in names}, options)
    (options.out / "table.json").write_text(json.dumps(every, indent=2) + "\n", encoding="utf8")
    (options.out / "table.md").write_text(table(every), encoding="utf8")
    print(table(every))


if __name__ == "__main__":
    main()
