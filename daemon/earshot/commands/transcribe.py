"""earshot transcribe: recordings to words, without a daemon."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from earshot.compose import Engine, load_engine
from earshot.errors import EarshotError
from earshot.pictures import write
from earshot.sources import AudioFile
from earshot.transcriber import Transcript, as_object, transcribe


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("transcribe", help="recordings to words", description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE", help="WAV, FLAC, Ogg, MP3 at any rate")
    parser.add_argument("--bundle", default=None, help="name or folder of the bundle (default: en)")
    parser.add_argument("--json", action="store_true", help="one JSON object a file")
    parser.add_argument("--events", action="store_true", help="with --json: all events as well")
    parser.add_argument("--n-best", type=_count, default=None, metavar="N", help="length of the n-best list")
    parser.add_argument("--beam", type=_count, default=None, metavar="N", help="hypotheses a frame")
    parser.add_argument("--lattice", type=Path, default=None, metavar="OUT", help="draw or write the lattice: .svg, .dot or .json")
    parser.set_defaults(run=run)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        message = f"{number} is not a count"
        raise argparse.ArgumentTypeError(message)
    return number


def run(options: argparse.Namespace) -> int:
    """Transcribe each file; 1 if one of them could not be heard."""
    engine = load_engine(options.bundle)
    if options.beam:
        engine = engine.with_search(replace(engine.search, beam=options.beam))
    if options.n_best:
        engine = engine.with_lattice(replace(engine.lattice, alternatives=options.n_best))
    failed, lattices = False, []
    for file in options.files:
        try:
            transcript = transcribe(AudioFile(Path(file)), engine.recogniser())
        except EarshotError as error:
            print(f"earshot: {error}", file=sys.stderr)
            failed = True
            continue
        _show(file, transcript, engine.bundle.label, options)
        lattices += [result.lattice for result in transcript.results if result.words]
    if options.lattice:
        write(lattices, options.lattice)
    return int(failed)


def _show(file: str, transcript: Transcript, bundle: str, options: argparse.Namespace) -> None:
    if options.json:
        found = as_object(file, transcript, bundle, events=options.events)
        print(json.dumps(found, ensure_ascii=False), flush=True)
        return
    prefix = f"{file}: " if len(options.files) > 1 else ""
    print(prefix + transcript.text, flush=True)
    if options.n_best:
        found = as_object(file, transcript, bundle, events=False)
        for alternative in found["nbest"]:  # type: ignore[attr-defined]
            print(f"  {alternative['score']:8.2f}  {alternative['text']}")
