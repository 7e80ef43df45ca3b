"""Programs that speak, their voices, and pseudo-speakers: a voice with settings of its own.

An engine is a program on the PATH; `voices` says which of the voices known here it has, and `speak`
has texts said, a WAV file each, as far as it can. Formants move with the sampling rate: the engine
speaks slower and lower by `formant`, and models.speak plays it faster by as much (pitch and rate
come out as asked). Where an engine cannot change its pitch, that moves with the formants.
"""

import math
import random
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which

# Voices and their weights: natural ones more often. awb_time of flite can only tell the time, and
# variants of espeak-ng that whisper or play robots are not here.
FLITE = {"slt": 16, "rms": 13, "awb": 13, "kal16": 5, "kal": 2}
FESTIVAL = {"cmu_us_slt_arctic_hts": 10, "kal_diphone": 5, "ked_diphone": 6}
ACCENTS = {
    "en-us": 14,
    "en-gb": 5,
    "en-gb-x-rp": 3,
    "en-gb-scotland": 3,
    "en-029": 2,
    "en-us-nyc": 2,
    "en-gb-x-gbclan": 1,
    "en-gb-x-gbcwmd": 1,
}
VARIANTS = (
    "m1 m2 m3 m4 m5 m6 m7 m8 f1 f2 f3 f4 f5 adam Alex Andrea Andy Annie aunty belinda "
    "benjamin caleb david ed edward gene grandpa iven john klatt2 klatt4 linda max "
    "Michael Mike norbert paul quincy rob robert sandro steph steph2 travis victor zac"
).split()
PICO = {"en-US": 10, "en-GB": 10}
# Where pitch cannot be set, it would have to move with the formants anyway.
FIXED_PITCH = frozenset(("rms", "cmu_us_slt_arctic_hts"))

PITCH, FORMANT = 0.13, 0.07  # spread of a speaker's factors, as natural logarithms
RATES = (0.78, 1.28)  # slowest and fastest
WIDEST = 2.0  # spreads a factor may be off
PATIENCE = (20.0, 3.0)  # seconds a program may take, and a second more for each text
ESPEAK_RATE = 165  # words a minute
ESPEAK_OCTAVE = 82  # of its pitch from 0 to 99, whose middle is 50: about 72 Hz at 0, 174 at 99
HERTZ = {"kal_diphone": 105, "ked_diphone": 105}  # of festival's voices
DEVIATION = 0.14  # of their melody, for each hertz


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice with its own pitch, rate and formants: factors of what the voice has by nature."""

    name: str
    engine: str
    voice: str
    pitch: float
    rate: float
    formant: float

    @property
    def note(self) -> str:
        """As a manifest has it."""
        return (
            f"engine={self.engine} voice={self.voice} pitch={self.pitch:.3f} "
            f"rate={self.rate:.3f} formant={self.formant:.3f}"
        )

    @property
    def engine_pitch(self) -> float:
        """What the engine is asked for, so that it is right when played faster."""
        return self.pitch / self.formant

    @property
    def engine_rate(self) -> float:
        """What the engine is asked for, so that it is right when played faster."""
        return self.rate / self.formant


Speak = Callable[[Speaker, Sequence[str], Sequence[Path]], None]


@dataclass(frozen=True, slots=True)
class Engine:
    """A program: its name on the PATH, its share, its voices and how they speak."""

    program: str
    share: float
    voices: dict[str, int]
    listed: Sequence[str]  # the command that lists what is installed; none if it always has all
    speak: Speak
    letter_a: str = "ay"  # how to write the name of the letter

    def installed(self) -> dict[str, int]:
        """Voices that are there, with their weights; none where the program is missing."""
        if not which(self.program):
            return {}
        if not self.listed:
            return self.voices
        known = set(re.findall(r"[\w-]+", _run(self.listed)))
        # A variant stands behind its accent, and every installation has all variants.
        return {voice: w for voice, w in self.voices.items() if voice.partition("+")[0] in known}

    def written(self, text: str) -> str:
        """Spell a saying for the engine: names of letters, as the kit's language has them."""
        letters = {"A": self.letter_a, "Z": "zee"}
        return " ".join(
            " ".join(letters.get(c, c.lower()) for c in token) if token.isupper() else token
            for token in text.split()
        )


def _run(command: Sequence[str], texts: int = 0, program: str = "") -> str:
    """Run a program, tell what it printed; a failure shows in the files that are missing."""
    first, each = PATIENCE
    try:
        done = subprocess.run(  # noqa: S603 - programs and settings of this file
            command,
            input=program,
            capture_output=True,
            text=True,
            check=False,
            timeout=first + each * texts,
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout


def _flite(speaker: Speaker, texts: Sequence[str], paths: Sequence[Path]) -> None:
    settings = ["--setf", f"duration_stretch={1 / speaker.engine_rate:.4f}"]
    settings += ["--setf", f"f0_shift={speaker.engine_pitch:.4f}"]
    for text, path in zip(texts, paths, strict=True):
        _run(["flite", "-voice", speaker.voice, *settings, "-t", text, str(path)])


def _espeak(speaker: Speaker, texts: Sequence[str], paths: Sequence[Path]) -> None:
    pitch = round(50 + ESPEAK_OCTAVE * math.log2(speaker.engine_pitch))
    settings = ["-v", speaker.voice, "-p", str(min(99, max(0, pitch)))]
    settings += ["-s", str(round(ESPEAK_RATE * speaker.engine_rate))]
    for text, path in zip(texts, paths, strict=True):
        _run(["espeak-ng", *settings, "-w", str(path), text])


def _pico(speaker: Speaker, texts: Sequence[str], paths: Sequence[Path]) -> None:
    speed, pitch = (round(100 * x) for x in (speaker.engine_rate, speaker.engine_pitch))
    for text, path in zip(texts, paths, strict=True):
        marked = f'<speed level="{speed}"><pitch level="{pitch}">{text}</pitch></speed>'
        _run(["pico2wave", "-l", speaker.voice, "-w", str(path), marked])


def _festival(speaker: Speaker, texts: Sequence[str], paths: Sequence[Path]) -> None:
    """One run for all; where it breaks off, it goes on without the text that broke it."""
    left = list(zip(texts, paths, strict=True))
    while left:
        lines = [_settings(speaker)]
        lines += [
            f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{path}" \'riff)'
            for text, path in left
        ]
        _run(["festival", "--pipe"], len(left), "\n".join(lines))
        missing = [(text, path) for text, path in left if not path.exists()]
        left = missing[1:] if len(missing) == len(left) else missing


def _settings(speaker: Speaker) -> str:
    if speaker.voice in HERTZ:
        hertz = HERTZ[speaker.voice] * speaker.engine_pitch
        melody = f"(target_f0_mean {hertz:.1f}) (target_f0_std {DEVIATION * hertz:.1f})"
        changed = (
            f"(set! int_lr_params '({melody} (model_f0_mean 170) (model_f0_std 34)))\n"
            f"(Parameter.set 'Duration_Stretch {1 / speaker.engine_rate:.4f})"
        )
    else:
        rate = f'\'(("-r" {speaker.engine_rate:.4f}))'
        changed = f"(set! hts_engine_params (append hts_engine_params {rate}))"
    return f"(voice_{speaker.voice})\n{changed}"


ENGINES = {
    "flite": Engine("flite", 0.46, FLITE, ("flite", "-lv"), _flite),
    "espeak-ng": Engine(
        "espeak-ng",
        0.36,
        {f"{a}+{v}": weight for a, weight in ACCENTS.items() for v in VARIANTS},
        ("espeak-ng", "--voices=en"),
        _espeak,
        "[[eI]]",
    ),
    "festival": Engine(
        "festival", 0.18, FESTIVAL, ("festival", "--batch", "(print (voice.list))"), _festival
    ),
    "pico": Engine("pico2wave", 0.3, PICO, (), _pico),
}


def _factor(dice: random.Random, spread: float) -> float:
    bound = WIDEST * spread
    return math.exp(min(bound, max(-bound, dice.gauss(0, spread))))


def speaker(number: int, seed: int, voices: dict[str, dict[str, int]]) -> Speaker:
    """The pseudo-speaker of a number: engine, then voice by their weights, then its factors."""
    dice = random.Random(f"speaker {seed} {number}")
    engine = dice.choices(list(voices), [ENGINES[name].share for name in voices])[0]
    voice = dice.choices(list(voices[engine]), list(voices[engine].values()))[0]
    formant, pitch = _factor(dice, FORMANT), _factor(dice, PITCH)
    if voice in FIXED_PITCH:
        pitch = formant
    return Speaker(f"spoken{number:05d}", engine, voice, pitch, dice.uniform(*RATES), formant)
