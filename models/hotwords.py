"""The names of a catalog beside the hot words of sherpa-onnx: same network, list and recordings.

    python -m models.hotwords --kit KIT --named build/named --bundle models/bundles/en
        [--sizes 100 1000] [--count 60]

Stock sherpa-onnx runs the network of the bundle, searches with its modified beam and favours the
sounds of the names; what it gives are phones. A name is found where its sounds stand in a row in
them, and for earshot where its words do. Names that nobody says are counted the same in read speech
(librispeech_dev). sherpa-onnx takes hot words as characters, so each token is one in its table.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earshot.bundle import Bundle, find, open_bundle
from earshot.engine import Engine
from earshot.entries import Entry, Kind
from earshot.names import names_of
from earshot.sounds import Tokens
from earshot.sources import AudioFile
from earshot.transcriber import transcribe
from earshot.units import SAMPLE_RATE

from models.bias import TOGETHER, Clip, grouped, named, strangers
from models.contenders import padded
from models.corpus import read
from models.evaluate import Task, tasks

FIRST = 0x4E00  # the character of the first token
Hears = Callable[[Path], Callable[[Entry], bool]]


@dataclass
class Found:
    """What became of the names that were said, and of those that were not."""

    said: int = 0
    found: int = 0
    false: int = 0
    seconds: float = 0.0
    cpu: float = 0.0


def sounds_of(engine: Engine, entries: Iterable[Entry]) -> dict[Entry, tuple[Tokens, ...]]:
    """The ways that each name may sound."""
    vocabulary = engine.parts.vocabulary
    if vocabulary is None:
        message = "hot words of word pieces are not compared here; give a bundle of phones"
        raise SystemExit(message)
    found = {}
    for entry in entries:
        phrase = Entry.of(Kind.PHRASE, entry.name)
        found[entry] = names_of([phrase], vocabulary.dictionary).phrases
    return found


def stands(part: Sequence[object], whole: Sequence[object]) -> bool:
    """Whether a sequence stands in another in a row."""
    size = len(part)
    return any(list(whole[i : i + size]) == list(part) for i in range(len(whole) - size + 1))


def earshot(engine: Engine, entries: list[Entry]) -> Hears:
    """Hear words, and look for those of a name."""
    favouring, _ = engine.naming(entries)

    def hear(path: Path) -> Callable[[Entry], bool]:
        words = [w.text for w in transcribe(AudioFile(path), favouring.recogniser()).words]
        return lambda entry: stands(entry.name.split(), words)

    return hear


def sherpa(
    bundle: Bundle, sounds: dict[Entry, tuple[Tokens, ...]], entries: list[Entry], folder: Path
) -> Hears:
    """Hear phones, and look for those of a name."""
    from sherpa_onnx import OnlineRecognizer  # noqa: PLC0415 - only this needs it

    table, hot = folder / "tokens.txt", folder / "hotwords.txt"
    table.write_text(
        "".join(f"{chr(FIRST + i)} {i}\n" for i in range(len(bundle.symbols))), encoding="utf8"
    )
    lines = ["".join(chr(FIRST + t) for t in way) for entry in entries for way in sounds[entry]]
    hot.write_text("\n".join(dict.fromkeys(lines)) + "\n", encoding="utf8")
    recogniser = OnlineRecognizer.from_transducer(
        str(table), *map(str, bundle.network), num_threads=1, provider="cpu", model_type="lstm",
        decoding_method="modified_beam_search", hotwords_file=str(hot), modeling_unit="cjkchar",
    )  # fmt: skip

    def hear(path: Path) -> Callable[[Entry], bool]:
        stream = recogniser.create_stream()
        stream.accept_waveform(SAMPLE_RATE, padded(Task(path, "")))
        stream.input_finished()
        while recogniser.is_ready(stream):
            recogniser.decode_stream(stream)
        tokens = [ord(symbol.strip()) - FIRST for symbol in recogniser.tokens(stream)]
        return lambda entry: any(stands(way, tokens) for way in sounds[entry])

    return hear


def counted(hear: Hears, clips: Sequence[Clip], entries: Sequence[Entry], found: Found) -> None:
    """Hear recordings, and count which of the names are found."""
    for clip in clips:
        began = time.process_time()
        has = hear(clip.path)
        found.cpu += time.process_time() - began
        found.seconds += len(read(clip.path)) / SAMPLE_RATE
        found.said += len(clip.names)
        found.found += sum(map(has, clip.names))
        found.false += sum(has(entry) for entry in entries if entry not in clip.names)


def figures(found: Found) -> dict[str, Any]:
    """As figures."""
    return {
        "found": round(100 * found.found / max(1, found.said), 1),
        "false": found.false,
        "false_an_hour": round(3600 * found.false / found.seconds, 1),
        "cpu": round(found.cpu / found.seconds, 4),
    }


def hearers(
    bundle: Bundle, engine: Engine, entries: list[Entry], folder: Path
) -> Iterator[tuple[str, Hears]]:
    """Both, with the same names."""
    yield "earshot", earshot(engine, entries)
    yield "sherpa_onnx", sherpa(bundle, sounds_of(engine, entries), entries, folder)


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--named", type=Path, required=True, help="folder of models.named")
    parser.add_argument("--bundle", default="en")
    parser.add_argument("--sizes", nargs="+", type=int, default=[100, 1_000])
    parser.add_argument("--count", type=int, default=60, help="recordings of read speech")
    options = parser.parse_args()
    bundle = open_bundle(find(options.bundle))
    engine, clips = Engine.open(bundle), named(options.named)
    prose = [Clip(t.path, t.text) for t in tasks(options.kit, "librispeech_dev", options.count)]
    others = strangers(options.kit, clips, max(options.sizes))
    for size in options.sizes:
        together = TOGETHER.get(("gain", size), len(clips))
        total = {name: (Found(), Found()) for name in ("earshot", "sherpa_onnx")}
        for some, entries in grouped(clips, size, together, others):
            with tempfile.TemporaryDirectory() as folder:
                for name, hear in hearers(bundle, engine, entries, Path(folder)):
                    counted(hear, some, entries, total[name][0])
        with tempfile.TemporaryDirectory() as folder:
            for name, hear in hearers(bundle, engine, others[:size], Path(folder)):
                counted(hear, prose, others[:size], total[name][1])
        for name, parts in total.items():
            said, unsaid = map(figures, parts)
            print(f"{name} {size}: {json.dumps({'commands': said, 'read': unsaid})}", flush=True)


if __name__ == "__main__":
    main()
