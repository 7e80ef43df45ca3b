"""Does the music stutter, and does the recogniser keep up? Speech and music on the same cores.

    python -m models.music --kit KIT [--minutes 30] [--streams 1] [--cores 1 2] [--hogs 2 8]
        [--only control music usual pulse] [--soak [HOURS]] [--faults] [--json] [--plot OUT.svg]

The real daemon hears a command every 10 s on its standard input, as fast as time goes, after a
while of silence; beside it the real player decodes, mixes and plays to a pretended sound device.
Each is a process on the same cores: all of one, or of two. The ways:

    control  no music                music    earshot as it is
    usual    music; onnxruntime with its own threads, which spin, no niceness or scheduling class
    pulse    music to a sound server (PulseAudio, a null sink), where it is installed
    hogsN    music, beside N processes that are always busy

A delay is from when the audio that an event speaks about had been handed over to when the event
came. `delay_p95_ratio` is of music to control. Without the name of a way, figures are those of
music on the fewest cores. The commands are the same for all ways, and WER must be.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from models import music_faults, music_plot, music_soak
from models.bench import headed
from models.music_speech import EVERY, songs, track
from models.music_trial import Load, Outcome, Way, measure
from models.paired import difference
from tests.sound_server import NoSoundServer, sound_server

WAYS = ("control", "music", "usual", "pulse")
NAMES = {1: "one_core", 2: "two_cores"}
SILENT_MOST = 60.0  # seconds of silence that are measured
HEADLINES = ("xruns", "lateness_p999_ms", "silence_cpu_percent", "speech_cpu_percent")


def ways(options: argparse.Namespace) -> Iterator[Way]:
    """All that is to be measured, in order."""
    every = sorted(os.sched_getaffinity(0))
    for count in options.cores:
        cores, name = tuple(every[:count]), NAMES[count]
        for kind in options.only:
            music = kind != "control"
            yield Way(f"{name}.{kind}", cores, music, kind == "usual", 0, kind == "pulse")
        for number in options.hogs:
            yield Way(f"{name}.hogs{number}", cores, hogs=number)


def trials(options: argparse.Namespace, load: Load) -> dict[str, Outcome]:
    """Measure all ways; what takes a sound server is left out where there is none."""
    found = dict[str, Outcome]()
    for way in ways(options):
        print(f"{way.name} …", file=sys.stderr, flush=True)
        if not way.pulse:
            found[way.name] = measure(way, load)
            continue
        try:
            with sound_server() as server:
                found[way.name] = measure(way, load, server.environment)
        except NoSoundServer as reason:
            print(f"{way.name} is left out: {reason}", file=sys.stderr)
    return found


def figures_of(found: dict[str, Outcome], load: Load) -> dict[str, float]:
    """All figures: those of each way, what ways are to each other, and the headlines."""
    figures = {f"{name}.{key}": v for name, one in found.items() for key, v in one.figures.items()}
    words = [len(task.text.split()) for task in load.track.slots]
    for name, one in found.items():
        control = found.get(f"{name.partition('.')[0]}.control")
        if control is None or control is one:
            continue
        base = max(control.figures["delay_p95_ms"], 1e-3)
        figures[f"{name}.delay_p95_ratio"] = one.figures["delay_p95_ms"] / base
        points = difference(one.errors, control.errors, words)
        for key, value in zip(("", "_low", "_high"), points, strict=True):
            figures[f"{name}.wer_difference{key}"] = value
    return headlines(figures) | {key: round(value, 3) for key, value in figures.items()}


def headlines(figures: dict[str, float]) -> dict[str, float]:
    """The figures of music on the fewest cores, without a name before them."""
    name = next((n for n in NAMES.values() if f"{n}.music.xruns" in figures), None)
    keys = (*HEADLINES, "delay_p95_ratio")
    if name is None:
        return {}
    named = {key: f"{name}.music.{key}" for key in keys}
    return {key: round(figures[full], 3) for key, full in named.items() if full in figures}


def measured(options: argparse.Namespace) -> tuple[str, dict[str, float], dict[str, Outcome]]:
    """What was measured with, all figures, and the outcomes of the ways."""
    length = 60.0 * options.minutes
    silent = min(SILENT_MOST, max(5.0, length / 4))
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        made = songs(Path(folder))
        said = track(options.kit, length)
        load = Load(said, made, options.streams, options.bundle, silent)
        found = {} if options.soak or options.faults else trials(options, load)
        figures = figures_of(found, load)
        if options.soak:
            figures |= music_soak.soak(load, options.soak)
        if options.faults:
            figures |= music_faults.faults(load)
    told = f"{len(said.slots)} dev commands of {len(set(said.slots))}, one every {EVERY:g} s"
    music = f"{len(made)} made songs, {options.streams} at once"
    return f"bundle {options.bundle}; {told}; {music}", figures, found


def parser() -> argparse.ArgumentParser:
    """Build the command line."""
    found = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument("--kit", type=Path, required=True)
    found.add_argument("--bundle", default="en", help="name or folder")
    found.add_argument("--minutes", type=float, default=30.0, help="of each way")
    found.add_argument("--streams", type=int, default=1, help="songs that play at once")
    found.add_argument("--cores", type=int, nargs="+", default=[1, 2], choices=list(NAMES))
    found.add_argument("--only", nargs="*", default=WAYS, choices=WAYS, metavar="WAY")
    found.add_argument(
        "--hogs", type=int, nargs="*", default=[], metavar="N", help="busy processes"
    )
    soak = "hours of audio, as fast as it goes: does memory grow? Instead of the ways"
    found.add_argument("--soak", type=float, nargs="?", const=8.0, default=0.0, help=soak)
    found.add_argument("--faults", action="store_true", help="what breaks, instead of the ways")
    found.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    found.add_argument("--plot", type=Path, metavar="OUT.svg", help="draw delays and lateness")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this step."""
    options = parser().parse_args(arguments)
    data, figures, found = measured(options)
    told = {**headed("music", data), "figures": figures}
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        print(data, *(f"{key:48} {value:10.3f}" for key, value in figures.items()), sep="\n")
    if options.plot:
        music_plot.write(found, data, options.plot)


if __name__ == "__main__":
    main()
