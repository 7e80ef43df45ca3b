"""A view as a frame of a terminal, 80 x 24 or more: lanes like those of the timeline, by rich.

From top to bottom: who it is, the sound, where speech is, how sure it is that the speaker is done,
the words, what was decided, what was heard, and what all that takes. Colours mean what they mean in
the pictures; without any, the signs still tell.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from earshot.generated.v1 import playback_pb2, status_pb2
from earshot.looks import LEAST_DB
from earshot.marks import Mark
from earshot.units import seconds
from earshot.view import Column, Heard, View, harmless

BARS = " ▁▂▃▄▅▆▇█"
FLOOR_DB = -60.0  # what is softer is not drawn
MARKS = {"early": "…", "sure": "✓", "undone": "✗"}
STYLES = {"early": "dark_orange", "sure": "bold dark_orange", "undone": "grey58"}
SPEECH, QUIET, LABEL, WRONG = "cornflower_blue", "grey42", "grey58", "bold red"
LABELS = 9  # width of the names of the lanes
LEAST_WIDTH, LEAST_HEIGHT = 40, 12
FIXED = 15  # lines that are there in any case
MEBI = 1 << 20
Line = tuple[str, Text]


def frame(view: View, width: int, height: int) -> RenderableType:
    """Draw a view, no wider and no higher than this."""
    room = max(LEAST_WIDTH, width) - LABELS - 1
    spare = max(2, height - FIXED)
    marks = spare * 2 // 5
    lines = [
        *_sound(view, room),
        ("", Text()),
        ("words", _words(view, room)),
        *_listed("decided", islice(map(_decided, reversed(view.marks)), marks)),
        ("", Text()),
        *_listed("heard", islice(map(_heard, reversed(view.heard)), spare - marks)),
        ("", Text()),
        *_taken(view),
    ]
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=LABELS - 1, justify="right", style=LABEL, no_wrap=True)
    table.add_column(width=room, no_wrap=True, overflow="ellipsis")
    for name, text in lines[: max(LEAST_HEIGHT, height) - 3]:
        text.truncate(room, overflow="ellipsis")
        table.add_row(name, text)
    return Group(_head(view, width), _state(view, width), table)


def _head(view: View, width: int) -> Text:
    """Who it is."""
    found = Text("earshot", style="bold")
    if status := view.vitals.status:
        bundle = f"{status.bundle.name} {status.bundle.version}"
        found.append(f"  {harmless(f'{bundle} · {status.source}')}", style="default")
    found.truncate(width, overflow="ellipsis")
    return found


def _state(view: View, width: int) -> Text:
    """How it stands, in words."""
    if view.trouble:
        found = Text(f"{view.trouble}", style=WRONG)
        found.truncate(width, overflow="ellipsis")
        return found
    status = view.vitals.status
    facts = [("muted", "bold reverse")] if view.muted or (status and status.muted) else []
    if status:
        facts += [("ready", "green") if status.ready else ("not ready", WRONG)]
        local = status.mode == status_pb2.MODE_LOCAL_ONLY
        facts += [("local-only" if local else "assisted", "default")]
        kept = status.sandbox == status_pb2.SANDBOX_ENFORCED
        facts += [("off the network" if kept else "no sandbox", "default" if kept else WRONG)]
        if status.load.level:
            facts += [(f"saves effort: {status.load.name}", WRONG)]
        counters = status.counters
        clients = f"{counters.clients} client{'s' * (counters.clients != 1)}"
        facts += [(clients, "default"), (f"up {_long(status.uptime.seconds)}", "default")]
        if counters.dropped_samples:
            facts += [(f"{seconds(counters.dropped_samples):.1f} s of audio lost", WRONG)]
    found = Text(" · ", style=LABEL).join(Text(text, style=style) for text, style in facts)
    found.truncate(width, overflow="ellipsis")
    return found


def _sound(view: View, room: int) -> Iterator[Line]:
    """The lanes that move: a column is 100 ms, the newest at the right."""
    columns = list(view.columns)[-room:]
    now = columns[-1] if columns else Column(LEAST_DB, LEAST_DB, speech=False, open=False, done=0)
    yield "level", _level(now, room)
    sound, speech, done = Text(), Text(), Text()
    for one in columns:
        colour = SPEECH if one.open else QUIET
        sound.append(_bar(_height(one.peak_db)), style=colour)
        speech.append("━" if one.speech else "─", style=SPEECH if one.speech else QUIET)
        done.append(_bar(one.done), style="dark_orange")
    yield "sound", sound
    yield "speech", speech
    yield "done?", done


def _level(now: Column, room: int) -> Text:
    """A bar as long as it is loud; the peak is its end."""
    length = max(1, room - 24)
    rms, peak = round(_height(now.rms_db) * length), round(_height(now.peak_db) * length)
    found = Text("█" * rms, style=SPEECH if now.open else QUIET)
    found.append("░" * (peak - rms) + " " * (length - peak), style=QUIET)
    gate = "speech" if now.speech else "open" if now.open else ""
    found.append(f" {now.peak_db:6.1f} dB  {gate:6}")
    return found.append(f" {now.done:4.0%}" if now.open else "")


def _height(db: float) -> float:
    return min(1.0, max(0.0, 1 - db / FLOOR_DB))


def _bar(share: float) -> str:
    return BARS[min(len(BARS) - 1, round(share * (len(BARS) - 1)))]


def _words(view: View, room: int) -> Text:
    """The last words of what is being said."""
    text = view.partial
    return Text(text if len(text) <= room else "…" + text[1 - room :], style="bold")


def _listed(name: str, lines: Iterable[Text]) -> Iterator[Line]:
    for number, text in enumerate(list(lines) or [Text("–", style=LABEL)]):
        yield "" if number else name, text


def _decided(mark: Mark) -> Text:
    found = Text().append(f"{seconds(mark.at):8.2f} s  ", style=LABEL)
    found.append(f"{MARKS[mark.kind]} {mark.text}", style=STYLES[mark.kind])
    return found


def _heard(one: Heard) -> Text:
    found = Text().append(f"{one.utterance:4}  ", style=LABEL)
    if not one.arcs:
        return found.append(one.text, style=LABEL)
    facts = f"{one.confidence:4.0%} in {one.waited:.2f} s, {one.arcs:2} arcs  "
    return found.append(facts, style=LABEL).append(one.text, style="bold")


def _taken(view: View) -> Iterator[Line]:
    """What each process takes, and what else tells of load."""
    names = sorted(view.vitals.usages, key=lambda name: (name != "daemon", name))
    for number, name in enumerate(names or ["daemon"]):
        one = view.vitals.usages.get(name)
        found = Text(f"{name:9}")
        share = view.shares.get(name)
        found.append(f"{share:6.1%} CPU" if share is not None else "     – CPU")
        found.append(f"  {one.resident_bytes / MEBI:6.0f} MiB" if one else "       – MiB")
        yield "" if number else "takes", found.append(_more(view, name))


def _more(view: View, name: str) -> Text:
    player, status = view.vitals.player, view.vitals.status
    if name == "daemon" and status:
        load = status.load
        return Text(f"  {load.share:4.0%} of real time, {load.queue_ms} ms wait")
    if name != "player" or player is None:
        return Text()
    late = player.punctuality.xruns
    states: Sequence[tuple[int, str]] = (
        (playback_pb2.PLAYBACK_STATE_PLAYING, "plays"),
        (playback_pb2.PLAYBACK_STATE_PAUSED, "paused"),
        (playback_pb2.PLAYBACK_STATE_WAITING, "waits for its device"),
    )
    state = dict(states).get(player.state, "idle") + (", ducked" if player.ducked else "")
    found = Text(f"  {state}, ")
    return found.append(f"{late} late blocks", style=WRONG if late else "default")


def _long(count: float) -> str:
    """A time in its largest unit."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} s"
