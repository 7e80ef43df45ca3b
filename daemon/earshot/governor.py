"""How much effort there is room for. Pure: what is seen goes in, a level comes out.

Two things are seen: the *queue*, for how long the oldest audio that is not yet recognised has been
waiting, and the *share*, how much of real time the recogniser has lately taken for a stream. The
queue calls for less effort: each step has an age of its own, a part of what is kept at all before
audio is lost (`[feed] limit_ms`), so that all steps are tried before anything is lost. The share
says when there is room for more: a step back is only taken where what it costs (EFFORTS) would fit
into real time with some to spare, for some seconds. A step back that had to be taken forth again
soon makes the next one wait longer.

One step at a time, and each is given time to show what it does.
"""

from dataclasses import dataclass, replace

from earshot.effort import EFFORTS
from earshot.errors import SettingsError
from earshot.scheduling import UNCHANGED, check_nice
from earshot.settings import check_above_zero

SETTLE_MS = 300.0  # after a step, before the next one down: what it saves shows in the next chunk
ROOM = 0.7  # of real time: what the effort of a step back may be expected to take
HALF_MS = 4_000.0  # a share that was seen counts half after so long: there are pauses in speech
# A step forth so soon after a step back: that one was taken too early. What costs little more than
# there is lets the queue grow for so long before it shows.
RELAPSE_MS = 30_000.0
MOST_PATIENCE = 16.0  # times the calm that a step back takes at first
# Age of the queue that leads to each level, as a part of what is kept at most.
AGES = (0.0, 0.08, 0.16, 0.28, 0.44)


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """What happens when the recogniser falls behind."""

    most: int = len(EFFORTS) - 1
    """level up to which effort may be saved; 0: never, then audio is lost sooner"""
    calm_ms: int = 3_000
    """for how long there must be room before a step is taken back"""
    nice: int = UNCHANGED
    """niceness of the thread that recognises; above 0, whatever else is in a hurry goes first, and
    among many busy programs it falls behind much sooner"""

    def __post_init__(self) -> None:
        """Raise SettingsError for what is no level, or no time."""
        if not 0 <= self.most < len(EFFORTS):
            message = f"most is {self.most}, but must be 0 to {len(EFFORTS) - 1}"
            raise SettingsError(message)
        check_above_zero(self, "calm_ms")
        check_nice("nice", self.nice)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of all streams that must keep up with real time; the worst of them."""

    queue_ms: float
    share: float
    """time that recognition took, of the time that the audio takes"""
    passed_ms: float
    """since the last time"""


@dataclass(frozen=True, slots=True)
class Load:
    """Where the governor stands."""

    level: int = 0
    since_ms: float = SETTLE_MS
    """since the last step"""
    calm_ms: float = 0.0
    """for how long there has been room for more effort"""
    share: float = 0.0
    """the highest of late"""
    patience: float = 1.0
    """times the calm that the next step back takes"""
    eased: bool = False
    """whether the last step was one back"""


def governed(load: Load, seen: Seen, limit_ms: float, settings: LoadSettings) -> Load:
    """Where it stands after what was seen; `limit_ms` of audio is kept before some is lost."""
    passed = max(0.0, seen.passed_ms)
    share = max(seen.share, load.share * 0.5 ** (passed / HALF_MS))
    load = replace(load, share=share, since_ms=load.since_ms + passed)
    if load.level < settings.most and seen.queue_ms >= AGES[load.level + 1] * limit_ms:
        return _forth(load) if load.since_ms >= SETTLE_MS else replace(load, calm_ms=0.0)
    if not load.level:
        return _rested(load, settings)
    calm = load.calm_ms + passed if _room(load, seen, limit_ms) else 0.0
    if calm >= settings.calm_ms * load.patience:
        return replace(load, level=load.level - 1, since_ms=0.0, calm_ms=0.0, eased=True)
    return replace(load, calm_ms=calm)


def _forth(load: Load) -> Load:
    """Save more effort."""
    relapse = load.eased and load.since_ms < RELAPSE_MS
    patience = min(MOST_PATIENCE, 2 * load.patience) if relapse else load.patience
    return Load(load.level + 1, 0.0, 0.0, load.share, patience)


def _rested(load: Load, settings: LoadSettings) -> Load:
    """All effort is spent: after a while of that, what went wrong before is forgotten."""
    long_ago = load.since_ms >= RELAPSE_MS + settings.calm_ms * load.patience
    return replace(load, patience=1.0, calm_ms=0.0) if long_ago else replace(load, calm_ms=0.0)


def _room(load: Load, seen: Seen, limit_ms: float) -> bool:
    """Whether a step back would fit: nothing waits, and what it costs is less than there is."""
    more = EFFORTS[load.level - 1].cost / EFFORTS[load.level].cost
    return seen.queue_ms < AGES[1] * limit_ms / 2 and load.share * more <= ROOM
