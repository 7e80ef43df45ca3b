"""How late the echo of what is played is heard: found in the sound itself.

The times that player and microphone tell leave out what lies behind them: sound servers, radio
links to loudspeakers, the air. Here the response from played to heard is guessed over a wide span,
coarsely, from spectra averaged over some seconds (Wiener's quotient of cross spectrum and
spectrum); where it stands out clearly, and does so again in the next section, there is the echo.
"""

import numpy as np
import numpy.typing as npt

from earshot.canceller import spectrum
from earshot.units import samples

Samples = npt.NDArray[np.float32]

SECTION = samples(512)  # of what was heard, looked at together
SPAN = SECTION  # in which the echo is looked for
KEPT = np.float32(0.3)  # share of the past in the spectra
CLEAR = 10.0  # times the usual size of the response, from which a peak is one
ALIKE = samples(2)  # two sections agree within so much
FLOOR = np.float32(1e-2)  # of the mean power: bins with less say nothing


class DelayFinder:
    """Section by section. Samples are finite."""

    def __init__(self) -> None:
        self._last: int | None = None
        self.forget()

    def forget(self) -> None:
        """Begin anew, as the times have changed."""
        self._cross = np.zeros(SECTION + 1, np.complex64)
        self._power = np.zeros(SECTION + 1, np.float32)
        self._last = None

    def find(self, heard: Samples, played: Samples) -> int | None:
        """After how many samples the echo of `played` comes in `heard`, once that is clear.

        heard: [SECTION]; played: [SPAN + SECTION], of which the last SECTION are as late as those
        heard. The answer is in 0..SPAN.
        """
        sent, echo = spectrum(played, SPAN + SECTION), spectrum(heard, 2 * SECTION) * _LATER
        self._cross *= KEPT
        self._cross += (1 - KEPT) * np.conj(sent) * echo
        self._power *= KEPT
        self._power += (1 - KEPT) * (sent.real**2 + sent.imag**2)
        least = FLOOR * self._power.mean()
        if least <= 0:
            return None
        size = np.abs(np.fft.irfft(self._cross / (self._power + least)))[: SPAN + 1]
        peak = int(size.argmax())
        if size[peak] < CLEAR * np.median(size):
            self._last = None
            return None
        before, self._last = self._last, peak
        return peak if before is not None and abs(before - peak) <= ALIKE else None


# What was heard stands in the second half of the window: an even bin stays, an odd one turns.
_LATER = np.where(np.arange(SECTION + 1) % 2, -1, 1).astype(np.float32)
