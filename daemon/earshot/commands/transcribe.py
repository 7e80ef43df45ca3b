"""earshot transcribe: recordings to words, without a daemon."""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from earshot import attention_map, timeline
from earshot.asked import Ends, Preset
from earshot.command_set import REJECT, Commands
from earshot.compose import load_engine
from earshot.echoless import same_rate, without_echo
from earshot.effort import EFFORTS
from earshot.endpointers import Glance
from earshot.engine import Engine
from earshot.errors import EarshotError, RequestError
from earshot.events import Result
from earshot.intents import text_of
from earshot.lines import (
    command_line,
    directed_object,
    explanation_lines,
    formatted_object,
    interpretation_lines,
    interpretation_object,
    line,
)
from earshot.pictures import kind, write
from earshot.readers import entries_of
from earshot.recogniser import unwatched
from earshot.sources import AudioFile, Chunk, Item, RawInput, Source
from earshot.transcriber import Transcript, as_object, explained_objects, transcribe


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("transcribe", help="recordings to words", description=__doc__)
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="WAV, FLAC, Ogg, MP3 at any rate; - is raw 16-bit mono audio at 16 kHz on standard "
        "input",
    )
    parser.add_argument(
        "--bundle", default="en", metavar="B", help="name or folder of the bundle (default: en)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a file")
    parser.add_argument("--events", action="store_true", help="all events as well, as they came")
    parser.add_argument(
        "--n-best", type=_count, default=None, metavar="N", help="length of the n-best list"
    )
    _add_hearing(parser)
    _add_pictures(parser)
    _add_names(parser)
    _add_readings(parser)
    parser.set_defaults(run=run)


def _add_hearing(parser: argparse.ArgumentParser) -> None:
    """How to hear it."""
    parser.add_argument(
        "--preset",
        choices=list(Preset),
        default=Preset.NORMAL,
        help="how long somebody who pauses is waited for (default: normal)",
    )
    parser.add_argument(
        "--reference",
        type=Path,
        metavar="FILE",
        help="with one file: what a loudspeaker played meanwhile; its echo is taken out first",
    )
    parser.add_argument("--beam", type=_count, default=None, metavar="N", help="hypotheses a frame")
    parser.add_argument(
        "--effort",
        type=int,
        choices=range(len(EFFORTS)),
        default=0,
        metavar="N",
        help="how much of it a daemon saves that falls behind: 0 (nothing) to "
        f"{len(EFFORTS) - 1} ({EFFORTS[-1].name})",
    )


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    """What to draw."""
    parser.add_argument(
        "--lattice",
        type=Path,
        default=None,
        metavar="OUT",
        help="draw or write the lattice: .svg, .dot or .json",
    )
    parser.add_argument(
        "--timeline",
        type=Path,
        metavar="OUT.svg",
        help="with one file: draw its words and sound, and when it was thought to be over",
    )


def _add_names(parser: argparse.ArgumentParser) -> None:
    """Names, and what they did."""
    parser.add_argument(
        "--catalog",
        type=Path,
        metavar="F",
        help="favour the names of a catalog, or of a list, a name a line, or of vCards or a table",
    )
    parser.add_argument(
        "--attention",
        type=Path,
        metavar="OUT.svg",
        help="with --catalog and one file: draw which names the network attended to",
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="with --catalog: which name favoured a word, by how much, and which lost",
    )


def _add_readings(parser: argparse.ArgumentParser) -> None:
    """What to make of the words."""
    parser.add_argument(
        "--commands", type=Path, metavar="FILE", help="listen for the commands of a TOML file alone"
    )
    parser.add_argument(
        "--reject",
        type=float,
        default=REJECT,
        metavar="X",
        help=f"with --commands: what fits worse is no command; lower rejects more ({REJECT:g})",
    )
    parser.add_argument(
        "--formatted", action="store_true", help="write numbers, times and the like as people do"
    )
    parser.add_argument(
        "--interpret", action="store_true", help="what every utterance means: an intent and slots"
    )


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        message = f"{text!r} is not a whole number above 0"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Transcribe each file; 1 if one of them could not be heard."""
    if options.lattice:
        kind(options.lattice)  # or it would be refused after all the work
    for one, what in (("attention", "draws"), ("timeline", "draws"), ("reference", "belongs to")):
        if getattr(options, one) and (len(options.files) > 1 or options.files[0] == "-"):
            message = f"--{one} {what} one recording; give one file"
            raise RequestError(message)
    engine = _engine(options)
    failed, lattices, glances = False, [], list[Glance]()
    keep = glances.append if options.timeline else unwatched
    for file in options.files:
        recogniser = engine.recogniser(watch=keep)
        recogniser.effort(EFFORTS[options.effort])
        try:
            transcript = transcribe(_heard(file, options), recogniser)
        except EarshotError as error:
            print(f"earshot: {error}", file=sys.stderr)
            failed = True
            continue
        _show(file, transcript, engine.bundle.label, options)
        if options.attention or options.timeline:
            _draw(file, engine, transcript, glances, options)
        lattices += [result.lattice for result in transcript.results if result.words]
    if options.lattice:
        write(lattices, options.lattice)
    return int(failed)


def _draw(
    file: str,
    engine: Engine,
    transcript: Transcript,
    glances: list[Glance],
    options: argparse.Namespace,
) -> None:
    """The pictures that are of one recording."""
    chunks = [item.samples for item in _heard(file, options) if isinstance(item, Chunk)]
    samples, words = np.concatenate(chunks), transcript.words
    if options.attention:
        attended = attention_map.mapped(engine.parts.encoder, samples)
        attention_map.write(attended, words, options.attention)
    if options.timeline:
        tuning = engine.tuning
        shown = timeline.Timeline(
            samples, words, transcript.events, glances, tuning.vad, tuning.endpoint
        )
        timeline.write(shown, options.timeline)


def _heard(file: str, options: argparse.Namespace) -> Iterable[Item]:
    """What a file holds, without the echo of what was played."""
    if not options.reference:
        return _source(file)
    same_rate(Path(file), options.reference)
    return without_echo(_source(file), options.reference)


def _source(file: str) -> Source:
    return RawInput(sys.stdin.buffer) if file == "-" else AudioFile(Path(file))


def _engine(options: argparse.Namespace) -> Engine:
    """The bundle as it is tuned, but for what was asked for."""
    commands = _commands(options.commands, options.reject) if options.commands else None
    engine = load_engine(options.bundle).ending(Ends(Preset(options.preset)))
    if options.catalog:
        engine = _naming(engine, options.catalog)
    if commands:
        engine = engine.commanded(commands)
    tuning = engine.tuning
    search = replace(tuning.search, beam=options.beam or tuning.search.beam)
    count = options.n_best or tuning.lattice.alternatives
    lattice = replace(tuning.lattice, alternatives=count)
    return engine.tuned(replace(tuning, search=search, lattice=lattice))


def _naming(engine: Engine, catalog: Path) -> Engine:
    """Favour names; of those that cannot be, say why."""
    entries, refusals = entries_of(catalog)
    engine, refused = engine.naming(entries)
    for where, why in (*refusals, *refused):
        print(f"earshot: {where}: {why}", file=sys.stderr)
    return engine


def _commands(file: Path, reject: float) -> Commands:
    return Commands(text_of(file, "give --commands a TOML file"), str(file), reject)


def _show(file: str, transcript: Transcript, bundle: str, options: argparse.Namespace) -> None:
    if options.json:
        found = _object(file, transcript, bundle, options)
        print(json.dumps(found, ensure_ascii=False), flush=True)
        return
    for event in transcript.events if options.events else ():
        print(line(event))
    prefix = f"{file}: " if len(options.files) > 1 else ""
    for text in _texts(transcript, options):
        print(prefix + text, flush=True)
    for one in _meant(transcript, options):
        print(*interpretation_lines(one.interpretation, one.directed), sep="\n")
    for result in transcript.results if options.explain else ():
        print(*explanation_lines(result), sep="\n", end="\n" * bool(result.explanations))
    if options.n_best:
        found = as_object(file, transcript, bundle, events=False)
        for alternative in found["nbest"]:  # type: ignore[attr-defined]
            print(f"  {alternative['score']:8.2f}  {alternative['text']}")


def _object(
    file: str, transcript: Transcript, bundle: str, options: argparse.Namespace
) -> dict[str, object]:
    found = as_object(file, transcript, bundle, events=options.events)
    if options.formatted:
        found["formatted"] = formatted_object(transcript.formatted)
    if options.explain:
        found["explanations"] = explained_objects(transcript)
    if options.interpret:
        found["interpretations"] = [
            {**interpretation_object(one.interpretation), **directed_object(one)}
            for one in _meant(transcript, options)
            if one.interpretation
        ]
    return found


def _meant(transcript: Transcript, options: argparse.Namespace) -> list[Result]:
    """The utterances that mean something, or nothing to a device, if that was asked for."""
    return [one for one in transcript.results if options.interpret and one.interpretation]


def _texts(transcript: Transcript, options: argparse.Namespace) -> list[str]:
    """The lines of a recording: one, or one a command."""
    if options.commands:
        return [command_line(result) for result in transcript.commands] or ["nothing"]
    if options.formatted:
        return [transcript.formatted.text]
    return [transcript.text]
