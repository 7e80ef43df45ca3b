"""Other end-pointers than earshot's, as rules over the same clocks, and sweeps of thresholds.

silence: so long without speech, by the detector, after words of the same decoder.
sherpa-onnx: its three rules on the same decoder: a pause of 2.4 s where nothing was decoded, of
1.2 s after something, 20 s in any case. Its pause is of decoded frames, so up to a chunk longer
than the one that counts here, which flatters it.
webrtcvad: so long without speech, and no decoder at all.
control: what speculation must beat: the speculative rules as final ones.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from earshot.endpointers import EndPointSettings, Rule, rules
from earshot.events import EndPointKind

from models.replay import Replay

NOTHING_MS, TRAILING_MS, LONGEST_MS = 2_400, 1_200, 20_000  # of sherpa-onnx
SILENCES = (500, 800, 1_200)  # ms
TIMES = tuple(range(200, 1_601, 100))  # ms
CHANCES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995)
FINAL, EARLY, CONTROL = "earshot, final", "earshot, speculative", "control: speculative as final"


@dataclass(frozen=True, slots=True)
class Sweep:
    """An end-pointer by its threshold."""

    thresholds: tuple[float, ...]
    at: Callable[[float], Replay]


def silence(milliseconds: float) -> Replay:
    """Fixed silence after words."""
    return Replay((Rule("silence", silence=milliseconds),))


def sherpa(milliseconds: float) -> Replay:
    """The rules of sherpa-onnx, with such a trailing silence."""
    return Replay((
        Rule("nothing decoded", after_words=False, pause=NOTHING_MS),
        Rule("trailing silence", pause=milliseconds),
        Rule("too long", after_words=False, length=LONGEST_MS),
    ))  # fmt: skip


def webrtcvad(milliseconds: float) -> Replay:
    """The detector alone."""
    return Replay((Rule("silence", after_words=False, silence=milliseconds),), deaf=True)


def final(settings: EndPointSettings) -> Replay:
    """The final end-pointer of earshot."""
    return Replay(tuple(rule for rule in rules(settings) if rule.kind is EndPointKind.FINAL))


def early(settings: EndPointSettings) -> Replay:
    """The speculative one, taken at its word."""
    return Replay(rules(settings))


def rivals(settings: EndPointSettings) -> dict[str, Replay]:
    """All that earshot is compared with."""
    silences = {f"silence {ms} ms": silence(ms) for ms in SILENCES}
    alone = {f"webrtcvad {ms} ms": webrtcvad(ms) for ms in SILENCES[:2]}
    return {**silences, "sherpa-onnx": sherpa(TRAILING_MS), **alone, CONTROL: early(settings)}


def sweeps(settings: EndPointSettings) -> dict[str, Sweep]:
    """Curves of earshot and the others; earshot's over what decides most."""
    times, chances = TIMES, CHANCES
    ours = {
        FINAL: Sweep(times, lambda ms: final(replace(settings, pause_ms=int(ms)))),
        EARLY: Sweep(times, lambda ms: early(replace(settings, short_pause_ms=int(ms)))),
    }
    if settings.done <= 1:  # a network decides
        ours = {
            FINAL: Sweep(chances, lambda chance: final(replace(settings, done=chance))),
            EARLY: Sweep(chances, lambda chance: early(replace(settings, likely=chance))),
        }
    others = {"silence": silence, "sherpa-onnx": sherpa, "webrtcvad": webrtcvad}
    return ours | {name: Sweep(times, made) for name, made in others.items()}
