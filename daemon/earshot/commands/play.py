"""earshot play: plays files by the player, which is started where none runs.

`stop`, `pause`, `resume` and `status` alone are no files: say ./stop for one.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from earshot.commands.options import add_socket, socket_of
from earshot.commands.player import add_player, player_of
from earshot.errors import DeviceError
from earshot.generated.v1 import playback_pb2 as pb
from earshot.place import answers
from earshot.playback import client

ACTS = ("stop", "pause", "resume", "status")
START_SECONDS = 30.0  # for the player to answer; the machine may be busy
LINGER_SECONDS = 300  # a player that was started here ends after so long with nothing to play
STATES = {
    pb.PLAYBACK_STATE_IDLE: "idle",
    pb.PLAYBACK_STATE_PLAYING: "playing",
    pb.PLAYBACK_STATE_PAUSED: "paused",
    pb.PLAYBACK_STATE_WAITING: "waiting",
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("play", help="play music", description=__doc__)
    acts = " | ".join(ACTS)
    parser.add_argument("files", nargs="+", metavar=f"FILE… | {acts}", help="what to play, or do")
    parser.add_argument("--gain", type=float, default=0.0, metavar="DB", help="louder or softer")
    parser.add_argument("--bass", type=float, default=0.0, metavar="DB", help="below 120 Hz")
    parser.add_argument("--middle", type=float, default=0.0, metavar="DB", help="around 1000 Hz")
    parser.add_argument("--treble", type=float, default=0.0, metavar="DB", help="above 6000 Hz")
    parser.add_argument("--loop", action="store_true", help="begin again after the last file")
    parser.add_argument(
        "--streams", type=int, default=1, metavar="N", help="play so many times at once"
    )
    parser.add_argument(
        "--null", action="store_true", help="play nowhere, at the pace of a sound device"
    )
    parser.add_argument("--config", type=Path, metavar="F", help="settings of a player to start")
    parser.add_argument("--json", action="store_true", help="of status, one JSON object")
    add_socket(parser)
    add_player(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Play, or do what is asked for."""
    place = player_of(options)
    match options.files:
        case ["status"]:
            _print_status(place, as_json=options.json)
        case ["stop"]:
            with client.player_at(place) as player:
                player.Stop(pb.StopRequest(), timeout=client.ANSWER_SECONDS)
        case ["pause"]:
            with client.player_at(place) as player:
                player.Pause(pb.PauseRequest(), timeout=client.ANSWER_SECONDS)
        case ["resume"]:
            with client.player_at(place) as player:
                player.Resume(pb.ResumeRequest(), timeout=client.ANSWER_SECONDS)
        case _:
            return _play(options, place)
    return 0


def _play(options: argparse.Namespace, place: Path) -> int:
    """Have files played; 1 if some cannot be."""
    if not answers(place):
        _start(options, place)
    tone = pb.Tone(bass_db=options.bass, middle_db=options.middle, treble_db=options.treble)
    request = pb.PlayRequest(
        files=[str(Path(file).absolute()) for file in options.files],
        gain_db=options.gain,
        loop=options.loop,
        streams=max(0, options.streams),
        tone=tone,
        silent=options.null,
    )
    answer = client.play(place, request)
    for problem in answer.problems:
        print(f"earshot: {problem}", file=sys.stderr)
    return 1 if answer.problems else 0


def _start(options: argparse.Namespace, place: Path) -> None:
    """Start a player that outlives this command. DeviceError, with what it said, if it ends."""
    command = [sys.executable, "-m", "earshot", "player", "--player", str(place)]
    command += ["--socket", str(socket_of(options)), "--linger", str(LINGER_SECONDS)]
    command += ["--config", str(options.config)] if options.config else []
    with tempfile.TemporaryFile() as said:
        nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0)
        others = [(os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, said.fileno(), 2)]
        process = os.posix_spawn(
            sys.executable, command, os.environ, file_actions=[nothing, *others], setsid=True
        )
        deadline = time.monotonic() + START_SECONDS
        while not answers(place):
            if os.waitpid(process, os.WNOHANG)[0] or time.monotonic() > deadline:
                said.seek(0)
                reason = said.read().decode(errors="replace").strip() or "it said nothing"
                message = f"the player does not start: {reason.splitlines()[-1]}"
                raise DeviceError(message)
            time.sleep(0.02)
    print(f"earshot: a player was started (process {process})", file=sys.stderr)


def _print_status(place: Path, *, as_json: bool) -> None:
    found = as_object(client.status_of(place))
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for key, value in found.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else value
        print(f"{key.replace('_', ' '):18} {text}")


def as_object(answer: pb.GetPlaybackStatusResponse) -> dict[str, object]:
    """Say the answer as a JSON object; times in milliseconds."""
    found = answer.punctuality
    times = ("block", "slack", "missed", *(f"lateness_{q}" for q in ("p50", "p99", "p999", "max")))
    counts = ("blocks", "xruns", "longest_run", "underruns", "starved")
    return {
        "state": STATES.get(answer.state, "unknown"),
        "output": answer.output,
        "playing": list(answer.playing),
        "ducked": answer.ducked,
        "priority": answer.priority,
        "problems": list(answer.problems),
        **{name: getattr(found, name) for name in counts},
        **{f"{name}_ms": round(getattr(found, name).ToNanoseconds() / 1e6, 3) for name in times},
        "reference_readers": answer.reference.readers,
        "reference_lost_blocks": answer.reference.lost_blocks,
    }
