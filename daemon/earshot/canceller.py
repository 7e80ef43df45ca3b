"""Takes what is played out of what is heard: a filter that learns the way through the room.

What a loudspeaker plays comes back through the room as an echo: the played samples, filtered by an
unknown response. This filter guesses the response, takes the guessed echo away, and learns from
what is left: a Kalman filter over the spectrum of each part of the response (Enzner and Vary, 2006;
in parts: Kuech, Mabande and Enzner, 2014). For each coefficient it knows how much it is in doubt.
So it learns fast where it knows little, and hardly at all where somebody speaks over the music,
which is what recognition needs: nothing is ever suppressed, only the echo is subtracted.
"""

import numpy as np
import numpy.typing as npt

from earshot.units import SAMPLE_RATE

Samples = npt.NDArray[np.float32]
Spectra = npt.NDArray[np.complex64]

HOP = 256  # samples worked on at once, 16 ms: five make a block of the microphone
PARTS = 16
TAPS = PARTS * HOP  # samples of the response, 256 ms: most of the echo of a living room
LOOKS = np.float32(0.5)  # share of a window of two hops that is new
KEPT = np.float32(0.998**2)  # of what is known of the response a hop: people walk, clocks drift
STEADY = np.float32(0.7)  # share of the past in the spectrum of what is no echo
DOUBT = 0.3  # variance of a coefficient of which nothing is known
AGAIN = np.float32(0.1)  # of that, where the response was moved
FADING = 10 ** (-0.15)  # of that from one part to the next, as an echo fades
FAINT = np.float32(1e-10)  # power, so that nothing is divided by zero
HUSH = np.float32(1e-4)  # power in a bin of what is no echo, before anything was heard
CALM = 0.5 ** (HOP / (SAMPLE_RATE * 0.3))  # share of the past in the powers that are compared
MOVED = 0.1  # share of the response that may come at any other time, as things are moved
WORKING = 0.5  # share of the power heard, up to which an echo was taken out
LOUDER = 1.1  # what is left may be so much more power than what was heard


def spectrum(rows: Samples, size: int) -> Spectra:
    """Spectra [..., size / 2 + 1] of rows [..., N], which silence fills up."""
    return np.fft.rfft(rows, size).astype(np.complex64, copy=False)


class Canceller:
    """Hop by hop, with all it has learnt. Samples are in -1..1 and finite."""

    def __init__(self) -> None:
        shape = (PARTS, HOP + 1)
        self._played: Spectra = np.zeros(shape, np.complex64)  # newest first
        self.spectra: Spectra = np.zeros(shape, np.complex64)  # of the response's parts
        self._doubt = _prior()
        self._other = np.full(HOP + 1, HUSH, np.float32)  # power of what is no echo
        self._before = self._after = 0.0  # power of what was heard, and of what was left

    @property
    def response(self) -> Samples:
        """The way through the room as far as it is known [TAPS]."""
        taps: Samples = np.fft.irfft(self.spectra, axis=1)[:, :HOP].astype(np.float32)
        return taps.reshape(TAPS)

    def step(self, heard: Samples, played: Samples, *, learn: bool) -> Samples:
        """Take the echo out of a hop [HOP]; `played` [2 HOP] holds the hop before as well.

        Where that would make it louder, since little is known yet, it is given as it was.
        """
        self._played[1:] = self._played[:-1]
        self._played[0] = spectrum(played, 2 * HOP)
        echo = np.fft.irfft((self.spectra * self._played).sum(0))[HOP:]
        left: Samples = (heard - echo).astype(np.float32)
        if learn:
            self._learn(left)
        self._before += (1 - CALM) * (float(heard @ heard) - self._before)
        self._after += (1 - CALM) * (float(left @ left) - self._after)
        return left if self._after <= LOUDER * self._before else heard

    @property
    def works(self) -> bool:
        """Whether much of what was heard lately was echo, and is gone."""
        return self._before > 0 and self._after <= WORKING * self._before

    def recall(self, played: Samples) -> None:
        """Be told what was played before the next hop [TAPS + HOP], oldest first."""
        windows = np.lib.stride_tricks.sliding_window_view(played, 2 * HOP)[::HOP]
        self._played = spectrum(windows[::-1], 2 * HOP)

    def forget(self) -> None:
        """Know nothing any more."""
        self.spectra[:] = 0
        self._doubt = _prior()
        self._before = self._after = 0.0

    def shift(self, later: int) -> None:
        """Keep what is known when the echo of what is played comes so many samples later."""
        if not -TAPS < later < TAPS:
            self.forget()
            return
        old, taps = self.response, np.zeros(TAPS, np.float32)
        taps[max(0, later) : TAPS + min(0, later)] = old[max(0, -later) : TAPS - max(0, later)]
        self.spectra = spectrum(taps.reshape(PARTS, HOP), 2 * HOP)
        self._doubt = np.maximum(self._doubt, _prior() * AGAIN)

    def _learn(self, left: Samples) -> None:
        """Correct the response by what was left of a hop."""
        error = spectrum(left, 2 * HOP) * _LATER
        self._other *= STEADY
        self._other += (1 - STEADY) * _power(error)
        power = _power(self._played)
        total = LOOKS * (power * self._doubt).sum(0) + self._other + FAINT
        gain = self._doubt / total
        change: Samples = np.fft.irfft(gain * np.conj(self._played) * error).astype(np.float32)
        change[:, HOP:] = 0  # a part of the response is a hop long
        self.spectra += spectrum(change, 2 * HOP)
        self._doubt *= KEPT * (1 - LOOKS * gain * power)
        known = _power(self.spectra)
        self._doubt += (1 - KEPT) * (known + _MOVED * known.sum(0))
        if not np.isfinite(self.spectra).all():
            self.forget()


# Half a window later: what was left stands in the second half of the window, behind a hop of zeros.
_LATER = np.where(np.arange(HOP + 1) % 2, -1, 1).astype(np.float32)


# How the room's sound is spread over the parts of the response [PARTS, 1].
_MOVED = (MOVED * (1 - FADING) * FADING ** np.arange(PARTS)[:, None]).astype(np.float32)


def _prior() -> npt.NDArray[np.float32]:
    """How much is in doubt at first [PARTS, HOP + 1]."""
    column = DOUBT * FADING ** np.arange(PARTS, dtype=np.float32)
    return np.repeat(column[:, None], HOP + 1, axis=1).astype(np.float32)


def _power(spectrum: Spectra) -> npt.NDArray[np.float32]:
    return spectrum.real**2 + spectrum.imag**2
