"""Ways to take the echo of known music out of what a microphone hears, on the same scene.

    none        it stays
    earshot     the daemon's own (daemon/earshot/echo.py): linear, it follows delay and drift itself
    earshot+ns  and WebRTC's noise suppressor at its lowest level behind it
    speexdsp    libspeexdsp: linear (Valin, 2007), with `earshot`'s own frames of 16 ms and as long
    webrtc      WebRTC's AEC3 (the package pywebrtc-audio): linear, then it suppresses what is left

Others need the reference in step: they get it moved by the delay that is true, and only the drift
is left to them.
"""

import ctypes
import ctypes.util
import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
from earshot.canceller import HOP, TAPS
from earshot.echo import EchoRemover
from earshot.reference import BLOCK
from earshot.units import SAMPLE_RATE

from models.corpus import Samples
from models.loudspeaker import AHEAD, Scene

GUARD = 160  # samples that the reference comes early for the others
SPEEX_RATE = 24  # SPEEX_ECHO_SET_SAMPLING_RATE of speex_echo.h
WEBRTC = "pywebrtc_audio"
Way = Callable[[Scene], Samples]


def none(scene: Scene) -> Samples:
    """What is heard."""
    return scene.heard


def own(scene: Scene) -> Samples:
    """By the daemon's remover, block by block as they come."""
    remover, blocks = EchoRemover(), iter(scene.blocks)
    found, played = [], 0
    for chunk, at in zip(scene.chunks(), scene.arrivals, strict=True):
        while played < chunk.first + len(chunk.samples) + AHEAD and (block := next(blocks, None)):
            remover.played([block])
            played += BLOCK
        found += remover.heard(chunk, at)
    return np.concatenate([one.samples for one in (*found, *remover.flush())])


def webrtc(scene: Scene) -> Samples:
    """By AEC3."""
    canceller = importlib.import_module(WEBRTC).EchoCanceller(SAMPLE_RATE, 1, 0)
    return np.asarray(canceller.process(scene.heard.copy(), in_step(scene)), np.float32)


def suppressed(scene: Scene) -> Samples:
    """By the daemon's remover and WebRTC's suppressor of noise at its lowest level."""
    suppressor = importlib.import_module(WEBRTC).NoiseSuppressor(SAMPLE_RATE, 1, 0)
    return np.asarray(suppressor.process(own(scene)), np.float32)


def speexdsp(scene: Scene) -> Samples:
    """By libspeexdsp, without its preprocessor."""
    library = _speexdsp()
    state = ctypes.c_void_p(library.speex_echo_state_init(HOP, TAPS))
    rate = ctypes.c_int(SAMPLE_RATE)
    library.speex_echo_ctl(state, SPEEX_RATE, ctypes.byref(rate))
    heard, played = (
        np.round(one[: len(one) // HOP * HOP] * 32_767).astype(np.int16).reshape(-1, HOP)
        for one in (scene.heard, in_step(scene))
    )
    left = np.zeros_like(heard)
    for rows in zip(heard, played, left, strict=True):
        library.speex_echo_cancellation(
            state, *(one.ctypes.data_as(ctypes.c_void_p) for one in rows)
        )
    library.speex_echo_state_destroy(state)
    rest = scene.heard[left.size :]
    return np.concatenate([left.ravel().astype(np.float32) / 32_767, rest])


def in_step(scene: Scene) -> Samples:
    """What is played, GUARD samples before its echo begins [N]."""
    moved = np.pad(scene.played, (max(0, scene.late - GUARD), 0))
    return np.ascontiguousarray(moved[: len(scene.heard)], np.float32)


def _speexdsp() -> Any:  # noqa: ANN401 - a library of C
    library = ctypes.CDLL(ctypes.util.find_library("speexdsp") or "")
    library.speex_echo_state_init.restype = ctypes.c_void_p
    return library


WAYS: dict[str, Way] = {
    "none": none,
    "earshot": own,
    "earshot+ns": suppressed,
    "speexdsp": speexdsp,
    "webrtc": webrtc,
}


def usable() -> list[str]:
    """Names of the ways that this machine has the libraries for."""
    missing = set[str]()
    if not ctypes.util.find_library("speexdsp"):
        missing.add("speexdsp")
    if not importlib.util.find_spec(WEBRTC):
        missing |= {"earshot+ns", "webrtc"}
    return [name for name in WAYS if name not in missing]
