"""Words outside the lexicon on the dev recordings: how many are found and spelt, what others pay.

    python -m models.unknown --kit KIT --bundle build/bundle [--scores -1 0 1] [--beam 200]
        [--sets NAME …] [--count 60] [--jobs 1] [--show 20] [--json build/unknown.json]

Few words of the dev recordings are outside the lexicon, so some are taken out of it: of every
second recording the rarest word, if the language model finds it rare. What the lexicon then lacks
is *unknown*, all else *known*. Gate and encoder hear each recording once; the search goes over it
without the speller ("off"), and with it for each score of an unknown word (the tuning's `unknown`).
A wider beam helps both, so both have the same. Its figures, in percent but for the counts:

    found     of the unknown words, those at whose place an unknown word was heard
    right     of the unknown words, those that were spelt as they are written
    LER       letter errors of all unknown words: found, taken for known ones, or not heard at all
    alarms    unknown words heard where none was said, per known word
    known     errors at known words and words too many, per known word
    plain     WER of the recordings without any unknown word: what the speller costs its owner
    WER       of all
"""

import argparse
import json
import shutil
import tempfile
import time
import tomllib
from collections.abc import Container, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from earshot.bundle import MANIFEST, SPELLER, find
from earshot.events import Word
from earshot.ngram import Ngram
from earshot.vad import VadSettings

from models.bundle import lines, listed
from models.evaluate import SETS, engine_of, tasks
from models.outside import Figures, Heard, figures, rarest, shown
from models.trial import Encoded, encode, searched

SCORES = (-2.0, -1.0, 0.0)
LOSS = 0.2  # percent points that the speller may cost the plain recordings and the known words
HEADS = ("found", "right", "LER", "alarms", "known", "plain", "WER")
OFF = "off"
Figured = Mapping[str, Mapping[str, Mapping[str, float]]]


def spoken(lexicon: Path) -> set[str]:
    """The words of a lexicon."""
    rows = lexicon.read_text(encoding="utf8").splitlines()
    return {row.partition("\t")[0] for row in rows}


def without(bundle: Path, words: Container[str], out: Path) -> Path:
    """Copy a bundle, but for some words of its lexicon; the copy."""
    shutil.copytree(bundle, out)
    rows = (out / "lexicon").read_text(encoding="utf8").splitlines(keepends=True)
    kept = [row for row in rows if row.partition("\t")[0] not in words]
    (out / "lexicon").write_text("".join(kept), encoding="utf8")
    return relisted(out)


def relisted(bundle: Path) -> Path:
    """Write into bundle.toml which files there are now; the bundle."""
    facts = tomllib.loads((bundle / MANIFEST).read_text(encoding="utf8"))
    text = "\n".join(lines({**facts, "files": listed(bundle)}))
    (bundle / MANIFEST).write_text(text + "\n", encoding="utf8")
    return bundle


def hear(one: Encoded, bundle: Path, score: float, beam: int | None = None) -> Heard:
    """Search over an encoded recording, with this score of unknown words; None is its own beam."""
    engine, found, began = engine_of(bundle), list[Word](), time.process_time()
    settings = engine.tuning.search
    settings = replace(settings, unknown=score, beam=beam or settings.beam)
    for chunks in one.utterances:
        found += searched(engine, chunks, settings).words
    return Heard(one.words, found, one.seconds, time.process_time() - began)


def row(name: str, found: Mapping[str, float]) -> str:
    """A line of the table."""
    columns = "".join(f"{found[head]:8.2f}" for head in HEADS)
    return f"{name:>18} {found['unknown words']:6.0f}{columns}{found['cpu_per_second']:8.4f}"


def heading(score: str) -> str:
    """Name the columns of the table, above the rows of a score."""
    columns = "".join(f"{head:>8}" for head in HEADS)
    return f"{'unknown ' + score:>18} {'words':>6}{columns}{'CPU':>8}"


def chosen(found: Figured) -> str:
    """The score that finds the most without costing the others more than LOSS, or "off".

    `found` has the figures of each set, and of "all", for each score.
    """
    off = found[OFF]["all"]
    fair = [
        score
        for score, sets in found.items()
        if all(sets["all"][head] <= off[head] + LOSS for head in ("known", "plain"))
    ]
    return max(fair, key=lambda score: found[score]["all"]["found"])


def gate(bundle: Path) -> VadSettings:
    """The gate of a bundle."""
    return engine_of(bundle).tuning.vad


@dataclass(frozen=True, slots=True)
class Study:
    """What is measured: the bundle without and with the speller, and what is known to both."""

    without: Path
    speller: Path
    known: set[str]
    encoded: Sequence[Encoded]
    beam: int | None  # None is the bundle's own
    show: int

    def measure(self, pool: Executor, score: float | None) -> dict[str, Figures]:
        """The figures of each set and of all, as a table as well; None is without the speller."""
        bundle = self.without if score is None else self.speller
        search = partial(hear, bundle=bundle, score=score or 0.0, beam=self.beam)
        every = list(pool.map(search, self.encoded, chunksize=8))
        names = [one.corpus for one in self.encoded]
        print(heading(named(score)))
        found = {}
        for name in (*dict.fromkeys(names), "all"):
            part = [one for one, of in zip(every, names, strict=True) if name in {of, "all"}]
            found[name] = figures(part, self.known)
            print(row(name, found[name]), flush=True)
        for text in shown(every, self.known, self.show):
            print(f"    {text}")
        return found


def named(score: float | None) -> str:
    """A score as the key of its figures."""
    return OFF if score is None else f"{score:g}"


def prepared(pool: Executor, options: argparse.Namespace, folder: Path) -> Study:
    """Take words out of the lexicon, in copies of the bundle, and hear all recordings."""
    rows = [(name, t) for name in options.sets for t in tasks(options.kit, name, options.count)]
    bundle = find(options.bundle)
    known, model = spoken(bundle / "lexicon"), Ngram(bundle / "words.lm")
    unigram = {
        w: u for w, u in zip(model.words, model.unigram.tolist(), strict=False) if w in known
    }
    taken = set[str]()
    for corpus in options.sets:
        taken |= rarest([task.text for name, task in rows if name == corpus], unigram)
    print(f"{len(taken)} words taken out of the lexicon of {bundle}", flush=True)
    speller = without(bundle, taken, folder / "speller")
    plain = without(bundle, taken, folder / "plain")
    (plain / SPELLER).unlink()
    vad = pool.submit(gate, relisted(plain)).result()
    encoded = list(pool.map(partial(encode, bundle=plain, vad=vad), rows, chunksize=4))
    return Study(plain, speller, known - taken, encoded, options.beam, options.show)


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--bundle", default="en", help="name or folder, with p2g.onnx")
    parser.add_argument("--scores", nargs="+", type=float, default=SCORES, help="of unknown words")
    parser.add_argument("--beam", type=int, help="instead of the bundle's own")
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS, metavar="NAME")
    parser.add_argument("--count", type=int, default=60, help="recordings a set; 0 for all")
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each")
    parser.add_argument("--show", type=int, default=0, help="unknown words of each score")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    if not (find(options.bundle) / SPELLER).exists():
        parser.error(f"{options.bundle} has no {SPELLER}; put it in with models.bundle --add")
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(options.jobs) as pool:
        study = prepared(pool, options, Path(folder))
        found = {named(s): study.measure(pool, s) for s in (None, *options.scores)}
    print(f"the most are found, and others lose at most {LOSS} points, with: {chosen(found)}")
    if options.json:
        text = json.dumps({"count": options.count, "beam": options.beam, "scores": found}, indent=2)
        options.json.write_text(text + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
