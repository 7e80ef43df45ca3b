"""One contender of models/bench.py in a process of its own: hears recordings, prints its figures.

    python -m models.contenders NAME --kit KIT --bundle B [--count 20]

A process each, because memory is that of a process, and because sherpa-onnx ends the whole process
where it does not like a network. Each runs one thread, and loads before the clock starts. CPU is in
seconds a second of audio; WER and errors of phones are in percent, by set.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from earshot.bundle import Bundle, find, open_bundle
from earshot.encoder import Windows
from earshot.engine import Engine
from earshot.events import Partial
from earshot.features import Features
from earshot.sources import AudioFile
from earshot.transcriber import transcribe
from earshot.transducer import CachedScorer, Transducer, greedy
from earshot.units import SAMPLE_RATE, VAD_FRAME, seconds

from models.corpus import Samples, read
from models.evaluate import SETS, Task, tasks
from models.score import edits, rate
from models.stopwatch import STAGES, Stopwatch
from models.texts import words_of

TAIL = 0.66  # seconds of silence after a recording, as sherpa-onnx's own examples add
ACTIVE_PATHS = 4  # of modified_beam_search
Corpus = list[tuple[str, Task]]
Figures = dict[str, float]
Understand = Callable[[Task], list[str]]


def scored(rows: Corpus, understand: Understand, *, phones: bool = False) -> Figures:
    """Error rate with its 95 % interval by set, and CPU."""
    found: dict[str, list[tuple[int, int]]] = {}
    audio = spent = 0.0
    for corpus, task in rows:
        audio += seconds(len(read(task.path)))
        began = time.process_time()
        given = understand(task)
        spent += time.process_time() - began
        wanted = list(map(str, task.tokens)) if phones else task.text.split()
        if wanted:
            found.setdefault(corpus, []).append((edits(wanted, given), len(wanted)))
    figures = {"cpu_per_second": spent / audio}
    for corpus, counts in found.items():
        errors, sizes = zip(*counts, strict=True)
        kind = "phone_errors" if phones else "wer"
        names = (f"{kind}.{corpus}", f"{kind}_low.{corpus}", f"{kind}_high.{corpus}")
        figures |= zip(names, rate(errors, sizes), strict=True)
    return figures


def earshot(rows: Corpus, bundle: Bundle) -> Figures:
    """The whole way of `earshot transcribe`; its memory, and the time to open it."""
    began = time.monotonic()
    engine = Engine.open(bundle)
    opened = time.monotonic() - began

    def understand(task: Task) -> list[str]:
        return words_of(transcribe(AudioFile(task.path), engine.recogniser()).text)

    figures = scored(rows, understand)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**figures, "peak_mib": peak, "open_seconds": opened}


def pocketsphinx(rows: Corpus, bundle: Bundle) -> Figures:
    """PocketSphinx 5 with the model that comes with it, each recording as a whole."""
    from pocketsphinx import Decoder  # noqa: PLC0415 - only this contender needs it

    del bundle
    decoder = Decoder(loglevel="FATAL", samprate=SAMPLE_RATE)

    def understand(task: Task) -> list[str]:
        pcm = (np.clip(read(task.path), -1, 1) * 32_767).astype("<i2").tobytes()
        decoder.start_utt()
        decoder.process_raw(pcm, full_utt=True)
        decoder.end_utt()
        best = decoder.hyp()
        return words_of(best.hypstr) if best else []

    figures = scored(rows, understand)
    return {**figures, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def padded(task: Task) -> Samples:
    """The samples of a recording and TAIL seconds of silence."""
    return np.concatenate([read(task.path), np.zeros(round(TAIL * SAMPLE_RATE), np.float32)])


def sherpa(bundle: Bundle, method: str) -> Callable[[Task], list[str]]:
    """Make sherpa-onnx understand: the bundle's own network, tokens out, no lexicon."""
    from sherpa_onnx import OnlineRecognizer  # noqa: PLC0415 - only these contenders need it

    encoder, decoder, joiner = map(str, bundle.network)
    recogniser = OnlineRecognizer.from_transducer(
        str(bundle.file("tokens.txt")), encoder, decoder, joiner, num_threads=1, provider="cpu",
        model_type="lstm", decoding_method=method, max_active_paths=ACTIVE_PATHS,
    )  # fmt: skip
    number = {symbol: str(i) for i, symbol in enumerate(bundle.symbols)}

    def understand(task: Task) -> list[str]:
        stream = recogniser.create_stream()
        stream.accept_waveform(SAMPLE_RATE, padded(task))
        stream.input_finished()
        while recogniser.is_ready(stream):
            recogniser.decode_stream(stream)
        return [number[symbol.strip()] for symbol in recogniser.tokens(stream)]

    return understand


def own_greedy(bundle: Bundle) -> Callable[[Task], list[str]]:
    """Make earshot's features, encoder and joiner understand greedily, as sherpa-onnx does."""
    engine = Engine.open(bundle)
    encoder, (_, decoder, joiner) = engine.parts.encoder, bundle.network
    # Greedily, one context lives at a time: the table of all of them would not pay.
    scorer = CachedScorer(Transducer(decoder, joiner))

    def understand(task: Task) -> list[str]:
        features, windows = Features(), Windows(encoder.window, encoder.shift)
        frames = np.concatenate([features.accept(padded(task)), features.finish()])
        state, found = encoder.start(), []
        for window in windows.accept(frames):
            encoded, state = encoder.step(window, state)
            found.append(encoded)
        return list(map(str, greedy(scorer, np.concatenate(found))[0]))

    return understand


def sherpa_greedy(rows: Corpus, bundle: Bundle) -> Figures:
    """Greedy search of sherpa-onnx, and how far its tokens are from earshot's.

    They differ where two tokens are as good as equal: it brings another onnxruntime, and int8
    makes much of the last bit.
    """
    theirs, ours = sherpa(bundle, "greedy_search"), own_greedy(bundle)
    pairs = [(theirs(task), ours(task)) for _, task in rows]
    apart, tokens = sum(edits(a, b) for a, b in pairs), sum(len(a) for a, _ in pairs)
    same = sum(a == b for a, b in pairs)
    compared = {"tokens_apart": 100 * apart / max(1, tokens), "same": 100 * same / len(pairs)}
    return {**scored(rows, theirs, phones=True), **compared}


def sherpa_beam(rows: Corpus, bundle: Bundle) -> Figures:
    """Modified beam search of sherpa-onnx."""
    return scored(rows, sherpa(bundle, "modified_beam_search"), phones=True)


def earshot_greedy(rows: Corpus, bundle: Bundle) -> Figures:
    """Features, encoder and joiner of earshot, for like with like."""
    return scored(rows, own_greedy(bundle), phones=True)


def stages(rows: Corpus, bundle: Bundle) -> Figures:
    """CPU of each stage of earshot a second of audio, and their share in percent."""
    engine, watch = Engine.open(bundle), Stopwatch()
    audio = whole = 0.0
    with watch:
        for _, task in rows:
            samples, recogniser = read(task.path), engine.recogniser()
            audio += seconds(len(samples))
            began = time.process_time()
            for piece in pieces(samples):
                recogniser.accept(piece)
            recogniser.finish()
            whole += time.process_time() - began
    spent: dict[str, float] = {name: watch.spent[name] for name in STAGES}
    spent["rest"] = whole - sum(spent.values())
    figures = {f"cpu_per_second.{name}": value / audio for name, value in spent.items()}
    return figures | {f"share.{name}": 100 * value / whole for name, value in spent.items()}


def pieces(samples: Samples) -> Iterator[Samples]:
    """Frames of 20 ms, as a microphone gives them."""
    for first in range(0, len(samples), VAD_FRAME):
        yield samples[first : first + VAD_FRAME]


def latency(rows: Corpus, bundle: Bundle) -> Figures:
    """Milliseconds from the end of a piece of audio to the partial that it completes.

    By the clock on the wall, and by the processor's, which other programs do not slow down.
    """
    engine = Engine.open(bundle)
    partials: list[tuple[float, float]] = []
    longest = 0.0
    for _, task in rows:
        recogniser = engine.recogniser()
        for piece in pieces(read(task.path)):
            began = time.perf_counter(), time.process_time()
            events = recogniser.accept(piece)
            spent = time.perf_counter() - began[0], time.process_time() - began[1]
            longest = max(longest, 1_000 * spent[0])
            if any(isinstance(event, Partial) for event in events):
                partials.append(spent)
    figures: Figures = {"count": len(partials), "longest_piece": longest}
    if partials:
        both = 1_000 * np.percentile(np.array(partials), (50, 95), axis=0)
        figures |= zip(("p50", "cpu_p50", "p95", "cpu_p95"), both.ravel().tolist(), strict=True)
    return figures


CONTENDERS: dict[str, Callable[[Corpus, Bundle], Figures]] = {
    "earshot": earshot,
    "pocketsphinx": pocketsphinx,
    "earshot_greedy": earshot_greedy,
    "sherpa_greedy": sherpa_greedy,
    "sherpa_beam": sherpa_beam,
    "stages": stages,
    "partial_ms": latency,
}


def rows_of(kit: Path, sets: Sequence[str], count: int) -> Corpus:
    """The recordings that all contenders hear: `count` a set, evenly spaced."""
    return [(corpus, task) for corpus in sets for task in tasks(kit, corpus, count, phones=True)]


def main() -> None:
    """Command line of one contender."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=CONTENDERS)
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--bundle", required=True)
    parser.add_argument("--count", type=int, default=20, help="recordings a set")
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS, metavar="NAME")
    options = parser.parse_args()
    rows = rows_of(options.kit, options.sets, options.count)
    figures = CONTENDERS[options.name](rows, open_bundle(find(options.bundle)))
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
