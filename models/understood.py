"""How well sentences are understood, written and spoken: figures of nlu.bin.

    python -m models.understood --kit KIT --nlu build/nlu [--devel] [--bundle models/bundles/en]
        [--said build/directed] [--count 0] [--json build/understood.json]

Written: the held-out sentences of each table, whose intents and slots are those of the table in our
words (models/nlu_intents.toml), by nlu.bin and by its twin without compression. A slot is right if
its name and all its words are. `whole` are sentences of which all is.

Spoken (with --bundle): the dev recordings of the kit's machine voices, whose sentences were not
trained on; and with --said every second of the commands of models.directed, spoken by voices that
no training has heard (all of them were looked at when the weights of UnderstandingSettings were
chosen). What is wanted is what a table says of the sentence; of sentences that no table has, or
whose slots none tells, it is what nlu.bin makes of the true text. Compared are the best path alone
and the lattice; `true text` is what no recogniser could beat.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earshot.bundle import find
from earshot.cues import Paths, bag
from earshot.events import Interpretation, Result
from earshot.lattice import EMPTY
from earshot.nlu import FILE, NONE, TALK, Nlu
from earshot.sources import AudioFile
from earshot.transcriber import transcribe
from earshot.understanding import Understanding

from models.corpus import table
from models.evaluate import engine_of, spaced
from models.meaning_score import Filled, Tally, filled, together
from models.nlu import TWIN
from models.nlu_plain import Plain
from models.nlu_texts import SOURCES, Example, examples, labelled
from models.texts import words_of

SPOKEN = "synthetic"
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording: what it means, what it says, and what was heard."""

    wanted: Filled
    words: tuple[str, ...]
    result: Result


def by_nlu(nlu: Nlu, words: Sequence[str]) -> tuple[int, tuple[int, ...]]:
    """Intent and tags by the small model."""
    intent = int(nlu.meant(bag(Paths.of_words(words))).argmax())
    return intent, nlu.tagged([words], intent)[0]


def by_twin(twin: Plain, words: Sequence[str]) -> tuple[int, tuple[int, ...]]:
    """The same by the large one."""
    intent = int(twin.meant(words).argmax())
    return intent, twin.tagged(words, intent)


Reads = Callable[[Sequence[str]], tuple[int, tuple[int, ...]]]


def tallied(every: Sequence[Example], reads: Reads, nlu: Nlu) -> Tally:
    """Understand sentences; slots count where the table tells them."""
    names, found = ("", *nlu.slots), Tally()
    for one in every:
        intent, tags = reads(one.words)
        given = filled(one.words, nlu.intents[intent], [names[tag] for tag in tags])
        intent_wanted = NONE if one.intent == TALK else one.intent
        wanted = filled(one.words, intent_wanted, one.tags or ())
        found = found.seen(wanted, given, slots=one.tags is not None)
    return found


def written(kit: Path, folder: Path, *, devel: bool) -> Figures:
    """The sentences of each table by both models."""
    nlu, twin = Nlu.open(folder / FILE), Plain.read(folder / TWIN)
    _, tested = examples(kit, devel=devel)
    ways: dict[str, Reads] = {
        "nlu": lambda words: by_nlu(nlu, words),
        "twin": lambda words: by_twin(twin, words),
    }
    found: Figures = {"bytes": {n: (folder / n).stat().st_size for n in (FILE, TWIN)}}
    totals: dict[str, list[Tally]] = {way: [] for way in ways}
    for name, every in tested.items():
        found[name] = {}
        for way, reads in ways.items():
            totals[way].append(tallied(every, reads, nlu))
            found[name][way] = totals[way][-1].figures
        print(name, *(f"{way} {shown(figures)}" for way, figures in found[name].items()), sep=" · ")
    found["all"] = {way: together(tallies).figures for way, tallies in totals.items()}
    print("all", *(f"{way} {shown(figures)}" for way, figures in found["all"].items()), sep=" · ")
    print(f"{found['bytes']}: {found['bytes'][TWIN] / found['bytes'][FILE]:.1f} times smaller")
    return found


def shown(figures: dict[str, float]) -> str:
    """Figures in a line."""
    return " ".join(f"{name} {value:g}" for name, value in figures.items())


def meant(found: Interpretation | None) -> Filled:
    """An interpretation as it is compared."""
    if found is None:
        return Filled(NONE, ())
    return Filled(found.intent, tuple((slot.name, slot.value) for slot in found.slots))


Means = Callable[[Sequence[str]], Filled]


def wanted(kit: Path, understanding: Understanding) -> Means:
    """What sentences mean, by the tables as far as they tell."""
    known: dict[str, Example] = {}
    for name in SOURCES:
        for one in labelled(kit, name):
            if one.text not in known or (one.tags and not known[one.text].tags):
                known[one.text] = one

    def means(words: Sequence[str]) -> Filled:
        own = meant(understanding.text(words))
        label = known.get(" ".join(words))
        if label is None:
            return own
        if label.tags is None:
            return own._replace(intent=label.intent)
        return filled(label.words, label.intent, label.tags)

    return means


def rows_of(options: argparse.Namespace) -> Iterator[tuple[str, Path, list[dict[str, str]]]]:
    """Sets of recordings: their names, folders and rows."""
    folder = options.kit / "speech" / SPOKEN
    rows = [row for row in table(folder / "manifest.tsv") if row["split"] == "dev"]
    yield SPOKEN, folder, spaced(rows, options.count)
    if options.said:
        commands = [r for r in table(options.said / "manifest.tsv") if r["kind"] == "command"]
        yield "said", options.said, spaced(commands[1::2], options.count)


def heard(bundle: str, folder: Path, rows: Sequence[dict[str, str]], means: Means) -> list[Heard]:
    """The recordings, as the daemon hears them; of several utterances, the longest."""
    engine, found = engine_of(find(bundle)), []
    for row in rows:
        results = transcribe(AudioFile(folder / row["path"]), engine.recogniser()).results
        words = tuple(words_of(row["text"]))
        best = max(results, key=lambda one: len(one.words), default=EMPTY)
        found.append(Heard(means(words), words, best))
    return found


def spoken(options: argparse.Namespace) -> Figures:
    """The recordings by the best path alone, and by the lattice."""
    understanding = Understanding(Nlu.open(options.nlu / FILE))
    means, found = wanted(options.kit, understanding), Figures()
    for name, folder, rows in rows_of(options):
        every = heard(options.bundle, folder, rows, means)
        wrong = [one for one in every if one.result.text.split() != list(one.words)]
        found[name] = compared(name, every, understanding)
        found[f"{name}, misheard"] = compared(f"{name}, misheard", wrong, understanding)
    return found


def compared(name: str, every: Sequence[Heard], understanding: Understanding) -> Figures:
    """Three ways to understand recordings."""
    ways: dict[str, Callable[[Heard], Interpretation | None]] = {
        "true text": lambda one: understanding.text(one.words),
        "best path": lambda one: understanding.text([word.text for word in one.result.words]),
        "lattice": lambda one: understanding.result(one.result),
    }
    found: Figures = {}
    for way, reads in ways.items():
        tally, began = Tally(), time.process_time()
        for one in every:
            tally = tally.seen(one.wanted, meant(reads(one)))
        spent = 1000 * (time.process_time() - began) / max(1, len(every))
        found[way] = {**tally.figures, "cpu_ms": round(spent, 2)}
        print(f"{name}, {way}: {shown(found[way])}")
    return found


def main() -> None:
    """Command line of this measurement."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True, help="folder of the data kit")
    parser.add_argument("--nlu", type=Path, required=True, help="folder of models.nlu")
    parser.add_argument("--devel", action="store_true", help="the devel sentences instead")
    parser.add_argument("--bundle", help="recordings as well, heard by this bundle")
    parser.add_argument("--said", type=Path, help="recordings of models.directed as well")
    parser.add_argument("--count", type=int, default=0, help="recordings, evenly spaced; 0 is all")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    found = {"written": written(options.kit, options.nlu, devel=options.devel)}
    if options.bundle:
        found["spoken"] = spoken(options)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
