"""Speech that is meant for the device, and speech that is not: trains and measures the score.

    python -m models.directed --kit KIT --bundle en --nlu build/nlu --out build/directed
        [--count 960] [--json build/directed.json]

Machine voices that no training of the recogniser has heard (those of models.named) say as many
commands as sentences of books, of Common Voice and of people who order coffee; every voice says the
same share of each, so that neither voice nor corpus tells them apart. The model of meanings was not
trained on any of these sentences: they are the test sentences of its tables, and coffee is in none.
The recordings are made once, in OUT; after that, what the bundle hears of them is weighed by a
logistic regression on a few numbers (earshot.directed).

Equal error rates are of voices held out: each voice in turn is scored by what the others teach. And
of the kit's synthetic dev recordings by what all of them teach: of voices that the recogniser was
trained on, which say commands and, a few times, sentences of Common Voice that it was not.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from earshot.bundle import find
from earshot.directed import GROUPS, DirectedSettings, Traits, traits
from earshot.lattice import EMPTY
from earshot.nlu import FILE, NONE, TALK, Nlu
from earshot.sources import AudioFile
from earshot.transcriber import transcribe
from earshot.understanding import Understanding

from models.bundle import lines
from models.corpus import table
from models.evaluate import engine_of
from models.logistic import regression
from models.named import VOICES
from models.nlu_texts import examples
from models.sayings import Saying
from models.speak import Job, spoken
from models.texts import words_of
from models.tiny_kit import rows_to
from models.voices import ENGINES, RATES, Speaker

Floats = npt.NDArray[np.float64]
PER_SPEAKER = 20
LENGTHS = range(2, 21)  # words
RIDGE = 1.0  # of the weights of standardised traits
COFFEE = "text/taskmaster/tm4_lm.txt"
COMMANDS = ("nlu-eval", "slurp", "massive", "snips", "clinc150", "ohf", "home-llm")
READ = ("read-cv", "read-books")


def sayings(kit: Path, count: int) -> list[tuple[str, bool]]:
    """As many commands as other sentences, each with whether it is meant for the device; mixed."""
    dice = random.Random("directed")
    _, tested = examples(kit)
    commands = [
        [one.text for one in tested.get(name, []) if one.intent not in {NONE, TALK}]
        for name in COMMANDS
    ]
    talk = [[one.text for one in tested.get(name, [])] for name in READ]
    path = kit / COFFEE
    coffee = path.read_text(encoding="utf8").splitlines() if path.exists() else []
    talk.append([" ".join(words_of(text)) for text in coffee])
    found = [(text, True) for text in _taken(commands, count // 2, dice)]
    found += [(text, False) for text in _taken(talk, count // 2, dice)]
    return found


def _taken(sources: Sequence[Sequence[str]], count: int, dice: random.Random) -> list[str]:
    """Different sentences, about as many of each source."""
    pools = [sorted({text for text in one if len(text.split()) in LENGTHS}) for one in sources]
    for pool in pools:
        dice.shuffle(pool)
    turns = [text for i in range(count) for pool in pools for text in pool[i : i + 1]]
    return list(dict.fromkeys(turns))[:count]


def jobs(said: Sequence[tuple[str, bool]], out: Path) -> Iterator[Job]:
    """A speaker after the other, who says as many commands as other sentences."""
    dice = random.Random("speakers")
    kinds = [[text for text, kind in said if kind is wanted] for wanted in (True, False)]
    mixed = [text for pair in zip(*kinds, strict=False) for text in pair]
    for number in range(-(-len(mixed) // PER_SPEAKER)):
        engine, voice = VOICES[number % len(VOICES)]
        pitch, formant = dice.uniform(0.88, 1.14), dice.uniform(0.95, 1.06)
        who = Speaker(f"said{number:03d}", engine, voice, pitch, dice.uniform(*RATES), formant)
        texts = mixed[number * PER_SPEAKER :][:PER_SPEAKER]
        yield Job(who, [Saying("said", text) for text in texts], out / who.name, Path(), seed=0)


def say(kit: Path, out: Path, count: int) -> None:
    """Make the recordings, unless they are there."""
    if (out / "manifest.tsv").exists():
        return
    for engine, voice in VOICES:
        if not ENGINES[engine].installed().get(voice):
            sys.exit(f"{engine} has no voice {voice}: install what models.named asks for")
    said, rows = sayings(kit, count), []
    meant = dict(said)
    for job in jobs(said, out):
        voice = f"{job.speaker.engine}:{job.speaker.voice}"
        for row in spoken(job)["rows"]:
            kind = "command" if meant[row["text"]] else "talk"
            rows.append({**row, "split": "dev", "kind": kind, "voice": voice})
    rows_to(out / "manifest.tsv", rows)


@dataclass(frozen=True, slots=True)
class Seen:
    """Recordings: their traits [N, F], whether they are commands, and their voices."""

    traits: Floats
    command: npt.NDArray[np.bool_]
    voice: npt.NDArray[np.str_]


def rows_of(folder: Path, talk: str) -> list[tuple[Path, bool, str]]:
    """Dev recordings: where they are, whether they are commands (`talk` is not), and the voice."""
    rows = (row for row in table(folder / "manifest.tsv") if row["split"] == "dev")
    return [
        (folder / row["path"], row.get("kind") != talk, row.get("voice") or row["speaker"])
        for row in rows
    ]


def seen(rows: Sequence[tuple[Path, bool, str]], bundle: str, nlu: Nlu) -> Seen:
    """Hear recordings; one of which no word was heard is left out, as no result comes of it."""
    engine, understanding = engine_of(find(bundle)), Understanding(nlu)
    kept, found = [], []
    for path, command, voice in rows:
        results = transcribe(AudioFile(path), engine.recogniser()).results
        best = max(results, key=lambda one: len(one.words), default=EMPTY)
        if best.words:
            kept.append((command, voice))
            found.append(astuple(traits(best, understanding.result(best), nlu)))
    meant, voices = np.array([one for one, _ in kept]), np.array([voice for _, voice in kept])
    return Seen(np.array(found), meant, voices)


def fitted(x: Floats, y: npt.NDArray[np.bool_]) -> Floats:
    """Bias and weights of a logistic regression."""
    mean, spread = x.mean(0), np.maximum(x.std(0), 1e-6)
    rows = np.column_stack([np.ones(len(x)), (x - mean) / spread])
    ridge = np.append(0.0, np.full(x.shape[1], RIDGE))
    weight = regression(rows, y.astype(float), np.ones(len(x)), ridge)
    raw = weight[1:] / spread
    return np.append(weight[0] - raw @ mean, raw)


def equal_error(scores: Floats, y: npt.NDArray[np.bool_]) -> float:
    """Percent of wrong answers at the threshold where both kinds are as often wrong."""
    order = np.argsort(scores)
    sorted_y = y[order]
    missed = np.append(0, np.cumsum(sorted_y)) / max(1, y.sum())
    false = 1 - np.append(0, np.cumsum(~sorted_y)) / max(1, (~y).sum())
    at = int(np.abs(missed - false).argmin())
    return float(50 * (missed[at] + false[at]))


def held_out(data: Seen, columns: Sequence[int]) -> Floats:
    """Scores of every recording by what the other voices teach."""
    x = data.traits[:, columns]
    scores = np.zeros(len(x))
    for voice in np.unique(data.voice):
        own = data.voice == voice
        weight = fitted(x[~own], data.command[~own])
        scores[own] = weight[0] + x[own] @ weight[1:]
    return scores


def groups() -> dict[str, list[int]]:
    """Columns of each group of traits, of some together, and of all."""
    names = [one.name for one in fields(Traits)]
    every = {**GROUPS, "without text": (*GROUPS["decoder"], *GROUPS["length"]), "all": names}
    return {group: [names.index(name) for name in own] for group, own in every.items()}


def measured(data: Seen, known: Seen) -> dict[str, Any]:
    """Equal error rates of each group of traits: of voices held out, and of `known` ones."""
    found: dict[str, Any] = {"held out": {}, "known": {}}
    for name, one in (("held out", data), ("known", known)):
        found[name] |= {"recordings": len(one.command), "commands": int(one.command.sum())}
    for group, own in groups().items():
        weight = fitted(data.traits[:, own], data.command)
        found["held out"][group] = told(held_out(data, own), data.command)
        scores = weight[0] + known.traits[:, own] @ weight[1:]
        found["known"][group] = told(scores, known.command)
        for name in found:
            rate, low, high = found[name][group]
            print(f"{name}, {group}: equal error rate {rate:.1f} % [{low:.1f}, {high:.1f}]")
    return found


def told(scores: Floats, command: npt.NDArray[np.bool_]) -> list[float]:
    """An equal error rate with its bootstrap 95 % interval."""
    picks = np.random.default_rng(0).integers(0, len(scores), (1000, len(scores)))
    draws = [equal_error(scores[pick], command[pick]) for pick in picks]
    low, high = np.percentile(draws, (2.5, 97.5))
    return [round(one, 2) for one in (equal_error(scores, command), float(low), float(high))]


def settings(data: Seen) -> DirectedSettings:
    """Weights by all voices."""
    bias, *weights = (round(one, 4) for one in fitted(data.traits, data.command).tolist())
    return DirectedSettings(bias, Traits(*weights))


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True, help="folder of the data kit")
    parser.add_argument("--bundle", required=True, help="hears the recordings")
    parser.add_argument("--nlu", type=Path, required=True, help="folder of models.nlu")
    parser.add_argument("--out", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--count", type=int, default=960, help="recordings")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    say(options.kit, options.out, options.count)
    nlu = Nlu.open(options.nlu / FILE)
    data = seen(rows_of(options.out, "talk"), options.bundle, nlu)
    known = seen(rows_of(options.kit / "speech/synthetic", "cv"), options.bundle, nlu)
    found = measured(data, known)
    chosen = settings(data)
    tuned = {"bias": chosen.bias, "weights": asdict(chosen.weights)}
    text = lines({"tuning": {"directed": tuned}})
    (options.out / "directed.toml").write_text("\n".join(text).strip() + "\n", encoding="utf8")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
