"""What a re-ranker gives: errors of the device, and of lists and lattices that it ranked anew.

    python -m models.rescore --kit KIT --bundle en --rescorer models/rescorers/en
        --named build/named --out build/rescore [--sets NAME …] [--count N] [--jobs 2] [--json FILE]

Weights are found by trying all of a grid on every second recording of each set (tune), and
everything is reported of the others (test), real sets and machine-spoken ones apart. `list` ranks
the device's 64 likeliest texts anew, `lattice` all that was sent of the lattice. Intervals are
bootstrapped over recordings; those of ratios are of errors by the device's own on the same ones
(models/paired.py). `closed` is the share of the way from the device's errors to those of the
nearest path. Lattices are heard once for each bundle and kept in OUT; weights.toml there is for
models.rescorer --weights.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from earshot.bundle import find, open_bundle
from earshot.compose import words_of
from earshot.neural import NeuralModel, open_rescorer
from earshot.parcel import ParcelSettings
from earshot.rescoring import RescoringSettings, ordered
from earshot.word_list import WordList

from models.evaluate import SETS, SYNTHETIC
from models.lattices import OPUS
from models.paired import ratio
from models.rescored import NAMED, Sample, Shelf, ready, recordings
from models.score import rate
from models.streams import HALVES

Floats = npt.NDArray[np.float32]
VALUES = {
    "neural": (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5),
    "common": (0.0, 0.05, 0.1, 0.15, 0.2, 0.3),
    "bonus": (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0),
    "name": (0.0, 0.1, 0.2, 0.35, 0.5),
}


@dataclass(frozen=True, slots=True)
class Ranking:
    """How paths are ranked."""

    settings: RescoringSettings = field(default_factory=RescoringSettings)
    debias: bool = False
    listed: bool = False
    """only the device's own list"""

    def weights(self) -> Floats:
        """Of the parts of a score, without the model's."""
        s = self.settings
        return np.array([1.0, -float(self.debias), s.bonus, s.name, -s.common], np.float32)


def chosen(sample: Sample, way: Ranking) -> int:
    """Errors of a recording whose candidates are ranked so."""
    picks, weights = [], way.weights()
    for one in sample.utterances:
        few = one.candidates
        count = few.listed if way.listed else len(few.words)
        neural = way.settings.neural * few.likeliest[:count]
        picks.append(int((few.parts[:count] @ weights + neural).argmax()))
    return sample.errors_of(tuple(picks))


def exact(sample: Sample, way: Ranking) -> int:
    """Errors of a recording whose lattices are ranked as the re-ranker does it."""
    texts = []
    for one in sample.utterances:
        best = ordered(one.plan, one.asked, way.settings, 1, debias=way.debias)[0]
        texts.append([one.plan.opened.arcs[i].word for i in best.arcs])
    return sample.errors(texts)


def cost(sets: Mapping[str, Sequence[Sample]], way: Ranking) -> float:
    """How many standard deviations more errors than the device, added up over the sets.

    The errors of a set are taken to vary as their square root does, so that a set of a few errors
    neither counts for nothing nor for as much as one of thousands.
    """
    found = 0.0
    for samples in sets.values():
        device = sum(device_errors(one) for one in samples)
        found += (sum(chosen(one, way) for one in samples) - device) / math.sqrt(device + 1)
    return found


def device_errors(sample: Sample) -> int:
    """Errors of what the device understood."""
    return sample.errors([sample.recording.best.split()])


def tuned(sets: Mapping[str, Sequence[Sample]], way: Ranking) -> Ranking:
    """The best weights of its own and all that VALUES has, for they depend on each other."""
    best, found = cost(sets, way), way
    for values in product(*VALUES.values()):
        weights = cast("Any", dict(zip(VALUES, values, strict=True)))
        other = replace(way, settings=replace(way.settings, **weights))
        if (much := cost(sets, other)) < best - 1e-9:
            best, found = much, other
    print(f"  {best:+.2f} deviations on the tuning half: {found}", flush=True)
    return found


def figures(samples: Sequence[Sample], ways: Mapping[str, Ranking]) -> dict[str, Any]:
    """A set as figures."""
    words = [len(one.wanted) for one in samples]
    device = [device_errors(one) for one in samples]
    nearest, sent = zip(*(one.nearest() for one in samples), strict=True)
    count = {"device": device, "nearest": list(nearest), "nearest_sent": list(sent)}
    for name, way in ways.items():
        rank = chosen if way.listed else exact
        count[name] = [rank(one, way) for one in samples]
    found: dict[str, Any] = {"recordings": len(samples), "words": sum(words)}
    found |= {name: [round(x, 2) for x in rate(errors, words)] for name, errors in count.items()}
    for name in ways:
        found[f"{name}_ratio"] = ratio(count[name], device)
        gap = sum(device) - sum(nearest)
        found[f"{name}_closed"] = round((sum(device) - sum(count[name])) / max(1, gap), 3)
    return found | sizes(samples)


def sizes(samples: Sequence[Sample]) -> dict[str, float]:
    """What is sent."""
    audio = sum(one.recording.seconds for one in samples)
    every = [utterance for one in samples for utterance in one.utterances]
    total = sum(one.bytes for one in every)
    return {
        "bytes_an_utterance": round(total / max(1, len(every)), 1),
        "bytes_a_second": round(total / audio, 1),
        "opus_to_lattice": round(OPUS * audio / max(1, total), 1),
        "arcs_a_second": round(sum(one.arcs for one in every) / audio, 1),
        "bits_an_arc": round(8 * total / max(1, sum(one.arcs for one in every)), 1),
    }


def samples_of(
    shelf: Shelf, corpus: str, sent: ParcelSettings, model: NeuralModel, words: WordList
) -> list[Sample]:
    """All recordings of a set, ready."""
    return [
        Sample(row, tuple(ready(lattice, model, words, sent) for lattice in row.lattices))
        for row in recordings(shelf, corpus)
    ]


def ways_of(tune: Mapping[str, Sequence[Sample]]) -> dict[str, Ranking]:
    """Each way with its own best weights."""
    ways = {"list": Ranking(listed=True), "lattice": Ranking(), "debiased": Ranking(debias=True)}
    return {name: tuned(tune, way) for name, way in ways.items()}


def report(options: argparse.Namespace) -> dict[str, Any]:
    """Tune and measure; a line a set. Raises BundleError."""
    model = open_rescorer(str(options.rescorer)).model
    words = words_of(open_bundle(find(options.bundle)))
    if words.fingerprint != model.words.fingerprint:
        print("the bundle's words are not the re-ranker's: they are sent spelt")
        words = WordList()
    sent = ParcelSettings(options.least, options.arcs_a_second)
    shelf = Shelf(
        options.kit, options.named, options.bundle, options.out, options.count, options.jobs
    )
    sets = {name: samples_of(shelf, name, sent, model, words) for name in options.sets}
    sets = {name: samples for name, samples in sets.items() if len(samples) > 1}
    tune = {name: samples[HALVES["tune"]] for name, samples in sets.items()}
    ways, found = ways_of(tune), dict[str, Any]()
    for name, samples in sets.items():
        kind = "synthetic" if name in {*SYNTHETIC, NAMED} else "real"
        found[name] = {"kind": kind, **figures(samples[HALVES["test"]], ways)}
        print(f"{name}: {json.dumps(found[name])}", flush=True)
    write_weights(options.out / "weights.toml", ways["lattice"].settings)
    return {"weights": {name: str(way) for name, way in ways.items()}, "sets": found}


def write_weights(path: Path, settings: RescoringSettings) -> None:
    """For models.rescorer."""
    names = ("neural", "common", "bonus", "name")
    lines = ["[weights]", *(f"{name} = {getattr(settings, name)}" for name in names)]
    path.write_text("\n".join(lines) + "\n", "utf8")


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--bundle", default="en")
    parser.add_argument("--rescorer", type=Path, required=True, help="folder of models.rescorer")
    parser.add_argument("--named", type=Path, help="folder of models.named")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=[*SETS, NAMED], choices=[*SETS, NAMED])
    parser.add_argument("--count", type=int, default=0, help="recordings a set; 0 for all")
    parser.add_argument("--least", type=float, default=ParcelSettings().least)
    parser.add_argument("--arcs-a-second", type=float, default=ParcelSettings().arcs_a_second)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    options.sets = [name for name in options.sets if name != NAMED or options.named]
    options.out.mkdir(parents=True, exist_ok=True)
    found = report(options)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", "utf8")


if __name__ == "__main__":
    main()
